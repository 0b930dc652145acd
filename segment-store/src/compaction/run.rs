//! Does what was planned: reads the inputs, writes the merged segments, and commits both in one record (invariant Q3).

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::merge::{MergeError, MergeInput, MergeTarget, Piece, merge};
use super::pace::Cancelled;
use super::plan::{CompactionTask, Purpose};
use crate::data_source::DataSource;
use crate::error::StoreError;
use crate::schema::{ColumnKind, DataSourceSchema, DimensionType, TIME_COLUMN};
use crate::segment::{MergeHistory, PublishedSegment, SegmentFile, SegmentId, SegmentMeta};
use crate::store::Store;
use crate::time::Granularity;
use crate::upkeep::CompactionTarget;

/// Memory that a piece's columns take at most, whatever the target is; and as much again its sketches.
const PIECE_BYTES_MAX: u64 = 384 << 20;

/// A merge that is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Compacted {
    pub purpose: Purpose,
    pub added: Vec<SegmentMeta>,
    pub retired: Vec<SegmentId>,
    pub rows_read: u64,
    /// Of the Parquet files.
    pub bytes_read: u64,
    pub bytes_written: u64,
    pub elapsed: Duration,
}

/// Why a merge was not done. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum CompactionError {
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the chunk cannot be merged: {0}")]
    Merge(String),
}

/// Runs one task to its end; busy for a while, so it belongs on a thread of its own, outside of `runtime`.
///
/// What is published meanwhile stays. When an input was retired meanwhile, or anything else fails, the merged rows are
/// discarded. `pace` is called between steps: to sleep, as [`Pace::step`](super::Pace::step) does, or to end the work.
pub fn run(
    store: &Store,
    runtime: &Handle,
    data_source: &DataSource,
    task: &CompactionTask,
    pace: &mut dyn FnMut() -> Result<(), Cancelled>,
) -> Result<Compacted, CompactionError> {
    let begun = Instant::now();
    let inputs = inputs_of(data_source, task)?;
    let (commit_id, target) = runtime.block_on(store.begin_merge(data_source.name()))?;
    let mut merging = Merging { store, runtime, task, inputs: &inputs, version: commit_id.as_str(), added: Vec::new() };
    let written = merging.write(data_source, target, pace);
    let mut added = merging.added;
    let committed = written.and_then(|()| {
        add_history(&mut added, &inputs);
        Ok(runtime.block_on(store.commit_merge(data_source, &commit_id, &added, &task.inputs))?)
    });
    if let Err(error) = committed {
        discard(store, runtime, &added, &error);
        return Err(error);
    }
    let bytes_written = added.iter().map(|meta| meta.bytes).sum();
    Ok(Compacted {
        purpose: task.purpose,
        retired: task.inputs.clone(),
        rows_read: inputs.iter().map(|input| input.meta.rows).sum(),
        bytes_read: inputs.iter().map(|input| input.meta.bytes).sum(),
        bytes_written,
        added,
        elapsed: begun.elapsed(),
    })
}

fn inputs_of(data_source: &DataSource, task: &CompactionTask) -> Result<Vec<Arc<PublishedSegment>>, StoreError> {
    let published = data_source.published_segments();
    let find = |id: &SegmentId| {
        // They are in the order of their ids.
        let place = published.binary_search_by(|segment| segment.meta.id.cmp(id));
        place.map(|place| published[place].clone()).map_err(|_| StoreError::NotLive { id: id.clone() })
    };
    task.inputs.iter().map(find).collect()
}

/// A merge while its pieces are written.
struct Merging<'a> {
    store: &'a Store,
    runtime: &'a Handle,
    task: &'a CompactionTask,
    inputs: &'a [Arc<PublishedSegment>],
    version: &'a str,
    added: Vec<SegmentMeta>,
}

impl Merging<'_> {
    fn write(
        &mut self,
        data_source: &DataSource,
        size: CompactionTarget,
        pace: &mut dyn FnMut() -> Result<(), Cancelled>,
    ) -> Result<(), CompactionError> {
        let schema = data_source.schema();
        let opened = self.open(&schema, pace)?;
        let piece_rows = piece_rows(&schema, size, self.inputs);
        let granularity = self.task.granularity.clone();
        let target = MergeTarget {
            schema: schema.clone(),
            chunk: self.task.chunk,
            granularity,
            piece_rows,
            piece_sketch_bytes: PIECE_BYTES_MAX as usize,
        };
        let granularity = self.granularity_of_rows(&schema);
        // Both closures pace the work: one between blocks, one behind a piece.
        let pace = RefCell::new(pace);
        let step = || (*pace.borrow_mut())().map_err(CompactionError::from);
        let merged = merge(&opened, &target, step, |piece| {
            self.write_piece(data_source, piece, granularity.clone())?;
            step()
        });
        merged.map_err(|error| match error {
            MergeError::Caller(error) => error,
            MergeError::Input { id, source } => source.of_segment(&id).into(),
            MergeError::Sketch { id, source } => StoreError::Corrupt { id, detail: source.to_string() }.into(),
            too_large @ MergeError::TooLargeToSort { .. } => CompactionError::Merge(too_large.to_string()),
        })
    }

    fn open(
        &self,
        schema: &DataSourceSchema,
        pace: &mut dyn FnMut() -> Result<(), Cancelled>,
    ) -> Result<Vec<MergeInput>, CompactionError> {
        let dimensions = schema.dimensions.iter().map(|dimension| dimension.name.as_str());
        let measures = schema.measures.iter().map(|measure| measure.name.as_str());
        let columns: Vec<&str> = std::iter::once(TIME_COLUMN).chain(dimensions).chain(measures).collect();
        let mut opened = Vec::with_capacity(self.inputs.len());
        for input in self.inputs {
            // A serving form of a remote segment may have to be fetched.
            let _runtime = self.runtime.enter();
            let rows = input.serving(&columns)?;
            opened.push(MergeInput { id: input.meta.id.clone(), rows, events: input.meta.events });
            pace()?;
        }
        Ok(opened)
    }

    /// What all rows of the outcome are floored to.
    fn granularity_of_rows(&self, schema: &DataSourceSchema) -> Granularity {
        let of_input = |input: &Arc<PublishedSegment>| {
            input.meta.query_granularity.clone().unwrap_or_else(|| schema.query_granularity.clone())
        };
        let finest = |left: Granularity, right: Granularity| if left.nests_in(&right) { left } else { right };
        let as_they_are = || self.inputs.iter().map(of_input).reduce(finest);
        self.task.granularity.clone().or_else(as_they_are).unwrap_or_else(|| schema.query_granularity.clone())
    }

    fn write_piece(
        &mut self,
        data_source: &DataSource,
        piece: Piece,
        granularity: Granularity,
    ) -> Result<(), CompactionError> {
        let id = SegmentId {
            data_source: data_source.name().clone(),
            chunk: self.task.chunk,
            version: self.version.to_owned(),
            shard: self.added.len() as u32,
        };
        let mut file = SegmentFile::build(id, &piece.rows, piece.events, Vec::new(), self.task.inputs.clone())?;
        drop(piece);
        file.meta.query_granularity = Some(granularity);
        let meta = self.runtime.block_on(self.store.write_merged(file))?;
        self.added.push(meta);
        Ok(())
    }
}

/// Rows of a piece: the target's, or fewer where they would take too much memory, and all pieces alike.
fn piece_rows(schema: &DataSourceSchema, size: CompactionTarget, inputs: &[Arc<PublishedSegment>]) -> usize {
    let rows = inputs.iter().map(|input| input.meta.rows).sum::<u64>().max(1);
    let bytes: u64 = inputs.iter().map(|input| input.meta.bytes).sum();
    let is_text = |column| schema.column_kind(column) == ColumnKind::Value(DimensionType::String);
    // Of a sketch this is where it lies; its bytes are counted when they are known.
    let column_bytes = |column| if is_text(column) { 4 } else { 9 };
    let row_bytes = 8 + (0..schema.column_count()).map(column_bytes).sum::<u64>();
    let of_file = size.bytes.saturating_mul(rows) / bytes.max(1);
    let rows_max = size.rows.min(of_file).min(PIECE_BYTES_MAX / row_bytes).max(1);
    let pieces = rows.div_ceil(rows_max);
    usize::try_from(rows.div_ceil(pieces)).expect("a piece fits into memory")
}

/// Says of each piece what it took to make it: its part of what the inputs took, and itself.
fn add_history(added: &mut [SegmentMeta], inputs: &[Arc<PublishedSegment>]) {
    let histories = || inputs.iter().map(|input| input.meta.history());
    let merges = 1 + histories().map(|history| history.merges).max().unwrap_or_default();
    let cut_bytes: u64 = histories().map(|history| history.cut_bytes).sum();
    let written_bytes: u64 = histories().map(|history| history.written_bytes).sum();
    let all = added.iter().map(|meta| u128::from(meta.bytes)).sum::<u128>().max(1);
    let mut before = 0;
    for meta in added {
        let after = before + u128::from(meta.bytes);
        let share = |total: u64| (u128::from(total) * after / all - u128::from(total) * before / all) as u64;
        meta.merged = Some(MergeHistory {
            merges,
            cut_bytes: share(cut_bytes),
            written_bytes: share(written_bytes) + meta.bytes,
        });
        before = after;
    }
}

/// Deletes what will never be named, so that it need not wait for the sweep; not when the commit's outcome is unknown.
fn discard(store: &Store, runtime: &Handle, written: &[SegmentMeta], error: &CompactionError) {
    if let CompactionError::Store(StoreError::File { .. } | StoreError::Object { .. }) = error {
        return;
    }
    for meta in written {
        if let Err(error) = runtime.block_on(store.discard_merged(meta)) {
            tracing::warn!(segment = %meta.id, %error, "what a merge has written is left to the sweep");
        }
    }
}
