//! Runs an aggregation: threads take parts of segments, then their groups are merged and named.

use std::time::Instant;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};

use super::merged::{MergedGroups, names_of};
use super::names::Names;
use super::segment_groups::{SegmentGroups, Workspace};
use super::work::{SegmentWork, Work};
use super::{AggregateTask, TopGroups};
use crate::error::QueryError;
use crate::operator::OperatorContext;

/// Rows of a batch at most.
const BATCH_ROWS: usize = 8_192;
/// What the operator is called where memory runs out.
const CONSUMER: &str = "aggregation";

pub(super) fn run(task: &AggregateTask, context: &OperatorContext) -> Result<Vec<RecordBatch>, QueryError> {
    context.check()?;
    let work = Work::new(task);
    let names = names_of(&task.aggregation);
    let names_memory = MemoryConsumer::new(CONSUMER).register(&context.memory);
    let threads = context.threads.get().min(work.parts()).max(1);
    let mut workers = run_on(threads, || {
        let mut worker = Worker::new(task, &names, context)?;
        worker.run(&work)?;
        Ok(worker)
    })?;
    let start = Instant::now();
    let mut first = workers.pop().expect("at least one thread has worked");
    for worker in workers {
        context.check()?;
        first.merged.merge(&worker.merged);
        first.count_memory()?;
    }
    names_memory.try_resize(names.iter().map(Names::bytes).sum())?;
    context.metrics.groups.add(first.merged.len() as u64);
    context.metrics.merge_ns.add_since(start);
    let start = Instant::now();
    let batches = name(task, &first.merged, &names, context);
    context.metrics.output_ns.add_since(start);
    batches
}

/// Runs `work` on some threads at once, this one among them, and collects what they return.
fn run_on<T: Send>(threads: usize, work: impl Fn() -> Result<T, QueryError> + Sync) -> Result<Vec<T>, QueryError> {
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(&work)).collect();
        let own = work();
        let joined = others.into_iter().map(|other| {
            other
                .join()
                .unwrap_or_else(|_| Err(QueryError::internal("a thread of an aggregation panicked, see the log")))
        });
        let joined: Vec<_> = joined.collect();
        std::iter::once(own).chain(joined).collect()
    })
}

/// One thread's part of an aggregation.
struct Worker<'t> {
    task: &'t AggregateTask,
    names: &'t [Names],
    context: &'t OperatorContext,
    workspace: Workspace,
    merged: MergedGroups,
    memory: MemoryReservation,
}

impl<'t> Worker<'t> {
    fn new(task: &'t AggregateTask, names: &'t [Names], context: &'t OperatorContext) -> Result<Self, QueryError> {
        Ok(Self {
            task,
            names,
            context,
            workspace: Workspace::new(&task.aggregation)?,
            merged: MergedGroups::new(&task.aggregation)?,
            memory: MemoryConsumer::new(CONSUMER).register(&context.memory),
        })
    }

    fn run(&mut self, work: &Work<'_>) -> Result<(), QueryError> {
        while let Some(segment) = work.take() {
            self.context.check()?;
            self.read(work, segment)?;
        }
        Ok(())
    }

    /// Reads parts of a segment until all are taken.
    fn read(&mut self, work: &Work<'_>, segment: &SegmentWork<'_>) -> Result<(), QueryError> {
        let opened = work.open(segment, self.context)?;
        if opened.rows.is_empty() {
            segment.take_all();
            return Ok(());
        }
        let Some(first) = segment.take_part() else { return Ok(()) };
        let start = Instant::now();
        let mut groups = SegmentGroups::new(&self.task.aggregation, opened, &mut self.workspace)?;
        let mut part = Some(first);
        while let Some(blocks) = part {
            self.context.check()?;
            for (block, rows) in opened.rows.blocks_in(blocks) {
                groups.add(block, &rows, &mut self.workspace)?;
            }
            self.memory.try_resize(self.bytes() + groups.bytes())?;
            part = segment.take_part();
        }
        self.context.metrics.scan_ns.add_since(start);
        let start = Instant::now();
        self.merge(&groups)?;
        self.context.metrics.merge_ns.add_since(start);
        Ok(())
    }

    /// Adds the groups of a segment to those of the segments before.
    fn merge(&mut self, groups: &SegmentGroups<'_>) -> Result<(), QueryError> {
        let used = groups.table().used();
        let keys = self.names.iter().zip(groups.keys()).enumerate();
        let numbers = keys.map(|(place, (names, key))| names.numbers(key, &groups.table().codes(place, &used)));
        let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
        self.merged.add(&numbers, &self.workspace.accumulators, &used);
        self.count_memory()
    }

    fn count_memory(&mut self) -> Result<(), QueryError> {
        Ok(self.memory.try_resize(self.bytes())?)
    }

    fn bytes(&self) -> usize {
        let accumulators = self.workspace.accumulators.iter().map(|accumulator| accumulator.bytes());
        self.merged.bytes() + accumulators.sum::<usize>()
    }
}

/// Makes batches of the groups, or of the top ones.
fn name(
    task: &AggregateTask,
    merged: &MergedGroups,
    names: &[Names],
    context: &OperatorContext,
) -> Result<Vec<RecordBatch>, QueryError> {
    let column = |place: usize, groups: &[u32]| match names.get(place) {
        Some(names) => Ok(names.array(&merged.numbers(place, groups))),
        None => merged.accumulators[place - names.len()].finish(groups),
    };
    let all: Vec<u32> = (0..merged.len() as u32).collect();
    let groups = match &task.top {
        Some(top @ TopGroups { column: place, .. }) if all.len() > top.count.get() => {
            top.rows_of(&column(*place, &all)?)?
        }
        _ => all,
    };
    let mut batches = Vec::new();
    for groups in groups.chunks(BATCH_ROWS) {
        context.check()?;
        let columns = 0..task.output.fields().len();
        let columns: Vec<ArrayRef> = columns.map(|place| column(place, groups)).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(groups.len()));
        batches.push(RecordBatch::try_new_with_options(task.output.clone(), columns, &options)?);
    }
    Ok(batches)
}
