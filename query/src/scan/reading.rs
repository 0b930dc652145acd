//! Reads the parts of a partition, morsel by morsel.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::metrics::Count;
use henge_segment_store::segment_reader::Batches;
use tokio::sync::mpsc::Sender;

use super::selection::{RowFilter, Selection, first_rows};
use super::work::Part;
use crate::cpu_pool::QueryShare;
use crate::error::QueryError;
use crate::segment_reads::SegmentReads;

/// Batches of one morsel: a quarter of a millisecond and more.
const MORSEL_BATCHES: usize = 4;

/// What DataFusion's operators take for a row at the least, in nanoseconds: as they do for a sum by one key
/// (`henge-benches peers`).
const ROW_NS: u64 = 20;

/// One partition of a scan, on its way to whoever runs it.
pub(super) struct Reading {
    pub parts: Arc<[Part]>,
    pub filter: Arc<RowFilter>,
    pub projected: SchemaRef,
    /// Rows that are enough.
    pub limit: Option<u64>,
    pub share: Arc<QueryShare>,
    pub reads: Arc<SegmentReads>,
    /// For the batches that are read and not yet taken.
    pub memory: MemoryReservation,
    /// Counts rows.
    pub passed: Count,
}

/// What a morsel read, and what is left of its part.
struct MorselRead {
    batches: Vec<RecordBatch>,
    rest: Option<Batches>,
}

impl Reading {
    /// Sends the rows of the parts, until there are enough or nobody listens any more. Waits while `sender` is full, and
    /// holds no thread meanwhile.
    pub async fn run(self, sender: Sender<Result<RecordBatch>>) -> Result<()> {
        let names: Arc<[String]> = self.projected.fields().iter().map(|field| field.name().clone()).collect();
        let mut left = self.limit.unwrap_or(u64::MAX);
        let mut bytes_before = 0;
        for (number, part) in self.parts.iter().enumerate() {
            if left == 0 {
                break;
            }
            if part.is_first() {
                self.reads.begin([&part.segment.view])?;
            }
            part.prepare(&self.filter, &names, &self.share).await?;
            let (selecting, filter, names, projected) =
                (part.clone(), self.filter.clone(), names.clone(), self.projected.clone());
            let first = move || {
                let Selection { reader, rows } = selecting.select(&filter, &names)?;
                let rows = first_rows(&rows, left);
                Ok((rows.len(), read_morsel(reader.batches(projected, &rows))?))
            };
            let (rows, mut read) = self.share.run(first).await?;
            if number == 0 {
                self.expect_as_in(part, rows);
            }
            left -= rows;
            loop {
                let bytes = read.batches.iter().map(RecordBatch::get_array_memory_size).sum();
                // The reader may not have taken what was read before.
                self.memory.try_resize(bytes_before + bytes)?;
                bytes_before = bytes;
                for batch in read.batches {
                    self.passed.add(batch.num_rows());
                    if sender.send(Ok(batch)).await.is_err() {
                        return Ok(());
                    }
                }
                let Some(rest) = read.rest else { break };
                read = self.share.run(move || read_morsel(rest)).await?;
            }
            self.reads.done(part.rows());
        }
        Ok(())
    }

    /// Tells the CPU pool what all parts will take at the least, if as large a share of each passes as of the first.
    fn expect_as_in(&self, first: &Part, passed: u64) {
        let read: u64 = self.parts.iter().map(Part::rows).sum();
        let rows = (u128::from(read) * u128::from(passed) / u128::from(first.rows().max(1))) as u64;
        self.share.expect(Duration::from_nanos(rows.min(self.limit.unwrap_or(u64::MAX)).saturating_mul(ROW_NS)));
    }
}

fn read_morsel(mut rest: Batches) -> Result<MorselRead, QueryError> {
    let batches = rest.by_ref().take(MORSEL_BATCHES).collect::<Result<Vec<_>, _>>();
    let batches = batches.map_err(|error| QueryError::from(&error))?;
    let rest = (batches.len() == MORSEL_BATCHES).then_some(rest);
    Ok(MorselRead { batches, rest })
}
