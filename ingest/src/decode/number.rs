//! Numbers in JSON's grammar, read from their digits.

/// Why a number's text does not give the wanted kind of number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberError {
    /// Not in JSON's grammar.
    NotANumber,
    /// Has a fraction where a whole number is needed.
    NotWhole,
    OutOfRange,
}

/// `value * 10^power`, rounded toward minus infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scaled {
    pub(super) floor: i64,
    /// Whether nothing was cut off.
    pub(super) is_exact: bool,
}

/// The length of the number that `bytes` begin with, by RFC 8259; `None` if they begin with none.
pub(super) fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    at += match bytes.get(at)? {
        b'0' => 1,
        b'1'..=b'9' => digits(at),
        _ => return None,
    };
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = bytes.get(at + 1 + sign..).map_or(0, |_| digits(at + 1 + sign));
        if exponent == 0 {
            return None;
        }
        at += 1 + sign + exponent;
    }
    Some(at)
}

/// Digits that cannot leave 64 bits.
const DIGITS_MAX: usize = 18;

/// The whole number that `bytes` begin with, and its length, where it is written in few digits and nothing else.
#[inline]
pub(super) fn whole_digits(bytes: &[u8]) -> Option<(i64, usize)> {
    let (mut number, mut length) = (0, 0);
    while let Some(digit) = bytes.get(length).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        if length == DIGITS_MAX {
            return None;
        }
        number = number * 10 + i64::from(digit);
        length += 1;
    }
    let is_plain = length == 1 || (length > 1 && bytes[0] != b'0');
    (is_plain && !matches!(bytes.get(length), Some(b'.' | b'e' | b'E'))).then_some((number, length))
}

/// Whether all of `text` is a number.
pub(super) fn is_number(text: &str) -> bool {
    number_length(text.as_bytes()) == Some(text.len())
}

/// A whole number, whichever way it is written. `text` must be a number.
pub(super) fn whole(text: &str) -> Result<i64, NumberError> {
    match scaled(text, 0) {
        Some(Scaled { floor, is_exact: true }) => Ok(floor),
        Some(_) => Err(NumberError::NotWhole),
        None => Err(NumberError::OutOfRange),
    }
}

/// The nearest double, never a negative zero. `text` must be a number.
pub(super) fn double(text: &str) -> Result<f64, NumberError> {
    if let Some(number) = short_decimal(text.as_bytes()) {
        return Ok(number);
    }
    let number: f64 = text.parse().map_err(|_| NumberError::NotANumber)?;
    // Adding zero turns -0.0 into 0.0 and leaves every other number alone.
    if number.is_finite() { Ok(number + 0.0) } else { Err(NumberError::OutOfRange) }
}

/// A number of few digits, perhaps with a point.
///
/// Both the digits and the power of ten are exact as doubles, so that their quotient is the nearest double (W. Clinger,
/// "How to Read Floating Point Numbers Accurately", 1990, section 4).
fn short_decimal(text: &[u8]) -> Option<f64> {
    const EXACT_DIGITS_MAX: usize = 15;
    const POWERS: [f64; EXACT_DIGITS_MAX + 1] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    if text.len() > EXACT_DIGITS_MAX + 1 {
        return None;
    }
    let (mut number, mut point) = (0_u64, None);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number = number * 10 + u64::from(byte - b'0'),
            b'.' => point = Some(at),
            _ => return None,
        }
    }
    let decimals = point.map_or(0, |point| text.len() - point - 1);
    (text.len() <= EXACT_DIGITS_MAX || point.is_some()).then(|| number as f64 / POWERS[decimals])
}

/// `None` beyond 64 bits. `text` must be a number.
pub(super) fn scaled(text: &str, power: i64) -> Option<Scaled> {
    let bytes = text.as_bytes();
    if power == 0
        && let Some((floor, length)) = whole_digits(bytes)
        && length == bytes.len()
    {
        return Some(Scaled { floor, is_exact: true });
    }
    let (is_negative, unsigned) = text.strip_prefix('-').map_or((false, text), |unsigned| (true, unsigned));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // Of the digits, how many stand before the point once the number is scaled.
    let kept = whole.len() as i64 + saturating_exponent(exponent) + power;
    let mut magnitude: u64 = 0;
    let mut is_exact = true;
    let mut count: i64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).map(|digit| u64::from(digit - b'0')) {
        if count < kept {
            magnitude = magnitude.checked_mul(10)?.checked_add(digit)?;
        } else if digit != 0 {
            is_exact = false;
        }
        count += 1;
    }
    while count < kept && magnitude != 0 {
        magnitude = magnitude.checked_mul(10)?;
        count += 1;
    }
    let floor = if is_negative {
        0_i64.checked_sub_unsigned(magnitude.checked_add(u64::from(!is_exact))?)?
    } else {
        i64::try_from(magnitude).ok()?
    };
    Some(Scaled { floor, is_exact })
}

/// An exponent of more digits than a record has bytes says no more than a very large one.
fn saturating_exponent(text: &str) -> i64 {
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let limit = 1_i64 << 40;
    let magnitude = digits.iter().fold(0, |number, digit| (number * 10 + i64::from(digit - b'0')).min(limit));
    if is_negative { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_exact_to_the_last_of_64_bits() {
        let cases = [
            ("0", Ok(0)),
            ("-0", Ok(0)),
            ("-0.0", Ok(0)),
            ("3.0", Ok(3)),
            ("3.5", Err(NumberError::NotWhole)),
            ("-3.5", Err(NumberError::NotWhole)),
            ("1e3", Ok(1_000)),
            ("1.5e1", Ok(15)),
            ("1500e-2", Ok(15)),
            ("1e-400", Err(NumberError::NotWhole)),
            ("0e99999999999999999999", Ok(0)),
            ("1e99999999999999999999", Err(NumberError::OutOfRange)),
            ("9007199254740993", Ok(9_007_199_254_740_993)),
            ("9007199254740993.0", Ok(9_007_199_254_740_993)),
            ("3.00000000000000000000001", Err(NumberError::NotWhole)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("9223372036854775808", Err(NumberError::OutOfRange)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("-9223372036854775808.0", Ok(i64::MIN)),
            ("-9223372036854775809", Err(NumberError::OutOfRange)),
            ("18446744073709551616", Err(NumberError::OutOfRange)),
            ("999999999999999999999999999999", Err(NumberError::OutOfRange)),
        ];
        for (text, expected) in cases {
            assert_eq!(whole(text), expected, "{text}");
        }
    }

    #[test]
    fn scaling_cuts_off_toward_minus_infinity() {
        let cases = [
            ("1700000000.123", 3, 1_700_000_000_123, true),
            ("1700000000.1239", 3, 1_700_000_000_123, false),
            ("-0.0001", 3, -1, false),
            ("-1", 3, -1_000, true),
            ("-1", -3, -1, false),
            ("-1000", -3, -1, true),
            ("-1001", -3, -2, false),
            ("1999", -3, 1, false),
            ("1.7e9", 3, 1_700_000_000_000, true),
            ("0.0000000001", -6, 0, false),
            ("-0.0", -6, 0, true),
        ];
        for (text, power, floor, is_exact) in cases {
            assert_eq!(scaled(text, power), Some(Scaled { floor, is_exact }), "{text} * 10^{power}");
        }
        assert_eq!(scaled("9223372036854775807", 3), None);
        assert_eq!(scaled("-9223372036854775808.5", 0), None);
    }

    #[test]
    fn only_json_numbers_are_numbers() {
        for text in ["0", "-0", "10", "1.5", "1e5", "1E+5", "-1.25e-7"] {
            assert!(is_number(text), "{text}");
        }
        let others = [
            "", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x10", "1_000", "1,5", " 1", "1 ", "NaN", "Infinity",
            "\u{661}",
        ];
        for text in others {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn doubles_are_finite_and_have_one_zero() {
        assert_eq!(double("1e308"), Ok(1e308));
        assert_eq!(double("1e-400"), Ok(0.0));
        assert_eq!(double("1e400"), Err(NumberError::OutOfRange));
        assert!(double("-0.0").unwrap().is_sign_positive());
    }

    #[test]
    fn short_decimals_are_the_doubles_that_rust_reads() {
        let texts =
            ["0", "7", "0.1", "4.125", "123456789012345", "999999999999999", "0.00000000000001", "99999999.9999999"];
        for text in texts {
            assert_eq!(short_decimal(text.as_bytes()), text.parse().ok(), "{text}");
        }
        assert_eq!(
            ["1e5", "-1", "1234567890123456", "1.2345678901234567"].map(|text| short_decimal(text.as_bytes())),
            [None; 4]
        );
    }

    #[test]
    fn plain_digits_are_whole_numbers_and_nothing_else_is() {
        let cases = [
            ("0,", Some((0, 1))),
            ("42}", Some((42, 2))),
            ("999999999999999999", Some((999_999_999_999_999_999, 18))),
            ("1000000000000000000", None),
            ("01", None),
            ("1.5", None),
            ("1e3", None),
            ("-1", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(whole_digits(text.as_bytes()), expected, "{text}");
        }
    }
}
