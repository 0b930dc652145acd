//! A set of codes made ready for testing the codes of many rows.

use std::borrow::Cow;
use std::ops::Range;

use super::block_mask::{fill_where, set_rows};
use super::row_collector::Found;
use crate::packed::DISTINCT_MAX;
use crate::{BLOCK_ROWS, BlockMask, CodeSet};

/// More ranges than this are looked up in a table.
const RANGES_MAX: usize = 4;

/// The same codes as a [`CodeSet`].
pub(super) enum CodeTest<'s> {
    Range(Range<u32>),
    /// Ascending ranges, at most [`RANGES_MAX`].
    Ranges(Vec<Range<u32>>),
    Bits {
        words: Cow<'s, [u64]>,
        /// For each word the number of bits in those before it, so that the codes of a block's bounds are counted at once.
        ranks: Vec<u32>,
    },
}

impl<'s> CodeTest<'s> {
    pub fn new(codes: &'s CodeSet) -> Self {
        let mut ranges: Vec<Range<u32>> = codes.ranges().take(RANGES_MAX + 1).collect();
        match ranges.len() {
            0 => Self::Range(0..0),
            1 => Self::Range(ranges.remove(0)),
            2..=RANGES_MAX => Self::Ranges(ranges),
            _ => {
                let words = codes.bits();
                let mut rank = 0;
                let ranks = words.iter().map(|word| {
                    let before = rank;
                    rank += word.count_ones();
                    before
                });
                Self::Bits { ranks: ranks.collect(), words }
            }
        }
    }

    /// What is certain of rows whose codes lie between two bounds, both inclusive; [`Found::Mask`] is nothing. Nothing is
    /// certain of bounds that cross, which no encoder wrote.
    pub fn of_bounds(&self, least: u32, greatest: u32) -> Found {
        if least > greatest {
            return Found::Mask;
        }
        let end = u64::from(greatest) + 1;
        match self.count_before(end) - self.count_before(u64::from(least)) {
            0 => Found::None,
            count if count == end - u64::from(least) => Found::All,
            _ => Found::Mask,
        }
    }

    /// The number of codes less than `end`.
    fn count_before(&self, end: u64) -> u64 {
        let part = |range: &Range<u32>| u64::from(range.end).min(end).saturating_sub(u64::from(range.start));
        match self {
            Self::Range(range) => part(range),
            Self::Ranges(ranges) => ranges.iter().map(part).sum(),
            Self::Bits { words, ranks } => {
                let end = end.min(words.len() as u64 * 64);
                let (word, bit) = ((end / 64) as usize, end % 64);
                match words.get(word) {
                    Some(bits) => u64::from(ranks[word] + (bits & !(u64::MAX << bit)).count_ones()),
                    None => words.last().map_or(0, |last| u64::from(ranks[word - 1] + last.count_ones())),
                }
            }
        }
    }

    pub fn contains(&self, code: u32) -> bool {
        match self {
            Self::Range(range) => range.contains(&code),
            Self::Ranges(ranges) => ranges.iter().any(|range| range.contains(&code)),
            Self::Bits { words, .. } => bit(words, code),
        }
    }

    /// The rows, in place of `mask`, whose code is in the set.
    pub fn fill(&self, mask: &mut BlockMask, codes: &[u32]) {
        match self {
            Self::Range(range) => {
                let (start, width) = (range.start, range.end - range.start);
                fill_where(mask, codes, |code: u32| code.wrapping_sub(start) < width);
            }
            Self::Ranges(ranges) => {
                let mut four = [(0, 0); RANGES_MAX];
                four.iter_mut().zip(ranges).for_each(|(slot, range)| *slot = (range.start, range.end - range.start));
                fill_where(mask, codes, |code: u32| {
                    four.iter().fold(false, |is_in, &(start, width)| is_in | (code.wrapping_sub(start) < width))
                });
            }
            Self::Bits { words, .. } => fill_where(mask, codes, |code| bit(words, code)),
        }
    }

    /// Adds the rows of runs whose code is in the set.
    pub fn fill_runs(&self, mask: &mut BlockMask, runs: impl Iterator<Item = (u32, u32)>) {
        let mut start = 0;
        for (code, rows) in runs {
            let end = (start + rows as usize).min(BLOCK_ROWS);
            if self.contains(code) {
                set_rows(mask, start, end);
            }
            start = end;
        }
    }
}

/// Which of a block's distinct codes are in a set, by their ranks.
pub(super) struct PassingRanks {
    bits: [u64; DISTINCT_MAX / 64],
    pub count: usize,
}

impl PassingRanks {
    /// Of at most [`DISTINCT_MAX`] codes.
    pub fn new(test: &CodeTest<'_>, codes: &[u32]) -> Self {
        let mut passing = Self { bits: [0; DISTINCT_MAX / 64], count: 0 };
        for (rank, code) in codes.iter().enumerate() {
            let passes = test.contains(*code);
            passing.bits[rank / 64] |= u64::from(passes) << (rank % 64);
            passing.count += usize::from(passes);
        }
        passing
    }

    /// The rows, in place of `mask`, whose rank passes.
    pub fn fill(&self, mask: &mut BlockMask, ranks: &[u32]) {
        if self.count == 1 {
            let word = self.bits.iter().position(|word| *word != 0).unwrap_or(0);
            let only = word as u32 * 64 + self.bits[word].trailing_zeros();
            return fill_where(mask, ranks, |rank: u32| rank == only);
        }
        fill_where(mask, ranks, |rank| bit(&self.bits, rank));
    }
}

fn bit(words: &[u64], code: u32) -> bool {
    words.get(code as usize / 64).is_some_and(|word| word >> (code % 64) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evaluate::block_mask::{NO_ROWS, rows_of};

    fn code_set() -> impl Strategy<Value = CodeSet> {
        let ranges = prop::collection::vec((0_u32..300, 0_u32..40), 0..8);
        ranges.prop_map(|ranges| {
            let codes = ranges.into_iter().flat_map(|(start, width)| start..start + width);
            CodeSet::from_codes(299, codes.filter(|&code| code < 300).collect())
        })
    }

    #[test]
    fn bounds_within_a_range_of_codes_are_certain() {
        // No range before it, a few, and so many that the set is kept as bits.
        let befores: [Vec<u32>; 3] = [vec![], vec![3, 4, 8], (0..60).map(|code| code * 4).collect()];
        let last = 250..270;
        for before in befores {
            let set = CodeSet::from_codes(299, before.into_iter().chain(last.clone()).collect());
            let test = CodeTest::new(&set);
            let bounds = |least, greatest| test.of_bounds(least, greatest);
            assert_eq!(bounds(last.start, last.end - 1), Found::All);
            assert_eq!(bounds(last.start + 2, last.start + 5), Found::All);
            assert_eq!(bounds(last.start + 2, last.end), Found::Mask);
            assert_eq!(bounds(last.end, 299), Found::None);
        }
    }

    proptest! {
        #[test]
        fn codes_and_bounds_and_runs_are_judged_as_the_set_has_them(
            set in code_set(), least in 0_u32..320, width in 0_u32..320,
            codes in prop::collection::vec(0_u32..330, 1..200),
        ) {
            let test = CodeTest::new(&set);
            let is_in: Vec<bool> = (least..=least + width).map(|code| set.contains(code)).collect();
            let expected = match (is_in.contains(&true), is_in.contains(&false)) {
                (false, _) => Found::None,
                (true, false) => Found::All,
                (true, true) => Found::Mask,
            };
            prop_assert_eq!(test.of_bounds(least, least + width), expected);

            let mut mask = [u64::MAX; 16];
            test.fill(&mut mask, &codes);
            let rows: Vec<usize> = (0..codes.len()).filter(|&row| set.contains(codes[row])).collect();
            prop_assert_eq!(rows_of(&mask).collect::<Vec<_>>(), &rows[..]);

            let mut distinct = codes.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let ranks: Vec<u32> = codes.iter().map(|code| distinct.partition_point(|other| other < code) as u32).collect();
            let passing = PassingRanks::new(&test, &distinct);
            prop_assert_eq!(passing.count, distinct.iter().filter(|code| set.contains(**code)).count());
            let mut mask = [u64::MAX; 16];
            passing.fill(&mut mask, &ranks);
            prop_assert_eq!(rows_of(&mask).collect::<Vec<_>>(), &rows[..]);

            let mut mask = NO_ROWS;
            test.fill_runs(&mut mask, codes.iter().map(|&code| (code, 3)));
            let rows: Vec<usize> = rows.iter().flat_map(|row| row * 3..row * 3 + 3).collect();
            prop_assert_eq!(rows_of(&mask).collect::<Vec<_>>(), rows);
        }
    }

    #[test]
    fn bounds_and_runs_of_damaged_columns_do_no_harm() {
        let many = CodeSet::from_codes(900, (0..900).step_by(3).collect());
        for set in [CodeSet::none(5), CodeSet::values(5), CodeSet::from_codes(9, vec![1, 3]), many] {
            let test = CodeTest::new(&set);
            for (least, greatest) in [(7, 3), (u32::MAX, 0), (0, u32::MAX), (u32::MAX, u32::MAX)] {
                test.of_bounds(least, greatest);
            }
            assert!(!test.contains(u32::MAX));
            let mut mask = NO_ROWS;
            test.fill_runs(&mut mask, [(1, 1_000), (3, 1_000), (3, u32::MAX)].into_iter());
        }
    }
}
