//! Tests of numbers as ranges of whole numbers.
//!
//! A long is its own key. A double's key orders like the doubles do (IEEE 754 total order), so that one kind of range
//! serves both.

use std::ops::Bound;

use crate::predicate::{NumberTest, Texts};
use crate::promotion::{text_of_double, text_of_long};

/// Keys that pass a test: ascending ranges, both ends inclusive, with gaps between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRanges(Vec<(i64, i64)>);

/// The key of a double.
pub(super) fn key_of_double(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    // All bits but the sign are flipped for negative doubles.
    bits ^ (bits >> 63) & i64::MAX
}

/// The double of a key.
#[cfg(test)]
fn double_of_key(key: i64) -> f64 {
    f64::from_bits((key ^ (key >> 63) & i64::MAX).cast_unsigned())
}

impl KeyRanges {
    /// Of longs.
    pub fn of_longs(test: &NumberTest<i64>) -> Self {
        Self::of_test(test, |&value| value)
    }

    /// Of doubles.
    pub fn of_doubles(test: &NumberTest<f64>) -> Self {
        Self::of_test(test, |&value| key_of_double(value))
    }

    /// Longs that pass a test when they are taken as doubles.
    pub fn of_longs_as_doubles(test: &NumberTest<f64>) -> Self {
        let Self(doubles) = Self::of_doubles(test);
        // Rounding to the nearest double keeps the order, so that a range of doubles is a range of longs.
        let key_of = |long: i64| key_of_double(long as f64);
        let longs = doubles.into_iter().filter_map(|(least, greatest)| {
            let first = first_long(|long| key_of(long) >= least)?;
            let last = match first_long(|long| key_of(long) > greatest) {
                Some(end) => end.checked_sub(1)?,
                None => i64::MAX,
            };
            (first <= last).then_some((first, last))
        });
        Self::new(longs.collect())
    }

    /// Longs whose text is one of these.
    pub fn of_texts_as_longs(texts: &Texts) -> Self {
        let longs = texts.as_slice().iter().filter_map(|text| {
            let text = std::str::from_utf8(text).ok()?;
            let long: i64 = text.parse().ok()?;
            (text_of_long(long) == text).then_some((long, long))
        });
        Self::new(longs.collect())
    }

    /// Doubles whose text is one of these.
    pub fn of_texts_as_doubles(texts: &Texts) -> Self {
        let mut ranges = Vec::new();
        for text in texts.as_slice() {
            let Ok(text) = std::str::from_utf8(text) else { continue };
            let Ok(double) = text.parse::<f64>() else { continue };
            if text_of_double(double) != text {
                continue;
            }
            if double.is_nan() {
                // All NaNs read alike.
                ranges.push((i64::MIN, key_of_double(f64::NEG_INFINITY) - 1));
                ranges.push((key_of_double(f64::INFINITY) + 1, i64::MAX));
            } else if double == 0.0 {
                // So do both zeros.
                ranges.push((key_of_double(-0.0), key_of_double(0.0)));
            } else {
                ranges.push((key_of_double(double), key_of_double(double)));
            }
        }
        Self::new(ranges)
    }

    fn of_test<T>(test: &NumberTest<T>, key_of: impl Fn(&T) -> i64) -> Self {
        match test {
            NumberTest::In(items) => Self::new(items.iter().map(|item| (key_of(item), key_of(item))).collect()),
            NumberTest::Range { lower, upper } => {
                let least = match lower.as_ref().map(&key_of) {
                    Bound::Included(key) => Some(key),
                    Bound::Excluded(key) => key.checked_add(1),
                    Bound::Unbounded => Some(i64::MIN),
                };
                let greatest = match upper.as_ref().map(&key_of) {
                    Bound::Included(key) => Some(key),
                    Bound::Excluded(key) => key.checked_sub(1),
                    Bound::Unbounded => Some(i64::MAX),
                };
                Self::new(least.zip(greatest).into_iter().filter(|(least, greatest)| least <= greatest).collect())
            }
        }
    }

    /// Ranges in any order, none of them empty; those that touch become one.
    fn new(mut ranges: Vec<(i64, i64)>) -> Self {
        ranges.sort_unstable();
        ranges.dedup_by(|next, last| {
            let touches = next.0 <= last.1.saturating_add(1);
            if touches {
                last.1 = last.1.max(next.1);
            }
            touches
        });
        Self(ranges)
    }

    /// All other keys.
    pub fn complement(&self) -> Self {
        let mut gaps = Vec::new();
        let mut start = Some(i64::MIN);
        for &(least, greatest) in &self.0 {
            if let Some(start) = start.filter(|&start| start < least) {
                gaps.push((start, least - 1));
            }
            start = greatest.checked_add(1);
        }
        gaps.extend(start.map(|start| (start, i64::MAX)));
        Self(gaps)
    }

    /// Keys in both.
    pub fn and(&self, other: &Self) -> Self {
        self.complement().or(&other.complement()).complement()
    }

    /// Keys in either.
    pub fn or(&self, other: &Self) -> Self {
        Self::new(self.0.iter().chain(&other.0).copied().collect())
    }

    /// The ranges that overlap the keys from `least` to `greatest`, both inclusive; none where those cross.
    pub fn between(&self, least: i64, greatest: i64) -> &[(i64, i64)] {
        if least > greatest {
            return &[];
        }
        let first = self.0.partition_point(|range| range.1 < least);
        let end = self.0.partition_point(|range| range.0 <= greatest);
        &self.0[first..end]
    }

    /// All ranges.
    pub fn as_slice(&self) -> &[(i64, i64)] {
        &self.0
    }
}

/// The first long for which a monotonous condition holds: false up to some long, true from there on.
fn first_long(holds: impl Fn(i64) -> bool) -> Option<i64> {
    if !holds(i64::MAX) {
        return None;
    }
    let (mut least, mut greatest) = (i64::MIN, i64::MAX);
    while least < greatest {
        let middle = ((i128::from(least) + i128::from(greatest)) >> 1) as i64;
        if holds(middle) {
            greatest = middle;
        } else {
            least = middle + 1;
        }
    }
    Some(least)
}

#[cfg(test)]
mod tests {
    use std::ops::Bound::{Excluded, Included, Unbounded};

    use proptest::prelude::*;

    use super::*;

    fn contains(ranges: &KeyRanges, key: i64) -> bool {
        !ranges.between(key, key).is_empty()
    }

    #[test]
    fn bounds_at_the_ends_of_64_bits_neither_wrap_nor_lose_a_key() {
        let range = |lower, upper| KeyRanges::of_longs(&NumberTest::Range { lower, upper }).0;
        assert_eq!(range(Unbounded, Unbounded), [(i64::MIN, i64::MAX)]);
        assert_eq!(range(Excluded(i64::MAX), Unbounded), []);
        assert_eq!(range(Unbounded, Excluded(i64::MIN)), []);
        assert_eq!(range(Included(i64::MAX), Included(i64::MAX)), [(i64::MAX, i64::MAX)]);
        assert_eq!(range(Excluded(3), Excluded(4)), []);
        assert_eq!(range(Excluded(3), Included(4)), [(4, 4)]);
        let items = KeyRanges::of_longs(&NumberTest::In(vec![i64::MAX, 3, i64::MIN, 4, 3, i64::MAX - 1]));
        assert_eq!(items.0, [(i64::MIN, i64::MIN), (3, 4), (i64::MAX - 1, i64::MAX)]);
        assert_eq!(items.complement().0, [(i64::MIN + 1, 2), (5, i64::MAX - 2)]);
        assert_eq!(KeyRanges(vec![]).complement().0, [(i64::MIN, i64::MAX)]);
        assert_eq!(KeyRanges(vec![(i64::MIN, i64::MAX)]).complement().0, []);
    }

    #[test]
    fn the_part_between_two_keys_is_what_overlaps_them() {
        let ranges = KeyRanges(vec![(0, 9), (20, 29)]);
        assert_eq!(ranges.between(9, 20), [(0, 9), (20, 29)]);
        assert_eq!(ranges.between(10, 19), []);
        assert_eq!(ranges.between(10, 20), [(20, 29)]);
        assert_eq!(ranges.between(25, 5), []);
    }

    #[test]
    fn longs_beyond_the_doubles_precision_pass_where_their_nearest_double_does() {
        let even = 1_i64 << 60;
        let equal = KeyRanges::of_longs_as_doubles(&NumberTest::In(vec![even as f64]));
        assert_eq!(equal.0, [(even - 64, even + 128)]);
        let all =
            KeyRanges::of_longs_as_doubles(&NumberTest::Range { lower: Unbounded, upper: Excluded(f64::INFINITY) });
        assert_eq!(all.0, [(i64::MIN, i64::MAX)]);
        let top =
            KeyRanges::of_longs_as_doubles(&NumberTest::In(vec![i64::MAX as f64, -0.0, 2.5, f64::NAN, 1e300, -1e300]));
        assert_eq!(top.0, [(i64::MAX - 511, i64::MAX)]);
        let bottom = KeyRanges::of_longs_as_doubles(&NumberTest::In(vec![i64::MIN as f64]));
        assert_eq!(bottom.0, [(i64::MIN, i64::MIN + 512)]);
    }

    #[test]
    fn a_text_names_the_numbers_that_read_so_and_no_others() {
        let texts = Texts::new(["5", "+6", "07", "-0", "8.0", "9223372036854775808", "x", "-3"]);
        assert_eq!(KeyRanges::of_texts_as_longs(&texts).0, [(-3, -3), (5, 5)]);
        let doubles = |text: &str| KeyRanges::of_texts_as_doubles(&Texts::new([text])).0;
        assert_eq!(doubles("0"), [(-1, 0)]);
        assert_eq!(doubles("5"), [(key_of_double(5.0), key_of_double(5.0))]);
        assert_eq!(doubles("0.10"), []);
        assert_eq!(doubles("nan"), []);
        assert_eq!(KeyRanges::of_texts_as_doubles(&Texts::new([[0xff]])).0, []);
        let nans = KeyRanges(doubles("NaN"));
        for (double, is_in) in [(f64::NAN, true), (-f64::NAN, true), (f64::INFINITY, false), (f64::NEG_INFINITY, false)]
        {
            assert_eq!(contains(&nans, key_of_double(double)), is_in);
        }
    }

    proptest! {
        #[test]
        fn keys_order_like_doubles_and_longs_as_doubles_pass_as_doubles_do(
            left in any::<u64>().prop_map(f64::from_bits), right in any::<u64>().prop_map(f64::from_bits),
            long in any::<i64>(), shift in 0_u32..64,
        ) {
            prop_assert_eq!(key_of_double(left).cmp(&key_of_double(right)), left.total_cmp(&right));
            prop_assert_eq!(double_of_key(key_of_double(left)).to_bits(), left.to_bits());
            let long = long >> shift;
            let test = NumberTest::Range { lower: Excluded(left), upper: Included(right) };
            let as_double = contains(&KeyRanges::of_doubles(&test), key_of_double(long as f64));
            prop_assert_eq!(contains(&KeyRanges::of_longs_as_doubles(&test), long), as_double);
        }

        #[test]
        fn a_key_is_in_the_ranges_or_in_their_complement(
            ranges in prop::collection::vec((-20_i64..20, 0_i64..5), 0..6),
            others in prop::collection::vec((-20_i64..20, 0_i64..5), 0..6),
            key in -30_i64..30,
        ) {
            let is_in = |ranges: &[(i64, i64)]| {
                ranges.iter().any(|&(least, width)| (least..=least + width).contains(&key))
            };
            let new = |ranges: &[(i64, i64)]| {
                KeyRanges::new(ranges.iter().map(|&(least, width)| (least, least + width)).collect())
            };
            let (left, right) = (new(&ranges), new(&others));
            prop_assert_eq!(contains(&left, key), is_in(&ranges));
            prop_assert_eq!(contains(&left.complement(), key), !is_in(&ranges));
            prop_assert_eq!(contains(&left.and(&right), key), is_in(&ranges) && is_in(&others));
            prop_assert_eq!(contains(&left.or(&right), key), is_in(&ranges) || is_in(&others));
            for ranges in [left.and(&right), left.or(&right), left] {
                prop_assert!(ranges.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
            }
        }
    }
}
