//! The rows that a scan finds, block by block.

use std::ops::Range;

use super::block_mask::{NO_ROWS, intersect, rows_of};
use crate::{BLOCK_ROWS, BlockMask, BlockRows, RowSet};

/// What a test says of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    None,
    All,
    /// The rows in the mask.
    Mask,
}

/// A set of more than one row in this many is cheaper made of masks than of row numbers.
const MASK_DENSITY: u64 = 64;

/// Tests the candidates block by block: `test` is given the number of a block, the number of its rows, and an empty mask.
pub(super) fn scan(candidates: &RowSet, mut test: impl FnMut(usize, usize, &mut BlockMask) -> Found) -> RowSet {
    let row_count = candidates.row_count();
    let mut ranges: Vec<Range<u32>> = Vec::new();
    let mut masks: Vec<(usize, BlockMask)> = Vec::new();
    for (block, rows) in candidates.blocks() {
        let start = (block * BLOCK_ROWS) as u32;
        let block_rows = BLOCK_ROWS.min((row_count - start) as usize);
        let mut mask = NO_ROWS;
        let found = test(block, block_rows, &mut mask);
        match (found, rows) {
            (Found::None, _) => {}
            (Found::All, BlockRows::All) => ranges.push(start..start + block_rows as u32),
            (Found::All, BlockRows::Range(rows)) => ranges.push(start + rows.start as u32..start + rows.end as u32),
            (Found::All, BlockRows::Mask(rows)) => masks.push((block, rows)),
            (Found::Mask, rows) => {
                intersect(&mut mask, &rows.to_mask(block_rows));
                if mask != NO_ROWS {
                    masks.push((block, mask));
                }
            }
        }
    }
    collect(row_count, ranges, masks)
}

fn collect(row_count: u32, ranges: Vec<Range<u32>>, masks: Vec<(usize, BlockMask)>) -> RowSet {
    let in_ranges = RowSet::from_ranges(row_count, ranges);
    if masks.is_empty() {
        return in_ranges;
    }
    let count: u64 = masks.iter().flat_map(|(_, mask)| mask).map(|word| u64::from(word.count_ones())).sum();
    let in_masks = if count * MASK_DENSITY < u64::from(row_count) {
        let rows = masks.iter().flat_map(|(block, mask)| {
            let start = block * BLOCK_ROWS;
            rows_of(mask).map(move |row| (start + row) as u32)
        });
        RowSet::from_sorted_rows(row_count, rows.collect())
    } else {
        let mut dense = vec![NO_ROWS; (row_count as usize).div_ceil(BLOCK_ROWS)];
        masks.into_iter().for_each(|(block, mask)| dense[block] = mask);
        RowSet::from_masks(row_count, dense)
    };
    if in_ranges.is_empty() { in_masks } else { in_ranges.or(&in_masks) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of three blocks that pass, where `test` tells of a row of a block.
    fn scanned(candidates: &RowSet, test: impl Fn(usize, usize) -> bool) -> Vec<u32> {
        let found = scan(candidates, |block, rows, mask| {
            (0..rows).filter(|&row| test(block, row)).for_each(|row| mask[row / 64] |= 1 << (row % 64));
            Found::Mask
        });
        found.iter().collect()
    }

    #[test]
    fn few_rows_and_many_rows_of_any_block_are_collected() {
        let row_count = 2 * BLOCK_ROWS as u32 + 300;
        let every = |step: u32| (0..row_count).filter(|row| row % step == 7).collect::<Vec<_>>();
        let in_steps = |step: u32| move |block: usize, row: usize| (block * BLOCK_ROWS + row) as u32 % step == 7;
        for step in [9, 400, 1_000] {
            assert_eq!(scanned(&RowSet::all(row_count), in_steps(step)), every(step), "{step}");
        }
        let some = RowSet::from_range(row_count, 1_000..2_200);
        let expected: Vec<u32> = every(9).into_iter().filter(|row| (1_000..2_200).contains(row)).collect();
        assert_eq!(scanned(&some, in_steps(9)), expected);
    }
}
