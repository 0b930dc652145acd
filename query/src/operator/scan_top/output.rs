//! The columns of the rows that were found.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::execution::memory_pool::MemoryReservation;
use henge_indexing::RowSet;
use henge_segment_store::timeline::SegmentView;

use super::search::FoundRow;
use crate::error::QueryError;
use crate::operator::OperatorContext;

/// Rows of a batch.
const BATCH_ROWS: usize = 8_192;

/// The rows in the order that they are given in; `output` names their columns.
pub(super) fn batches(
    segments: &[SegmentView],
    rows: &[FoundRow],
    output: &SchemaRef,
    context: &OperatorContext,
    memory: &MemoryReservation,
) -> Result<Vec<RecordBatch>, QueryError> {
    rows.chunks(BATCH_ROWS)
        .map(|rows| {
            context.check()?;
            let batch = batch(segments, rows, output)?;
            memory.try_grow(batch.get_array_memory_size())?;
            Ok(batch)
        })
        .collect()
}

fn batch(segments: &[SegmentView], rows: &[FoundRow], output: &SchemaRef) -> Result<RecordBatch, QueryError> {
    let names: Vec<&str> = output.fields().iter().map(|field| field.name().as_str()).collect();
    let mut by_segment: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for found in rows {
        by_segment.entry(found.segment).or_default().push(found.row);
    }
    let mut read: Vec<RecordBatch> = Vec::new();
    // Where each row is among what was read: the batch, and the row there.
    let mut places: BTreeMap<(u32, u32), (usize, usize)> = BTreeMap::new();
    for (segment, mut rows) in by_segment {
        rows.sort_unstable();
        let reader = segments[segment as usize].open(&names).map_err(|error| QueryError::from(&error))?;
        let selected = RowSet::from_sorted_rows(reader.row_count(), rows.clone());
        let mut rows = rows.into_iter();
        for batch in reader.batches(output.clone(), &selected) {
            let batch = batch.map_err(|error| QueryError::from(&error))?;
            let place = |(at, row)| ((segment, row), (read.len(), at));
            places.extend(rows.by_ref().take(batch.num_rows()).enumerate().map(place));
            read.push(batch);
        }
    }
    let order: Vec<(usize, usize)> = rows.iter().map(|found| places[&(found.segment, found.row)]).collect();
    let columns = (0..output.fields().len()).map(|column| {
        let parts: Vec<&dyn Array> = read.iter().map(|batch| batch.column(column).as_ref()).collect();
        Ok(compact(interleave(&parts, &order)?))
    });
    Ok(RecordBatch::try_new(output.clone(), columns.collect::<Result<_, QueryError>>()?)?)
}

/// Without the texts of the rows that were left out: views of open rows bring their whole dictionary with them.
fn compact(column: ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        _ => column,
    }
}
