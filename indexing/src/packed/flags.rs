//! A column of flags, any of which may be null.
//!
//! ```text
//! flags = head (nullable.rs) with 4 as format, masks of the values (masks.rs; 0 where null), validity (nullable.rs)
//! ```

use bytes::Bytes;

use super::masks::{self, Masks};
use super::nullable::{self, Head, NullableRows};
use crate::{BLOCK_ROWS, BlockMask, ByteReader, ByteWriter, FormatError};

const FORMAT: u8 = 4;

/// Flags in blocks of 1,024 rows: masks of values and of validity.
#[derive(Debug, Clone)]
pub struct PackedFlags {
    rows: NullableRows,
    values: Masks,
}

impl PackedFlags {
    /// Packs a value for each row; `None` is null. Fewer than 2^31 rows.
    pub fn encode(values: &[Option<bool>]) -> Vec<u8> {
        let rows = values.len() as u32;
        let validity: Vec<bool> = values.iter().map(Option::is_some).collect();
        let validity = nullable::checked(Some(&validity), values.len());
        let blocks = values.chunks(BLOCK_ROWS);
        let masks: Vec<BlockMask> =
            blocks.map(|block| masks::mask_of(block.iter().map(|value| *value == Some(true)))).collect();
        let mut out = ByteWriter::default();
        nullable::write_head(FORMAT, rows, validity.is_some(), &mut out);
        masks::write(&masks, rows, &mut out);
        nullable::write_validity(validity, &mut out);
        out.finish()
    }

    /// Opens what [`PackedFlags::encode`] made, without copying.
    ///
    /// # Errors
    /// The bytes end early, or are no flags.
    pub fn decode(bytes: Bytes) -> Result<Self, FormatError> {
        let mut reader = ByteReader::new("packed flags", bytes);
        let head = Head::read(FORMAT, &mut reader)?;
        let values = Masks::read(head.rows, &mut reader)?;
        Ok(Self { rows: head.read_validity(reader)?, values })
    }

    /// Reads every block.
    ///
    /// # Errors
    /// A block is not what an encoder writes.
    pub fn verify(&self) -> Result<(), FormatError> {
        if self.values.is_sound() && self.rows.is_sound() {
            return Ok(());
        }
        Err(FormatError { what: "packed flags", detail: "a block cannot be read" })
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

    /// Writes which rows of `block` are true, and returns the number of rows: 0 past the end.
    pub fn values(&self, block: usize, out: &mut BlockMask) -> usize {
        self.values.get(block, out)
    }

    /// Writes which rows of `block` are not null, and returns the number of rows: 0 past the end.
    pub fn validity(&self, block: usize, out: &mut BlockMask) -> usize {
        self.rows.validity(block, out)
    }

    /// The value of `row`; `None` for null and past the end.
    pub fn get(&self, row: u32) -> Option<bool> {
        let (block, place) = self.rows.place(row)?;
        let mut values = [0; BLOCK_ROWS / 64];
        self.values(block, &mut values);
        Some(masks::is_set(&values, place))
    }
}
