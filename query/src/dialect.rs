//! What Druid's SQL says differently from DataFusion's, rewritten in the parsed statement.

pub(crate) mod appended;
pub(crate) mod calls;
mod column_names;
mod intervals;
mod said_casts;
mod spelling;
mod time_buckets;
mod time_calls;
mod time_literals;
mod time_units;
mod unnested;
mod value_by_time;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, Select, TableAlias, TableFactor, VisitMut, VisitorMut};
use henge_segment_store::time::TimestampMs;
use jiff::tz::TimeZone;

pub(crate) use self::said_casts::SAID_AS;
pub(crate) use self::spelling::{JSON_OBJECT, JSON_VALUE_LETTER};
pub(crate) use self::time_literals::read_timestamp;
use crate::error::QueryError;
use crate::relations;

/// Functions of single values that are written as others here, and that the session therefore does not know.
pub(crate) const FUNCTIONS: &[&str] = &[
    "bitwise_and",
    "bitwise_complement",
    "bitwise_or",
    "bitwise_shift_left",
    "bitwise_shift_right",
    "bitwise_xor",
    "concat",
    "contains_string",
    "current_date",
    "current_timestamp",
    "date_trunc",
    "extract",
    "icontains_string",
    "json_object",
    "mod",
    "position",
    "scalar_in_array",
    "textcat",
    "time_in_interval",
    "timestampadd",
    "truncate",
];

/// Aggregates of that kind.
pub(crate) const AGGREGATES: &[&str] = &["any_value", "earliest", "latest", "listagg", "variance"];

/// Rewrites time functions and literals for `zone`, fixes the current time at `now`, and names unnamed columns and
/// tables.
pub(crate) fn rewrite(query: &mut Query, zone: &TimeZone, now: TimestampMs) -> Result<(), QueryError> {
    let mut rewriter = Rewriter { zone, now, unnamed_tables: 0, must_recount: false, buckets: 0 };
    if let ControlFlow::Break(error) = query.visit(&mut rewriter) {
        return Err(*error);
    }
    said_casts::rewrite(query);
    // The tables of an APPEND were counted as one before, and an UNNEST makes a query more.
    if rewriter.must_recount { relations::check(query) } else { Ok(()) }
}

struct Rewriter<'a> {
    zone: &'a TimeZone,
    now: TimestampMs,
    unnamed_tables: usize,
    /// Whether there are tables or queries that were not counted.
    must_recount: bool,
    /// That TIME_BUCKETS made so far.
    buckets: usize,
}

impl Rewriter<'_> {
    fn rewrite(&self, expr: &mut Expr) -> Result<(), QueryError> {
        value_by_time::rewrite(expr);
        spelling::rewrite(expr)?;
        let rewritten = match time_units::rewrite(expr, self.zone)? {
            None => time_literals::rewrite(expr, self.zone, self.now)?,
            rewritten => rewritten,
        };
        let rewritten = match rewritten {
            None => time_calls::rewrite(expr, self.zone)?,
            rewritten => rewritten,
        };
        let rewritten = match rewritten {
            None => intervals::rewrite(expr)?,
            rewritten => rewritten,
        };
        if let Some(rewritten) = rewritten {
            *expr = rewritten;
        }
        Ok(())
    }

    fn unnest(&mut self, has_unnested: Result<bool, QueryError>) -> ControlFlow<Box<QueryError>> {
        match has_unnested {
            Ok(has_unnested) => self.must_recount |= has_unnested,
            Err(error) => return ControlFlow::Break(Box::new(error)),
        }
        ControlFlow::Continue(())
    }

    /// Puts a query in the place of `TABLE(call)`.
    fn replace_call(&mut self, table: &mut TableFactor) -> Result<(), QueryError> {
        if let Some(tables) = appended::rewrite(table)? {
            *table = tables;
            self.must_recount = true;
        } else if let Some(buckets) = time_buckets::rewrite(table, self.zone, &mut self.buckets)? {
            *table = buckets;
        }
        Ok(())
    }
}

impl VisitorMut for Rewriter<'_> {
    type Break = Box<QueryError>;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match self.rewrite(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(Box::new(error)),
        }
    }

    /// Names subqueries that have no name. DataFusion 55 drops one of two nested ones that compute the same from columns
    /// of the same name, `x + x AS x` (its pull request 24686); with names of their tables the columns differ.
    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<Self::Break> {
        if let Err(error) = self.replace_call(table) {
            return ControlFlow::Break(Box::new(error));
        }
        if let TableFactor::Derived { alias: alias @ None, .. } = table {
            let name = Ident::with_quote('"', format!("$subquery{}", self.unnamed_tables));
            *alias = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
            self.unnamed_tables += 1;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Self::Break> {
        self.unnest(unnested::rewrite_query(query))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        column_names::name_columns(&mut select.projection);
        self.unnest(unnested::rewrite(select))
    }
}
