//! Pages of open rows: as they grew, or packed once they are full.

use super::column::Page;
use super::number_column::block_of;
use crate::{BLOCK_ROWS, BlockMask, LongZone, PackedCodes, PackedLongs};

/// A run of rows of whole numbers. All pages of a column but the last hold the same number of rows, a multiple of
/// [`BLOCK_ROWS`].
#[derive(Debug, Clone, Copy)]
pub enum LongPage<'a> {
    Plain(Page<'a, i64>),
    Packed(&'a PackedLongs),
}

/// A run of rows of dictionary codes, under the same rule.
#[derive(Debug, Clone, Copy)]
pub enum CodePage<'a> {
    Plain(&'a [u32]),
    Packed(&'a PackedCodes),
}

impl<'a> LongPage<'a> {
    pub(super) fn rows(self) -> usize {
        match self {
            Self::Plain(page) => page.values.len(),
            Self::Packed(longs) => longs.len() as usize,
        }
    }

    /// The values of a block's rows, of no meaning where a row is null. `buffer` may be used to hold them.
    pub(super) fn values<'k>(self, block: usize, buffer: &'k mut [i64; BLOCK_ROWS]) -> &'k [i64]
    where
        'a: 'k,
    {
        match self {
            Self::Plain(page) => block_of(page.values, block),
            Self::Packed(longs) => {
                let rows = longs.unpack(block, buffer);
                &buffer[..rows]
            }
        }
    }

    /// The values at some places of a block, ascending, arbitrary where null; `out` holds as many.
    pub(super) fn values_at(self, block: usize, places: &[u16], out: &mut [i64]) {
        match self {
            Self::Plain(page) => gather(block_of(page.values, block), places, out),
            Self::Packed(longs) => longs.unpack_at(block, places, out),
        }
    }

    /// The rows of a block that are not null; `None` where no row of the page is null.
    pub(super) fn validity(self, block: usize) -> Option<BlockMask> {
        match self {
            Self::Plain(page) => page.validity.map(|validity| validity.block(block)),
            Self::Packed(longs) => {
                let mut mask = [0; BLOCK_ROWS / 64];
                longs.has_nulls().then(|| longs.validity(block, &mut mask)).map(|_| mask)
            }
        }
    }

    pub(super) fn has_nulls(self) -> bool {
        match self {
            Self::Plain(page) => page.validity.is_some(),
            Self::Packed(longs) => longs.has_nulls(),
        }
    }

    /// What is known of a block without reading its values.
    pub(super) fn zone(self, block: usize) -> Option<LongZone> {
        match self {
            Self::Plain(_) => None,
            Self::Packed(longs) => Some(longs.zone(block)),
        }
    }

    /// The value of a row; `None` for null and past the end.
    pub(super) fn get(self, row: usize) -> Option<i64> {
        match self {
            Self::Plain(page) => page.get(row),
            Self::Packed(longs) => longs.get(row as u32),
        }
    }
}

impl<'a> CodePage<'a> {
    pub(super) fn rows(self) -> usize {
        match self {
            Self::Plain(codes) => codes.len(),
            Self::Packed(codes) => codes.len() as usize,
        }
    }

    /// The codes of a block's rows. `buffer` may be used to hold them.
    pub(super) fn codes<'k>(self, block: usize, buffer: &'k mut [u32; BLOCK_ROWS]) -> &'k [u32]
    where
        'a: 'k,
    {
        match self {
            Self::Plain(codes) => block_of(codes, block),
            Self::Packed(codes) => {
                let rows = codes.unpack(block, buffer);
                &buffer[..rows]
            }
        }
    }

    /// The codes at some places of a block, ascending; `out` holds as many.
    pub(super) fn codes_at(self, block: usize, places: &[u16], out: &mut [u32]) {
        match self {
            Self::Plain(codes) => gather(block_of(codes, block), places, out),
            Self::Packed(codes) => codes.unpack_at(block, places, out),
        }
    }

    /// The least and the greatest code of a block, where they are known without reading it.
    pub(super) fn bounds(self, block: usize) -> Option<(u32, u32)> {
        match self {
            Self::Plain(_) => None,
            Self::Packed(codes) => Some(codes.bounds(block)),
        }
    }

    /// Whether a row is null, whose code is 0.
    pub(super) fn has_nulls(self) -> bool {
        match self {
            Self::Plain(codes) => codes.contains(&0),
            Self::Packed(codes) => (0..codes.block_count()).any(|block| codes.bounds(block).0 == 0),
        }
    }

    /// The code of a row; 0, null, past the end.
    pub(super) fn get(self, row: usize) -> u32 {
        match self {
            Self::Plain(codes) => codes.get(row).copied().unwrap_or(0),
            Self::Packed(codes) => codes.get(row as u32),
        }
    }
}

fn gather<T: Copy>(values: &[T], places: &[u16], out: &mut [T]) {
    out.iter_mut().zip(places).for_each(|(slot, place)| *slot = values[usize::from(*place)]);
}
