//! The blocks of a column, one after the other, and where each ends.
//!
//! ```text
//! blocks = list of ends (bits.rs), len varint, `len` bytes; block `i` lies between the ends `i - 1` (or 0) and `i`
//! ```

use bytes::Bytes;

use super::bits::BitList;
use crate::{BLOCK_ROWS, ByteReader, ByteWriter, FormatError};

/// Segments have fewer rows.
const ROWS_END: u32 = 1 << 31;

/// Reads the number of rows.
pub fn read_rows(reader: &mut ByteReader) -> Result<u32, FormatError> {
    let rows = reader.u32()?;
    if rows >= ROWS_END {
        return Err(reader.error("more rows than a segment has"));
    }
    Ok(rows)
}

/// Blocks of `rows` rows, the last of which may be short.
pub fn block_count(rows: u32) -> usize {
    (rows as usize).div_ceil(BLOCK_ROWS)
}

/// Rows of `block`: 0 past the end.
pub fn rows_of(rows: u32, block: usize) -> usize {
    (rows as usize).saturating_sub(block.saturating_mul(BLOCK_ROWS)).min(BLOCK_ROWS)
}

/// Takes one block after the other.
#[derive(Debug, Default)]
pub struct BlocksWriter {
    ends: Vec<u64>,
    bytes: ByteWriter,
}

impl BlocksWriter {
    /// Where the next block's bytes go; call [`BlocksWriter::end_block`] after each.
    pub fn bytes(&mut self) -> &mut ByteWriter {
        &mut self.bytes
    }

    pub fn end_block(&mut self) {
        self.ends.push(self.bytes.len() as u64);
    }

    pub fn finish(self, out: &mut ByteWriter) {
        BitList::write(&self.ends, out);
        out.varint(self.bytes.len() as u64);
        out.slice(&self.bytes.finish());
    }
}

/// The bytes of each block.
#[derive(Debug, Clone)]
pub struct Blocks {
    ends: BitList,
    bytes: Bytes,
}

impl Blocks {
    pub fn read(count: usize, reader: &mut ByteReader) -> Result<Self, FormatError> {
        let ends = BitList::read(count, reader)?;
        let len = reader.varint_usize()?;
        Ok(Self { ends, bytes: reader.slice(len)? })
    }

    /// The bytes of `block`; nothing where the ends make no sense.
    pub fn get(&self, block: usize) -> &[u8] {
        let end_of = |block: usize| usize::try_from(self.ends.get(block)).unwrap_or(usize::MAX);
        let start = if block == 0 { 0 } else { end_of(block - 1) };
        self.bytes.get(start..end_of(block)).unwrap_or_default()
    }
}
