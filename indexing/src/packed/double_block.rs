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

use super::block;
use super::cursor::Cursor;
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
        let digits = digits.min(DIGITS_MAX);
        let power = 10_f64.powi(digits.into());
        let high = f64::from_bits((1.0 / power).to_bits() & (!0 << 27));
        Self { digits, power, inverse: (high, (1.0 - high * power) / power) }
    }

    /// The decimal nearest to `value`, whole; `None` beyond [`DECIMAL_END`].
    fn nearest(self, value: f64) -> Option<f64> {
        // Adding 0.0 takes the sign off -0.0, which whole numbers have not.
        let decimal = (value * self.power).round_ties_even() + 0.0;
        (decimal.abs() < DECIMAL_END).then_some(decimal)
    }

    fn multiplied(self, decimal: f64) -> f64 {
        decimal * self.inverse.0 + decimal * self.inverse.1
    }

    fn divided(self, decimal: f64) -> f64 {
        decimal / self.power
    }

    /// Whether dividing gives each bit of `value` back.
    fn holds(self, value: f64) -> bool {
        self.nearest(value).is_some_and(|decimal| self.divided(decimal).to_bits() == value.to_bits())
    }
}

/// Appends the values.
pub fn write(values: &[f64], out: &mut ByteWriter) {
    let decimals = decimals_of(values).map(|decimals| write_decimals(values, decimals));
    // Decimals that fill half of the bits are no clear gain.
    if let Some(decimals) = decimals.filter(|decimals| decimals.len() <= values.len() * 4) {
        return out.slice(&decimals.finish());
    }
    let least = values.iter().map(|value| value.to_bits()).min().unwrap_or(0);
    out.u8(BITS);
    out.u64(least);
    block::write(&values.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), least, out);
}

/// The fewest digits that hold the most values of a sample; `None` where that is not even half of them.
fn decimals_of(values: &[f64]) -> Option<Decimals> {
    let sample: Vec<f64> = values.iter().copied().step_by(values.len().div_ceil(SAMPLE).max(1)).collect();
    let held = |decimals: &Decimals| sample.iter().filter(|value| decimals.holds(**value)).count();
    let candidates = (0..=DIGITS_MAX).rev().map(Decimals::with_digits);
    candidates.max_by_key(held).filter(|decimals| held(decimals) * 2 > sample.len())
}

fn write_decimals(values: &[f64], decimals: Decimals) -> ByteWriter {
    let comes_back = |value: f64, by: fn(Decimals, f64) -> f64| {
        decimals.nearest(value).filter(|decimal| by(decimals, *decimal).to_bits() == value.to_bits())
    };
    let held = |by| values.iter().map(|value| comes_back(*value, by)).collect::<Vec<Option<f64>>>();
    let exceptions = |held: &[Option<f64>]| held.iter().filter(|decimal| decimal.is_none()).count();
    let (multiplied, divided) = (held(Decimals::multiplied), held(Decimals::divided));
    let may_multiply = exceptions(&multiplied) <= exceptions(&divided);
    let held = if may_multiply { multiplied } else { divided };
    let mut before = held.iter().flatten().next().copied().unwrap_or(0.0) as i64;
    let words: Vec<i64> = held
        .iter()
        .map(|decimal| {
            before = decimal.map_or(before, |decimal| decimal as i64);
            before
        })
        .collect();
    let least = words.iter().copied().min().unwrap_or(0);
    let mut packed = ByteWriter::default();
    block::write(&words, least, &mut packed);
    let mut out = ByteWriter::default();
    out.u8(if may_multiply { MULTIPLIED } else { DIVIDED });
    out.u8(decimals.digits);
    out.i64(least);
    out.u16(packed.len() as u16);
    out.slice(&packed.finish());
    for (place, value) in values.iter().enumerate().filter(|(place, _)| held[*place].is_none()) {
        out.u16(place as u16);
        out.u64(value.to_bits());
    }
    out
}

/// Reads a block of `count` doubles into the front of `out`. Bytes that make no sense give arbitrary doubles.
pub fn read(bytes: &[u8], count: usize, out: &mut [f64; BLOCK_ROWS]) {
    if read_form(bytes, count, out).is_none() {
        out[..count.min(BLOCK_ROWS)].fill(0.0);
    }
}

fn read_form(bytes: &[u8], count: usize, out: &mut [f64; BLOCK_ROWS]) -> Option<()> {
    let mut cursor = Cursor(bytes);
    let form = cursor.u8()?;
    let mut words = [0; BLOCK_ROWS];
    if form == BITS {
        let least = cursor.u64()?;
        block::read(cursor.0, count, least, &mut words);
        out.iter_mut().zip(words).for_each(|(value, bits)| *value = f64::from_bits(bits));
        return Some(());
    }
    let decimals = Decimals::with_digits(cursor.u8()?);
    let least = cursor.u64()?.wrapping_add(DECIMAL_ORIGIN_BITS);
    let len = cursor.u16()?;
    block::read(cursor.slice(len.into())?, count, least, &mut words);
    let decimal = |bits: u64| f64::from_bits(bits) - DECIMAL_ORIGIN;
    if form == MULTIPLIED {
        out.iter_mut().zip(words).for_each(|(value, bits)| *value = decimals.multiplied(decimal(bits)));
    } else {
        out.iter_mut().zip(words).for_each(|(value, bits)| *value = decimals.divided(decimal(bits)));
    }
    while !cursor.0.is_empty() {
        let (place, bits) = (cursor.u16()?, cursor.u64()?);
        *out.get_mut(usize::from(place))? = f64::from_bits(bits);
    }
    Some(())
}

/// Whether the bytes hold a block of `count` doubles and nothing else.
pub fn is_sound(bytes: &[u8], count: usize) -> bool {
    let mut cursor = Cursor(bytes);
    let packed = match cursor.u8() {
        Some(BITS) => cursor.u64().map(|_| cursor.0),
        Some(MULTIPLIED | DIVIDED) => (|| {
            let digits = cursor.u8()?;
            cursor.u64()?;
            let len = cursor.u16()?;
            let packed = cursor.slice(len.into())?;
            let places_fit = cursor.0.chunks(2 + 8).all(|exception| {
                exception.len() == 2 + 8 && usize::from(u16::from_le_bytes([exception[0], exception[1]])) < count
            });
            (digits <= DIGITS_MAX && places_fit).then_some(packed)
        })(),
        _ => None,
    };
    packed.is_some_and(|packed| block::is_sound::<u64>(packed, count))
}
