//! Selected rows of a serving file as Arrow batches, for what runs on Arrow.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanArray, Float64Array, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray,
    StringViewBuilder, TimestampMillisecondArray, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use henge_indexing::{
    BLOCK_ROWS, BlockMask, BlockRows, Column, Dictionary, DoubleColumn, FlagColumn, LongColumn, PackedCodes,
    PackedDoubles, PackedFlags, PackedLongs, RowSet, TextColumn,
};

use super::reader::{ServingError, ServingSegment};
use crate::error::StoreError;
use crate::promotion::promoted;
use crate::segment::SegmentId;
use crate::sketch_values::SketchValues;

/// A batch is handed on once it has this many rows.
const BATCH_ROWS: usize = 8_192;
/// Or once the blocks that its rows are of hold this many bytes of sketches.
const BATCH_SKETCH_BYTES: usize = 16 << 20;

/// Yields the rows of `rows`, in order, with the columns that `projected` names; a column that the segment lacks is null,
/// one that it holds in a narrower kind is promoted.
pub struct ServingBatches {
    segment: Arc<ServingSegment>,
    id: SegmentId,
    projected: SchemaRef,
    blocks: VecDeque<(usize, BlockRows)>,
}

impl ServingBatches {
    pub fn new(segment: Arc<ServingSegment>, id: SegmentId, projected: SchemaRef, rows: &RowSet) -> Self {
        Self { segment, id, projected, blocks: rows.blocks().collect() }
    }

    /// The next blocks with about a batch's worth of selected rows.
    fn take_blocks(&mut self) -> (Vec<(usize, BlockRows)>, usize) {
        let (mut taken, mut rows, mut sketch_bytes) = (Vec::new(), 0, 0);
        while rows < BATCH_ROWS && sketch_bytes < BATCH_SKETCH_BYTES {
            let Some((block, selected)) = self.blocks.pop_front() else { break };
            rows += selected.len(self.rows_of_block(block));
            sketch_bytes += self.sketch_bytes(block);
            taken.push((block, selected));
        }
        (taken, rows)
    }

    /// Of the columns that are asked for; those that cannot be read are an error later.
    fn sketch_bytes(&self, block: usize) -> usize {
        let names = self.projected.fields().iter().filter(|field| field.data_type() == &DataType::Binary);
        let bytes = names.map(|field| match self.segment.sketches(field.name()) {
            Ok(SketchValues::Packed(_, packed)) => packed.bytes_of_block(block),
            _ => 0,
        });
        bytes.sum()
    }

    fn rows_of_block(&self, block: usize) -> usize {
        (self.segment.row_count() as usize - block * BLOCK_ROWS).min(BLOCK_ROWS)
    }

    fn batch(&self, blocks: &[(usize, BlockRows)], rows: usize) -> Result<RecordBatch, StoreError> {
        let columns = self.projected.fields().iter().map(|field| {
            let damaged = |error: ServingError| error.of_segment(&self.id);
            if field.data_type() == &DataType::Binary {
                return Ok(sketches(&self.segment.sketches(field.name()).map_err(damaged)?, blocks, rows));
            }
            let column = self.segment.column(field.name()).map_err(damaged)?;
            let array = array(&column, blocks, rows, field.data_type());
            Ok(promoted(array, field.data_type())?)
        });
        let columns = columns.collect::<Result<_, StoreError>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.projected.clone(), columns, &options)?)
    }
}

impl Iterator for ServingBatches {
    type Item = Result<RecordBatch, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (blocks, rows) = self.take_blocks();
        (rows > 0).then(|| self.batch(&blocks, rows))
    }
}

/// The selected ones of a block's values.
fn select<T: Copy>(values: &[T], rows: &BlockRows, out: &mut Vec<T>) {
    match rows {
        BlockRows::All => out.extend_from_slice(values),
        BlockRows::Range(range) => out.extend_from_slice(&values[range.clone()]),
        BlockRows::Mask(_) => rows.for_each(values.len(), |row| out.push(values[row])),
    }
}

/// The selected bits of a block.
fn select_bits(mask: &BlockMask, rows: &BlockRows, rows_of_block: usize, out: &mut Vec<bool>) {
    rows.for_each(rows_of_block, |row| out.push(mask[row / 64] >> (row % 64) & 1 == 1));
}

fn array(column: &Column<'_>, blocks: &[(usize, BlockRows)], rows: usize, wanted: &DataType) -> ArrayRef {
    match column {
        Column::Text(TextColumn::Sorted { dictionary, codes, .. }) => {
            Arc::new(strings(dictionary, &selected_codes(codes, blocks, rows)))
        }
        Column::Longs(LongColumn::Packed(longs)) => {
            let (values, nulls) = selected_longs(longs, blocks, rows);
            match wanted {
                DataType::Timestamp(TimeUnit::Millisecond, None) => {
                    Arc::new(TimestampMillisecondArray::new(values.into(), nulls))
                }
                _ => Arc::new(Int64Array::new(values.into(), nulls)),
            }
        }
        Column::Doubles(DoubleColumn::Packed(doubles)) => {
            let (values, nulls) = selected_doubles(doubles, blocks, rows);
            Arc::new(Float64Array::new(values.into(), nulls))
        }
        Column::Flags(FlagColumn::Packed(flags)) => Arc::new(selected_flags(flags, blocks, rows)),
        Column::Missing => new_null_array(wanted, rows),
        _ => unreachable!("a serving file holds packed columns"),
    }
}

fn selected_codes(codes: &PackedCodes, blocks: &[(usize, BlockRows)], rows: usize) -> Vec<u32> {
    let mut selected = Vec::with_capacity(rows);
    let mut buffer = [0; BLOCK_ROWS];
    for (block, rows) in blocks {
        let count = codes.unpack(*block, &mut buffer);
        select(&buffer[..count], rows, &mut selected);
    }
    selected
}

fn selected_longs(longs: &PackedLongs, blocks: &[(usize, BlockRows)], rows: usize) -> (Vec<i64>, Option<NullBuffer>) {
    let mut selected = Vec::with_capacity(rows);
    let mut buffer = [0; BLOCK_ROWS];
    for (block, rows) in blocks {
        let count = longs.unpack(*block, &mut buffer);
        select(&buffer[..count], rows, &mut selected);
    }
    let nulls = longs.has_nulls().then(|| nulls(blocks, rows, |block, mask| longs.validity(block, mask)));
    (selected, nulls)
}

fn selected_doubles(
    doubles: &PackedDoubles,
    blocks: &[(usize, BlockRows)],
    rows: usize,
) -> (Vec<f64>, Option<NullBuffer>) {
    let mut selected = Vec::with_capacity(rows);
    let mut buffer = [0.0; BLOCK_ROWS];
    for (block, rows) in blocks {
        let count = doubles.unpack(*block, &mut buffer);
        select(&buffer[..count], rows, &mut selected);
    }
    let nulls = doubles.has_nulls().then(|| nulls(blocks, rows, |block, mask| doubles.validity(block, mask)));
    (selected, nulls)
}

fn selected_flags(flags: &PackedFlags, blocks: &[(usize, BlockRows)], rows: usize) -> BooleanArray {
    let mut values = Vec::with_capacity(rows);
    let mut mask = [0; BLOCK_ROWS / 64];
    for (block, rows) in blocks {
        let count = flags.values(*block, &mut mask);
        select_bits(&mask, rows, count, &mut values);
    }
    let nulls = nulls(blocks, rows, |block, mask| flags.validity(block, mask));
    BooleanArray::new(values.into(), Some(nulls).filter(|nulls| nulls.null_count() > 0))
}

fn nulls(blocks: &[(usize, BlockRows)], rows: usize, validity: impl Fn(usize, &mut BlockMask) -> usize) -> NullBuffer {
    let mut is_valid = Vec::with_capacity(rows);
    let mut mask = [0; BLOCK_ROWS / 64];
    for (block, selected) in blocks {
        let rows_of_block = validity(*block, &mut mask);
        select_bits(&mask, selected, rows_of_block, &mut is_valid);
    }
    NullBuffer::from(is_valid)
}

/// The bytes of sketches, as they are.
fn sketches(column: &SketchValues<'_>, blocks: &[(usize, BlockRows)], rows: usize) -> ArrayRef {
    let SketchValues::Packed(_, packed) = column else { return new_null_array(&DataType::Binary, rows) };
    let mut builder = BinaryBuilder::with_capacity(rows, 0);
    let mut valid = [0; BLOCK_ROWS / 64];
    for (block, selected) in blocks {
        let rows_of_block = packed.validity(*block, &mut valid);
        selected.for_each(rows_of_block, |row| {
            let is_valid = valid[row / 64] >> (row % 64) & 1 == 1;
            builder.append_option(is_valid.then(|| packed.get(*block, row)));
        });
    }
    Arc::new(builder.finish())
}

/// Strings by their codes; each distinct one is decoded once.
fn strings(dictionary: &Dictionary, codes: &[u32]) -> StringViewArray {
    let mut distinct = codes.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let mut builder = StringViewBuilder::with_capacity(distinct.len());
    for &code in &distinct {
        match code {
            0 => builder.append_null(),
            // Stored strings are UTF-8; bytes that pass their checksum and are not were never written by us.
            code => builder.append_value(String::from_utf8_lossy(&dictionary.value(code))),
        }
    }
    let decoded = builder.finish();
    let place = |code: &u32| distinct.partition_point(|known| known < code);
    let views = codes.iter().map(|code| decoded.views()[place(code)]).collect::<Vec<u128>>();
    let nulls = codes.contains(&0).then(|| codes.iter().map(|&code| code != 0).collect());
    StringViewArray::try_new(views.into(), decoded.data_buffers().to_vec(), nulls)
        .expect("the views are of strings in these buffers")
}
