//! Subqueries in the place of a value, as clients ask the catalogue: most are about what there never is here, such as
//! defaults of columns, and the others find one row at the most, which the planner needs to be told.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArguments, ObjectName, Query, Select, SelectItem, SetExpr, TableFactor, Value,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::catalog;
use crate::dialect::calls::{call, null};

pub(super) fn rewrite(expr: &mut Expr) {
    let rewritten = match expr {
        Expr::Subquery(query) if finds_nothing(query) => Some(null()),
        Expr::Exists { subquery, negated } if finds_nothing(subquery) => {
            Some(Expr::Value(Value::Boolean(*negated).with_span(Span::empty())))
        }
        Expr::Function(Function { args: FunctionArguments::Subquery(query), .. }) if finds_nothing(query) => {
            Some(null())
        }
        Expr::Subquery(query) => {
            tell_of_one_row(query);
            None
        }
        _ => None,
    };
    if let Some(rewritten) = rewritten {
        *expr = rewritten;
    }
}

fn select_of(query: &Query) -> Option<&Select> {
    match query.body.as_ref() {
        SetExpr::Select(select) => Some(select),
        _ => None,
    }
}

/// Whether it reads a table that is always empty, and would answer rows of it.
fn finds_nothing(query: &Query) -> bool {
    let Some(select) = select_of(query) else { return false };
    let is_plain =
        |item: &SelectItem| !matches!(item, SelectItem::UnnamedExpr(Expr::Function(call)) if is_aggregate(call));
    select.projection.iter().all(is_plain) && tables(select).any(catalog::is_always_empty)
}

fn is_aggregate(function: &Function) -> bool {
    let name = function.name.to_string().to_ascii_lowercase();
    matches!(
        name.trim_start_matches("pg_catalog."),
        "count" | "max" | "min" | "sum" | "bool_or" | "string_agg" | "array_agg"
    )
}

/// `(SELECT x FROM pg_..)` as `(SELECT MAX(x) FROM pg_..)`.
fn tell_of_one_row(query: &mut Query) {
    let is_of_catalog = select_of(query).is_some_and(|select| {
        let mut names = tables(select).peekable();
        names.peek().is_some() && names.all(catalog::is_table)
    });
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let (true, [SelectItem::UnnamedExpr(expr)]) = (is_of_catalog, select.projection.as_mut_slice()) else { return };
    if !matches!(expr, Expr::Function(function) if is_aggregate(function)) {
        *expr = call("max", vec![expr.clone()]);
    }
}

/// Names of tables that rows are of: not those that may have none beside a row.
fn tables(select: &Select) -> impl Iterator<Item = &ObjectName> {
    select.from.iter().filter_map(|table| match &table.relation {
        TableFactor::Table { name, .. } => Some(name),
        _ => None,
    })
}
