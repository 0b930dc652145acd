//! What Druid's SQL says differently from DataFusion's, rewritten in the parsed statement.

mod column_names;
mod time_units;
mod value_by_time;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, Select, TableAlias, TableFactor, VisitMut, VisitorMut};
use henge_segment_store::time::TimestampMs;
use jiff::tz::TimeZone;

pub(crate) use self::time_units::read_timestamp;
use crate::error::QueryError;

/// Rewrites time functions and literals for `zone`, fixes the current time at `now`, and names unnamed columns and
/// tables.
pub(crate) fn rewrite(query: &mut Query, zone: &TimeZone, now: TimestampMs) -> Result<(), QueryError> {
    match query.visit(&mut Rewriter { zone, now, unnamed_tables: 0 }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

struct Rewriter<'a> {
    zone: &'a TimeZone,
    now: TimestampMs,
    unnamed_tables: usize,
}

impl VisitorMut for Rewriter<'_> {
    type Break = Box<QueryError>;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        value_by_time::rewrite(expr);
        match time_units::rewrite(expr, self.zone, self.now) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(Box::new(error)),
        }
    }

    /// Names subqueries that have no name. DataFusion 55 drops one of two nested ones that compute the same from columns
    /// of the same name, `x + x AS x` (its pull request 24686); with names of their tables the columns differ.
    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<Self::Break> {
        if let TableFactor::Derived { alias: alias @ None, .. } = table {
            let name = Ident::with_quote('"', format!("$subquery{}", self.unnamed_tables));
            *alias = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
            self.unnamed_tables += 1;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        column_names::name_columns(&mut select.projection);
        ControlFlow::Continue(())
    }
}
