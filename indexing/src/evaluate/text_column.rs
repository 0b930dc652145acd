//! Reading the codes of strings, packed or in pages.

use super::column::TextColumn;
use super::number_column::{place_in_pages, row_in_pages};
use super::page::CodePage;
use crate::BLOCK_ROWS;

impl<'a> TextColumn<'a> {
    /// A block's page and its number there; a sorted column is a page of its own.
    pub(super) fn page(&self, block: usize) -> Option<(CodePage<'a>, usize)> {
        match self {
            Self::Sorted { codes, .. } => Some((CodePage::Packed(codes), block)),
            Self::Growing { pages, .. } => {
                let (page, block) = place_in_pages(block, pages.first()?.rows());
                Some((*pages.get(page)?, block))
            }
        }
    }

    /// The codes of a block's rows. `buffer` may be used to hold them.
    pub fn codes<'k>(&'k self, block: usize, buffer: &'k mut [u32; BLOCK_ROWS]) -> &'k [u32] {
        self.page(block).map_or(&[], |(page, block)| page.codes(block, buffer))
    }

    /// The codes at some places of a block, ascending; `out` holds as many. Quicker than [`TextColumn::codes`] where they are
    /// few.
    pub fn codes_at(&self, block: usize, places: &[u16], out: &mut [u32]) {
        if let Some((page, block)) = self.page(block) {
            page.codes_at(block, places, out);
        }
    }

    /// The least and the greatest code of a block, where they are known without reading it.
    pub fn bounds(&self, block: usize) -> Option<(u32, u32)> {
        self.page(block).and_then(|(page, block)| page.bounds(block))
    }

    /// The code of a row; 0, null, past the end.
    pub fn code(&self, row: u32) -> u32 {
        match self {
            Self::Sorted { codes, .. } => codes.get(row),
            Self::Growing { pages, .. } => {
                let (page, row) = row_in_pages(row, pages.first().map_or(0, |page| page.rows()));
                pages.get(page).map_or(0, |page| page.get(row))
            }
        }
    }

    /// Values of the dictionary.
    pub fn distinct(&self) -> u32 {
        match self {
            Self::Sorted { dictionary, .. } => dictionary.distinct(),
            Self::Growing { dictionary, .. } => dictionary.distinct() as u32,
        }
    }

    /// The text of a code, which is not null's; `buffer` may be used to hold it.
    pub fn text<'t>(&'t self, code: u32, buffer: &'t mut Vec<u8>) -> &'t [u8] {
        match self {
            Self::Sorted { dictionary, .. } => {
                dictionary.value_into(code, buffer);
                buffer
            }
            Self::Growing { dictionary, .. } => dictionary.value(code),
        }
    }
}
