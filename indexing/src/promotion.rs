//! Values of a narrower kind as values of a wider one: long to double to string, boolean to string.
//!
//! A column may be stored as longs in an old segment and as strings in a new one. Its values then read alike in both,
//! whatever order the segments came in. A long becomes the nearest double.

/// A long in decimal digits.
pub fn text_of_long(value: i64) -> String {
    value.to_string()
}

/// A whole number below 2^53 in decimal digits as a long would be, so that `5.0` reads `5` and both zeros `0`; any other
/// double in the fewest digits that read back as the same value: `0.1`, `1e300`, `NaN`, `-inf`.
pub fn text_of_double(value: f64) -> String {
    if value.trunc() == value && value.abs() < WHOLE_DOUBLES_END {
        return (value as i64).to_string();
    }
    ryu::Buffer::new().format(value).to_owned()
}

/// `true` or `false`.
pub fn text_of_flag(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// From 2^53 on not every whole number is a double.
const WHOLE_DOUBLES_END: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_read_like_longs_where_they_are_whole_and_else_in_the_fewest_digits() {
        let cases = [
            (5.0, "5"),
            (-0.0, "0"),
            (-17.0, "-17"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (9_007_199_254_740_992.0, "9007199254740992.0"),
            (-9_007_199_254_740_992.0, "-9007199254740992.0"),
            (0.1, "0.1"),
            (-2.5e-7, "-2.5e-7"),
            (1e300, "1e300"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (double, text) in cases {
            assert_eq!(text_of_double(double), text);
        }
        assert_eq!([i64::MIN, 0].map(text_of_long), ["-9223372036854775808", "0"]);
        assert_eq!([true, false].map(text_of_flag), ["true", "false"]);
    }
}
