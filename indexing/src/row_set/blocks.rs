//! A set's rows block by block, as operators read them.

use std::iter::Peekable;
use std::ops::Range;

use super::{Form, RowSet, block_count, words};
use crate::{BLOCK_ROWS, BlockMask};

/// Selected rows of one block, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockRows {
    /// Every row of the block, of which the last of a segment may have fewer than [`BLOCK_ROWS`].
    All,
    /// Neighbouring rows, counted from the start of the block.
    Range(Range<usize>),
    /// Rows with gaps between them.
    Mask(BlockMask),
}

impl BlockRows {
    /// The number of selected rows of a block that has `block_rows` rows.
    pub fn len(&self, block_rows: usize) -> usize {
        match self {
            Self::All => block_rows,
            Self::Range(range) => range.len(),
            Self::Mask(mask) => mask.iter().map(|word| word.count_ones() as usize).sum(),
        }
    }

    /// Visits the selected rows of a block that has `block_rows` rows, ascending, counted from its start.
    pub fn for_each(&self, block_rows: usize, mut visit: impl FnMut(usize)) {
        match self {
            Self::All => (0..block_rows).for_each(visit),
            Self::Range(range) => range.clone().for_each(visit),
            Self::Mask(mask) => {
                for (word, &bits) in mask.iter().enumerate() {
                    let mut left = bits;
                    while left != 0 {
                        visit(word * 64 + left.trailing_zeros() as usize);
                        left &= left - 1;
                    }
                }
            }
        }
    }

    /// The selected rows of a block that has `block_rows` rows, as bits.
    pub fn to_mask(&self, block_rows: usize) -> BlockMask {
        let mut mask = [0; BLOCK_ROWS / 64];
        match self {
            Self::All => words::set(&mut mask, 0..block_rows as u32),
            Self::Range(range) => words::set(&mut mask, range.start as u32..range.end as u32),
            Self::Mask(own) => mask = *own,
        }
        mask
    }

    /// The selected rows of a block that has `block_rows` rows, in the simplest form. At least one bit is set.
    fn of_mask(mask: &BlockMask, block_rows: usize) -> Self {
        let mut runs = words::Runs::new(mask);
        match (runs.next(), runs.next()) {
            (Some(run), None) => Self::of_range(run.start as usize..run.end as usize, block_rows),
            _ => Self::Mask(*mask),
        }
    }

    fn of_range(range: Range<usize>, block_rows: usize) -> Self {
        if range == (0..block_rows) { Self::All } else { Self::Range(range) }
    }
}

impl RowSet {
    /// The blocks that have selected rows, ascending, with those rows.
    pub fn blocks(&self) -> impl Iterator<Item = (usize, BlockRows)> {
        self.blocks_in(0..block_count(self.row_count))
    }

    /// Those of the given blocks that have selected rows, ascending, with those rows: part of the work of a query. The
    /// way to the first of them is short.
    pub fn blocks_in(&self, blocks: Range<usize>) -> impl Iterator<Item = (usize, BlockRows)> {
        let end = blocks.end.min(block_count(self.row_count));
        let start = blocks.start.min(end);
        let first_row = (start * BLOCK_ROWS) as u32;
        let row_end = ((end * BLOCK_ROWS) as u32).min(self.row_count);
        let source = match &self.form {
            Form::Ranges(ranges) => {
                let skipped = ranges.partition_point(|range| range.end <= first_row);
                Source::Ranges { ranges: &ranges[skipped..], from: first_row }
            }
            Form::Roaring(rows) => Source::Roaring(rows.range(first_row..row_end).peekable()),
            Form::Masks(masks) => Source::Masks { masks: &masks[..end], block: start },
        };
        Blocks { row_count: self.row_count, row_end, source }
    }
}

struct Blocks<'a> {
    row_count: u32,
    row_end: u32,
    source: Source<'a>,
}

enum Source<'a> {
    /// Ranges that end after `from`.
    Ranges {
        ranges: &'a [Range<u32>],
        from: u32,
    },
    Roaring(Peekable<roaring::bitmap::Iter<'a>>),
    Masks {
        masks: &'a [BlockMask],
        block: usize,
    },
}

impl Iterator for Blocks<'_> {
    type Item = (usize, BlockRows);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.source {
            Source::Ranges { ranges, from } => {
                let first = ranges.first()?;
                let start = first.start.max(*from);
                if start >= self.row_end {
                    return None;
                }
                let rows = rows_of_block(start, self.row_count);
                *from = rows.end;
                let (block, selected) = next_of_ranges(ranges, start, &rows);
                let done = ranges.iter().take_while(|range| range.end <= rows.end).count();
                *ranges = &ranges[done..];
                Some((block, selected))
            }
            Source::Roaring(rows) => {
                let first = *rows.peek()?;
                let block = rows_of_block(first, self.row_count);
                let mut mask = [0; BLOCK_ROWS / 64];
                while let Some(row) = rows.next_if(|&row| row < block.end) {
                    let row = (row - block.start) as usize;
                    mask[row / 64] |= 1 << (row % 64);
                }
                Some((block.start as usize / BLOCK_ROWS, BlockRows::of_mask(&mask, block.len())))
            }
            Source::Masks { masks, block } => {
                let found = *block + masks[*block..].iter().position(|mask| mask.iter().any(|&word| word != 0))?;
                *block = found + 1;
                let rows = rows_of_block((found * BLOCK_ROWS) as u32, self.row_count);
                Some((found, BlockRows::of_mask(&masks[found], rows.len())))
            }
        }
    }
}

/// The rows of the block that holds `row`.
fn rows_of_block(row: u32, row_count: u32) -> Range<u32> {
    let start = row - row % BLOCK_ROWS as u32;
    start..row_count.min(start.saturating_add(BLOCK_ROWS as u32))
}

/// The rows of the first block that `ranges` select, from row `start` on; `rows` are those of the block.
fn next_of_ranges(ranges: &[Range<u32>], start: u32, rows: &Range<u32>) -> (usize, BlockRows) {
    let block = rows.start as usize / BLOCK_ROWS;
    let in_block = |range: &Range<u32>| range.start.max(start) - rows.start..range.end.min(rows.end) - rows.start;
    if ranges.get(1).is_none_or(|second| second.start >= rows.end) {
        let range = in_block(&ranges[0]);
        return (block, BlockRows::of_range(range.start as usize..range.end as usize, rows.len()));
    }
    let mut mask = [0; BLOCK_ROWS / 64];
    for range in ranges.iter().take_while(|range| range.start < rows.end) {
        words::set(&mut mask, in_block(range));
    }
    (block, BlockRows::Mask(mask))
}
