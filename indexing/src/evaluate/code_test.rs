//! A set of codes made ready for testing the codes of many rows.

use std::borrow::Cow;
use std::ops::Range;

use super::block_mask::{fill_where, set_rows};
use super::row_collector::Found;
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

    /// What is certain of rows whose codes lie between two bounds, both inclusive; [`Found::Mask`] is nothing.
    pub fn of_bounds(&self, least: u32, greatest: u32) -> Found {
        let width = u64::from(greatest) + 1 - u64::from(least.min(greatest));
        match self.count_before(u64::from(greatest) + 1) - self.count_before(u64::from(least)) {
            0 => Found::None,
            count if count == width => Found::All,
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

fn bit(words: &[u64], code: u32) -> bool {
    words.get(code as usize / 64).is_some_and(|word| word >> (code % 64) & 1 == 1)
}
