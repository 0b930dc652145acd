//! `HUMAN_READABLE_*`: a number of bytes or of anything, in the unit that suits it.

use super::row_function::{Kind, Row, RowFunction, Value};
use crate::error::QueryError;

const fn function(name: &'static str, usage: &'static str, bind: Bind) -> RowFunction {
    RowFunction {
        name,
        aliases: &[],
        usage,
        parameters: &[Kind::Long, Kind::Long],
        required: 1,
        result: Kind::Text,
        bind,
    }
}

type Bind = fn(&super::row_function::Constants<'_>) -> Result<super::row_function::Body, QueryError>;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    function("human_readable_binary_byte_format", "HUMAN_READABLE_BINARY_BYTE_FORMAT(bytes[, 2])", |_| {
        Ok(Box::new(|row| Ok(Value::Text(binary_bytes(row.long(0), digits(row)?)))))
    }),
    function("human_readable_decimal_byte_format", "HUMAN_READABLE_DECIMAL_BYTE_FORMAT(bytes[, 2])", |_| {
        Ok(Box::new(|row| Ok(Value::Text(decimal(row.long(0), digits(row)?, "B")))))
    }),
    function("human_readable_decimal_format", "HUMAN_READABLE_DECIMAL_FORMAT(number[, 2])", |_| {
        Ok(Box::new(|row| Ok(Value::Text(decimal(row.long(0), digits(row)?, "")))))
    }),
];

/// Behind the point; Druid knows up to three.
fn digits(row: &Row<'_>) -> Result<u32, QueryError> {
    match if row.has(1) { row.long(1) } else { 2 } {
        digits @ 0..=3 => Ok(digits as u32),
        other => Err(QueryError::plan(format!("a number is shown with 0 to 3 decimals, not {other}"))),
    }
}

fn binary_bytes(bytes: i64, digits: u32) -> String {
    if (-1_023..=1_023).contains(&bytes) {
        return format!("{bytes} B");
    }
    let power = bytes.unsigned_abs().ilog2() / 10;
    let unit = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power as usize - 1];
    format!("{} {unit}B", quotient(bytes.into(), 1 << (10 * power), digits))
}

fn decimal(number: i64, digits: u32, suffix: &str) -> String {
    if (-999..=999).contains(&number) {
        return format!("{number} {suffix}").trim_end().to_owned();
    }
    // As Druid: digits far below the unit are cut off before the rest is rounded.
    let (mut thousands, mut power) = (number, 0);
    while !(-999_999..=999_999).contains(&thousands) {
        thousands /= 1_000;
        power += 1;
    }
    let unit = ["K", "M", "G", "T", "P", "E"][power];
    format!("{} {unit}{suffix}", quotient(thousands.into(), 1_000, digits))
}

/// With so many decimals, halves away from zero.
fn quotient(number: i128, divisor: i128, digits: u32) -> String {
    let scale = 10_i128.pow(digits);
    let rounded = (number.abs() * scale * 2 + divisor) / (divisor * 2);
    let sign = if number < 0 { "-" } else { "" };
    let (whole, rest) = (rounded / scale, rounded % scale);
    match digits {
        0 => format!("{sign}{whole}"),
        digits => format!("{sign}{whole}.{rest:0width$}", width = digits as usize),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_the_unit_that_suits_them() {
        let cases = [(0, "0 B"), (1_023, "1023 B"), (1_024, "1.00 KiB"), (-1_536, "-1.50 KiB"), (1_152, "1.13 KiB")];
        for (bytes, expected) in cases {
            assert_eq!(binary_bytes(bytes, 2), expected);
        }
        assert_eq!(binary_bytes(i64::MIN, 2), "-8.00 EiB");
        assert_eq!(decimal(999, 2, "B"), "999 B");
        assert_eq!(decimal(1_234_567, 3, ""), "1.234 M");
        assert_eq!(decimal(-1_000_000_000, 0, "B"), "-1 GB");
        assert_eq!(decimal(i64::MAX, 2, ""), "9.22 E");
    }
}
