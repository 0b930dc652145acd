//! The current time, time literals, and `TIME_IN_INTERVAL`, told as instants.

use datafusion::sql::sqlparser::ast::{CastKind, DataType, Expr, Function, TypedString, Value};
use datafusion::sql::sqlparser::tokenizer::Span;
use henge_segment_store::time::{CalendarStep, TimestampMs};
use jiff::tz::TimeZone;

use super::calls::{arguments_of, millis_literal, name_of, text_of};
use crate::error::QueryError;

pub(super) fn rewrite(expr: &Expr, zone: &TimeZone, now: TimestampMs) -> Result<Option<Expr>, QueryError> {
    match expr {
        Expr::Function(function) => rewrite_call(function, zone, now),
        Expr::TypedString(TypedString { data_type: DataType::Timestamp(..), value, .. }) => match &value.value {
            Value::SingleQuotedString(text) => Ok(Some(millis_literal(read_timestamp(text, zone)?))),
            _ => Ok(None),
        },
        Expr::Cast { kind: CastKind::Cast, expr: text, data_type: DataType::Timestamp(..), .. } => {
            match text_of(text) {
                Some(text) => Ok(Some(millis_literal(read_timestamp(text, zone)?))),
                None => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

fn rewrite_call(function: &Function, zone: &TimeZone, now: TimestampMs) -> Result<Option<Expr>, QueryError> {
    let (Some(name), arguments) = (name_of(function), arguments_of(function)) else { return Ok(None) };
    Ok(match (name.as_str(), arguments.as_slice()) {
        ("current_timestamp" | "now" | "localtimestamp", []) => Some(millis_literal(now)),
        ("current_date", []) => Some(date_literal(now, zone)),
        ("time_in_interval", [time, interval]) => {
            let interval = text_of(interval).ok_or_else(|| no_interval("its second argument"))?;
            let (start, end) = read_interval(interval, zone).ok_or_else(|| no_interval(&format!("'{interval}'")))?;
            // Times are whole milliseconds, so the last of them is one before the end.
            Some(Expr::Between {
                expr: Box::new((*time).clone()),
                negated: false,
                low: Box::new(millis_literal(start)),
                high: Box::new(millis_literal(TimestampMs(end.0 - 1))),
            })
        }
        ("time_in_interval", _) => return Err(no_interval("it")),
        _ => None,
    })
}

fn no_interval(what: &str) -> QueryError {
    QueryError::plan(format!(
        "TIME_IN_INTERVAL needs a literal interval, and {what} is none: TIME_IN_INTERVAL(__time, '2026-01-01/P1D')"
    ))
}

/// `start/end`, `start/period` or `period/end`; never one that ends before it starts.
pub(super) fn read_interval(text: &str, zone: &TimeZone) -> Option<(TimestampMs, TimestampMs)> {
    let (start, end) = text.split_once('/')?;
    let period = |text: &str| CalendarStep::parse(text).ok();
    let instant = |text: &str| read_timestamp(text, zone).ok().filter(|time| time.is_storable());
    let (start, end) = match (period(start), period(end)) {
        (None, None) => (instant(start)?, instant(end)?),
        (None, Some(length)) => (instant(start)?, length.after(instant(start)?, 1, zone)?),
        (Some(length), None) => (length.after(instant(end)?, -1, zone)?, instant(end)?),
        (Some(_), Some(_)) => return None,
    };
    (start <= end).then_some((start, end))
}

/// What `TIMESTAMP 'text'` means in a zone.
pub(crate) fn read_timestamp(text: &str, zone: &TimeZone) -> Result<TimestampMs, QueryError> {
    let unreadable =
        || QueryError::plan(format!("'{text}' is not a timestamp: write it like '2026-01-01 00:00:00.000'"));
    // Text that carries its own offset names an instant in any zone.
    if let Ok(instant) = text.trim().parse::<jiff::Timestamp>() {
        return Ok(TimestampMs(instant.as_millisecond()));
    }
    let local: jiff::civil::DateTime = text.trim().parse().map_err(|_| unreadable())?;
    let instant = zone.to_ambiguous_zoned(local).compatible().map_err(|_| unreadable())?.timestamp();
    Ok(TimestampMs(instant.as_millisecond()))
}

fn date_literal(now: TimestampMs, zone: &TimeZone) -> Expr {
    let instant = jiff::Timestamp::from_millisecond(now.0).expect("the current time lies within the calendar");
    Expr::TypedString(TypedString {
        data_type: DataType::Date,
        value: Value::SingleQuotedString(zone.to_datetime(instant).date().to_string()).with_span(Span::empty()),
        uses_odbc_syntax: false,
    })
}
