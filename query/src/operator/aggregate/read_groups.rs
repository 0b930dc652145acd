//! What the threads of an aggregation have found, brought together and named part by part.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::execution::memory_pool::MemoryReservation;

use super::merged::MergedGroups;
use super::names::GroupNames;
use super::run::run_on;
use super::spilled::SpilledGroups;
use super::{AggregateTask, TopGroups};
use crate::cpu_pool::Turn;
use crate::error::QueryError;
use crate::operator::OperatorContext;

/// Rows of a batch at most.
const BATCH_ROWS: usize = 8_192;
/// Groups that are merged before others may go first: about a millisecond's work.
const MERGE_GROUPS: usize = 16_384;
/// So many parts are named at once: a quarter of them.
const PARTS_AT_ONCE: usize = if cfg!(test) { 3 } else { 16 };

/// Groups that are still to be named.
#[derive(Debug)]
pub(crate) struct ReadGroups {
    names: GroupNames,
    parts: Vec<Part>,
    /// What the parts take.
    memory: MemoryReservation,
    _names_memory: MemoryReservation,
}

/// The groups of the same keys, as each of the threads has found them.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub pieces: Vec<MergedGroups>,
    /// What threads had to put on disk.
    pub spilled: Vec<Arc<SpilledGroups>>,
    /// Which part it is of what is on disk.
    pub place: usize,
}

impl ReadGroups {
    /// `memory` holds what the parts take.
    pub(super) fn new(
        names: GroupNames,
        parts: Vec<Part>,
        memory: MemoryReservation,
        names_memory: MemoryReservation,
    ) -> Self {
        Self { names, parts, memory, _names_memory: names_memory }
    }

    /// Whether all have been named.
    pub fn is_done(&self) -> bool {
        self.parts.is_empty()
    }

    /// More groups, in batches of at most 8,192 rows. Blocking.
    ///
    /// # Errors
    /// The query is cancelled or needs more memory than it may use; a total leaves 64 bits.
    pub fn next(&mut self, task: &AggregateTask, context: &OperatorContext) -> Result<Vec<RecordBatch>, QueryError> {
        if self.parts.len() > 1
            && let Some(top) = &task.top
        {
            let all = std::mem::take(&mut self.parts);
            return self.top(top, all, task, context);
        }
        let is_spilled = self.parts.iter().any(|part| !part.spilled.is_empty());
        let at_once = if is_spilled { context.threads.get() } else { PARTS_AT_ONCE };
        let parts = self.parts.split_off(self.parts.len().saturating_sub(at_once));
        let named =
            self.for_each(parts, task, context, |groups, turn| name(task, &groups, &self.names, context, turn))?;
        Ok(named.into_iter().flatten().collect())
    }

    /// The top groups of all parts.
    fn top(
        &self,
        top: &TopGroups,
        parts: Vec<Part>,
        task: &AggregateTask,
        context: &OperatorContext,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let best = Mutex::new(MergedGroups::new(&task.aggregation)?);
        self.for_each(parts, task, context, |groups, _| {
            let rows = top_of(top, &groups, &self.names)?;
            best.lock().unwrap_or_else(PoisonError::into_inner).merge_some(&groups, &rows, &self.names)
        })?;
        let best = best.into_inner().unwrap_or_else(PoisonError::into_inner);
        name(task, &best, &self.names, context, &mut context.share.turn()?)
    }

    /// Brings parts together, and calls `finish` with the groups of each, on several threads.
    fn for_each<T: Send>(
        &self,
        parts: Vec<Part>,
        task: &AggregateTask,
        context: &OperatorContext,
        finish: impl Fn(MergedGroups, &mut Turn<'_>) -> Result<T, QueryError> + Sync,
    ) -> Result<Vec<T>, QueryError> {
        let threads = context.threads.get().min(parts.len());
        let parts: Vec<Mutex<Part>> = parts.into_iter().map(Mutex::new).collect();
        let next = AtomicUsize::new(0);
        let finish_one = |part: Part, turn: &mut Turn<'_>| {
            let start = Instant::now();
            let (groups, bytes) = self.merge(part, task, context, turn)?;
            context.metrics.groups.add(groups.len() as u64);
            context.metrics.merge_ns.add_since(start);
            let start = Instant::now();
            let finished = finish(groups, turn);
            context.metrics.output_ns.add_since(start);
            self.memory.shrink(bytes);
            finished
        };
        let finished = run_on(threads, || {
            let mut turn = context.share.turn()?;
            let mut finished = Vec::new();
            while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                let part = std::mem::take(&mut *part.lock().unwrap_or_else(PoisonError::into_inner));
                let done = finish_one(part, &mut turn);
                if done.is_err() {
                    // The others need not begin another one.
                    next.store(parts.len(), Ordering::Relaxed);
                }
                finished.push(done?);
            }
            Ok(finished)
        });
        Ok(finished?.into_iter().flatten().collect())
    }

    /// One part's groups, and how much memory is accounted for them.
    fn merge(
        &self,
        part: Part,
        task: &AggregateTask,
        context: &OperatorContext,
        turn: &mut Turn<'_>,
    ) -> Result<(MergedGroups, usize), QueryError> {
        let mut bytes: usize = part.pieces.iter().map(MergedGroups::bytes).sum();
        let mut account_for = |taken: usize| {
            let grown = taken.saturating_sub(bytes);
            bytes += grown;
            self.memory.try_grow(grown)
        };
        let mut pieces = part.pieces.into_iter();
        let mut merged = pieces.next().expect("at least one thread has worked");
        for piece in pieces {
            for groups in piece.all().chunks(MERGE_GROUPS) {
                context.check()?;
                turn.pass()?;
                merged.merge_some(&piece, groups, &self.names)?;
            }
            account_for(merged.bytes() + piece.bytes())?;
        }
        for spilled in &part.spilled {
            for extent in spilled.extents(part.place) {
                context.check()?;
                // Others may use the CPU while this waits for the disk.
                turn.pause();
                let stored = spilled.read(extent)?;
                turn.pass()?;
                merged.add_stored(&task.aggregation, extent.groups, &stored, &self.names)?;
                account_for(merged.bytes() + stored.len())?;
            }
        }
        Ok((merged, bytes))
    }
}

/// Makes batches of the groups, or of the top ones.
fn name(
    task: &AggregateTask,
    groups: &MergedGroups,
    names: &GroupNames,
    context: &OperatorContext,
    turn: &mut Turn<'_>,
) -> Result<Vec<RecordBatch>, QueryError> {
    let rows = task.top.as_ref().map_or_else(|| Ok(groups.all()), |top| top_of(top, groups, names))?;
    let mut batches = Vec::new();
    for rows in rows.chunks(BATCH_ROWS) {
        context.check()?;
        turn.pass()?;
        let columns = 0..task.output.fields().len();
        let columns = columns.map(|place| column(place, groups, rows, names)).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        batches.push(RecordBatch::try_new_with_options(task.output.clone(), columns, &options)?);
    }
    Ok(batches)
}

/// The top ones of some groups.
fn top_of(top: &TopGroups, groups: &MergedGroups, names: &GroupNames) -> Result<Vec<u32>, QueryError> {
    let all = groups.all();
    if all.len() <= top.count.get() {
        return Ok(all);
    }
    top.rows_of(&column(top.column, groups, &all, names)?)
}

/// An output column of some groups.
fn column(place: usize, groups: &MergedGroups, rows: &[u32], names: &GroupNames) -> Result<ArrayRef, QueryError> {
    match names.keys.get(place) {
        Some(names) => Ok(names.array(&groups.numbers(place, rows))),
        None => {
            let place = place - names.keys.len();
            groups.accumulators[place].finish(rows, names.values[place].as_ref())
        }
    }
}
