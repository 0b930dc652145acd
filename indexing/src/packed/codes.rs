//! A column of dictionary codes.
//!
//! ```text
//! codes = 1 as u8, rows u32, list of least codes, list of (greatest - least) code, one of each for a block (bits.rs),
//!         blocks (blocks.rs), each counted from its least code (block.rs)
//! ```

use bytes::Bytes;

use super::bits::BitList;
use super::block::Distinct;
use super::blocks::{Blocks, BlocksWriter, block_count, read_rows, rows_of};
use super::{block, block_writer};
use crate::{BLOCK_ROWS, ByteReader, ByteWriter, FormatError};

const FORMAT: u8 = 1;

/// Dictionary codes in blocks of 1,024 rows. Code 0 is null.
#[derive(Debug, Clone)]
pub struct PackedCodes {
    rows: u32,
    least: BitList,
    spread: BitList,
    blocks: Blocks,
}

impl PackedCodes {
    /// Packs the code of each row. Fewer than 2^31 rows.
    pub fn encode(codes: &[u32]) -> Vec<u8> {
        let (mut least, mut spread, mut blocks) = (Vec::new(), Vec::new(), BlocksWriter::default());
        for codes in codes.chunks(BLOCK_ROWS) {
            let (low, high) = bounds_of(codes);
            least.push(u64::from(low));
            spread.push(u64::from(high - low));
            block_writer::write(codes, low, blocks.bytes());
            blocks.end_block();
        }
        let mut out = ByteWriter::default();
        out.u8(FORMAT);
        out.u32(codes.len() as u32);
        BitList::write(&least, &mut out);
        BitList::write(&spread, &mut out);
        blocks.finish(&mut out);
        out.finish()
    }

    /// Opens what [`PackedCodes::encode`] made, without copying.
    ///
    /// # Errors
    /// The bytes end early, or are no codes.
    pub fn decode(bytes: Bytes) -> Result<Self, FormatError> {
        let mut reader = ByteReader::new("packed codes", bytes);
        if reader.u8()? != FORMAT {
            return Err(reader.error("another format"));
        }
        let rows = read_rows(&mut reader)?;
        let count = block_count(rows);
        let least = BitList::read(count, &mut reader)?;
        let spread = BitList::read(count, &mut reader)?;
        let blocks = Blocks::read(count, &mut reader)?;
        reader.finish()?;
        Ok(Self { rows, least, spread, blocks })
    }

    /// Reads every block.
    ///
    /// # Errors
    /// A block is not what an encoder writes, or its bounds are another's.
    pub fn verify(&self) -> Result<(), FormatError> {
        let error = |detail| FormatError { what: "packed codes", detail };
        let mut codes = [0; BLOCK_ROWS];
        for block in 0..self.block_count() {
            let (least, greatest) = self.bounds(block);
            let bytes = self.blocks.get(block);
            let mut found = (least, least);
            if !bytes.is_empty() {
                let codes = &mut codes[..rows_of(self.rows, block)];
                block::read_sound(bytes, least, codes).ok_or(error("a block cannot be read"))?;
                found = bounds_of(codes);
            }
            if found != (least, greatest) {
                return Err(error("a block and its bounds differ"));
            }
        }
        Ok(())
    }

    /// The number of rows.
    pub fn len(&self) -> u32 {
        self.rows
    }

    /// There are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The number of blocks.
    pub fn block_count(&self) -> usize {
        block_count(self.rows)
    }

    /// Writes the codes of `block` to the front of `out` and returns its rows: 0 past the end. The rest of `out` is
    /// arbitrary.
    pub fn unpack(&self, block: usize, out: &mut [u32; BLOCK_ROWS]) -> usize {
        let rows = rows_of(self.rows, block);
        if rows > 0 {
            block::read(self.blocks.get(block), self.bounds(block).0, &mut out[..rows]);
        }
        rows
    }

    /// Writes the codes at some `places` of `block`, ascending, arbitrary ones past the end, to `out`, which holds as many.
    /// Reads the whole block only where it must.
    pub fn unpack_at(&self, block: usize, places: &[u16], out: &mut [u32]) {
        let is_full = rows_of(self.rows, block) == BLOCK_ROWS;
        if is_full && block::read_at(self.blocks.get(block), self.bounds(block).0, places, out).is_some() {
            return;
        }
        let mut codes = [0; BLOCK_ROWS];
        self.unpack(block, &mut codes);
        out.iter_mut().zip(places).for_each(|(slot, place)| *slot = codes[usize::from(*place)]);
    }

    /// The code of `row`; 0 past the end.
    pub fn get(&self, row: u32) -> u32 {
        let (block, place) = (row as usize / BLOCK_ROWS, row as usize % BLOCK_ROWS);
        if row >= self.rows {
            return 0;
        }
        let mut code = [0];
        self.unpack_at(block, &[place as u16], &mut code);
        code[0]
    }

    /// The least and the greatest code of `block`; arbitrary past the end.
    pub fn bounds(&self, block: usize) -> (u32, u32) {
        let least = self.least.get(block) as u32;
        (least, least.wrapping_add(self.spread.get(block) as u32))
    }

    /// The distinct codes of `block`, ascending, where it is kept by them.
    pub(crate) fn distinct(&self, block: usize) -> Option<Distinct<'_, u32>> {
        block::distinct(self.blocks.get(block), self.bounds(block).0)
    }

    /// The codes of `block` with the number of rows that hold them one after the other, where the block is kept in runs.
    /// The rows add up to the block's.
    pub fn runs(&self, block: usize) -> Option<impl Iterator<Item = (u32, u32)> + use<>> {
        let rows = rows_of(self.rows, block);
        if rows == 0 {
            return None;
        }
        block::runs(self.blocks.get(block), rows, self.bounds(block).0).map(Vec::into_iter)
    }
}

fn bounds_of(codes: &[u32]) -> (u32, u32) {
    codes.iter().fold((u32::MAX, 0), |(least, greatest), code| (least.min(*code), greatest.max(*code)))
}
