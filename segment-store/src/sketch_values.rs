//! A column of sketches of one segment, as operators read it: open ones as they are, published ones from their bytes.

use std::borrow::Cow;
use std::sync::Arc;

use henge_indexing::{BLOCK_ROWS, BlockMask, PackedBytes};

use crate::open_segment::PAGE_ROWS;
use crate::sketch::{Sketch, SketchError, SketchKind};

/// Any row may be null.
#[derive(Debug, Clone)]
pub enum SketchValues<'a> {
    /// The segment has no such column: all null.
    Missing,
    /// Of open rows, in pages of whole blocks but for the last.
    Pages(Vec<&'a [Option<Arc<Sketch>>]>),
    Packed(SketchKind, &'a PackedBytes),
}

impl<'a> SketchValues<'a> {
    /// Which rows of a block are not null.
    pub fn validity(&self, block: usize) -> BlockMask {
        let mut mask = [0; BLOCK_ROWS / 64];
        match self {
            Self::Missing => {}
            Self::Pages(pages) => {
                for (row, sketch) in block_of(pages, block).iter().enumerate() {
                    mask[row / 64] |= u64::from(sketch.is_some()) << (row % 64);
                }
            }
            Self::Packed(_, packed) => {
                packed.validity(block, &mut mask);
            }
        }
        mask
    }

    /// The sketch in a row that is not null.
    ///
    /// # Errors
    /// The bytes are damaged, or there is none.
    pub fn get(&self, block: usize, row: usize) -> Result<Cow<'a, Sketch>, SketchError> {
        let missing = || SketchError::Damaged("there is none".to_owned());
        match self {
            Self::Missing => Err(missing()),
            Self::Pages(pages) => {
                let sketch = block_of(pages, block).get(row).and_then(Option::as_deref);
                sketch.map(Cow::Borrowed).ok_or_else(missing)
            }
            Self::Packed(kind, packed) => Sketch::read_as(*kind, packed.get(block, row)).map(Cow::Owned),
        }
    }
}

/// The rows of a block; none past the end.
fn block_of<'p>(pages: &[&'p [Option<Arc<Sketch>>]], block: usize) -> &'p [Option<Arc<Sketch>>] {
    const BLOCKS: usize = PAGE_ROWS / BLOCK_ROWS;
    let page: &[_] = pages.get(block / BLOCKS).copied().unwrap_or_default();
    let start = (block % BLOCKS * BLOCK_ROWS).min(page.len());
    &page[start..page.len().min(start + BLOCK_ROWS)]
}
