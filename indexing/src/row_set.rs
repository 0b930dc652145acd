//! Rows of one segment, in whichever of three forms takes the fewest bytes.
//!
//! Ranges take 8 bytes each, a compressed bitmap 2 bytes a row, masks a bit for every row of the segment. Each operation
//! works on the forms as they are; what it costs is at most a few passes over its operands, and one over the masks of the segment.

mod blocks;
mod operations;
mod ranges;
mod rows;
mod words;

use std::ops::Range;

use roaring::RoaringBitmap;

pub use blocks::BlockRows;

use crate::{BLOCK_ROWS, BlockMask};

/// So few ranges are kept as ranges, whatever else might be a little smaller.
const RANGES_FREE: usize = 16;
/// A set of more than one row in 16 takes fewer bytes as masks than as a compressed bitmap.
const MASK_DENSITY: u64 = 16;
/// A range takes the bytes of the masks of 64 rows, and of 4 rows of a compressed bitmap.
const ROWS_PER_RANGE_MASKED: usize = 64;
const ROWS_PER_RANGE_LISTED: u64 = 4;

/// A set of rows of one segment, which has fewer than 2^31.
///
/// ```
/// # use henge_indexing::{BlockRows, RowSet};
/// let hour = RowSet::from_ranges(4_000, vec![1_000..3_072]);
/// let errors = RowSet::from_sorted_rows(4_000, vec![7, 1_030, 3_500]);
/// assert!(hour.and(&errors).iter().eq([1_030]));
/// let blocks: Vec<_> = hour.blocks().collect();
/// assert_eq!(blocks, [(0, BlockRows::Range(1_000..1_024)), (1, BlockRows::All), (2, BlockRows::All)]);
/// ```
#[derive(Debug, Clone)]
pub struct RowSet {
    row_count: u32,
    len: u64,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// Ascending, none empty, no two touching.
    Ranges(Vec<Range<u32>>),
    /// At most one row in [`MASK_DENSITY`].
    Roaring(RoaringBitmap),
    /// One for each block of the segment.
    Masks(Vec<BlockMask>),
}

impl RowSet {
    /// No row of a segment of `row_count` rows.
    pub fn none(row_count: u32) -> Self {
        Self { row_count, len: 0, form: Form::Ranges(Vec::new()) }
    }

    /// Every row of a segment of `row_count` rows.
    pub fn all(row_count: u32) -> Self {
        Self::from_range(row_count, 0..row_count)
    }

    /// Neighbouring rows. Rows beyond the segment's end are left out.
    pub fn from_range(row_count: u32, rows: Range<u32>) -> Self {
        Self::from_ranges(row_count, vec![rows])
    }

    /// The rows in any of `ranges`. Ascending ranges cost one pass, others are sorted first; rows beyond the segment's
    /// end are left out.
    pub fn from_ranges(row_count: u32, ranges: Vec<Range<u32>>) -> Self {
        let ranges = ranges::normalized(ranges, row_count);
        let len = ranges.iter().map(|range| u64::from(range.end - range.start)).sum();
        let form = match best_form(row_count, len, ranges.len()) {
            BestForm::Ranges => Form::Ranges(ranges),
            BestForm::Roaring => roaring_of(ranges.into_iter().flatten()),
            BestForm::Masks => Form::Masks(masks_of(row_count, ranges.into_iter())),
        };
        Self { row_count, len, form }
    }

    /// The given rows. Ascending rows cost one pass, others are put in order first; rows beyond the segment's end are left
    /// out.
    pub fn from_sorted_rows(row_count: u32, mut rows: Vec<u32>) -> Self {
        if !rows.is_sorted_by(|left, right| left < right) {
            if is_dense(row_count, rows.len() as u64) {
                let rows = rows.into_iter().filter(|&row| row < row_count);
                return Self::from_masks(row_count, masks_of(row_count, rows.map(|row| row..row + 1)));
            }
            rows.sort_unstable();
            rows.dedup();
        }
        rows.truncate(rows.partition_point(|&row| row < row_count));
        let len = rows.len() as u64;
        let runs = rows.chunk_by(|left, right| left + 1 == *right);
        let form = match best_form(row_count, len, runs.clone().count()) {
            BestForm::Ranges => Form::Ranges(runs.map(|run| run[0]..run[run.len() - 1] + 1).collect()),
            BestForm::Roaring => roaring_of(rows),
            BestForm::Masks => Form::Masks(masks_of(row_count, rows.into_iter().map(|row| row..row + 1))),
        };
        Self { row_count, len, form }
    }

    /// The rows whose bits are set; `masks[b]` stands for block `b`. Missing masks select nothing, bits beyond the
    /// segment's end are left out.
    pub fn from_masks(row_count: u32, mut masks: Vec<BlockMask>) -> Self {
        masks.resize(block_count(row_count), [0; BLOCK_ROWS / 64]);
        let words = masks.as_flattened_mut();
        words::clear(words, row_count..(words.len() * 64) as u32);
        let (len, runs) = words::count(words);
        let form = match best_form(row_count, len, runs) {
            BestForm::Ranges => Form::Ranges(words::Runs::new(words).collect()),
            BestForm::Roaring => roaring_of(words::Runs::new(words).flatten()),
            BestForm::Masks => Form::Masks(masks),
        };
        Self { row_count, len, form }
    }

    /// The rows of a compressed bitmap. Rows beyond the segment's end are left out.
    pub(crate) fn from_bitmap(row_count: u32, mut rows: RoaringBitmap) -> Self {
        rows.remove_range(row_count..);
        let len = rows.len();
        let is_dense = is_dense(row_count, len);
        // Counting ranges takes a pass over the rows: it stops where there are too many, and starts only where
        // neighbouring rows are likely.
        let is_scattered = !is_dense && len > RANGES_FREE as u64 && rows.statistics().n_run_containers == 0;
        let ranges_max = if is_scattered { 0 } else { ranges_max(row_count, len) };
        let ranges: Vec<_> = ranges::of_bitmap(&rows).take(ranges_max + 1).collect();
        let form = if ranges.len() <= ranges_max {
            Form::Ranges(ranges)
        } else if is_dense {
            Form::Masks(masks_of(row_count, rows.iter().map(|row| row..row + 1)))
        } else {
            Form::Roaring(rows)
        };
        Self { row_count, len, form }
    }

    /// Rows of the segment, selected or not.
    pub fn row_count(&self) -> u32 {
        self.row_count
    }

    /// Rows in the set.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Every row of the segment is in the set.
    pub fn is_all(&self) -> bool {
        self.len == u64::from(self.row_count)
    }

    pub fn contains(&self, row: u32) -> bool {
        match &self.form {
            Form::Ranges(ranges) => {
                let after = ranges.partition_point(|range| range.start <= row);
                after > 0 && row < ranges[after - 1].end
            }
            Form::Roaring(rows) => rows.contains(row),
            Form::Masks(masks) => row < self.row_count && words::contains(masks.as_flattened(), row),
        }
    }

    /// Memory taken, roughly.
    pub fn bytes(&self) -> usize {
        match &self.form {
            Form::Ranges(ranges) => ranges.capacity() * size_of::<Range<u32>>(),
            Form::Roaring(rows) => rows.serialized_size(),
            Form::Masks(masks) => masks.capacity() * size_of::<BlockMask>(),
        }
    }
}

/// Sets of the same rows of segments of the same size are equal, whatever their forms.
impl PartialEq for RowSet {
    fn eq(&self, other: &Self) -> bool {
        self.row_count == other.row_count && self.len == other.len && self.ranges().eq(other.ranges())
    }
}

impl Eq for RowSet {}

enum BestForm {
    Ranges,
    Roaring,
    Masks,
}

fn best_form(row_count: u32, len: u64, ranges: usize) -> BestForm {
    match is_dense(row_count, len) {
        _ if ranges <= ranges_max(row_count, len) => BestForm::Ranges,
        true => BestForm::Masks,
        false => BestForm::Roaring,
    }
}

fn is_dense(row_count: u32, len: u64) -> bool {
    len * MASK_DENSITY >= u64::from(row_count)
}

/// The greatest number of ranges that take no more bytes than the other forms.
fn ranges_max(row_count: u32, len: u64) -> usize {
    let listed = (len / ROWS_PER_RANGE_LISTED) as usize;
    listed.min(row_count as usize / ROWS_PER_RANGE_MASKED).max(RANGES_FREE)
}

fn block_count(row_count: u32) -> usize {
    (row_count as usize).div_ceil(BLOCK_ROWS)
}

fn masks_of(row_count: u32, ranges: impl Iterator<Item = Range<u32>>) -> Vec<BlockMask> {
    let mut masks = vec![[0; BLOCK_ROWS / 64]; block_count(row_count)];
    let words = masks.as_flattened_mut();
    ranges.for_each(|range| words::set(words, range));
    masks
}

fn roaring_of(ascending: impl IntoIterator<Item = u32>) -> Form {
    Form::Roaring(RoaringBitmap::from_sorted_iter(ascending).expect("rows ascend"))
}

#[cfg(test)]
mod tests;
