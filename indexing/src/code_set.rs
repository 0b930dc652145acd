//! Codes of one dictionary: what a predicate on strings comes down to.

use std::borrow::Cow;
use std::ops::Range;

use crate::RowSet;

/// A set of codes of one dictionary: 0, null, and `1..=distinct`, its values.
///
/// Codes are small numbers below a bound, as rows are, and the forms that suit rows suit them too.
///
/// ```
/// # use henge_indexing::CodeSet;
/// let europe = CodeSet::from_codes(9, vec![2, 3, 4]);
/// assert_eq!(europe.as_range(), Some(2..5));
/// assert!(europe.complement_of_values().iter().eq([1, 5, 6, 7, 8, 9]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeSet {
    codes: RowSet,
}

impl CodeSet {
    /// No code of a dictionary of `distinct` values, of which there are fewer than 2^31 - 1.
    pub fn none(distinct: u32) -> Self {
        Self { codes: RowSet::none(distinct + 1) }
    }

    /// Null only.
    pub fn null(distinct: u32) -> Self {
        Self::from_range(distinct, 0..1)
    }

    /// Every value, and not null.
    pub fn values(distinct: u32) -> Self {
        Self::from_range(distinct, 1..distinct + 1)
    }

    /// The codes of a range, as far as the dictionary has them.
    pub fn from_range(distinct: u32, codes: Range<u32>) -> Self {
        Self { codes: RowSet::from_range(distinct + 1, codes) }
    }

    /// The given codes, as far as the dictionary has them; it is cheaper if they ascend.
    pub fn from_codes(distinct: u32, codes: Vec<u32>) -> Self {
        Self { codes: RowSet::from_sorted_rows(distinct + 1, codes) }
    }

    /// The codes whose bits are set: bit `i` of word `w` stands for code `w * 64 + i`. Missing words hold no code.
    pub fn from_bits(distinct: u32, words: &[u64]) -> Self {
        let masks = words.chunks(16).map(|words| std::array::from_fn(|word| words.get(word).copied().unwrap_or(0)));
        Self { codes: RowSet::from_masks(distinct + 1, masks.collect()) }
    }

    /// Values of the dictionary, in the set or not; null is not counted.
    pub fn distinct(&self) -> u32 {
        self.codes.row_count() - 1
    }

    pub fn contains(&self, code: u32) -> bool {
        self.codes.contains(code)
    }

    /// Codes in the set.
    pub fn len(&self) -> u32 {
        self.codes.len() as u32
    }

    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Memory taken, roughly.
    pub fn bytes(&self) -> usize {
        self.codes.bytes()
    }

    /// The codes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.codes.iter()
    }

    /// The codes as ascending half-open ranges, as few as there can be.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u32>> {
        self.codes.ranges()
    }

    /// The codes as one range, which is empty where the set is. `None` where there are gaps.
    pub fn as_range(&self) -> Option<Range<u32>> {
        let mut ranges = self.ranges();
        let first = ranges.next().unwrap_or(0..0);
        ranges.next().is_none().then_some(first)
    }

    /// A bit for each code: bit `i` of word `w` stands for code `w * 64 + i`. There are words for every code of the
    /// dictionary. Copies nothing where the set is large.
    pub fn bits(&self) -> Cow<'_, [u64]> {
        self.codes.words()
    }

    /// Every value that is not in the set; never null.
    pub fn complement_of_values(&self) -> Self {
        Self { codes: Self::values(self.distinct()).codes.and_not(&self.codes) }
    }

    /// Codes of both sets, which are of one dictionary.
    pub fn and(&self, other: &Self) -> Self {
        Self { codes: self.codes.and(&other.codes) }
    }

    /// Codes of either set, which are of one dictionary.
    pub fn or(&self, other: &Self) -> Self {
        Self { codes: self.codes.or(&other.codes) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_agrees_with_a_tree(
            distinct in 0_u32..3_000,
            dense: bool,
            picks in prop::collection::vec(any::<u32>(), 0..1_500),
        ) {
            let span = if dense { distinct / 2 + 1 } else { distinct + 20 };
            let codes: Vec<u32> = picks.iter().map(|pick| pick % span).collect();
            let expected: BTreeSet<u32> = codes.iter().copied().filter(|&code| code <= distinct).collect();
            let set = CodeSet::from_codes(distinct, codes);
            prop_assert!(set.iter().eq(expected.iter().copied()));
            prop_assert_eq!(set.len() as usize, expected.len());
            prop_assert!((0..distinct + 9).all(|code| set.contains(code) == expected.contains(&code)));
            prop_assert_eq!(&CodeSet::from_bits(distinct, &set.bits()), &set);
            prop_assert!(set.bits().len() * 64 > distinct as usize);
            let others = (1..=distinct).filter(|code| !expected.contains(code));
            prop_assert!(set.complement_of_values().iter().eq(others));
        }
    }

    #[test]
    fn null_is_no_value() {
        let null = CodeSet::null(3);
        assert_eq!(null.as_range(), Some(0..1));
        assert_eq!(null.complement_of_values(), CodeSet::values(3));
        assert_eq!(CodeSet::values(3).complement_of_values(), CodeSet::none(3));
        assert_eq!(CodeSet::values(0).as_range(), Some(0..0));
        assert_eq!(CodeSet::from_codes(9, vec![1, 2, 5]).as_range(), None);
    }
}
