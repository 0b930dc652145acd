//! Intervals of several fields, `INTERVAL '1-2' YEAR TO MONTH`, told in the unit of their last.

use datafusion::sql::sqlparser::ast::{DateTimeField, Expr, Interval};

use super::calls::{string, text_of};
use crate::error::QueryError;

/// From the longest; a field follows the one before it.
const DAY_TIME: [(DateTimeField, i64); 4] = [
    (DateTimeField::Day, 86_400_000),
    (DateTimeField::Hour, 3_600_000),
    (DateTimeField::Minute, 60_000),
    (DateTimeField::Second, 1_000),
];

pub(super) fn rewrite(expr: &Expr) -> Result<Option<Expr>, QueryError> {
    let Expr::Interval(Interval { value, leading_field: Some(first), last_field: Some(last), .. }) = expr else {
        return Ok(None);
    };
    let fail = || {
        QueryError::plan(format!(
            "`{expr}` is not an interval: write it like INTERVAL '1-2' YEAR TO MONTH or INTERVAL '1 02:03:04' DAY TO SECOND"
        ))
    };
    let text = text_of(value).ok_or_else(fail)?.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let told = match (first, last) {
        (DateTimeField::Year, DateTimeField::Month) => months(text).map(|months| format!("{} months", sign * months)),
        _ => millis(text, first, last).map(|millis| format!("{} milliseconds", sign * millis)),
    };
    Ok(Some(Expr::Interval(Interval {
        value: Box::new(string(&told.ok_or_else(fail)?)),
        leading_field: None,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    })))
}

fn months(text: &str) -> Option<i64> {
    let (years, months) = text.split_once('-')?;
    let months = months.parse::<u8>().ok().filter(|months| *months < 12)?;
    Some(i64::from(years.parse::<u16>().ok()?) * 12 + i64::from(months))
}

fn millis(text: &str, first: &DateTimeField, last: &DateTimeField) -> Option<i64> {
    let place = |field| DAY_TIME.iter().position(|(known, _)| known == field);
    let (first, last) = (place(first)?, place(last)?);
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if last == 3 && fraction.len() <= 3 => {
            let digits: i64 = fraction.parse::<u16>().ok()?.into();
            (whole, digits * 10_i64.pow(3 - fraction.len() as u32))
        }
        Some(_) => return None,
        None => (text, 0),
    };
    let numbers: Vec<&str> = whole.split([' ', ':']).collect();
    let units = DAY_TIME.get(first..=last)?;
    if numbers.len() != units.len() {
        return None;
    }
    let parts =
        numbers.iter().zip(units).map(|(number, (_, millis))| Some(i64::from(number.parse::<u32>().ok()?) * millis));
    Some(parts.sum::<Option<i64>>()? + fraction)
}
