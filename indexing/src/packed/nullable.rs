//! The rows of a column any of which may be null: what such columns begin and end with.
//!
//! ```text
//! head     = format u8, rows u32, nulls u8 (1: there are)
//! validity = masks of the rows that are not null (masks.rs) if there are nulls
//! ```

use super::blocks::{block_count, read_rows, rows_of};
use super::masks::{self, Masks};
use crate::{BLOCK_ROWS, BlockMask, ByteReader, ByteWriter, FormatError};

/// The validity of values, and `None` where none of them is null.
///
/// # Panics
/// Where there are not as many as values.
pub fn checked(validity: Option<&[bool]>, values: usize) -> Option<&[bool]> {
    let validity = validity.filter(|validity| validity.contains(&false));
    assert!(validity.is_none_or(|validity| validity.len() == values), "one validity for each value");
    validity
}

/// The values of each block, and their validity where some value of the column is null.
pub fn blocks_of<'v, T>(
    values: &'v [T],
    validity: Option<&'v [bool]>,
) -> impl Iterator<Item = (&'v [T], Option<&'v [bool]>)> {
    let mut validity = validity.into_iter().flat_map(|validity| validity.chunks(BLOCK_ROWS));
    values.chunks(BLOCK_ROWS).map(move |values| (values, validity.next()))
}

pub fn write_head(format: u8, rows: u32, has_nulls: bool, out: &mut ByteWriter) {
    out.u8(format);
    out.u32(rows);
    out.u8(has_nulls.into());
}

pub fn write_validity(validity: Option<&[bool]>, out: &mut ByteWriter) {
    if let Some(validity) = validity {
        let blocks = validity.chunks(BLOCK_ROWS);
        let masks: Vec<BlockMask> = blocks.map(|valid| masks::mask_of(valid.iter().copied())).collect();
        masks::write(&masks, validity.len() as u32, out);
    }
}

/// What the head says.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    pub rows: u32,
    has_nulls: bool,
}

impl Head {
    pub fn read(format: u8, reader: &mut ByteReader) -> Result<Self, FormatError> {
        if reader.u8()? != format {
            return Err(reader.error("another format"));
        }
        Ok(Self { rows: read_rows(reader)?, has_nulls: reader.u8()? == 1 })
    }

    /// Reads the validity, which ends the column.
    pub fn read_validity(self, mut reader: ByteReader) -> Result<NullableRows, FormatError> {
        let validity = if self.has_nulls { Some(Masks::read(self.rows, &mut reader)?) } else { None };
        reader.finish()?;
        Ok(NullableRows { count: self.rows, validity })
    }
}

/// How many rows there are, and which of them are null.
#[derive(Debug, Clone)]
pub struct NullableRows {
    count: u32,
    validity: Option<Masks>,
}

impl NullableRows {
    pub fn count(&self) -> u32 {
        self.count
    }

    pub fn block_count(&self) -> usize {
        block_count(self.count)
    }

    /// Rows of `block`: 0 past the end.
    pub fn of_block(&self, block: usize) -> usize {
        rows_of(self.count, block)
    }

    /// Some rows may be null.
    pub fn has_nulls(&self) -> bool {
        self.validity.is_some()
    }

    /// Writes which rows of `block` are not null, and returns the number of rows: 0 past the end.
    pub fn validity(&self, block: usize, out: &mut BlockMask) -> usize {
        if let Some(masks) = &self.validity {
            return masks.get(block, out);
        }
        let rows = self.of_block(block);
        *out = masks::first_rows(rows);
        rows
    }

    /// The block of `row`, and its place there; `None` for null and past the end.
    pub fn place(&self, row: u32) -> Option<(usize, usize)> {
        let (block, place) = (row as usize / BLOCK_ROWS, row as usize % BLOCK_ROWS);
        let mut valid = [0; BLOCK_ROWS / 64];
        self.validity(block, &mut valid);
        masks::is_set(&valid, place).then_some((block, place))
    }

    /// Makes the values of those rows of `block` that are null the default.
    pub fn clear_nulls<T: Copy + Default>(&self, block: usize, values: &mut [T; BLOCK_ROWS]) {
        let mut valid = [0; BLOCK_ROWS / 64];
        self.validity(block, &mut valid);
        for (row, value) in values.iter_mut().enumerate() {
            *value = if masks::is_set(&valid, row) { *value } else { T::default() };
        }
    }

    /// Whether the validity of every block can be read.
    pub fn is_sound(&self) -> bool {
        self.validity.as_ref().is_none_or(Masks::is_sound)
    }
}
