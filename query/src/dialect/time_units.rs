//! `FLOOR(t TO HOUR)`, `TIME_FLOOR` and `DATE_TRUNC`, told as calls of our own functions in a zone.

use datafusion::sql::sqlparser::ast::{CeilFloorKind, DateTimeField, Expr, Function};
use jiff::civil::date;
use jiff::tz::TimeZone;

use super::calls::{arguments_of, call, millis_literal, name_of, null, string, text_of, zone_name};
use super::time_literals::read_timestamp;
use crate::error::QueryError;

pub(super) fn rewrite(expr: &Expr, zone: &TimeZone) -> Result<Option<Expr>, QueryError> {
    Ok(match expr {
        Expr::Floor { expr: time, field: CeilFloorKind::DateTimeField(unit) } if *unit != DateTimeField::NoDateTime => {
            Some(bucket_call("time_floor", time, period_of_field(unit)?, zone))
        }
        Expr::Ceil { expr: time, field: CeilFloorKind::DateTimeField(unit) } if *unit != DateTimeField::NoDateTime => {
            Some(bucket_call("time_ceil", time, period_of_field(unit)?, zone))
        }
        Expr::Function(function) => rewrite_call(function, zone)?,
        _ => None,
    })
}

fn rewrite_call(function: &Function, zone: &TimeZone) -> Result<Option<Expr>, QueryError> {
    let (Some(name), arguments) = (name_of(function), arguments_of(function)) else { return Ok(None) };
    Ok(match (name.as_str(), arguments.as_slice()) {
        ("time_floor" | "time_ceil", [time, period]) => Some(zoned_call(&name, time, (*period).clone(), null(), zone)),
        ("time_floor" | "time_ceil", [time, period, origin]) => {
            Some(zoned_call(&name, time, (*period).clone(), (*origin).clone(), zone))
        }
        ("date_trunc", [unit, time]) => text_of(unit).map(|unit| truncated(unit, time, zone)).transpose()?,
        _ => None,
    })
}

fn truncated(unit: &str, time: &Expr, zone: &TimeZone) -> Result<Expr, QueryError> {
    let unit = unit.to_ascii_lowercase();
    let years = match unit.as_str() {
        "decade" => "P10Y",
        "century" => "P100Y",
        "millennium" => "P1000Y",
        // Times have no finer digits.
        "millisecond" | "milliseconds" => return Ok(Expr::Nested(Box::new(time.clone()))),
        _ => {
            let period = period_of_name(&unit).ok_or_else(|| unknown_unit(&unit))?;
            return Ok(bucket_call("time_floor", time, period, zone));
        }
    };
    if years == "P10Y" {
        return Ok(bucket_call("time_floor", time, years, zone));
    }
    // The 21st century and the third millennium began with 2001, as EXTRACT counts them.
    let origin = read_timestamp(&date(2001, 1, 1).to_string(), zone)?;
    Ok(zoned_call("time_floor", time, string(years), millis_literal(origin), zone))
}

fn period_of_field(unit: &DateTimeField) -> Result<&'static str, QueryError> {
    period_of_name(&unit.to_string().to_ascii_lowercase()).ok_or_else(|| unknown_unit(&unit.to_string()))
}

fn period_of_name(unit: &str) -> Option<&'static str> {
    Some(match unit {
        "second" => "PT1S",
        "minute" => "PT1M",
        "hour" => "PT1H",
        "day" => "P1D",
        "week" => "P1W",
        "month" => "P1M",
        "quarter" => "P3M",
        "year" => "P1Y",
        _ => return None,
    })
}

pub(super) fn unknown_unit(unit: &str) -> QueryError {
    QueryError::plan(format!(
        "'{unit}' is not a unit of time: use SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER or YEAR"
    ))
}

fn bucket_call(name: &str, time: &Expr, period: &str, zone: &TimeZone) -> Expr {
    zoned_call(name, time, string(period), null(), zone)
}

/// A call without origin and zone where they change nothing, so that plans stay readable.
fn zoned_call(name: &str, time: &Expr, period: Expr, origin: Expr, zone: &TimeZone) -> Expr {
    let mut arguments = vec![time.clone(), period];
    if *zone != TimeZone::UTC {
        arguments.extend([origin, string(&zone_name(zone))]);
    } else if origin != null() {
        arguments.push(origin);
    }
    call(name, arguments)
}
