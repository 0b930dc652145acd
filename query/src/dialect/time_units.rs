//! `FLOOR(t TO HOUR)`, `DATE_TRUNC`, `CURRENT_TIMESTAMP` and time literals, told as calls of our own functions in a zone.

use datafusion::sql::sqlparser::ast::{
    CeilFloorKind, DataType, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, TypedString, Value,
};
use datafusion::sql::sqlparser::tokenizer::Span;
use henge_segment_store::time::TimestampMs;
use jiff::tz::TimeZone;

use crate::error::QueryError;

pub(super) fn rewrite(expr: &mut Expr, zone: &TimeZone, now: TimestampMs) -> Result<(), QueryError> {
    let rewritten = match &*expr {
        Expr::Floor { expr: time, field: CeilFloorKind::DateTimeField(unit) } if *unit != DateTimeField::NoDateTime => {
            Some(bucket_call("time_floor", time, period_of_field(unit)?, zone))
        }
        Expr::Ceil { expr: time, field: CeilFloorKind::DateTimeField(unit) } if *unit != DateTimeField::NoDateTime => {
            Some(bucket_call("time_ceil", time, period_of_field(unit)?, zone))
        }
        Expr::Function(function) => rewrite_call(function, zone, now)?,
        Expr::TypedString(literal) => rewrite_literal(literal, zone)?,
        _ => None,
    };
    if let Some(rewritten) = rewritten {
        *expr = rewritten;
    }
    Ok(())
}

fn rewrite_call(function: &Function, zone: &TimeZone, now: TimestampMs) -> Result<Option<Expr>, QueryError> {
    let Some(name) = function.name.0.first().and_then(|part| part.as_ident()) else { return Ok(None) };
    let arguments = arguments_of(function);
    Ok(match (name.value.to_ascii_lowercase().as_str(), arguments.as_slice()) {
        ("current_timestamp" | "now" | "localtimestamp", []) => Some(millis_literal(now)),
        ("current_date", []) => Some(date_literal(now, zone)),
        ("time_floor" | "time_ceil", [time, period]) => {
            Some(zoned_call(&name.value, time, (*period).clone(), null(), zone))
        }
        ("time_floor" | "time_ceil", [time, period, origin]) => {
            Some(zoned_call(&name.value, time, (*period).clone(), (*origin).clone(), zone))
        }
        ("date_trunc", [Expr::Value(unit), time]) => match &unit.value {
            Value::SingleQuotedString(unit) => {
                let period = period_of_name(&unit.to_ascii_lowercase()).ok_or_else(|| unknown_unit(unit))?;
                Some(bucket_call("time_floor", time, period, zone))
            }
            _ => None,
        },
        _ => None,
    })
}

fn rewrite_literal(literal: &TypedString, zone: &TimeZone) -> Result<Option<Expr>, QueryError> {
    let (DataType::Timestamp(..), Value::SingleQuotedString(text)) = (&literal.data_type, &literal.value.value) else {
        return Ok(None);
    };
    Ok(Some(millis_literal(read_timestamp(text, zone)?)))
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

fn unknown_unit(unit: &str) -> QueryError {
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

fn zone_name(zone: &TimeZone) -> String {
    match zone.iana_name() {
        Some(name) => name.to_owned(),
        None => zone.to_offset(jiff::Timestamp::UNIX_EPOCH).to_string(),
    }
}

fn millis_literal(time: TimestampMs) -> Expr {
    let digits = Value::Number(time.0.unsigned_abs().to_string(), false).with_span(Span::empty());
    let magnitude = Expr::Value(digits);
    let millis = if time.0 < 0 {
        Expr::UnaryOp { op: datafusion::sql::sqlparser::ast::UnaryOperator::Minus, expr: Box::new(magnitude) }
    } else {
        magnitude
    };
    call("millis_to_timestamp", vec![millis])
}

fn date_literal(now: TimestampMs, zone: &TimeZone) -> Expr {
    let instant = jiff::Timestamp::from_millisecond(now.0).expect("the current time lies within the calendar");
    Expr::TypedString(TypedString {
        data_type: DataType::Date,
        value: Value::SingleQuotedString(zone.to_datetime(instant).date().to_string()).with_span(Span::empty()),
        uses_odbc_syntax: false,
    })
}

fn arguments_of(function: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else { return Vec::new() };
    list.args
        .iter()
        .filter_map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let args = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn string(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).with_span(Span::empty()))
}

fn null() -> Expr {
    Expr::Value(Value::Null.with_span(Span::empty()))
}
