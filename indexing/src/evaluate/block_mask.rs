//! Masks of the rows of one block.

use crate::{BLOCK_ROWS, BlockMask};

/// No row of a block.
pub(super) const NO_ROWS: BlockMask = [0; BLOCK_ROWS / 64];

/// The first `rows` rows of a block.
pub(super) fn first_rows(rows: usize) -> BlockMask {
    let mut mask = NO_ROWS;
    set_rows(&mut mask, 0, rows.min(BLOCK_ROWS));
    mask
}

/// Adds the rows from `start` to before `end`, at most those of a block.
pub(super) fn set_rows(mask: &mut BlockMask, start: usize, end: usize) {
    if start >= end {
        return;
    }
    let (first, last) = (start / 64, (end - 1) / 64);
    let from_start = u64::MAX << (start % 64);
    let to_end = u64::MAX >> (63 - (end - 1) % 64);
    if first == last {
        mask[first] |= from_start & to_end;
        return;
    }
    mask[first] |= from_start;
    mask[first + 1..last].fill(u64::MAX);
    mask[last] |= to_end;
}

/// Keeps the rows that are in both masks.
pub(super) fn intersect(mask: &mut BlockMask, other: &BlockMask) {
    mask.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
}

/// The rows, in place of `mask`, whose value passes a test.
pub(super) fn fill_where<T: Copy>(mask: &mut BlockMask, values: &[T], test: impl Fn(T) -> bool) {
    *mask = NO_ROWS;
    for (word, values) in mask.iter_mut().zip(values.chunks(64)) {
        *word = values.iter().enumerate().fold(0, |word, (at, &value)| word | u64::from(test(value)) << at);
    }
}

/// The rows of a mask, ascending.
pub(super) fn rows_of(mask: &BlockMask) -> impl Iterator<Item = usize> {
    mask.iter().enumerate().flat_map(|(at, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(at * 64 + bit)
        })
    })
}
