//! Set operations: each pair of forms in the way that touches the fewest bytes.

use std::ops::Range;

use roaring::RoaringBitmap;

use super::{Form, RowSet, masks_of, ranges, words};
use crate::BlockMask;

/// Merging ranges with listed rows costs about this many times what a pass over the masks costs per row of the segment.
const LISTED_ROW_COST: u64 = 64;

impl RowSet {
    /// Rows of both sets. Panics where the sets are of segments of different sizes, as all these operations do.
    pub fn and(&self, other: &Self) -> Self {
        self.assert_same_segment(other);
        match (&self.form, &other.form) {
            _ if self.is_empty() || other.is_all() => self.clone(),
            _ if other.is_empty() || self.is_all() => other.clone(),
            (Form::Ranges(left), Form::Ranges(right)) => {
                Self::from_ranges(self.row_count, ranges::intersection(left, right))
            }
            (Form::Roaring(left), Form::Roaring(right)) => Self::from_bitmap(self.row_count, left & right),
            (Form::Masks(left), Form::Masks(right)) => self.zip(left, right, |left, right| left & right),
            (Form::Ranges(ranges), _) => other.within(ranges),
            (_, Form::Ranges(ranges)) => self.within(ranges),
            (Form::Roaring(rows), Form::Masks(_)) => other.filter(rows, true),
            (Form::Masks(_), Form::Roaring(rows)) => self.filter(rows, true),
        }
    }

    /// Rows of either set.
    pub fn or(&self, other: &Self) -> Self {
        self.assert_same_segment(other);
        match (&self.form, &other.form) {
            _ if self.is_empty() || other.is_all() => other.clone(),
            _ if other.is_empty() || self.is_all() => self.clone(),
            (Form::Ranges(left), Form::Ranges(right)) => {
                Self::from_ranges(self.row_count, ranges::union(left, right.iter().cloned()))
            }
            (Form::Roaring(left), Form::Roaring(right)) => Self::from_bitmap(self.row_count, left | right),
            (Form::Masks(left), Form::Masks(right)) => self.zip(left, right, |left, right| left | right),
            (Form::Ranges(ranges), Form::Roaring(rows)) | (Form::Roaring(rows), Form::Ranges(ranges))
                if self.is_short_list(rows) =>
            {
                Self::from_ranges(self.row_count, ranges::union(ranges, ranges::of_bitmap(rows)))
            }
            (_, Form::Masks(masks)) => self.change(masks.clone(), words::set),
            (_, _) => other.change(self.masks(), words::set),
        }
    }

    /// Rows of this set that are not in `other`.
    pub fn and_not(&self, other: &Self) -> Self {
        self.assert_same_segment(other);
        match (&self.form, &other.form) {
            _ if other.is_empty() => self.clone(),
            (Form::Ranges(left), Form::Ranges(right)) => {
                Self::from_ranges(self.row_count, ranges::difference(left, right.iter().cloned()))
            }
            (Form::Roaring(left), Form::Roaring(right)) => Self::from_bitmap(self.row_count, left - right),
            (Form::Masks(left), Form::Masks(right)) => self.zip(left, right, |left, right| left & !right),
            (Form::Roaring(rows), _) => other.filter(rows, false),
            (Form::Ranges(ranges), Form::Roaring(rows)) if self.is_short_list(rows) => {
                Self::from_ranges(self.row_count, ranges::difference(ranges, ranges::of_bitmap(rows)))
            }
            (_, _) => other.change(self.masks(), words::clear),
        }
    }

    /// Rows of the segment that are not in this set.
    pub fn complement(&self) -> Self {
        Self::all(self.row_count).and_not(self)
    }

    fn assert_same_segment(&self, other: &Self) {
        assert_eq!(self.row_count, other.row_count, "row sets of one segment");
    }

    /// So few rows that a pass over them is cheaper than one over masks.
    fn is_short_list(&self, rows: &RoaringBitmap) -> bool {
        rows.len() * LISTED_ROW_COST <= u64::from(self.row_count)
    }

    /// The listed rows that this set contains, or that it does not.
    fn filter(&self, rows: &RoaringBitmap, contained: bool) -> Self {
        let kept = rows.iter().filter(|&row| self.contains(row) == contained);
        Self::from_sorted_rows(self.row_count, kept.collect())
    }

    /// This set's rows in `ranges`.
    fn within(&self, ranges: &[Range<u32>]) -> Self {
        let rows_max: u64 = ranges.iter().map(|range| u64::from(range.end - range.start)).sum();
        match &self.form {
            Form::Ranges(own) => Self::from_ranges(self.row_count, ranges::intersection(own, ranges)),
            Form::Roaring(rows) => {
                let kept = ranges.iter().flat_map(|range| rows.range(range.clone()));
                Self::from_sorted_rows(self.row_count, kept.collect())
            }
            Form::Masks(masks) if rows_max * LISTED_ROW_COST <= u64::from(self.row_count) => {
                let words = masks.as_flattened();
                let kept = ranges.iter().flat_map(|range| words::Runs::within(words, range.clone()));
                Self::from_ranges(self.row_count, kept.collect())
            }
            Form::Masks(masks) => {
                let mut masks = masks.clone();
                let words = masks.as_flattened_mut();
                let mut start = 0;
                for range in ranges {
                    words::clear(words, start..range.start);
                    start = range.end;
                }
                words::clear(words, start..self.row_count);
                Self::from_masks(self.row_count, masks)
            }
        }
    }

    /// The masks with `change` applied to each of this set's ranges.
    fn change(&self, mut masks: Vec<BlockMask>, change: impl Fn(&mut [u64], Range<u32>)) -> Self {
        let words = masks.as_flattened_mut();
        self.ranges().for_each(|range| change(words, range));
        Self::from_masks(self.row_count, masks)
    }

    fn zip(&self, left: &[BlockMask], right: &[BlockMask], combine: impl Fn(u64, u64) -> u64) -> Self {
        let blocks = left.iter().zip(right);
        let masks = blocks.map(|(left, right)| std::array::from_fn(|word| combine(left[word], right[word])));
        Self::from_masks(self.row_count, masks.collect())
    }

    fn masks(&self) -> Vec<BlockMask> {
        match &self.form {
            Form::Masks(masks) => masks.clone(),
            _ => masks_of(self.row_count, self.ranges()),
        }
    }
}
