//! Pages that never change again. Full ones are packed as the columns of published segments are, in blocks with zones: a
//! quarter of the memory. The copy of a page that still grows is as it is, which costs the query that takes it the least.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, PrimitiveArray, UInt32Array};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use henge_indexing::{BLOCK_ROWS, Bits, BlockMask, CodePage, LongPage, PackedCodes, PackedLongs, Page};

use super::sketch_column::SealedSketches;
use crate::sketch::Sketch;
use crate::time::TimestampMs;

/// Rows of a page in ascending order; `None` are all of them.
pub(super) type PageRows = Option<UInt32Array>;

#[derive(Debug)]
pub(super) struct SealedPage {
    /// Without nulls.
    pub times: SealedLongs,
    /// Dimensions, then measures, in the order of the schema.
    pub columns: Vec<SealedColumn>,
}

#[derive(Debug)]
pub(super) enum SealedColumn {
    /// A string dimension's dictionary codes; 0 is null.
    Codes(SealedCodes),
    Longs(SealedLongs),
    /// Doubles and booleans.
    Values(ArrayRef),
    Sketches(SealedSketches),
}

#[derive(Debug)]
pub(super) enum SealedCodes {
    Plain(ScalarBuffer<u32>),
    Packed(Box<PackedBytes<PackedCodes>>),
}

#[derive(Debug)]
pub(super) enum SealedLongs {
    Plain(Int64Array),
    Packed(Box<PackedBytes<PackedLongs>>),
}

/// A packed column and the bytes that it takes.
#[derive(Debug)]
pub(super) struct PackedBytes<C> {
    column: C,
    bytes: usize,
}

impl SealedPage {
    pub fn row_count(&self) -> usize {
        self.times.page_rows()
    }

    /// The earliest and the latest time, both inclusive; `None` without rows.
    pub fn time_bounds(&self) -> Option<(TimestampMs, TimestampMs)> {
        match &self.times {
            SealedLongs::Plain(times) => super::time_bounds(times.values().iter().copied()),
            SealedLongs::Packed(times) => {
                let total = times.column.total();
                (!times.column.is_empty()).then_some((TimestampMs(total.least), TimestampMs(total.greatest)))
            }
        }
    }

    /// The same rows in less memory.
    pub fn packed(self) -> Self {
        let columns = self.columns.into_iter().map(|column| match column {
            SealedColumn::Codes(codes) => SealedColumn::Codes(codes.packed()),
            SealedColumn::Longs(longs) => SealedColumn::Longs(longs.packed()),
            SealedColumn::Values(_) | SealedColumn::Sketches(_) => column,
        });
        Self { times: self.times.packed(), columns: columns.collect() }
    }

    /// Memory that the page takes.
    pub fn bytes(&self) -> usize {
        let columns = self.columns.iter().map(|column| match column {
            SealedColumn::Codes(SealedCodes::Plain(codes)) => codes.inner().len(),
            SealedColumn::Codes(SealedCodes::Packed(codes)) => codes.bytes,
            SealedColumn::Longs(longs) => longs.bytes(),
            SealedColumn::Values(values) => values.get_buffer_memory_size(),
            SealedColumn::Sketches(sketches) => size_of_val(&*sketches.rows) + sketches.bytes,
        });
        self.times.bytes() + columns.sum::<usize>()
    }
}

impl SealedColumn {
    /// Panics for a column of something else.
    pub fn codes(&self) -> &SealedCodes {
        match self {
            Self::Codes(codes) => codes,
            Self::Longs(_) | Self::Values(_) | Self::Sketches(_) => unreachable!("strings are kept as codes"),
        }
    }

    /// Panics for a column of something else.
    pub fn longs(&self) -> &SealedLongs {
        match self {
            Self::Longs(longs) => longs,
            Self::Codes(_) | Self::Values(_) | Self::Sketches(_) => unreachable!("longs are kept as such"),
        }
    }

    /// Panics for a column of something else.
    pub fn values(&self) -> &ArrayRef {
        match self {
            Self::Values(values) => values,
            Self::Codes(_) | Self::Longs(_) | Self::Sketches(_) => unreachable!("doubles and booleans are arrays"),
        }
    }

    /// Panics for a column of something else.
    pub fn sketches(&self) -> &[Option<Arc<Sketch>>] {
        match self {
            Self::Sketches(sketches) => &sketches.rows,
            Self::Codes(_) | Self::Longs(_) | Self::Values(_) => unreachable!("sketches are kept as they are"),
        }
    }
}

impl SealedCodes {
    fn packed(self) -> Self {
        match self {
            Self::Plain(codes) => Self::Packed(PackedBytes::new(PackedCodes::encode(&codes), |bytes| {
                PackedCodes::decode(bytes).expect("codes were just encoded")
            })),
            packed @ Self::Packed(_) => packed,
        }
    }

    /// As predicates see it.
    pub fn page(&self) -> CodePage<'_> {
        match self {
            Self::Plain(codes) => CodePage::Plain(codes),
            Self::Packed(codes) => CodePage::Packed(&codes.column),
        }
    }

    /// The codes of some rows.
    pub fn of(&self, rows: &PageRows) -> Vec<u32> {
        match (self, rows) {
            (Self::Plain(codes), None) => codes.to_vec(),
            (Self::Plain(codes), Some(rows)) => rows.values().iter().map(|&row| codes[row as usize]).collect(),
            (Self::Packed(codes), rows) => unpacked(rows, |block, out| codes.column.unpack(block, out)),
        }
    }
}

impl SealedLongs {
    fn packed(self) -> Self {
        match self {
            Self::Plain(longs) => {
                let valid = longs.nulls().map(|nulls| nulls.iter().collect::<Vec<bool>>());
                let encoded = PackedLongs::encode(longs.values(), valid.as_deref());
                Self::Packed(PackedBytes::new(encoded, |bytes| {
                    PackedLongs::decode(bytes).expect("longs were just encoded")
                }))
            }
            packed @ Self::Packed(_) => packed,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Plain(longs) => longs.get_buffer_memory_size(),
            Self::Packed(longs) => longs.bytes,
        }
    }

    fn page_rows(&self) -> usize {
        match self {
            Self::Plain(longs) => longs.len(),
            Self::Packed(longs) => longs.column.len() as usize,
        }
    }

    /// As predicates see it.
    pub fn page(&self) -> LongPage<'_> {
        match self {
            Self::Plain(longs) => {
                let validity = longs.nulls().map(|nulls| {
                    assert_eq!(nulls.offset(), 0, "a page's columns are whole arrays");
                    Bits(nulls.validity())
                });
                LongPage::Plain(Page { values: longs.values(), validity })
            }
            Self::Packed(longs) => LongPage::Packed(&longs.column),
        }
    }

    /// The values of some rows, 0 where null.
    pub fn of(&self, rows: &PageRows) -> Int64Array {
        match (self, rows) {
            (Self::Plain(longs), None) => longs.clone(),
            (Self::Plain(longs), Some(rows)) => {
                let is_valid = longs.nulls().map(|nulls| rows.values().iter().map(|&row| nulls.is_valid(row as usize)));
                let values = rows.values().iter().map(|&row| longs.value(row as usize));
                Int64Array::new(values.collect(), is_valid.map(NullBuffer::from_iter))
            }
            (Self::Packed(longs), rows) => {
                let column = &longs.column;
                let values = unpacked(rows, |block, out| column.unpack(block, out));
                let nulls = column.has_nulls().then(|| {
                    let mut mask: BlockMask = [0; BLOCK_ROWS / 64];
                    NullBuffer::from(unpacked(rows, |block, out| {
                        let count = column.validity(block, &mut mask);
                        (0..count).for_each(|row| out[row] = mask[row / 64] >> (row % 64) & 1 == 1);
                        count
                    }))
                });
                Int64Array::new(values.into(), nulls)
            }
        }
    }
}

impl<C> PackedBytes<C> {
    fn new(encoded: Vec<u8>, decode: impl FnOnce(bytes::Bytes) -> C) -> Box<Self> {
        let bytes = size_of::<Self>() + encoded.len();
        Box::new(Self { column: decode(encoded.into_boxed_slice().into()), bytes })
    }
}

/// The values of some rows of a page; `unpack` writes those of a block, and returns how many it has.
fn unpacked<T: Copy + Default>(
    rows: &PageRows,
    mut unpack: impl FnMut(usize, &mut [T; BLOCK_ROWS]) -> usize,
) -> Vec<T> {
    let mut buffer = [T::default(); BLOCK_ROWS];
    let Some(rows) = rows else {
        let mut values = Vec::new();
        for block in 0.. {
            let count = unpack(block, &mut buffer);
            values.extend_from_slice(&buffer[..count]);
            if count < BLOCK_ROWS {
                break;
            }
        }
        return values;
    };
    let mut unpacked_block = usize::MAX;
    let mut values = Vec::with_capacity(PrimitiveArray::len(rows));
    for &row in rows.values() {
        let (block, place) = (row as usize / BLOCK_ROWS, row as usize % BLOCK_ROWS);
        if block != unpacked_block {
            unpack(block, &mut buffer);
            unpacked_block = block;
        }
        values.push(buffer[place]);
    }
    values
}
