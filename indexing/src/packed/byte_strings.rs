//! A column of byte strings of any length, any of which may be null: for values that are neither looked up nor compared.
//!
//! ```text
//! strings = head (nullable.rs) with 5 as format, blocks (blocks.rs), validity (nullable.rs)
//! block   = width u8, where each string ends in so many bits (bits.rs; null like the empty string), the strings
//! ```

use bytes::Bytes;

use super::bits;
use super::blocks::{Blocks, BlocksWriter, block_count};
use super::nullable::{self, Head, NullableRows};
use crate::{BLOCK_ROWS, BlockMask, ByteReader, ByteWriter, FormatError};

const FORMAT: u8 = 5;

/// Byte strings in blocks of 1,024 rows, as they are.
#[derive(Debug, Clone)]
pub struct PackedBytes {
    rows: NullableRows,
    blocks: Blocks,
}

impl PackedBytes {
    /// Packs a value for each row; `None` is null. Fewer than 2^31 rows.
    pub fn encode(values: &[Option<&[u8]>]) -> Vec<u8> {
        let validity: Vec<bool> = values.iter().map(Option::is_some).collect();
        let validity = nullable::checked(Some(&validity), values.len());
        let mut blocks = BlocksWriter::default();
        for block in values.chunks(BLOCK_ROWS) {
            write_block(block, blocks.bytes().bytes());
            blocks.end_block();
        }
        let mut out = ByteWriter::default();
        nullable::write_head(FORMAT, values.len() as u32, validity.is_some(), &mut out);
        blocks.finish(&mut out);
        nullable::write_validity(validity, &mut out);
        out.finish()
    }

    /// Opens what [`PackedBytes::encode`] made, without copying.
    ///
    /// # Errors
    /// The bytes end early, or are no byte strings.
    pub fn decode(bytes: Bytes) -> Result<Self, FormatError> {
        let mut reader = ByteReader::new("packed byte strings", bytes);
        let head = Head::read(FORMAT, &mut reader)?;
        let blocks = Blocks::read(block_count(head.rows), &mut reader)?;
        Ok(Self { rows: head.read_validity(reader)?, blocks })
    }

    /// Reads every block.
    ///
    /// # Errors
    /// A block is not what an encoder writes.
    pub fn verify(&self) -> Result<(), FormatError> {
        let is_sound = |block| is_sound(self.blocks.get(block), self.rows.of_block(block));
        match self.rows.is_sound() && (0..self.block_count()).all(is_sound) {
            true => Ok(()),
            false => Err(FormatError { what: "packed byte strings", detail: "a block cannot be read" }),
        }
    }

    /// The number of rows.
    pub fn len(&self) -> u32 {
        self.rows.count()
    }

    /// There are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of blocks.
    pub fn block_count(&self) -> usize {
        self.rows.block_count()
    }

    /// Some rows may be null.
    pub fn has_nulls(&self) -> bool {
        self.rows.has_nulls()
    }

    /// Writes which rows of `block` are not null, and returns the number of rows: 0 past the end.
    pub fn validity(&self, block: usize, out: &mut BlockMask) -> usize {
        self.rows.validity(block, out)
    }

    /// The bytes that the strings of `block` take.
    pub fn bytes_of_block(&self, block: usize) -> usize {
        self.blocks.get(block).len()
    }

    /// The string in the row `place` of `block`, whether it is null or not: nothing for null, past the end, and where
    /// the block's ends make no sense.
    pub fn get(&self, block: usize, place: usize) -> &[u8] {
        let rows = self.rows.of_block(block);
        match Ends::read(self.blocks.get(block), rows) {
            Some((ends, strings)) if place < rows => strings.get(ends.range(place)).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// Where the strings of a block end.
struct Ends<'b> {
    bits: &'b [u8],
    width: u32,
}

impl<'b> Ends<'b> {
    /// The ends, and the strings behind them.
    fn read(block: &'b [u8], rows: usize) -> Option<(Self, &'b [u8])> {
        let (width, rest) = block.split_first()?;
        let width = u32::from(*width);
        if width > u64::BITS {
            return None;
        }
        let (bits, strings) = rest.split_at_checked(bits::byte_len(rows, width))?;
        Some((Self { bits, width }, strings))
    }

    fn end(&self, place: usize) -> usize {
        usize::try_from(bits::get(self.bits, self.width, place)).unwrap_or(usize::MAX)
    }

    fn range(&self, place: usize) -> std::ops::Range<usize> {
        let start = place.checked_sub(1).map_or(0, |before| self.end(before));
        start..self.end(place)
    }
}

fn is_sound(block: &[u8], rows: usize) -> bool {
    Ends::read(block, rows).is_some_and(|(ends, strings)| {
        (1..rows).all(|place| ends.end(place - 1) <= ends.end(place)) && ends.end(rows - 1) == strings.len()
    })
}

fn write_block(values: &[Option<&[u8]>], out: &mut Vec<u8>) {
    let strings = || values.iter().map(|value| value.unwrap_or_default());
    let mut end = 0;
    let ends: Vec<u64> = strings()
        .map(|string| {
            end += string.len() as u64;
            end
        })
        .collect();
    let width = u64::BITS - end.leading_zeros();
    out.push(width as u8);
    bits::pack(ends.into_iter(), width, out);
    strings().for_each(|string| out.extend_from_slice(string));
}
