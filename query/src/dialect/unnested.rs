//! `FROM t, UNNEST(items) AS u(item)` and `CROSS JOIN UNNEST`: a row for each item of an array of the row before it. Told as
//! a query of the table with one more column, for DataFusion has no such joins.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    TableWithJoins, VisitMut, VisitorMut, WildcardAdditionalOptions,
};

use super::appended;
use super::calls::call;
use crate::error::QueryError;

/// The same for a query that is one SELECT, whose ORDER BY may name the columns too.
pub(super) fn rewrite_query(query: &mut Query) -> Result<bool, QueryError> {
    let SetExpr::Select(select) = query.body.as_mut() else { return Ok(false) };
    let renamed = rewrite_tables(select)?;
    Ok(rename(query, renamed))
}

/// Puts every UNNEST that follows a table into a query of that table. Returns whether there was one.
pub(super) fn rewrite(select: &mut Select) -> Result<bool, QueryError> {
    let renamed = rewrite_tables(select)?;
    Ok(rename(select, renamed))
}

/// `None` where there is no such UNNEST.
fn rename(part: &mut impl VisitMut, renamed: Option<Vec<Renamed>>) -> bool {
    let Some(renamed) = renamed else { return false };
    match part.visit(&mut Names { renamed }) {
        ControlFlow::Continue(()) => true,
        ControlFlow::Break(never) => match never {},
    }
}

fn rewrite_tables(select: &mut Select) -> Result<Option<Vec<Renamed>>, QueryError> {
    let has_unnest = |table: &TableWithJoins| table.joins.iter().any(|join| is_unnest(&join.relation));
    if !select.from.iter().skip(1).any(|table| is_unnest(&table.relation)) && !select.from.iter().any(has_unnest) {
        return Ok(None);
    }
    let mut renamed = Vec::new();
    let mut from: Vec<TableWithJoins> = Vec::new();
    for mut table in std::mem::take(&mut select.from) {
        if let Some(before) = from.last_mut().filter(|_| is_unnest(&table.relation)) {
            let unnest = std::mem::replace(&mut table.relation, before.relation.clone());
            add(before, unnest, &mut renamed)?;
            before.joins.append(&mut table.joins);
        } else {
            from.push(table);
        }
        let last = from.last_mut().expect("there is a table");
        for join in std::mem::take(&mut last.joins) {
            if !is_unnest(&join.relation) {
                last.joins.push(join);
                continue;
            }
            match join.join_operator {
                JoinOperator::CrossJoin(JoinConstraint::None) => add(last, join.relation, &mut renamed)?,
                _ => return Err(QueryError::unsupported("UNNEST can only be joined by a comma or CROSS JOIN")),
            }
        }
    }
    select.from = from;
    Ok(Some(renamed))
}

fn is_unnest(table: &TableFactor) -> bool {
    matches!(table, TableFactor::UNNEST { .. })
}

/// What an unnested column may be called by, and the table that it is in now.
struct Renamed {
    from: Ident,
    to: Ident,
}

fn add(table: &mut TableWithJoins, unnest: TableFactor, renamed: &mut Vec<Renamed>) -> Result<(), QueryError> {
    let fail = |why: &str| QueryError::unsupported(format!("UNNEST {why}: SELECT .. FROM t, UNNEST(items) AS u(item)"));
    let TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality: false, .. } = unnest else {
        return Err(fail("has no offsets or ordinals"));
    };
    let [array] = array_exprs.as_slice() else { return Err(fail("takes one array")) };
    if !table.joins.is_empty() {
        return Err(fail("needs one table before it; put joins into a query of their own"));
    }
    let name = name_of(&table.relation).ok_or_else(|| fail("needs a table with a name before it"))?;
    let column = alias.as_ref().and_then(|alias| alias.columns.first()).map(|column| column.name.clone());
    let column = column.unwrap_or_else(|| Ident::with_quote('"', "EXPR$0"));
    if let Some(alias) = alias {
        renamed.push(Renamed { from: alias.name, to: name.clone() });
    }
    let mut query = appended::parse("SELECT * FROM t").expect("it is a query");
    let SetExpr::Select(inner) = query.body.as_mut() else {
        return Err(QueryError::internal("a SELECT was read as something else"));
    };
    let items = SelectItem::ExprWithAlias { expr: call("unnest", vec![array.clone()]), alias: column };
    inner.projection = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default()), items];
    inner.from = vec![TableWithJoins { relation: table.relation.clone(), joins: Vec::new() }];
    let alias = TableAlias { explicit: true, name, columns: Vec::new(), at: None };
    table.relation = TableFactor::Derived { lateral: false, subquery: query, alias: Some(alias), sample: None };
    Ok(())
}

/// What columns of the table are called by.
fn name_of(table: &TableFactor) -> Option<Ident> {
    match table {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::TableFunction { alias: Some(alias), .. } => Some(alias.name.clone()),
        TableFactor::Table { name, alias: None, .. } => name.0.last()?.as_ident().cloned(),
        TableFactor::Derived { alias: None, .. } => Some(Ident::with_quote('"', "$unnested")),
        _ => None,
    }
}

/// `u.item` becomes `t.item`.
struct Names {
    renamed: Vec<Renamed>,
}

impl VisitorMut for Names {
    type Break = std::convert::Infallible;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [table, _] = parts.as_mut_slice()
            && let Some(renamed) = self.renamed.iter().find(|renamed| renamed.from.value == table.value)
        {
            *table = renamed.to.clone();
        }
        ControlFlow::Continue(())
    }
}
