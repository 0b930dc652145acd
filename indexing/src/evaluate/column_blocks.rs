//! Numbers of a column block by block, packed or in pages.

use super::column::{DoubleColumn, LongColumn};
use super::number_column::page_of;
use crate::{BLOCK_ROWS, BlockMask, DoubleZone, LongZone};

impl LongColumn<'_> {
    /// The values of a block's rows, of no meaning where a row is null. `buffer` may be used to hold them.
    pub fn values<'k>(&'k self, block: usize, buffer: &'k mut [i64; BLOCK_ROWS]) -> &'k [i64] {
        match self {
            Self::Packed(longs) => {
                let rows = longs.unpack(block, buffer);
                &buffer[..rows]
            }
            Self::Pages(pages) => page_of(pages, block).0,
        }
    }

    /// The rows of a block that are not null; `None` where no row of the column is null.
    pub fn validity(&self, block: usize) -> Option<BlockMask> {
        match self {
            Self::Packed(longs) => {
                let mut mask = [0; BLOCK_ROWS / 64];
                longs.has_nulls().then(|| longs.validity(block, &mut mask)).map(|_| mask)
            }
            Self::Pages(pages) => page_of(pages, block).1,
        }
    }

    /// What is known of a block without reading its values.
    pub fn zone(&self, block: usize) -> Option<LongZone> {
        match self {
            Self::Packed(longs) => Some(longs.zone(block)),
            Self::Pages(_) => None,
        }
    }

    /// What is known of all rows without reading their values.
    pub fn total(&self) -> Option<LongZone> {
        match self {
            Self::Packed(longs) => Some(longs.total()),
            Self::Pages(_) => None,
        }
    }

    /// Some rows may be null.
    pub fn has_nulls(&self) -> bool {
        match self {
            Self::Packed(longs) => longs.has_nulls(),
            Self::Pages(pages) => pages.iter().any(|page| page.validity.is_some()),
        }
    }
}

impl DoubleColumn<'_> {
    /// The values of a block's rows, of no meaning where a row is null. `buffer` may be used to hold them.
    pub fn values<'k>(&'k self, block: usize, buffer: &'k mut [f64; BLOCK_ROWS]) -> &'k [f64] {
        match self {
            Self::Packed(doubles) => {
                let rows = doubles.unpack(block, buffer);
                &buffer[..rows]
            }
            Self::Pages(pages) => page_of(pages, block).0,
        }
    }

    /// The rows of a block that are not null; `None` where no row of the column is null.
    pub fn validity(&self, block: usize) -> Option<BlockMask> {
        match self {
            Self::Packed(doubles) => {
                let mut mask = [0; BLOCK_ROWS / 64];
                doubles.has_nulls().then(|| doubles.validity(block, &mut mask)).map(|_| mask)
            }
            Self::Pages(pages) => page_of(pages, block).1,
        }
    }

    /// What is known of a block without reading its values.
    pub fn zone(&self, block: usize) -> Option<DoubleZone> {
        match self {
            Self::Packed(doubles) => Some(doubles.zone(block)),
            Self::Pages(_) => None,
        }
    }

    /// Some rows may be null.
    pub fn has_nulls(&self) -> bool {
        match self {
            Self::Packed(doubles) => doubles.has_nulls(),
            Self::Pages(pages) => pages.iter().any(|page| page.validity.is_some()),
        }
    }
}
