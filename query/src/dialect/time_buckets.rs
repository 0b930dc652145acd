//! `TABLE(TIME_BUCKETS('2026-01-01/P1D', 'PT1H'))`: the starts of all buckets of a span in a column `__time`, to join what
//! has gaps with.

use std::fmt::Write;

use datafusion::sql::sqlparser::ast::{Expr, TableFactor};
use henge_segment_store::time::Granularity;
use jiff::tz::TimeZone;

use super::appended;
use super::calls::{arguments_of, name_of, text_of};
use super::time_literals::read_interval;
use crate::error::QueryError;
use crate::guard::StatementLimits;

/// Of one statement; as many as a list has items.
const BUCKETS_MAX: usize = StatementLimits::DEFAULT.list_items;

/// The subquery that stands for the call; `None` of another table. `made`: buckets of the statement so far.
pub(super) fn rewrite(
    table: &TableFactor,
    zone: &TimeZone,
    made: &mut usize,
) -> Result<Option<TableFactor>, QueryError> {
    let TableFactor::TableFunction { expr: Expr::Function(function), alias } = table else { return Ok(None) };
    if name_of(function).as_deref() != Some("time_buckets") {
        return Ok(None);
    }
    let fail = || {
        QueryError::plan(
            "TIME_BUCKETS takes a literal interval and a period: TABLE(TIME_BUCKETS('2026-01-01/P1D', 'PT1H'))",
        )
    };
    let arguments = arguments_of(function);
    let [interval, period] = arguments.as_slice() else { return Err(fail()) };
    let (start, end) = text_of(interval).and_then(|interval| read_interval(interval, zone)).ok_or_else(fail)?;
    let granularity = Granularity::period(text_of(period).ok_or_else(fail)?, None, zone.clone())
        .map_err(|error| QueryError::plan(error.to_string()))?;
    let mut sql = r#"SELECT MILLIS_TO_TIMESTAMP(column1) AS "__time" FROM (VALUES "#.to_owned();
    let (mut bucket, mut separator) = (granularity.floor(start), "");
    while bucket < end {
        *made += 1;
        if *made > BUCKETS_MAX {
            return Err(QueryError::limit(format!(
                "TIME_BUCKETS makes at most {BUCKETS_MAX} buckets in a statement: take a longer period or a shorter interval"
            )));
        }
        write!(sql, "{separator}({})", bucket.0).expect("a string takes all text");
        separator = ", ";
        bucket = granularity.next(bucket);
    }
    if separator.is_empty() {
        return Err(fail());
    }
    sql.push(')');
    let subquery = appended::parse(&sql).ok_or_else(fail)?;
    Ok(Some(TableFactor::Derived { lateral: false, subquery, alias: alias.clone(), sample: None }))
}
