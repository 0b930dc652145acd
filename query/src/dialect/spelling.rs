//! Functions that Druid calls otherwise than DataFusion, or that are operators there.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, ExactNumberInfo, Expr, Function, FunctionArgumentClause, FunctionArguments,
    Ident, ObjectName,
};

use super::calls::{arguments_of, call, cast, long, name_of};
use crate::error::QueryError;

pub(super) fn rewrite(expr: &mut Expr) -> Result<(), QueryError> {
    let rewritten = match expr {
        Expr::Function(function) => rewrite_call(function)?,
        Expr::Position { expr: part, r#in: text } => Some(call("strpos", vec![(**text).clone(), (**part).clone()])),
        Expr::Substring { expr: text, substring_from, substring_for, .. } => {
            let start = substring_from.as_deref().cloned().unwrap_or_else(|| long(1));
            let arguments = [(**text).clone(), start].into_iter().chain(substring_for.as_deref().cloned());
            Some(call("substring", arguments.collect()))
        }
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
    if let Some(renamed) = renamed(&name) {
        function.name = ObjectName::from(vec![Ident::new(renamed)]);
        return Ok(None);
    }
    if name == "json_value" {
        return Ok(returned(function));
    }
    let arguments: Vec<Expr> = arguments_of(function).into_iter().cloned().collect();
    Ok(match (name.as_str(), <[Expr; 2]>::try_from(arguments.clone())) {
        ("concat" | "textcat", _) if !arguments.is_empty() => Some(joined(&arguments)),
        ("icontains_string", Ok(texts)) => Some(call("contains", texts.map(|text| call("lower", vec![text])).to_vec())),
        ("mod", Ok(sides)) => Some(operation(sides, BinaryOperator::Modulo)),
        ("bitwise_and", Ok(sides)) => Some(operation(sides, BinaryOperator::BitwiseAnd)),
        ("bitwise_or", Ok(sides)) => Some(operation(sides, BinaryOperator::BitwiseOr)),
        ("bitwise_xor", Ok(sides)) => Some(operation(sides, BinaryOperator::BitwiseXor)),
        ("bitwise_shift_left", Ok(sides)) => Some(operation(sides, BinaryOperator::PGBitwiseShiftLeft)),
        ("bitwise_shift_right", Ok(sides)) => Some(operation(sides, BinaryOperator::PGBitwiseShiftRight)),
        ("bitwise_complement", _) if arguments.len() == 1 => {
            Some(operation([arguments[0].clone(), long(-1)], BinaryOperator::BitwiseXor))
        }
        ("power" | "pow", Ok(sides)) => {
            let doubles = sides.map(|side| cast(side, DataType::Double(ExactNumberInfo::None)));
            Some(call("power", doubles.to_vec()))
        }
        ("lookup", _) => {
            return Err(QueryError::unsupported(
                "LOOKUP needs a lookup table, and there are none yet: write CASE, or JOIN a query of VALUES",
            ));
        }
        _ => None,
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

fn operation([left, right]: [Expr; 2], op: BinaryOperator) -> Expr {
    let side = |expr| Box::new(Expr::Nested(Box::new(expr)));
    Expr::Nested(Box::new(Expr::BinaryOp { left: side(left), op, right: side(right) }))
}

/// `a || b || ..`, which null makes null; halved again and again, so that no list makes a deep tree.
fn joined(texts: &[Expr]) -> Expr {
    match texts {
        [text] => cast(text.clone(), DataType::Varchar(None)),
        texts => {
            let (left, right) = texts.split_at(texts.len() / 2);
            operation([joined_part(left), joined_part(right)], BinaryOperator::StringConcat)
        }
    }
}

fn joined_part(texts: &[Expr]) -> Expr {
    match texts {
        [text] => text.clone(),
        texts => joined(texts),
    }
}
