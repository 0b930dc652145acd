//! The rows of one value as bytes.
//!
//! ```text
//! list    = nothing | roaring | masks
//! roaring = 0 as u8, the portable serialized form of a Roaring bitmap (RoaringFormatSpec)
//! masks   = 1 as u8, 16 words u64 for each block: bit i of word w is row w * 64 + i of the block
//! ```

use roaring::RoaringBitmap;

use crate::{BLOCK_ROWS, BlockMask, RowSet};

const ROARING: u8 = 0;
const MASKS: u8 = 1;

/// Bytes of a list as masks.
pub(crate) fn mask_bytes(row_count: usize) -> usize {
    1 + row_count.div_ceil(BLOCK_ROWS) * size_of::<BlockMask>()
}

/// Appends some rows of a segment, which ascend, in the smaller form.
pub(crate) fn write(row_count: usize, rows: &[u32], out: &mut Vec<u8>) {
    if rows.is_empty() {
        return;
    }
    let mut bitmap = RoaringBitmap::from_sorted_iter(rows.iter().copied()).expect("rows ascend");
    bitmap.optimize();
    if bitmap.serialized_size() < mask_bytes(row_count) {
        out.push(ROARING);
        bitmap.serialize_into(out).expect("memory takes all bytes");
        return;
    }
    out.push(MASKS);
    let start = out.len();
    out.resize(start + mask_bytes(row_count) - 1, 0);
    rows.iter().for_each(|&row| out[start + row as usize / 8] |= 1 << (row % 8));
}

/// The rows of some lists together. Bytes that [`write()`] did not write are no rows or arbitrary ones.
pub(crate) fn union<'a>(row_count: u32, lists: impl Iterator<Item = &'a [u8]>) -> RowSet {
    let mut bitmap = RoaringBitmap::new();
    let mut masks: Option<Vec<BlockMask>> = None;
    for list in lists {
        match list.split_first() {
            Some((&ROARING, list)) => bitmap |= RoaringBitmap::deserialize_from(list).unwrap_or_default(),
            Some((&MASKS, list)) => add_masks(list, masks.get_or_insert_default()),
            _ => {}
        }
    }
    let listed = RowSet::from_bitmap(row_count, bitmap);
    match masks {
        Some(masks) => RowSet::from_masks(row_count, masks).or(&listed),
        None => listed,
    }
}

fn add_masks(list: &[u8], masks: &mut Vec<BlockMask>) {
    let blocks = list.as_chunks::<{ size_of::<BlockMask>() }>().0;
    if masks.len() < blocks.len() {
        masks.resize(blocks.len(), [0; BLOCK_ROWS / 64]);
    }
    for (mask, block) in masks.iter_mut().zip(blocks) {
        for (word, bytes) in mask.iter_mut().zip(block.as_chunks().0) {
            *word |= u64::from_le_bytes(*bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: u32 = 100_000;

    fn written(rows: impl Iterator<Item = u32>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(ROWS as usize, &rows.collect::<Vec<u32>>(), &mut bytes);
        bytes
    }

    #[test]
    fn lists_of_both_forms_are_united() {
        let few = written((0..ROWS).step_by(1_000));
        let third = written((0..ROWS).step_by(3));
        let run = written(70_000..ROWS);
        assert_eq!((few[0], third[0], run[0]), (ROARING, MASKS, ROARING));
        assert!(run.len() < 30);
        assert_eq!(third.len(), mask_bytes(ROWS as usize));
        let expected = (0..ROWS).filter(|row| row % 1_000 == 0 || row % 3 == 0 || *row >= 70_000);
        let all = union(ROWS, [few.as_slice(), &third, &run, &[]].into_iter());
        assert_eq!(all, RowSet::from_sorted_rows(ROWS, expected.collect()));
        assert_eq!(union(ROWS, [third.as_slice()].into_iter()).iter().nth(5), Some(15));
    }

    #[test]
    fn damaged_lists_are_no_rows_or_rows_of_the_segment() {
        for list in [written((0..ROWS).step_by(1_000)), written((0..ROWS).step_by(3)), written(70_000..ROWS)] {
            for at in (0..list.len()).step_by(1 + list.len() / 100) {
                let mut damaged = list.clone();
                damaged[at] ^= 0x55;
                union(ROWS, [damaged.as_slice(), &list[..at]].into_iter());
                assert!(union(999, [list.as_slice()].into_iter()).len() <= 999);
            }
        }
        assert!(union(ROWS, [[ROARING, 1, 2].as_slice(), &[7], &[MASKS, 1]].into_iter()).is_empty());
    }
}
