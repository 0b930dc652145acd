//! What Druid's SQL says differently from DataFusion's, rewritten in the parsed statement.

mod column_names;
mod time_units;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Select, VisitMut, VisitorMut};
use henge_segment_store::time::TimestampMs;
use jiff::tz::TimeZone;

use crate::error::QueryError;

/// Rewrites time functions and literals for `zone`, fixes the current time at `now`, and names unnamed columns.
pub(crate) fn rewrite(query: &mut Query, zone: &TimeZone, now: TimestampMs) -> Result<(), QueryError> {
    match query.visit(&mut Rewriter { zone, now }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

struct Rewriter<'a> {
    zone: &'a TimeZone,
    now: TimestampMs,
}

impl VisitorMut for Rewriter<'_> {
    type Break = Box<QueryError>;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match time_units::rewrite(expr, self.zone, self.now) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(Box::new(error)),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        column_names::name_columns(&mut select.projection);
        ControlFlow::Continue(())
    }
}
