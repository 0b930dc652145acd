//! A set's rows one after another, and its ranges.

use std::borrow::Cow;
use std::iter::Flatten;
use std::ops::Range;

use super::{Form, RowSet, ranges, words};

impl RowSet {
    /// The rows, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        match &self.form {
            Form::Ranges(ranges) => Rows::Ranges(ranges.iter().cloned().flatten()),
            Form::Roaring(rows) => Rows::Roaring(rows.iter()),
            Form::Masks(masks) => Rows::Masks(words::Runs::new(masks.as_flattened()).flatten()),
        }
    }

    /// The rows as ascending half-open ranges that do not touch: as few as there can be.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u32>> {
        match &self.form {
            Form::Ranges(ranges) => Ranges::Listed(ranges.iter().cloned()),
            Form::Roaring(rows) => Ranges::Compressed(ranges::of_bitmap(rows)),
            Form::Masks(masks) => Ranges::Masked(words::Runs::new(masks.as_flattened())),
        }
    }

    /// A bit for each row of the segment: bit `i` of word `w` is row `w * 64 + i`.
    pub(crate) fn words(&self) -> Cow<'_, [u64]> {
        match &self.form {
            Form::Masks(masks) => masks.as_flattened().into(),
            _ => {
                let mut words = vec![0; (self.row_count as usize).div_ceil(64)];
                self.ranges().for_each(|range| words::set(&mut words, range));
                words.into()
            }
        }
    }
}

/// One of three iterators, by form.
enum Rows<'a> {
    Ranges(Flatten<std::iter::Cloned<std::slice::Iter<'a, Range<u32>>>>),
    Roaring(roaring::bitmap::Iter<'a>),
    Masks(Flatten<words::Runs<'a>>),
}

impl Iterator for Rows<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match self {
            Self::Ranges(rows) => rows.next(),
            Self::Roaring(rows) => rows.next(),
            Self::Masks(rows) => rows.next(),
        }
    }
}

/// One of three iterators, by form.
enum Ranges<'a> {
    Listed(std::iter::Cloned<std::slice::Iter<'a, Range<u32>>>),
    Compressed(ranges::BitmapRanges<'a>),
    Masked(words::Runs<'a>),
}

impl Iterator for Ranges<'_> {
    type Item = Range<u32>;

    fn next(&mut self) -> Option<Range<u32>> {
        match self {
            Self::Listed(ranges) => ranges.next(),
            Self::Compressed(ranges) => ranges.next(),
            Self::Masked(ranges) => ranges.next(),
        }
    }
}
