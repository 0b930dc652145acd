//! A block of up to 1,024 doubles: as decimals where most of them are, else as their bits.
//!
//! ```text
//! block     = form u8, then by form:
//! 0 bits    = least u64, block (block.rs) of the bits, counted from the least
//! 1, 2      = digits u8, least i64, len u16, block (block.rs) of `len` bytes: decimals, counted from the least; then
//!             the exceptions: place u16 and bits u64 each, up to the end
//! ```
//!
//! A decimal `d` with `n` digits after the point stands for `d / 10^n`, rounded once: what reading "d x 10^-n" as a
//! double gives. Form 1 multiplies by the inverse in two parts, which is exact as long as decimals are short; form 2
//! divides. What does not come back bit for bit, such as NaN and -0.0, is an exception (the idea of ALP, SIGMOD 2024).

use super::cursor::Cursor;
use super::{block, block_writer};
use crate::{BLOCK_ROWS, ByteWriter};

const BITS: u8 = 0;
const MULTIPLIED: u8 = 1;
const DIVIDED: u8 = 2;

/// Most digits after the point: up to here the inverse has two exact parts.
const DIGITS_MAX: u8 = 11;
/// Decimals lie between this and its negative.
const DECIMAL_END: f64 = (1_u64 << 51) as f64;
/// Adding a decimal to these bits gives the double `DECIMAL_ORIGIN + decimal`.
const DECIMAL_ORIGIN_BITS: u64 = 0x4338 << 48;
const DECIMAL_ORIGIN: f64 = f64::from_bits(DECIMAL_ORIGIN_BITS);
/// Place and bits of an exception.
const EXCEPTION_BYTES: usize = 2 + 8;
/// Values that are tried to find the number of digits.
const SAMPLE: usize = 32;

/// How decimals of some digits become doubles.
#[derive(Debug, Clone, Copy)]
struct Decimals {
    digits: u8,
    power: f64,
    /// The highest 26 bits of the inverse, and the rest: a short decimal times the first is exact.
    inverse: (f64, f64),
}

impl Decimals {
    fn with_digits(digits: u8) -> Self {
        let power = 10_f64.powi(digits.into());
        let high = f64::from_bits((1.0 / power).to_bits() & (!0 << 27));
        Self { digits, power, inverse: (high, (1.0 - high * power) / power) }
    }

    /// The decimal nearest to `value`, and whether `back` makes each bit of it again.
    fn nearest(self, value: f64, back: impl Fn(f64) -> f64) -> (i64, bool) {
        // Near the origin doubles are whole numbers, so adding it rounds. NaN is never near: machines differ in what they
        // make of its bits.
        let from_origin = value * self.power + DECIMAL_ORIGIN;
        let decimal = from_origin - DECIMAL_ORIGIN;
        let is_held = back(decimal).to_bits() == value.to_bits() && decimal.abs() < DECIMAL_END;
        (from_origin.to_bits().wrapping_sub(DECIMAL_ORIGIN_BITS).cast_signed(), is_held)
    }

    fn multiplied(self, decimal: f64) -> f64 {
        decimal * self.inverse.0 + decimal * self.inverse.1
    }

    fn divided(self, decimal: f64) -> f64 {
        decimal / self.power
    }
}

/// Appends up to 1,024 values.
pub fn write(values: &[f64], out: &mut ByteWriter) {
    let decimals = digits_of(values).map(|digits| write_decimals(values, Decimals::with_digits(digits)));
    let limit = size_of_val(values) / 2;
    if let Some(short) = decimals.as_ref().filter(|decimals| decimals.len() <= limit) {
        return out.slice(short);
    }
    let least = values.iter().map(|value| value.to_bits()).min().unwrap_or(0);
    let mut bits = ByteWriter::default();
    bits.u8(BITS);
    bits.u64(least);
    block_writer::write(&values.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), least, &mut bits);
    let bits = bits.finish();
    out.slice(decimals.as_ref().filter(|decimals| decimals.len() < bits.len()).unwrap_or(&bits));
}

/// The fewest digits that hold the most values of a sample; `None` where that is not even half of them.
fn digits_of(values: &[f64]) -> Option<u8> {
    let sample: Vec<f64> = values.iter().copied().step_by(values.len().div_ceil(SAMPLE).max(1)).collect();
    let (mut most, mut best) = (sample.len() / 2, None);
    for digits in 0..=DIGITS_MAX {
        let decimals = Decimals::with_digits(digits);
        let is_held = |value: &&f64| decimals.nearest(**value, |decimal| decimals.divided(decimal)).1;
        let held = sample.iter().filter(is_held).count();
        if held > most {
            (most, best) = (held, Some(digits));
        }
        if held == sample.len() {
            break;
        }
    }
    best
}

/// Decimals, and the places of the values that they do not hold; there the decimal before is repeated.
fn decimals_by(values: &[f64], decimals: Decimals, back: impl Fn(f64) -> f64) -> (Vec<i64>, Vec<usize>) {
    let first = values.iter().map(|value| decimals.nearest(*value, &back)).find(|(_, is_held)| *is_held);
    let mut before = first.map_or(0, |(decimal, _)| decimal);
    let (mut found, mut exceptions) = (Vec::with_capacity(values.len()), Vec::new());
    for (place, value) in values.iter().enumerate() {
        match decimals.nearest(*value, &back) {
            (decimal, true) => before = decimal,
            _ => exceptions.push(place),
        }
        found.push(before);
    }
    (found, exceptions)
}

fn write_decimals(values: &[f64], decimals: Decimals) -> Vec<u8> {
    let mut form = MULTIPLIED;
    let (mut found, mut exceptions) = decimals_by(values, decimals, |decimal| decimals.multiplied(decimal));
    if !exceptions.is_empty() {
        let divided = decimals_by(values, decimals, |decimal| decimals.divided(decimal));
        if divided.1.len() < exceptions.len() {
            (form, (found, exceptions)) = (DIVIDED, divided);
        }
    }
    let least = found.iter().copied().min().unwrap_or(0);
    let mut packed = ByteWriter::default();
    block_writer::write(&found, least, &mut packed);
    let mut out = ByteWriter::default();
    out.u8(form);
    out.u8(decimals.digits);
    out.i64(least);
    out.u16(packed.len() as u16);
    out.slice(&packed.finish());
    for place in exceptions {
        out.u16(place as u16);
        out.u64(values[place].to_bits());
    }
    out.finish()
}

/// Reads a block of as many doubles as `out` holds, at most 1,024. Bytes that make no sense give arbitrary doubles.
pub fn read(bytes: &[u8], out: &mut [f64]) {
    if read_form(bytes, out).is_none() {
        out.fill(0.0);
    }
}

fn read_form(bytes: &[u8], out: &mut [f64]) -> Option<()> {
    let mut words = [0; BLOCK_ROWS];
    let words = words.get_mut(..out.len())?;
    let parts = Parts::of(bytes)?;
    block::read(parts.packed, parts.least, words);
    parts.turn(words, out)
}

/// As [`read`], but `None` where the bytes make no sense, or hold more than the block.
pub fn read_sound(bytes: &[u8], out: &mut [f64]) -> Option<()> {
    let mut words = [0; BLOCK_ROWS];
    let words = words.get_mut(..out.len())?;
    let parts = Parts::of(bytes)?;
    block::read_sound(parts.packed, parts.least, words)?;
    parts.turn(words, out)
}

/// What a block of doubles is made of.
struct Parts<'a> {
    /// `None`: words are the bits of doubles.
    decimals: Option<(Decimals, u8)>,
    least: u64,
    packed: &'a [u8],
    exceptions: &'a [[u8; EXCEPTION_BYTES]],
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor(bytes);
        let form = cursor.u8()?;
        if form == BITS {
            return Some(Self { decimals: None, least: cursor.u64()?, packed: cursor.0, exceptions: &[] });
        }
        let digits = cursor.u8()?;
        let least = cursor.u64()?.wrapping_add(DECIMAL_ORIGIN_BITS);
        let len = cursor.u16()?;
        let packed = cursor.slice(len.into())?;
        let (exceptions, []) = cursor.0.as_chunks() else { return None };
        let is_known = (form == MULTIPLIED || form == DIVIDED) && digits <= DIGITS_MAX;
        is_known.then_some(Self { decimals: Some((Decimals::with_digits(digits), form)), least, packed, exceptions })
    }

    /// Makes doubles of words.
    fn turn(&self, words: &[u64], out: &mut [f64]) -> Option<()> {
        let decimal = |bits: u64| f64::from_bits(bits) - DECIMAL_ORIGIN;
        match self.decimals {
            None => out.iter_mut().zip(words).for_each(|(value, bits)| *value = f64::from_bits(*bits)),
            Some((decimals, MULTIPLIED)) => {
                out.iter_mut().zip(words).for_each(|(value, bits)| *value = decimals.multiplied(decimal(*bits)));
            }
            Some((decimals, _)) => {
                out.iter_mut().zip(words).for_each(|(value, bits)| *value = decimals.divided(decimal(*bits)));
            }
        }
        // Damaged blocks may overlap: each must take no longer than its rows, whatever its bytes.
        if self.exceptions.len() > out.len() {
            return None;
        }
        for exception in self.exceptions {
            let mut exception = Cursor(exception);
            let (place, bits) = (exception.u16()?, exception.u64()?);
            *out.get_mut(usize::from(place))? = f64::from_bits(bits);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_an_unknown_form_or_of_too_many_digits_are_not_sound() {
        let block = |form: u8, digits: u8| {
            let mut bytes = vec![form, digits];
            bytes.extend_from_slice(&5_u64.to_le_bytes());
            // All values are the same, so none is packed.
            bytes.extend_from_slice(&0_u16.to_le_bytes());
            bytes
        };
        let mut out = [0.0; 3];
        assert_eq!(read_sound(&block(MULTIPLIED, 2), &mut out), Some(()));
        for unknown in [block(DIVIDED + 1, 2), block(MULTIPLIED, DIGITS_MAX + 1), block(DIVIDED, u8::MAX)] {
            assert_eq!(read_sound(&unknown, &mut out), None);
        }
    }
}
