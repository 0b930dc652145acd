//! Columns of numbers and flags as keys that compare like the values.

use super::block_mask::rows_of;
use super::column::{Bits, DoubleColumn, FlagColumn, LongColumn, Page};
use super::key_ranges::key_of_double;
use crate::{BLOCK_ROWS, BlockMask};

/// Longs are their own keys, `false` is 0 and `true` is 1, for doubles see [`key_of_double`].
#[derive(Debug, Clone)]
pub(crate) enum NumberColumn<'a> {
    Longs(LongColumn<'a>),
    Doubles(DoubleColumn<'a>),
    Flags(FlagColumn<'a>),
    /// Longs that are compared with doubles.
    LongsAsDoubles(LongColumn<'a>),
}

/// The least and the greatest key of some rows, nulls aside; crossed where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyZone {
    pub least: i64,
    pub greatest: i64,
    pub has_nulls: bool,
}

/// Where the values of a block are unpacked to.
#[derive(Debug)]
pub(crate) struct KeyBuffer {
    keys: Box<[i64; BLOCK_ROWS]>,
    doubles: Box<[f64; BLOCK_ROWS]>,
    longs: Box<[i64; BLOCK_ROWS]>,
}

impl KeyBuffer {
    pub fn new() -> Self {
        Self { keys: Box::new([0; BLOCK_ROWS]), doubles: Box::new([0.0; BLOCK_ROWS]), longs: Box::new([0; BLOCK_ROWS]) }
    }
}

impl NumberColumn<'_> {
    /// The keys of a block's rows, of no meaning where a row is null.
    pub fn keys<'k>(&'k self, block: usize, buffer: &'k mut KeyBuffer) -> &'k [i64] {
        let KeyBuffer { keys, doubles, longs } = buffer;
        match self {
            Self::Longs(column) => column.values(block, keys),
            Self::Doubles(column) => fill_keys(keys, column.values(block, doubles), key_of_double),
            Self::Flags(column) => {
                let (rows, values) = column.values(block);
                keys.fill(0);
                rows_of(&values).for_each(|row| keys[row] = 1);
                &keys[..rows]
            }
            Self::LongsAsDoubles(column) => {
                fill_keys(keys, column.values(block, longs), |long| key_of_double(long as f64))
            }
        }
    }

    /// The rows of a block that are not null; `None` where no row of the column is null.
    pub fn validity(&self, block: usize) -> Option<BlockMask> {
        match self {
            Self::Longs(column) | Self::LongsAsDoubles(column) => column.validity(block),
            Self::Doubles(column) => column.validity(block),
            Self::Flags(column) => column.validity(block),
        }
    }

    /// What is known of a block's keys without unpacking them.
    pub fn zone(&self, block: usize) -> Option<KeyZone> {
        match self {
            Self::Longs(longs) => longs.zone(block).map(KeyZone::of_longs),
            Self::Doubles(DoubleColumn::Packed(doubles)) => Some(KeyZone::of_doubles(doubles.zone(block))),
            _ => None,
        }
    }

    /// What is known of all keys.
    pub fn total(&self) -> Option<KeyZone> {
        match self {
            Self::Longs(longs) => longs.total().map(KeyZone::of_longs),
            Self::Doubles(DoubleColumn::Packed(doubles)) => Some(KeyZone::of_doubles(doubles.total())),
            _ => None,
        }
    }
}

impl KeyZone {
    fn of_longs(zone: crate::LongZone) -> Self {
        Self { least: zone.least, greatest: zone.greatest, has_nulls: zone.null_count > 0 }
    }

    /// The zone leaves out NaNs, which lie at both ends of the order.
    fn of_doubles(zone: crate::DoubleZone) -> Self {
        let (least, greatest) = match zone.has_nan {
            true => (i64::MIN, i64::MAX),
            false => (key_of_double(zone.least), key_of_double(zone.greatest)),
        };
        Self { least, greatest, has_nulls: zone.null_count > 0 }
    }
}

impl LongColumn<'_> {
    /// The value of a row; `None` for null and past the end.
    pub fn get(&self, row: u32) -> Option<i64> {
        match self {
            Self::Packed(longs) => longs.get(row),
            Self::Pages(pages) => {
                let (page, row) = row_in_pages(row, pages.first()?.rows());
                pages.get(page)?.get(row)
            }
        }
    }
}

impl DoubleColumn<'_> {
    /// The value of a row; `None` for null and past the end.
    pub fn get(&self, row: u32) -> Option<f64> {
        match self {
            Self::Packed(doubles) => doubles.get(row),
            Self::Pages(pages) => {
                let (page, row) = row_in_pages(row, pages.first()?.values.len());
                pages.get(page)?.get(row)
            }
        }
    }
}

impl FlagColumn<'_> {
    /// The value of a row; `None` for null and past the end.
    pub fn get(&self, row: u32) -> Option<bool> {
        match self {
            Self::Packed(flags) => flags.get(row),
            Self::Pages(pages) => {
                let (page, row) = row_in_pages(row, pages.first()?.rows);
                let page = pages.get(page).filter(|page| row < page.rows)?;
                page.validity.is_none_or(|validity| validity.get(row)).then(|| page.values.get(row))
            }
        }
    }

    /// The number of a block's rows, and which of them are true; of no meaning where a row is null.
    pub fn values(&self, block: usize) -> (usize, BlockMask) {
        match self {
            Self::Packed(flags) => {
                let mut mask = [0; BLOCK_ROWS / 64];
                (flags.values(block, &mut mask), mask)
            }
            Self::Pages(pages) => {
                let Some(first) = pages.first() else { return (0, [0; BLOCK_ROWS / 64]) };
                let (page, block) = place_in_pages(block, first.rows);
                pages.get(page).map_or((0, [0; BLOCK_ROWS / 64]), |page| {
                    (page.rows.saturating_sub(block * BLOCK_ROWS).min(BLOCK_ROWS), page.values.block(block))
                })
            }
        }
    }

    /// The rows of a block that are not null; `None` where no row of the column is null.
    pub fn validity(&self, block: usize) -> Option<BlockMask> {
        match self {
            Self::Packed(flags) => {
                let mut mask = [0; BLOCK_ROWS / 64];
                flags.has_nulls().then(|| flags.validity(block, &mut mask)).map(|_| mask)
            }
            Self::Pages(pages) => {
                let (page, block) = place_in_pages(block, pages.first()?.rows);
                Some(pages.get(page)?.validity?.block(block))
            }
        }
    }
}

impl Bits<'_> {
    fn get(self, row: usize) -> bool {
        self.0.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1)
    }

    /// The bits of the rows of a block.
    pub(super) fn block(self, block: usize) -> BlockMask {
        const BYTES: usize = BLOCK_ROWS / 8;
        let bytes = self.0.get(block * BYTES..).unwrap_or(&[]);
        let mut mask = [0; BLOCK_ROWS / 64];
        for (at, &byte) in bytes.iter().take(BYTES).enumerate() {
            mask[at / 8] |= u64::from(byte) << (at % 8 * 8);
        }
        mask
    }
}

/// The values and the validity of a block's rows.
pub(super) fn page_of<'a, T>(pages: &[Page<'a, T>], block: usize) -> (&'a [T], Option<BlockMask>) {
    let Some(first) = pages.first() else { return (&[], None) };
    let (page, block) = place_in_pages(block, first.values.len());
    let Some(page) = pages.get(page) else { return (&[], None) };
    (block_of(page.values, block), page.validity.map(|validity| validity.block(block)))
}

impl<T: Copy> Page<'_, T> {
    /// The value of a row; `None` for null and past the end.
    pub(super) fn get(&self, row: usize) -> Option<T> {
        self.validity.is_none_or(|validity| validity.get(row)).then(|| self.values.get(row).copied())?
    }
}

/// A row's page and its number there.
pub(super) fn row_in_pages(row: u32, first_page_rows: usize) -> (usize, usize) {
    let page_rows = first_page_rows.max(1);
    (row as usize / page_rows, row as usize % page_rows)
}

/// The part of a page that is a block of it.
pub(super) fn block_of<T>(page: &[T], block: usize) -> &[T] {
    let rows = page.get(block * BLOCK_ROWS..).unwrap_or(&[]);
    &rows[..rows.len().min(BLOCK_ROWS)]
}

/// A block's page and its number there, where all pages but the last have as many rows as the first.
pub(super) fn place_in_pages(block: usize, first_page_rows: usize) -> (usize, usize) {
    let page_blocks = first_page_rows.div_ceil(BLOCK_ROWS).max(1);
    (block / page_blocks, block % page_blocks)
}

fn fill_keys<'k, T: Copy>(keys: &'k mut [i64; BLOCK_ROWS], values: &[T], key_of: impl Fn(T) -> i64) -> &'k [i64] {
    keys.iter_mut().zip(values).for_each(|(key, &value)| *key = key_of(value));
    &keys[..values.len().min(BLOCK_ROWS)]
}
