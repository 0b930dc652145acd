//! `EXTRACT`, `TIME_SHIFT`, `TIME_FORMAT` and their like, in the zone of the query where they name none.

use datafusion::sql::sqlparser::ast::{BinaryOperator, CastKind, DataType, DateTimeField, Expr, Function, Interval};
use jiff::tz::TimeZone;

use super::calls::{arguments_of, call, long, long_of, name_of, null, string, text_of, zone_name};
use super::time_units::unknown_unit;
use crate::error::QueryError;

pub(super) fn rewrite(expr: &Expr, zone: &TimeZone) -> Result<Option<Expr>, QueryError> {
    Ok(match expr {
        Expr::Extract { field, expr: time, .. } => {
            Some(in_zone("time_extract", vec![(**time).clone(), string(&field.to_string())], zone))
        }
        Expr::Function(function) => rewrite_call(function, zone)?,
        Expr::Cast { kind: CastKind::Cast, expr: value, data_type, .. } if *zone != TimeZone::UTC => {
            cast_in_zone(data_type).map(|name| in_zone(name, vec![(**value).clone()], zone))
        }
        Expr::BinaryOp { left, op, right } if *zone != TimeZone::UTC => months_moved(left, op, right, zone),
        _ => None,
    })
}

fn rewrite_call(function: &Function, zone: &TimeZone) -> Result<Option<Expr>, QueryError> {
    let (Some(name), arguments) = (name_of(function), arguments_of(function)) else { return Ok(None) };
    let owned = || arguments.iter().map(|argument| (*argument).clone()).collect::<Vec<_>>();
    Ok(match (name.as_str(), arguments.as_slice()) {
        ("timestampadd", [unit, count, time]) => {
            let period = string(length_of_unit(&unit_of(unit)?)?);
            Some(in_zone("time_shift", vec![(*time).clone(), period, (*count).clone()], zone))
        }
        ("timestampdiff", [unit @ Expr::Identifier(_), start, end]) => {
            let arguments = vec![string(&unit_of(unit)?), (*start).clone(), (*end).clone()];
            Some(in_zone("timestampdiff", arguments, zone))
        }
        _ if *zone == TimeZone::UTC => None,
        ("time_shift", [_, _, _]) => Some(in_zone(&name, owned(), zone)),
        ("time_extract" | "time_format" | "time_parse", [_, _]) => Some(in_zone(&name, owned(), zone)),
        ("time_format" | "time_parse", [value]) => Some(in_zone(&name, vec![(*value).clone(), null()], zone)),
        _ => None,
    })
}

/// The call with the zone as its last argument, where that is not the default.
fn in_zone(name: &str, mut arguments: Vec<Expr>, zone: &TimeZone) -> Expr {
    if *zone != TimeZone::UTC {
        arguments.push(string(&zone_name(zone)));
    }
    call(name, arguments)
}

/// What stands for a cast that means something else in each zone, if its value is a time.
fn cast_in_zone(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::Varchar(_) | DataType::Char(_) | DataType::Text | DataType::String(_) => Some("text_in_zone"),
        DataType::Date => Some("date_in_zone"),
        _ => None,
    }
}

/// A unit comes as a word, or quoted.
fn unit_of(expr: &Expr) -> Result<String, QueryError> {
    let word = match expr {
        Expr::Identifier(word) => &word.value,
        other => text_of(other).ok_or_else(|| unknown_unit(&other.to_string()))?,
    };
    let word = word.to_ascii_uppercase();
    Ok(word.strip_prefix("SQL_TSI_").unwrap_or(&word).to_owned())
}

/// As in Druid, only months and longer units follow the calendar.
fn length_of_unit(unit: &str) -> Result<&'static str, QueryError> {
    Ok(match unit {
        "MILLISECOND" => "PT0.001S",
        "SECOND" => "PT1S",
        "MINUTE" => "PT1M",
        "HOUR" => "PT1H",
        "DAY" => "PT24H",
        "WEEK" => "PT168H",
        "MONTH" => "P1M",
        "QUARTER" => "P3M",
        "YEAR" => "P1Y",
        _ => return Err(unknown_unit(unit)),
    })
}

/// `time + INTERVAL '1' MONTH` by the calendar of the zone. What is always as long needs no calendar.
fn months_moved(left: &Expr, op: &BinaryOperator, right: &Expr, zone: &TimeZone) -> Option<Expr> {
    let (time, months) = match (op, months_of(left), months_of(right)) {
        (BinaryOperator::Plus, None, Some(months)) => (left, months),
        (BinaryOperator::Plus, Some(months), None) => (right, months),
        (BinaryOperator::Minus, None, Some(months)) => (left, months.checked_neg()?),
        _ => return None,
    };
    Some(in_zone("time_shift", vec![time.clone(), string("P1M"), long(months)], zone))
}

fn months_of(expr: &Expr) -> Option<i64> {
    let Expr::Interval(Interval { value, leading_field, last_field: None, .. }) = expr else { return None };
    let months = match leading_field {
        Some(DateTimeField::Year) => 12,
        Some(DateTimeField::Quarter) => 3,
        Some(DateTimeField::Month) => 1,
        None => return text_of(value)?.strip_suffix(" months")?.parse().ok(),
        _ => return None,
    };
    long_of(value)?.checked_mul(months)
}
