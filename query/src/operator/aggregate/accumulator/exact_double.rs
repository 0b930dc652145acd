//! Doubles as whole numbers at fixed places of a number of some 2,100 bits, so that adding them loses nothing and their
//! order does not matter.
//!
//! ```text
//! double = mantissa (53 bits) x 2 ^ (exponent - 1075), exponent 1..=2046
//! part   = mantissa << (exponent + 16) % 32 (84 bits), of bin (exponent + 16) / 32
//! number = sum of: sum of a bin's parts x 2 ^ (32 x bin - 16 - 1075)
//! ```
//!
//! A bin's sum in 128 bits has room for 2^43 parts. Doubles between 2^-15 and 2^17 are all of one bin.

/// The bin of infinity; the next two are those of -infinity and NaN. Their sums count values.
pub const INFINITY: u8 = 65;
const NEGATIVE_INFINITY: u8 = 66;
const NAN: u8 = 67;

/// Which exponents share a bin.
const SKEW: u64 = 16;
const BIN_BITS: u64 = 32;
/// The exponent of the lowest bit of bin 0.
const LOWEST: i32 = -16 - 1075;

/// The bin of a double and what to add to that bin's sum. Nothing for zero.
#[inline]
pub fn part_of(value: f64) -> (u8, i128) {
    let bits = value.to_bits();
    let exponent = bits >> 52 & 0x7FF;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0x7FF {
        let bin = match (fraction != 0, value < 0.0) {
            (true, _) => NAN,
            (false, false) => INFINITY,
            (false, true) => NEGATIVE_INFINITY,
        };
        return (bin, 1);
    }
    let is_normal = u64::from(exponent != 0);
    let mantissa = fraction | is_normal << 52;
    let place = exponent + (1 - is_normal) + SKEW;
    let magnitude = i128::from(mantissa) << (place % BIN_BITS);
    let sign = i128::from(bits.cast_signed() >> 63);
    ((place / BIN_BITS) as u8, (magnitude ^ sign) - sign)
}

/// The double nearest to the sum of some bins' sums, of two that are as near the even one.
pub fn round(bins: &[(u8, i128)]) -> f64 {
    let has = |wanted: u8| bins.iter().any(|(bin, _)| *bin == wanted);
    match (has(NAN), has(INFINITY), has(NEGATIVE_INFINITY)) {
        (true, _, _) | (_, true, true) => return f64::NAN,
        (_, true, _) => return f64::INFINITY,
        (_, _, true) => return f64::NEG_INFINITY,
        _ => {}
    }
    match bins {
        [] => 0.0,
        // Far from the subnormals and from infinity, one rounding is all there is.
        [(bin, sum)] if (8..=56).contains(bin) => {
            let exponent = i32::from(*bin) * BIN_BITS as i32 + LOWEST;
            *sum as f64 * f64::from_bits(((exponent + 1023) as u64) << 52)
        }
        bins => Wide::of(bins).round(),
    }
}

/// A number of 2,240 bits in two's complement, counted from 2^[`LOWEST`].
struct Wide([u64; 35]);

impl Wide {
    fn of(bins: &[(u8, i128)]) -> Self {
        let mut words = [0_u64; 35];
        for (bin, sum) in bins {
            let start = u64::from(*bin) * BIN_BITS;
            let (word, shift) = ((start / 64) as usize, start % 64);
            // Shifted by 0 or 32 bits, the sum fills three words and its sign all above.
            let low = (*sum as u64) << shift;
            let middle = (sum >> (64 - shift)) as u64;
            let high = (sum >> (128 - shift).min(127)) as u64;
            let sign = (sum >> 127) as u64;
            let mut carry = false;
            for (place, slot) in words.iter_mut().enumerate().skip(word) {
                let added = match place - word {
                    0 => low,
                    1 => middle,
                    2 => high,
                    _ => sign,
                };
                let (first, overflow) = slot.overflowing_add(added);
                let (second, overflow_of_carry) = first.overflowing_add(u64::from(carry));
                (*slot, carry) = (second, overflow || overflow_of_carry);
            }
        }
        Self(words)
    }

    fn round(mut self) -> f64 {
        let is_negative = self.0[34] >> 63 == 1;
        if is_negative {
            let mut carry = true;
            for word in &mut self.0 {
                (*word, carry) = (!*word).overflowing_add(u64::from(carry));
            }
        }
        let Some(top) = self.0.iter().rposition(|word| *word != 0) else { return 0.0 };
        let length = top as i32 * 64 + 64 - self.0[top].leading_zeros() as i32;
        // The lowest bit that a double of this size has; subnormals all have the same.
        let lowest = (length - 53).max(-1074 - LOWEST);
        let below = lowest as usize - 1;
        let mut mantissa = self.bits(lowest as usize, 53);
        let is_half = self.bits(below, 1) == 1;
        let is_more = is_half && (0..below).any(|bit| self.bits(bit, 1) == 1);
        mantissa += u64::from(is_more || is_half && mantissa & 1 == 1);
        let magnitude = times_power_of_two(mantissa as f64, lowest + LOWEST);
        if is_negative { -magnitude } else { magnitude }
    }

    /// `count` bits from a place on, at most 64.
    fn bits(&self, place: usize, count: u32) -> u64 {
        let word = |at: usize| self.0.get(at).copied().unwrap_or(0);
        let (at, shift) = (place / 64, place % 64);
        let low = word(at) >> shift;
        let high = if shift == 0 { 0 } else { word(at + 1) << (64 - shift) };
        (low | high) & (u64::MAX >> (64 - count))
    }
}

/// Exact where the product is a double; infinity where it is too large.
fn times_power_of_two(mantissa: f64, exponent: i32) -> f64 {
    let power = |exponent: i32| f64::from_bits(((exponent + 1023) as u64) << 52);
    match exponent {
        ..-1000 => mantissa * power(-1000) * power(exponent + 1000),
        -1000..=1000 => mantissa * power(exponent),
        // As many bits as a mantissa has would leave the doubles long before.
        _ => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn sum(values: &[f64]) -> f64 {
        let mut bins: BTreeMap<u8, i128> = BTreeMap::new();
        for (bin, part) in values.iter().map(|value| part_of(*value)) {
            *bins.entry(bin).or_default() += part;
        }
        round(&bins.into_iter().collect::<Vec<_>>())
    }

    /// Shewchuk's sum as CPython's `math.fsum` has it: partial sums that do not overlap, rounded once at the end.
    fn fsum(values: &[f64]) -> f64 {
        let mut partials: Vec<f64> = Vec::new();
        for value in values {
            let mut x = *value;
            let mut kept = Vec::new();
            for mut y in partials {
                if x.abs() < y.abs() {
                    (x, y) = (y, x);
                }
                let high = x + y;
                let low = y - (high - x);
                if low != 0.0 {
                    kept.push(low);
                }
                x = high;
            }
            kept.push(x);
            partials = kept;
        }
        let Some(mut high) = partials.pop() else { return 0.0 };
        let mut low = 0.0;
        while let Some(y) = partials.pop() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            if low != 0.0 {
                break;
            }
        }
        // Half-way cases look at what is below.
        if let Some(below) = partials.last()
            && ((low < 0.0 && *below < 0.0) || (low > 0.0 && *below > 0.0))
        {
            let y = low * 2.0;
            let x = high + y;
            if y == x - high {
                high = x;
            }
        }
        high
    }

    fn doubles() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => (any::<bool>(), 0_u64..2040, any::<u64>()).prop_map(|(sign, exponent, fraction)| f64::from_bits(
                u64::from(sign) << 63 | exponent << 52 | fraction >> 12
            )),
            4 => -1_000.0..1_000.0_f64,
            2 => prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, 0.1, 1e16, -1e16, f64::MIN_POSITIVE, 5e-324, -5e-324, 1e300, 2f64.powi(17), 2f64.powi(-16)]),
        ]
    }

    proptest! {
        #[test]
        fn a_sum_is_the_nearest_double_in_any_order(values in prop::collection::vec(doubles(), 0..40)) {
            let exact = sum(&values);
            prop_assert_eq!(exact.to_bits(), (fsum(&values) + 0.0).to_bits(), "{:?}", values);
            let mut reversed = values.clone();
            reversed.reverse();
            prop_assert_eq!(exact.to_bits(), sum(&reversed).to_bits());
            reversed.sort_by(f64::total_cmp);
            prop_assert_eq!(exact.to_bits(), sum(&reversed).to_bits());
        }

        #[test]
        fn a_value_alone_comes_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let found = sum(&[value]);
            prop_assert!(found == value || (found.is_nan() && value.is_nan()), "{value:?} {found:?}");
        }
    }

    #[test]
    fn what_plain_addition_loses_is_kept() {
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[-f64::MAX, -f64::MAX]), f64::NEG_INFINITY);
        assert_eq!(sum(&[5e-324, 5e-324]), 1e-323);
        assert_eq!(sum(&[f64::MIN_POSITIVE, -5e-324]), f64::MIN_POSITIVE - 5e-324);
        assert_eq!(sum(&[1.0, 2f64.powi(-53), 5e-324]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[1.0, 2f64.powi(-53)]), 1.0);
        assert_eq!(sum(&[]).to_bits(), 0);
        assert_eq!(sum(&[-0.0]).to_bits(), 0);
    }

    #[test]
    fn infinities_meet_as_they_do_in_plain_addition() {
        assert_eq!(sum(&[f64::INFINITY, -1.0]), f64::INFINITY);
        assert_eq!(sum(&[f64::NEG_INFINITY, f64::MAX]), f64::NEG_INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert!(sum(&[f64::NAN, 1.0]).is_nan());
    }
}
