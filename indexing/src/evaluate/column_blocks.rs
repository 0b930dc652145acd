//! Numbers of a column block by block, packed or in pages.

use super::column::{DoubleColumn, LongColumn};
use super::number_column::{page_of, place_in_pages};
use super::page::LongPage;
use crate::{BLOCK_ROWS, BlockMask, DoubleZone, LongZone};

impl<'a> LongColumn<'a> {
    /// A block's page and its number there; a packed column is a page of its own.
    fn page(&self, block: usize) -> Option<(LongPage<'a>, usize)> {
        match self {
            Self::Packed(longs) => Some((LongPage::Packed(longs), block)),
            Self::Pages(pages) => {
                let (page, block) = place_in_pages(block, pages.first()?.rows());
                Some((*pages.get(page)?, block))
            }
        }
    }

    /// The values of a block's rows, of no meaning where a row is null. `buffer` may be used to hold them.
    pub fn values<'k>(&'k self, block: usize, buffer: &'k mut [i64; BLOCK_ROWS]) -> &'k [i64] {
        self.page(block).map_or(&[], |(page, block)| page.values(block, buffer))
    }

    /// The values at some places of a block, ascending, of no meaning where a row is null; `out` holds as many. Quicker than
    /// [`LongColumn::values`] where they are few.
    pub fn values_at(&self, block: usize, places: &[u16], out: &mut [i64]) {
        if let Some((page, block)) = self.page(block) {
            page.values_at(block, places, out);
        }
    }

    /// The rows of a block that are not null; `None` where no row of the column, or of its page, is null.
    pub fn validity(&self, block: usize) -> Option<BlockMask> {
        self.page(block).and_then(|(page, block)| page.validity(block))
    }

    /// What is known of a block without reading its values.
    pub fn zone(&self, block: usize) -> Option<LongZone> {
        self.page(block).and_then(|(page, block)| page.zone(block))
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
            Self::Pages(pages) => pages.iter().any(|page| page.has_nulls()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bits, FlagColumn, FlagPage, LongZone, PackedDoubles, PackedLongs, Page};

    #[test]
    fn zones_and_nulls_are_told_without_reading_values() {
        let values: Vec<i64> = (0..1_500).collect();
        let valid: Vec<bool> = values.iter().map(|value| *value != 3).collect();
        let packed = PackedLongs::decode(PackedLongs::encode(&values, Some(&valid)).into()).expect("just encoded");
        let zone = LongColumn::Packed(&packed).zone(1);
        assert_eq!(zone, Some(LongZone { least: 1_024, greatest: 1_499, null_count: 0, sum: (1_024..1_500).sum() }));
        let plain = LongPage::Plain(Page { values: &values, validity: None });
        assert_eq!(LongColumn::Pages(vec![plain]).zone(1), None);
        assert_eq!(LongColumn::Pages(vec![LongPage::Packed(&packed)]).zone(1), zone);

        let doubles: Vec<f64> = values.iter().map(|value| *value as f64).collect();
        for validity in [None, Some(&valid[..])] {
            let packed = PackedDoubles::decode(PackedDoubles::encode(&doubles, validity).into()).expect("just encoded");
            assert_eq!(DoubleColumn::Packed(&packed).has_nulls(), validity.is_some());
            let pages = vec![Page { values: &doubles[..], validity: validity.map(|_| Bits(&[0xff])) }];
            assert_eq!(DoubleColumn::Pages(pages).has_nulls(), validity.is_some());
        }
    }

    #[test]
    fn the_last_block_of_a_page_of_flags_has_the_rows_that_are_left() {
        let bits = [0b101_u8; 256];
        let page = |rows| FlagPage { rows, values: Bits(&bits), validity: None };
        let flags = FlagColumn::Pages(vec![page(2_048), page(1_500)]);
        let rows: Vec<usize> = (0..5).map(|block| flags.values(block).0).collect();
        assert_eq!(rows, [1_024, 1_024, 1_024, 476, 0]);
    }
}
