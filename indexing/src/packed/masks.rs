//! One bit for each row, packed in blocks.
//!
//! ```text
//! masks = blocks (blocks.rs); block = nothing (all 0), or form u8, then by form:
//! 1 ones = nothing more
//! 2 bits = ceil(rows / 8) bytes
//! 3 runs = runs - 1 as u8, lengths of the runs (runs x 10 bits), of zeros and ones in turn, zeros first;
//!          rows after the last run are of the other kind
//! ```

use super::bits;
use super::blocks::{Blocks, BlocksWriter, block_count, rows_of};
use super::cursor::Cursor;
use crate::{BLOCK_ROWS, BlockMask, ByteReader, ByteWriter, FormatError};

const ONES: u8 = 1;
const BITS: u8 = 2;
const RUNS: u8 = 3;

const NO_ROWS: BlockMask = [0; BLOCK_ROWS / 64];

/// Bits of the length of a run that is not the last of its block.
const LENGTH_BITS: u32 = 10;

/// A mask with the bits of the first `rows` rows set.
pub fn first_rows(rows: usize) -> BlockMask {
    let mut mask = NO_ROWS;
    for (index, word) in mask.iter_mut().enumerate() {
        let set = rows.saturating_sub(index * 64).min(64) as u32;
        *word = u64::MAX.checked_shr(64 - set).unwrap_or(0);
    }
    mask
}

/// The mask of up to 1,024 rows.
pub fn mask_of(rows: impl Iterator<Item = bool>) -> BlockMask {
    let mut mask = NO_ROWS;
    for (row, is_set) in rows.enumerate() {
        mask[row / 64] |= u64::from(is_set) << (row % 64);
    }
    mask
}

pub fn is_set(mask: &BlockMask, row: usize) -> bool {
    mask[row / 64] >> (row % 64) & 1 == 1
}

/// Appends the masks of the blocks of `rows` rows.
pub fn write(masks: &[BlockMask], rows: u32, out: &mut ByteWriter) {
    let mut blocks = BlocksWriter::default();
    for (block, mask) in masks.iter().enumerate() {
        write_block(mask, rows_of(rows, block), blocks.bytes());
        blocks.end_block();
    }
    blocks.finish(out);
}

fn write_block(mask: &BlockMask, rows: usize, out: &mut ByteWriter) {
    let ends = ends_of_runs(mask, rows);
    // Fewer than 128 bytes hold about a hundred runs, so their number fits a byte.
    let runs_bytes = 1 + bits::byte_len(ends.len(), LENGTH_BITS);
    if *mask == NO_ROWS {
        return;
    }
    if *mask == first_rows(rows) {
        out.u8(ONES);
    } else if runs_bytes < rows.div_ceil(8) {
        out.u8(RUNS);
        out.u8((ends.len() - 1) as u8);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let mut bytes = Vec::new();
        bits::pack(ends.iter().zip(starts).map(|(end, start)| (end - start) as u64), LENGTH_BITS, &mut bytes);
        out.slice(&bytes);
    } else {
        out.u8(BITS);
        let bytes: Vec<u8> = mask.iter().flat_map(|word| word.to_le_bytes()).collect();
        out.slice(&bytes[..rows.div_ceil(8)]);
    }
}

/// Where zeros turn to ones, and ones to zeros.
fn ends_of_runs(mask: &BlockMask, rows: usize) -> Vec<usize> {
    let mut before = false;
    let turns = |row: &usize| std::mem::replace(&mut before, is_set(mask, *row)) != is_set(mask, *row);
    (0..rows).filter(turns).collect()
}

/// The masks of a column's blocks.
#[derive(Debug, Clone)]
pub struct Masks {
    rows: u32,
    blocks: Blocks,
}

impl Masks {
    pub fn read(rows: u32, reader: &mut ByteReader) -> Result<Self, FormatError> {
        Ok(Self { rows, blocks: Blocks::read(block_count(rows), reader)? })
    }

    /// Writes the mask of `block` and returns its rows: 0 past the end.
    pub fn get(&self, block: usize, out: &mut BlockMask) -> usize {
        let rows = rows_of(self.rows, block);
        if rows == 0 || read_block(Cursor(self.blocks.get(block)), rows, out).is_none() {
            *out = NO_ROWS;
        }
        rows
    }

    /// Whether every block can be read.
    pub fn is_sound(&self) -> bool {
        let mut mask = NO_ROWS;
        let mut read = |block| read_block(Cursor(self.blocks.get(block)), rows_of(self.rows, block), &mut mask);
        (0..block_count(self.rows)).all(|block| read(block).is_some())
    }
}

/// `None` where the bytes make no sense, or hold more than the block.
fn read_block(mut cursor: Cursor<'_>, rows: usize, out: &mut BlockMask) -> Option<()> {
    *out = NO_ROWS;
    if cursor.0.is_empty() {
        return Some(());
    }
    match cursor.u8()? {
        ONES => *out = first_rows(rows),
        BITS => {
            let mut bytes = [0; BLOCK_ROWS / 8];
            bytes[..rows.div_ceil(8)].copy_from_slice(cursor.slice(rows.div_ceil(8))?);
            let inside = first_rows(rows);
            for ((word, bytes), inside) in out.iter_mut().zip(bytes.as_chunks::<8>().0).zip(inside) {
                *word = u64::from_le_bytes(*bytes) & inside;
            }
        }
        RUNS => {
            let runs = usize::from(cursor.u8()?) + 1;
            let lengths = cursor.slice(bits::byte_len(runs, LENGTH_BITS))?;
            let mut end = 0;
            for run in 0..runs {
                end += bits::get(lengths, LENGTH_BITS, run) as usize;
                // All rows from here on turn; so those up to the next turn stay turned.
                let from_here = first_rows(rows).into_iter().zip(first_rows(end.min(rows)));
                out.iter_mut().zip(from_here).for_each(|(word, (all, before))| *word ^= all & !before);
            }
        }
        _ => return None,
    }
    cursor.0.is_empty().then_some(())
}
