//! `EARLIEST(x)` and `LATEST(x)`, by the time of the row, told as `EARLIEST_BY(x, __time)`; `ANY_VALUE(x)` as `MAX(x)`.
//! Functions of samples take the time of the row, too, where none is said: `RATE(x)`, `LAST_OVER_TIME(x)`.
//!
//! The last argument of these says how many bytes of a text are kept; without it, unlike Druid's 1,024, all of them are.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Value,
};
use henge_segment_store::schema::TIME_COLUMN;

use super::calls::call;

pub(super) fn rewrite(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    if let Some(bytes) = rewrite_call(function) {
        *expr = call("first_bytes", vec![expr.clone(), bytes]);
    }
}

/// Returns how many bytes of the value are asked for.
fn rewrite_call(function: &mut Function) -> Option<Expr> {
    let [name] = function.name.0.as_slice() else { return None };
    let name = name.as_ident()?.value.to_ascii_lowercase();
    let by_time = match name.as_str() {
        "earliest" => "earliest_by",
        "latest" => "latest_by",
        "earliest_by" | "latest_by" => return take_bytes(function, 2),
        "any_value" => return take_greatest(function),
        "last_over_time" | "increase" | "rate" | "delta" | "time_weighted_average" => &name,
        _ => return None,
    };
    let bytes = if by_time == name { None } else { take_bytes(function, 1) };
    let FunctionArguments::List(list) = &mut function.args else { return bytes };
    if list.args.len() == 1 {
        let time = Expr::Identifier(Ident::with_quote('"', TIME_COLUMN));
        list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(time)));
        function.name = ObjectName::from(vec![Ident::new(by_time)]);
    }
    bytes
}

/// Takes the number away that stands after `arguments` others.
fn take_bytes(function: &mut Function, arguments: usize) -> Option<Expr> {
    let FunctionArguments::List(list) = &mut function.args else { return None };
    let is_number = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => matches!(value.value, Value::Number(..)),
        _ => false,
    };
    if list.args.len() != arguments + 1 || !list.args.last().is_some_and(is_number) {
        return None;
    }
    match list.args.pop() {
        Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(bytes))) => Some(bytes),
        _ => None,
    }
}

/// Any value will do, so let it be the same one each time, and null only where there is no other.
fn take_greatest(function: &mut Function) -> Option<Expr> {
    let bytes = take_bytes(function, 1);
    function.name = ObjectName::from(vec![Ident::new("max")]);
    bytes
}
