//! Masks of the rows of one block.

use crate::{BLOCK_ROWS, BlockMask};

/// No row of a block.
pub(crate) const NO_ROWS: BlockMask = [0; BLOCK_ROWS / 64];

/// The first `rows` rows of a block.
pub(crate) fn first_rows(rows: usize) -> BlockMask {
    let mut mask = NO_ROWS;
    set_rows(&mut mask, 0, rows.min(BLOCK_ROWS));
    mask
}

/// Adds the rows from `start` to before `end`, at most those of a block.
pub(crate) fn set_rows(mask: &mut BlockMask, start: usize, end: usize) {
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
pub(crate) fn intersect(mask: &mut BlockMask, other: &BlockMask) {
    mask.iter_mut().zip(other).for_each(|(word, other)| *word &= other);
}

/// The rows, in place of `mask`, whose value passes a test.
pub(crate) fn fill_where<T: Copy>(mask: &mut BlockMask, values: &[T], test: impl Fn(T) -> bool) {
    *mask = NO_ROWS;
    for (word, values) in mask.iter_mut().zip(values.chunks(64)) {
        *word = values.iter().enumerate().fold(0, |word, (at, &value)| word | u64::from(test(value)) << at);
    }
}

/// The rows of a mask, ascending.
pub(crate) fn rows_of(mask: &BlockMask) -> impl Iterator<Item = usize> {
    mask.iter().enumerate().flat_map(|(at, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(at * 64 + bit)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(mask: &BlockMask) -> Vec<usize> {
        rows_of(mask).collect()
    }

    #[test]
    fn a_range_of_rows_is_set_whole_and_nothing_else() {
        let ends = [0, 1, 63, 64, 65, 127, 128, 1_000, 1_023, 1_024];
        for start in ends {
            for end in ends {
                let mut mask = NO_ROWS;
                mask[1] = 1 << 5;
                set_rows(&mut mask, start, end);
                let expected: Vec<usize> = (0..1_024).filter(|row| (start..end).contains(row) || *row == 69).collect();
                assert_eq!(rows(&mask), expected, "{start}..{end}");
            }
        }
        assert_eq!(rows(&first_rows(3)), [0, 1, 2]);
        assert_eq!(first_rows(5_000), [u64::MAX; 16]);
    }

    #[test]
    fn rows_whose_value_passes_replace_those_that_were_there() {
        let values: Vec<u32> = (0..1_000).collect();
        let mut mask = [u64::MAX; 16];
        fill_where(&mut mask, &values, |value| value % 300 == 7);
        assert_eq!(rows(&mask), [7, 307, 607, 907]);
        intersect(&mut mask, &first_rows(500));
        assert_eq!(rows(&mask), [7, 307]);
    }
}
