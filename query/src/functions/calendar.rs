//! Times taken apart, moved, compared, written and read in a zone.

use henge_segment_store::time::{CalendarStep, TimePart, TimePattern, TimestampMs, months_between, time_zone};
use jiff::tz::TimeZone;

use super::row_function::{Body, Constants, Kind, RowFunction, Value};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "time_shift",
        aliases: &[],
        usage: "TIME_SHIFT(__time, 'P1D', -1[, 'Europe/Berlin'])",
        parameters: &[Kind::Time, Kind::Text, Kind::Long, Kind::Text],
        required: 3,
        result: Kind::Time,
        bind: time_shift,
    },
    RowFunction {
        name: "time_extract",
        aliases: &[],
        usage: "TIME_EXTRACT(__time, 'HOUR'[, 'Europe/Berlin'])",
        parameters: &[Kind::Time, Kind::Text, Kind::Text],
        required: 2,
        result: Kind::Long,
        bind: time_extract,
    },
    RowFunction {
        name: "time_format",
        aliases: &[],
        usage: "TIME_FORMAT(__time[, 'yyyy-MM-dd HH:mm'[, 'Europe/Berlin']])",
        parameters: &[Kind::Time, Kind::Text, Kind::Text],
        required: 1,
        result: Kind::Text,
        bind: time_format,
    },
    RowFunction {
        name: "time_parse",
        aliases: &[],
        usage: "TIME_PARSE('2026-01-01'[, 'yyyy-MM-dd'[, 'Europe/Berlin']])",
        parameters: &[Kind::Text, Kind::Text, Kind::Text],
        required: 1,
        result: Kind::Time,
        bind: time_parse,
    },
    RowFunction {
        name: "timestampdiff",
        aliases: &[],
        usage: "TIMESTAMPDIFF(DAY, start, end)",
        parameters: &[Kind::Text, Kind::Time, Kind::Time, Kind::Text],
        required: 3,
        result: Kind::Long,
        bind: time_difference,
    },
];

fn zone(constants: &Constants<'_>, at: usize) -> Result<TimeZone, QueryError> {
    match constants.text(at)? {
        Some(name) => time_zone(name).map_err(|error| QueryError::plan(error.to_string())),
        None => Ok(TimeZone::UTC),
    }
}

fn outside() -> QueryError {
    QueryError::plan("a time lies outside the years 1 to 9999")
}

fn time_shift(constants: &Constants<'_>) -> Result<Body, QueryError> {
    let step = CalendarStep::parse(constants.required_text(1)?).map_err(|error| QueryError::plan(error.to_string()))?;
    let zone = zone(constants, 3)?;
    Ok(Box::new(move |row| step.after(row.time(0), row.long(2), &zone).map(Value::Time).ok_or_else(outside)))
}

fn time_extract(constants: &Constants<'_>) -> Result<Body, QueryError> {
    let name = constants.required_text(1)?;
    let part = TimePart::of_name(name).ok_or_else(|| {
        QueryError::plan(format!(
            "'{name}' is not a part of a time: use EPOCH, MILLISECOND, SECOND, MINUTE, HOUR, DAY, DOW, DOY, WEEK, MONTH, \
             QUARTER, YEAR, ISOYEAR, DECADE, CENTURY or MILLENNIUM"
        ))
    })?;
    let zone = zone(constants, 2)?;
    Ok(Box::new(move |row| part.at(row.time(0), &zone).map(Value::Long).ok_or_else(outside)))
}

fn pattern(constants: &Constants<'_>) -> Result<Option<TimePattern>, QueryError> {
    let pattern = constants.text(1)?.map(TimePattern::parse).transpose();
    pattern.map_err(|error| QueryError::plan(error.to_string()))
}

fn time_format(constants: &Constants<'_>) -> Result<Body, QueryError> {
    let zone = zone(constants, 2)?;
    let pattern = match pattern(constants)? {
        Some(pattern) => pattern,
        // Druid writes `+00:00` here, other than in an answer's times.
        None => TimePattern::parse("yyyy-MM-dd'T'HH:mm:ss.SSSZZ").expect("it is a pattern"),
    };
    Ok(Box::new(move |row| {
        let mut text = String::new();
        pattern.write(row.time(0), &zone, &mut text).ok_or_else(outside)?;
        Ok(Value::Text(text))
    }))
}

fn time_parse(constants: &Constants<'_>) -> Result<Body, QueryError> {
    let (pattern, zone) = (pattern(constants)?, zone(constants, 2)?);
    let shorter = ["yyyy-MM", "yyyy"].map(|pattern| TimePattern::parse(pattern).expect("it is a pattern"));
    Ok(Box::new(move |row| {
        let text = row.text(0);
        let time = match &pattern {
            Some(pattern) => pattern.read(text, &zone),
            None => {
                let iso = crate::dialect::read_timestamp(text, &zone).ok().filter(|time| time.is_storable());
                iso.or_else(|| shorter.iter().find_map(|pattern| pattern.read(text.trim(), &zone)))
            }
        };
        Ok(time.map_or(Value::Null, Value::Time))
    }))
}

fn time_difference(constants: &Constants<'_>) -> Result<Body, QueryError> {
    let name = constants.required_text(0)?.to_ascii_uppercase();
    let (months, millis) = match name.strip_prefix("SQL_TSI_").unwrap_or(&name) {
        "MILLISECOND" => (None, 1),
        "SECOND" => (None, 1_000),
        "MINUTE" => (None, 60_000),
        "HOUR" => (None, 3_600_000),
        "DAY" => (None, 86_400_000),
        "WEEK" => (None, 7 * 86_400_000),
        "MONTH" => (Some(1), 1),
        "QUARTER" => (Some(3), 1),
        "YEAR" => (Some(12), 1),
        _ => return Err(unknown_unit(&name)),
    };
    let zone = zone(constants, 3)?;
    Ok(Box::new(move |row| {
        let (start, end): (TimestampMs, TimestampMs) = (row.time(1), row.time(2));
        let difference = match months {
            Some(months) => months_between(start, end, &zone).map(|between| between / months),
            None => end.0.checked_sub(start.0).map(|between| between / millis),
        };
        difference.map(Value::Long).ok_or_else(outside)
    }))
}

fn unknown_unit(name: &str) -> QueryError {
    QueryError::plan(format!(
        "'{name}' is not a unit of time: use MILLISECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER or YEAR"
    ))
}
