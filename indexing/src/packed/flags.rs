//! A column of flags, any of which may be null.
//!
//! ```text
//! flags = 4 as u8, rows u32, nulls u8 (1: there are), masks of the values (0 where null),
//!         masks of the validity (0 where null) if there are nulls; masks: masks.rs
//! ```

use bytes::Bytes;

use super::blocks::{block_count, read_rows};
use super::masks::{self, Masks};
use crate::{BLOCK_ROWS, BlockMask, ByteReader, ByteWriter, FormatError};

const FORMAT: u8 = 4;

/// Flags in blocks of 1,024 rows: masks of values and of validity.
#[derive(Debug, Clone)]
pub struct PackedFlags {
    rows: u32,
    values: Masks,
    validity: Option<Masks>,
}

impl PackedFlags {
    /// Packs a value for each row; `None` is null. Fewer than 2^31 rows.
    pub fn encode(values: &[Option<bool>]) -> Vec<u8> {
        let rows = values.len() as u32;
        let has_nulls = values.contains(&None);
        let masks_of = |of: fn(&Option<bool>) -> bool| -> Vec<BlockMask> {
            values.chunks(BLOCK_ROWS).map(|block| masks::mask_of(block.iter().map(of))).collect()
        };
        let mut out = ByteWriter::default();
        out.u8(FORMAT);
        out.u32(rows);
        out.u8(has_nulls.into());
        masks::write(&masks_of(|value| *value == Some(true)), rows, &mut out);
        if has_nulls {
            masks::write(&masks_of(Option::is_some), rows, &mut out);
        }
        out.finish()
    }

    /// Opens what [`PackedFlags::encode`] made, without copying.
    ///
    /// # Errors
    /// The bytes end early, or are no flags.
    pub fn decode(bytes: Bytes) -> Result<Self, FormatError> {
        let mut reader = ByteReader::new("packed flags", bytes);
        if reader.u8()? != FORMAT {
            return Err(reader.error("another format"));
        }
        let rows = read_rows(&mut reader)?;
        let has_nulls = reader.u8()? == 1;
        let values = Masks::read(rows, &mut reader)?;
        let validity = if has_nulls { Some(Masks::read(rows, &mut reader)?) } else { None };
        reader.finish()?;
        Ok(Self { rows, values, validity })
    }

    /// Reads every block.
    ///
    /// # Errors
    /// A block is not what an encoder writes.
    pub fn verify(&self) -> Result<(), FormatError> {
        let mut masks = std::iter::once(&self.values).chain(&self.validity);
        if masks.all(Masks::is_sound) {
            return Ok(());
        }
        Err(FormatError { what: "packed flags", detail: "a block cannot be read" })
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

    /// Some rows may be null.
    pub fn has_nulls(&self) -> bool {
        self.validity.is_some()
    }

    /// Writes which rows of `block` are true, and returns the number of rows: 0 past the end.
    pub fn values(&self, block: usize, out: &mut BlockMask) -> usize {
        self.values.get(block, out)
    }

    /// Writes which rows of `block` are not null, and returns the number of rows: 0 past the end.
    pub fn validity(&self, block: usize, out: &mut BlockMask) -> usize {
        validity(self.validity.as_ref(), self.rows, block, out)
    }

    /// The value of `row`; `None` for null and past the end.
    pub fn get(&self, row: u32) -> Option<bool> {
        let (block, place) = (row as usize / BLOCK_ROWS, row as usize % BLOCK_ROWS);
        let (mut values, mut valid) = ([0; BLOCK_ROWS / 64], [0; BLOCK_ROWS / 64]);
        self.values(block, &mut values);
        self.validity(block, &mut valid);
        masks::is_set(&valid, place).then(|| masks::is_set(&values, place))
    }
}

/// The rows of `block` that are not null, where a column without nulls has no masks.
pub(super) fn validity(masks: Option<&Masks>, rows: u32, block: usize, out: &mut BlockMask) -> usize {
    if let Some(masks) = masks {
        return masks.get(block, out);
    }
    let rows = super::blocks::rows_of(rows, block);
    *out = masks::first_rows(rows);
    rows
}
