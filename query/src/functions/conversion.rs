//! Texts read as something else: null where they are not that.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::row_function::{Kind, Row, RowFunction, Value};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "parse_long",
        aliases: &[],
        usage: "PARSE_LONG('ff'[, 16])",
        parameters: &[Kind::Text, Kind::Long],
        required: 1,
        result: Kind::Long,
        bind: |_| Ok(Box::new(parse_long)),
    },
    RowFunction {
        name: "decode_base64_utf8",
        aliases: &[],
        usage: "DECODE_BASE64_UTF8('aGVuZ2U=')",
        parameters: &[Kind::Text],
        required: 1,
        result: Kind::Text,
        bind: |_| Ok(Box::new(decode)),
    },
    RowFunction {
        name: "bitwise_convert_double_to_long_bits",
        aliases: &[],
        usage: "BITWISE_CONVERT_DOUBLE_TO_LONG_BITS(1.5)",
        parameters: &[Kind::Double],
        required: 1,
        result: Kind::Long,
        bind: |_| Ok(Box::new(|row| Ok(Value::Long(row.double(0).to_bits().cast_signed())))),
    },
    RowFunction {
        name: "bitwise_convert_long_bits_to_double",
        aliases: &[],
        usage: "BITWISE_CONVERT_LONG_BITS_TO_DOUBLE(4609434218613702656)",
        parameters: &[Kind::Long],
        required: 1,
        result: Kind::Double,
        bind: |_| Ok(Box::new(|row| Ok(Value::Double(f64::from_bits(row.long(0).cast_unsigned()))))),
    },
    RowFunction {
        name: "text_to_long",
        aliases: &[],
        usage: "CAST(text AS BIGINT)",
        parameters: &[Kind::Text],
        required: 1,
        result: Kind::Long,
        bind: |_| Ok(Box::new(|row| Ok(Value::long_or_null(text_to_long(row.text(0)))))),
    },
];

fn parse_long(row: &Row<'_>) -> Result<Value, QueryError> {
    let radix = if row.has(1) { row.long(1) } else { 10 };
    let Some(radix) = u32::try_from(radix).ok().filter(|radix| (2..=36).contains(radix)) else {
        return Err(QueryError::plan(format!("PARSE_LONG reads digits of radix 2 to 36, not {radix}")));
    };
    let text = row.text(0);
    let digits = match radix {
        16 => text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text),
        _ => text,
    };
    Ok(Value::long_or_null(i64::from_str_radix(digits, radix).ok()))
}

fn decode(row: &Row<'_>) -> Result<Value, QueryError> {
    let bytes = STANDARD.decode(row.text(0)).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(text.map_or(Value::Null, Value::Text))
}

/// As Druid casts: digits, or a number whose fraction is cut off.
fn text_to_long(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(long) = text.parse() {
        return Some(long);
    }
    let starts_like_a_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    let double: f64 = text.parse().ok().filter(|_| starts_like_a_number)?;
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&double);
    // An integer with too many digits is not one near it.
    (fits && double.abs() < 9_007_199_254_740_992.0).then_some(double as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_numbers_are_cast_and_others_are_null() {
        let cases = [
            ("12", Some(12)),
            (" -7 ", Some(-7)),
            ("12.9", Some(12)),
            ("1e3", Some(1000)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("foo", None),
            ("", None),
            ("inf", None),
        ];
        for (text, expected) in cases {
            assert_eq!(text_to_long(text), expected, "{text:?}");
        }
    }
}
