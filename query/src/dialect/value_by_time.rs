//! `EARLIEST(x)` and `LATEST(x)`, by the time of the row, told as `EARLIEST_BY(x, __time)`; `ANY_VALUE(x)` as `MAX(x)`.
//! Functions of samples take the time of the row, too, where none is said: `RATE(x)`, `LAST_OVER_TIME(x)`.
//!
//! Druid keeps of a string as many bytes as a last argument says; here values are whole, and the number says nothing.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Value,
};
use henge_segment_store::schema::TIME_COLUMN;

pub(super) fn rewrite(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let [name] = function.name.0.as_slice() else { return };
    let Some(name) = name.as_ident().map(|name| name.value.to_ascii_lowercase()) else { return };
    let by_time = match name.as_str() {
        "earliest" => "earliest_by",
        "latest" => "latest_by",
        "earliest_by" | "latest_by" => return drop_bytes(function, 2),
        "any_value" => return take_greatest(function),
        "last_over_time" | "increase" | "rate" | "delta" | "time_weighted_average" => &name,
        _ => return,
    };
    if by_time != name {
        drop_bytes(function, 1);
    }
    let FunctionArguments::List(list) = &mut function.args else { return };
    if list.args.len() == 1 {
        let time = Expr::Identifier(Ident::with_quote('"', TIME_COLUMN));
        list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(time)));
        function.name = ObjectName::from(vec![Ident::new(by_time)]);
    }
}

/// Takes the number away that stands after `arguments` others.
fn drop_bytes(function: &mut Function, arguments: usize) {
    let FunctionArguments::List(list) = &mut function.args else { return };
    let number = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value))) => matches!(value.value, Value::Number(..)),
        _ => false,
    };
    if list.args.len() == arguments + 1 && list.args.last().is_some_and(number) {
        list.args.pop();
    }
}

/// Any value will do, so let it be the same one each time, and null only where there is no other.
fn take_greatest(function: &mut Function) {
    drop_bytes(function, 1);
    function.name = ObjectName::from(vec![Ident::new("max")]);
}
