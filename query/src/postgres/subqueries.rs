//! Queries about what there never is here, such as indexes or defaults of columns, and queries in the place of a value.
//!
//! Clients ask for such things in ways that no planner but PostgreSQL's knows. Their columns are told, and they find nothing.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArguments, GroupByExpr, Ident, JoinOperator, ObjectName, ObjectNamePart, Query, Select,
    SelectItem, SetExpr, TableFactor, Value, Visit, Visitor,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::catalog;
use crate::dialect::calls::{call, null};

/// A query in the place of a value.
pub(super) fn rewrite(expr: &mut Expr) {
    let rewritten = match expr {
        Expr::Subquery(query) if finds_nothing(query) => Some(null()),
        Expr::Exists { subquery, negated } if finds_nothing(subquery) => Some(flag(*negated)),
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

/// A query that finds nothing becomes one that asks for nothing, with the same names of columns.
pub(super) fn forget(query: &mut Query) {
    let finds_nothing = finds_nothing(query);
    if let SetExpr::Select(select) = query.body.as_mut()
        && finds_nothing
    {
        forget_tables(select);
        query.order_by = None;
    }
}

/// The same of a part of a `UNION`.
pub(super) fn forget_select(select: &mut Select) {
    if selects_nothing(select) {
        forget_tables(select);
    }
}

fn forget_tables(select: &mut Select) {
    for item in &mut select.projection {
        match item {
            SelectItem::ExprWithAlias { expr, .. } => *expr = null(),
            SelectItem::UnnamedExpr(expr) => {
                *item = match name_of(expr) {
                    Some(alias) => SelectItem::ExprWithAlias { expr: null(), alias },
                    None => SelectItem::UnnamedExpr(null()),
                }
            }
            _ => {}
        }
    }
    select.from.clear();
    select.selection = Some(flag(false));
    select.group_by = GroupByExpr::Expressions(Vec::new(), Vec::new());
    select.having = None;
    select.distinct = None;
}

fn flag(value: bool) -> Expr {
    Expr::Value(Value::Boolean(value).with_span(Span::empty()))
}

fn name_of(expr: &Expr) -> Option<Ident> {
    match expr {
        Expr::Identifier(name) => Some(name.clone()),
        Expr::CompoundIdentifier(parts) => parts.last().cloned(),
        Expr::Cast { expr, .. } => name_of(expr),
        _ => None,
    }
}

fn finds_nothing(query: &Query) -> bool {
    match query.body.as_ref() {
        SetExpr::Select(select) => selects_nothing(select),
        _ => false,
    }
}

/// Whether each row would take one of a table that has none. An aggregate makes a row of none.
fn selects_nothing(select: &Select) -> bool {
    let is_plain = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => !has_aggregate(expr),
        _ => false,
    };
    let mut from = select.from.iter();
    select.projection.iter().all(is_plain)
        && from.any(|table| {
            let keeps_left = |join: &JoinOperator| {
                !matches!(join, JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_))
            };
            let needs_both = |join: &JoinOperator| {
                matches!(join, JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_))
            };
            let is_left_kept = table.joins.iter().all(|join| keeps_left(&join.join_operator));
            let is_inner_empty =
                || table.joins.iter().any(|join| needs_both(&join.join_operator) && has_no_rows(&join.relation));
            is_left_kept && (has_no_rows(&table.relation) || is_inner_empty())
        })
}

fn has_no_rows(table: &TableFactor) -> bool {
    match table {
        TableFactor::Table { name, .. } => catalog::is_always_empty(name),
        TableFactor::Derived { subquery, .. } => finds_nothing(subquery),
        _ => false,
    }
}

fn has_aggregate(expr: &Expr) -> bool {
    /// Those of inner queries are of other rows.
    #[derive(Default)]
    struct FindAggregate {
        inner_queries: usize,
    }
    impl Visitor for FindAggregate {
        type Break = ();

        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.inner_queries += 1;
            ControlFlow::Continue(())
        }

        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.inner_queries -= 1;
            ControlFlow::Continue(())
        }

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) if self.inner_queries == 0 && is_aggregate(function) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut FindAggregate::default()).is_break()
}

fn is_aggregate(function: &Function) -> bool {
    const AGGREGATES: [&str; 9] =
        ["array_agg", "avg", "bool_and", "bool_or", "count", "max", "min", "string_agg", "sum"];
    let name = function.name.0.last().and_then(ObjectNamePart::as_ident);
    name.is_some_and(|name| AGGREGATES.contains(&name.value.to_ascii_lowercase().as_str()))
}

/// `(SELECT x FROM pg_..)` as `(SELECT MAX(x) FROM pg_..)`: what clients ask so has one row at the most, which the planner
/// has to be told.
fn tell_of_one_row(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let is_of_catalog = !select.from.is_empty() && tables(select).all(catalog::is_table);
    let (true, [SelectItem::UnnamedExpr(expr)]) = (is_of_catalog, select.projection.as_mut_slice()) else { return };
    if !has_aggregate(expr) {
        *expr = call("max", vec![expr.clone()]);
    }
}

fn tables(select: &Select) -> impl Iterator<Item = &ObjectName> {
    select.from.iter().filter_map(|table| match &table.relation {
        TableFactor::Table { name, .. } => Some(name),
        _ => None,
    })
}
