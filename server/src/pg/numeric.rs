//! Decimals in PostgreSQL's binary form: digits to the base of 10,000, the first of the weight that a number says.

use bytes::{BufMut, BytesMut};

/// Decimal digits in one of the form's.
const DIGITS: usize = 4;

/// Writes a decimal of `unscaled` / 10^`scale`. A scale below zero is none that a column has.
pub fn write(unscaled: i128, scale: i8, out: &mut BytesMut) {
    let scale = usize::from(scale.unsigned_abs());
    let text = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = text.split_at(text.len() - scale);
    let whole = padded(&format!("{}{whole}", "0".repeat((DIGITS - whole.len() % DIGITS) % DIGITS)));
    let fraction = padded(&format!("{fraction}{}", "0".repeat((DIGITS - fraction.len() % DIGITS) % DIGITS)));
    let mut weight = whole.len() as i16 - 1;
    let mut digits: &[i16] = &[whole, fraction].concat();
    while let [0, rest @ ..] = digits {
        digits = rest;
        weight -= 1;
    }
    while let [rest @ .., 0] = digits {
        digits = rest;
    }
    out.put_i16(digits.len() as i16);
    out.put_i16(if digits.is_empty() { 0 } else { weight });
    out.put_u16(if unscaled < 0 { 0x4000 } else { 0 });
    out.put_i16(scale as i16);
    digits.iter().for_each(|digit| out.put_i16(*digit));
}

fn padded(text: &str) -> Vec<i16> {
    let digit = |four: &[u8]| four.iter().fold(0, |number, digit| number * 10 + i16::from(digit - b'0'));
    text.as_bytes().chunks(DIGITS).map(digit).collect()
}

/// The decimal text of a binary one; `None` where the bytes are none, or stand for no number.
pub fn read(bytes: &[u8]) -> Option<String> {
    let mut words = bytes.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]]));
    let (count, weight, sign, scale) = (words.next()?, words.next()?, words.next()? as u16, words.next()?);
    let digits: Vec<i16> = words.collect();
    let is_whole =
        digits.len() == usize::try_from(count).ok()? && digits.iter().all(|digit| (0..10_000).contains(digit));
    if !is_whole || !matches!(sign, 0 | 0x4000) || !(0..=1_000).contains(&scale) || !(-1_000..=1_000).contains(&weight)
    {
        return None;
    }
    let digit =
        |place: i16| usize::try_from(place).ok().and_then(|place| digits.get(place)).copied().unwrap_or_default();
    let whole: String = (0..=weight).map(|place| format!("{:04}", digit(place))).collect();
    let places = (scale as usize).div_ceil(DIGITS) as i16;
    let fraction: String = (1..=places).map(|place| format!("{:04}", digit(weight + place))).collect();
    let whole = whole.trim_start_matches('0');
    let minus = if sign == 0 { "" } else { "-" };
    let whole = if whole.is_empty() { "0" } else { whole };
    match scale {
        0 => Some(format!("{minus}{whole}")),
        scale => Some(format!("{minus}{whole}.{}", &fraction[..scale as usize])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_digits_of_ten_thousand() {
        let cases: [(i128, i8, &[u16], &str); 8] = [
            (0, 0, &[0, 0, 0, 0], "0"),
            (1, 0, &[1, 0, 0, 0, 1], "1"),
            (-12_345, 0, &[2, 1, 0x4000, 0, 1, 2345], "-12345"),
            (10_000, 0, &[1, 1, 0, 0, 1], "10000"),
            (15, 1, &[2, 0, 0, 1, 1, 5000], "1.5"),
            (5, 5, &[1, (-2_i16) as u16, 0, 5, 5000], "0.00005"),
            (12_345_678, 3, &[3, 1, 0, 3, 1, 2345, 6780], "12345.678"),
            (0, 2, &[0, 0, 0, 2], "0.00"),
        ];
        for (unscaled, scale, expected, text) in cases {
            let mut out = BytesMut::new();
            write(unscaled, scale, &mut out);
            let words: Vec<u8> = expected.iter().flat_map(|word| word.to_be_bytes()).collect();
            assert_eq!(out, words.as_slice(), "{text}");
            assert_eq!(read(&out).as_deref(), Some(text));
        }
        let mut widest = BytesMut::new();
        write(-i128::pow(10, 37) * 9, 1, &mut widest);
        assert_eq!(read(&widest), Some(format!("-9{}.0", "0".repeat(36))));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let words = |words: &[u16]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
        for bad in [vec![], words(&[1, 0, 0, 0]), words(&[0, 0, 0xc000, 0]), words(&[1, 0, 0, 0, 10_000])] {
            assert_eq!(read(&bad), None, "{bad:?}");
        }
    }
}
