//! Where in a text the parts of an expression begin.

use sqlparser::ast::{Expr, Function};
use sqlparser::tokenizer::Location;

/// Where an expression begins. Walks down its left side without a call for each step.
pub(super) fn place(expr: &Expr) -> Option<Location> {
    let mut expr = expr;
    loop {
        expr = match expr {
            Expr::Identifier(name) => return Some(name.span.start),
            Expr::CompoundIdentifier(names) => return names.first().map(|name| name.span.start),
            Expr::Value(value) => return Some(value.span.start),
            Expr::Function(call) => return place_of_call(call),
            Expr::Case { case_token, .. } => return Some(case_token.0.span.start),
            Expr::BinaryOp { left: inner, .. }
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::Nested(inner)
            | Expr::Cast { expr: inner, .. }
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::Between { expr: inner, .. }
            | Expr::InList { expr: inner, .. }
            | Expr::Like { expr: inner, .. }
            | Expr::Substring { expr: inner, .. }
            | Expr::Trim { expr: inner, .. } => inner,
            _ => return None,
        };
    }
}

pub(super) fn place_of_call(call: &Function) -> Option<Location> {
    call.name.0.first().and_then(|part| part.as_ident()).map(|name| name.span.start)
}
