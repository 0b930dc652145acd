//! Functions that Druid calls otherwise than DataFusion, or that are operators there.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, ExactNumberInfo, Expr, Function, FunctionArgumentClause, FunctionArguments,
    Ident, JsonNullClause, ObjectName,
};

use super::calls::{arguments_of, call, cast, long, name_of, string};
use crate::error::QueryError;

/// What calls of JSON_OBJECT become: with a text before the members that has a letter for each value.
pub(crate) const JSON_OBJECT: &str = "json_object_of";
/// Of a value that is JSON itself.
pub(crate) const JSON_VALUE_LETTER: u8 = b'j';
/// Whose answers are JSON.
const OF_JSON: [&str; 5] = [JSON_OBJECT, "json_merge", "json_query", "parse_json", "try_parse_json"];

const OF_WHOLE_GROUPS: [&str; 8] =
    ["increase", "rate", "delta", "time_weighted_average", "string_agg", "listagg", "array_agg", "array_concat_agg"];

pub(super) fn rewrite(expr: &mut Expr) -> Result<(), QueryError> {
    let rewritten = match expr {
        Expr::Function(function) => rewrite_call(function)?,
        Expr::Position { expr: part, r#in: text } => Some(call("strpos", vec![(**text).clone(), (**part).clone()])),
        Expr::Substring { substring_from: None, substring_for: None, .. } => {
            return Err(QueryError::plan("SUBSTRING needs a start: SUBSTRING(text, 2) or SUBSTRING(text, 2, 5)"));
        }
        Expr::Substring { expr: text, substring_from, substring_for, .. } => {
            let start = substring_from.as_deref().cloned().unwrap_or_else(|| long(1));
            let arguments = [(**text).clone(), start].into_iter().chain(substring_for.as_deref().cloned());
            Some(call("substring", arguments.collect()))
        }
        Expr::Array(array) => Some(call("array", array.elem.clone())),
        Expr::Cast { kind: CastKind::Cast, data_type, .. } if is_integer(data_type) => {
            *data_type = DataType::BigInt(None);
            None
        }
        _ => None,
    };
    if let Some(rewritten) = rewritten {
        *expr = rewritten;
    }
    Ok(())
}

/// Druid computes with all of them in 64 bits.
fn is_integer(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int(_) | DataType::Integer(_) | DataType::SmallInt(_) | DataType::TinyInt(_))
}

fn rewrite_call(function: &mut Function) -> Result<Option<Expr>, QueryError> {
    let Some(name) = name_of(function) else { return Ok(None) };
    // For each row of a window they would look at all rows before it.
    if function.over.is_some() && OF_WHOLE_GROUPS.contains(&name.as_str()) {
        return Err(QueryError::unsupported(format!(
            "{} cannot be used OVER a window: group by what tells series apart, or take differences by LAG",
            name.to_uppercase()
        )));
    }
    if let Some(renamed) = renamed(&name) {
        function.name = ObjectName::from(vec![Ident::new(renamed)]);
        return Ok(None);
    }
    if name == "json_value" {
        return Ok(returned(function));
    }
    if name == "json_object" {
        return json_object(function).map(Some);
    }
    Ok(match (name.as_str(), arguments_of(function).as_slice()) {
        (_, [left, right]) if operator_of(&name).is_some() => {
            operator_of(&name).map(|operator| operation(left, operator, right))
        }
        ("concat" | "textcat", texts @ [_, ..]) => Some(joined(texts)),
        ("icontains_string", [text, part]) => {
            let lower = |text: &Expr| call("lower", vec![text.clone()]);
            Some(call("contains", vec![lower(text), lower(part)]))
        }
        ("bitwise_complement", [bits]) => Some(operation(bits, BinaryOperator::BitwiseXor, &long(-1))),
        ("power" | "pow", [base, exponent]) => {
            let double = |number: &Expr| cast(number.clone(), DataType::Double(ExactNumberInfo::None));
            Some(call("power", vec![double(base), double(exponent)]))
        }
        ("scalar_in_array", [value, array]) => array_items(array).map(|list| {
            let expr = Box::new((*value).clone());
            Expr::InList { expr, list, negated: false }
        }),
        _ => None,
    })
}

/// What was written as `ARRAY[..]`, and is a call by now.
fn array_items(expr: &Expr) -> Option<Vec<Expr>> {
    let Expr::Function(function) = expr else { return None };
    let is_array = name_of(function).as_deref() == Some("array");
    is_array.then(|| arguments_of(function).into_iter().cloned().collect())
}

/// Functions of two numbers that are operators in DataFusion.
fn operator_of(name: &str) -> Option<BinaryOperator> {
    Some(match name {
        "mod" => BinaryOperator::Modulo,
        "bitwise_and" => BinaryOperator::BitwiseAnd,
        "bitwise_or" => BinaryOperator::BitwiseOr,
        "bitwise_xor" => BinaryOperator::BitwiseXor,
        "bitwise_shift_left" => BinaryOperator::PGBitwiseShiftLeft,
        "bitwise_shift_right" => BinaryOperator::PGBitwiseShiftRight,
        _ => return None,
    })
}

fn renamed(name: &str) -> Option<&'static str> {
    Some(match name {
        "truncate" => "trunc",
        "ceiling" => "ceil",
        "contains_string" => "contains",
        "variance" => "var_samp",
        "listagg" => "string_agg",
        _ => return None,
    })
}

/// Of names and values, one after the other.
fn json_object(function: &Function) -> Result<Expr, QueryError> {
    let members = arguments_of(function);
    let (count, clauses) = match &function.args {
        FunctionArguments::List(list) => (list.args.len(), list.clauses.as_slice()),
        _ => (0, [].as_slice()),
    };
    if count != members.len() {
        return Err(QueryError::plan("JSON_OBJECT takes names and values: JSON_OBJECT(KEY 'a' VALUE 1, 'b': topic)"));
    }
    if clauses.contains(&FunctionArgumentClause::JsonNullClause(JsonNullClause::AbsentOnNull)) {
        return Err(QueryError::unsupported("JSON_OBJECT keeps members that are NULL: leave out ABSENT ON NULL"));
    }
    let values = members.iter().skip(1).step_by(2);
    let letter = |value: &&Expr| match value {
        Expr::Function(function) if name_of(function).is_some_and(|name| OF_JSON.contains(&name.as_str())) => {
            char::from(JSON_VALUE_LETTER)
        }
        _ => '-',
    };
    let letters: String = values.map(letter).collect();
    let arguments = std::iter::once(string(&letters)).chain(members.iter().map(|member| (*member).clone()));
    Ok(call(JSON_OBJECT, arguments.collect()))
}

/// `JSON_VALUE(.. RETURNING type)`.
fn returned(function: &mut Function) -> Option<Expr> {
    let FunctionArguments::List(list) = &mut function.args else { return None };
    let is_returning =
        |clause: &FunctionArgumentClause| matches!(clause, FunctionArgumentClause::JsonReturningClause(_));
    let at = list.clauses.iter().position(is_returning)?;
    let FunctionArgumentClause::JsonReturningClause(returning) = list.clauses.remove(at) else { return None };
    let data_type = if is_integer(&returning.data_type) { DataType::BigInt(None) } else { returning.data_type };
    Some(cast(Expr::Function(function.clone()), data_type))
}

fn operation(left: &Expr, op: BinaryOperator, right: &Expr) -> Expr {
    let side = |expr: &Expr| Box::new(Expr::Nested(Box::new(expr.clone())));
    Expr::Nested(Box::new(Expr::BinaryOp { left: side(left), op, right: side(right) }))
}

/// `a || b || ..`, which null makes null; halved again and again, so that no list makes a deep tree.
fn joined(texts: &[&Expr]) -> Expr {
    match texts {
        [text] => cast((*text).clone(), DataType::Varchar(None)),
        [left, right] => operation(left, BinaryOperator::StringConcat, right),
        [first, rest @ ..] if rest.len() == 2 => operation(first, BinaryOperator::StringConcat, &joined(rest)),
        texts => {
            let (left, right) = texts.split_at(texts.len() / 2);
            operation(&joined(left), BinaryOperator::StringConcat, &joined(right))
        }
    }
}
