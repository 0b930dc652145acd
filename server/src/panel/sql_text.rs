//! Values and names as they stand in a statement. Whatever they hold, the engine reads back exactly that.

use henge_segment_store::time::TimestampMs;

/// `'it''s'`.
pub fn text(value: &str) -> String {
    format!("'{}'", doubled(value))
}

/// The inside of a text between single quotes.
pub fn doubled(value: &str) -> String {
    value.replace('\'', "''")
}

/// `"a ""name"""`.
pub fn name(value: &str) -> String {
    format!("\"{}\"", value.replace('"', "\"\""))
}

/// An instant, which means the same in each time zone.
pub fn time(time: TimestampMs) -> String {
    // The end of all time has no date.
    if time.is_storable() {
        format!("TIMESTAMP '{time}'")
    } else {
        format!("MILLIS_TO_TIMESTAMP({})", number(&time.0.to_string()))
    }
}

/// A number that is written in digits. Two signs in a row would begin a comment, so it has parentheses where it has a sign.
pub fn number(digits: &str) -> String {
    if digits.starts_with('-') { format!("({digits})") } else { digits.to_owned() }
}

/// A number in plain SQL notation; `None` of any other text.
pub fn as_number(value: &str) -> Option<String> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (mantissa, exponent) =
        digits.split_once(['e', 'E']).map_or((digits, None), |(left, right)| (left, Some(right)));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(left, right)| (left, Some(right)));
    let is_exponent = |part: &str| is_digits(part.strip_prefix(['-', '+']).unwrap_or(part));
    let is_number = is_digits(whole) && fraction.is_none_or(is_digits) && exponent.is_none_or(is_exponent);
    (is_number && value.parse::<f64>().is_ok_and(f64::is_finite)).then(|| number(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_sql_calls_so() {
        let cases = [
            ("5", Some("5")),
            ("-5", Some("(-5)")),
            ("1.5e3", Some("1.5e3")),
            ("1e400", None),
            ("", None),
            ("-", None),
            ("--5", None),
            ("1;", None),
            ("1 OR 1=1", None),
            ("0x1f", None),
            ("NaN", None),
            ("1.", None),
            ("\u{661}", None),
        ];
        for (text, expected) in cases {
            assert_eq!(as_number(text).as_deref(), expected, "{text}");
        }
    }
}
