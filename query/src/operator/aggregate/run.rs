//! Runs an aggregation: threads take parts of segments, then their groups are merged and named.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use henge_segment_store::sketch::SketchKind;
use henge_segment_store::timeline::SegmentView;

use super::accumulator::{CodeHashes, Translation};
use super::merged::MergedGroups;
use super::names::{GroupNames, Names};
use super::segment_groups::{SegmentGroups, Workspace};
use super::work::{SegmentWork, Work};
use super::{AggregateFunction, AggregateTask, TopGroups};
use crate::cpu_pool::Turn;
use crate::error::QueryError;
use crate::operator::OperatorContext;

/// Rows of a batch at most.
const BATCH_ROWS: usize = 8_192;
/// What the operator is called where memory runs out.
const CONSUMER: &str = "aggregation";

pub(super) fn run(task: &AggregateTask, context: &OperatorContext) -> Result<Vec<RecordBatch>, QueryError> {
    context.check()?;
    let work = Work::new(task);
    let data_source = task.segments.iter().find_map(data_source_of);
    let names = GroupNames::new(&task.aggregation, data_source);
    let names_memory = Mutex::new(MemoryConsumer::new(CONSUMER).register(&context.memory));
    let threads = context.threads.get().min(work.parts()).max(1);
    let mut workers = run_on(threads, || {
        let mut worker = Worker::new(task, &names, &names_memory, context)?;
        let done = worker.run(&work);
        if done.is_err() {
            work.stop();
        }
        done.map(|()| worker)
    })?;
    let mut turn = context.share.turn()?;
    let start = Instant::now();
    let mut first = workers.pop().expect("at least one thread has worked");
    for worker in workers {
        context.check()?;
        turn.pass()?;
        first.merged.merge(&worker.merged, &names)?;
        first.count_memory()?;
    }
    context.metrics.groups.add(first.merged.len() as u64);
    context.metrics.merge_ns.add_since(start);
    let start = Instant::now();
    let batches = name(task, &first.merged, &names, context, &mut turn);
    context.metrics.output_ns.add_since(start);
    batches
}

fn data_source_of(segment: &SegmentView) -> Option<&str> {
    match segment {
        SegmentView::Published(segment) => Some(segment.meta.id.data_source.as_str()),
        SegmentView::Open(_) => None,
    }
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
    names: &'t GroupNames,
    names_memory: &'t Mutex<MemoryReservation>,
    context: &'t OperatorContext,
    turn: Turn<'t>,
    workspace: Workspace,
    merged: MergedGroups,
    memory: MemoryReservation,
}

impl<'t> Worker<'t> {
    fn new(
        task: &'t AggregateTask,
        names: &'t GroupNames,
        names_memory: &'t Mutex<MemoryReservation>,
        context: &'t OperatorContext,
    ) -> Result<Self, QueryError> {
        Ok(Self {
            task,
            names,
            names_memory,
            context,
            turn: context.share.turn()?,
            workspace: Workspace::new(&task.aggregation)?,
            merged: MergedGroups::new(&task.aggregation)?,
            memory: MemoryConsumer::new(CONSUMER).register(&context.memory),
        })
    }

    fn run(&mut self, work: &Work<'_>) -> Result<(), QueryError> {
        while let Some(segment) = work.take() {
            self.context.check()?;
            self.turn.pass()?;
            self.read(work, segment)?;
        }
        self.turn.pause();
        Ok(())
    }

    /// Reads parts of a segment until all are taken.
    fn read(&mut self, work: &Work<'_>, segment: &SegmentWork<'_>) -> Result<(), QueryError> {
        let opened = work.open(segment, self.context, &mut self.turn)?;
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
            self.turn.pass()?;
            for (block, rows) in opened.rows.blocks_in(blocks) {
                groups.add(block, &rows, &mut self.workspace)?;
            }
            self.memory.try_resize(self.bytes() + groups.bytes())?;
            if work.is_stopped() {
                return Ok(());
            }
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
        let keys = self.names.keys.iter().zip(groups.keys()).enumerate();
        let numbers = keys.map(|(place, (names, key))| names.numbers(key, &groups.table().codes(place, &used)));
        let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
        let mut translations = Vec::new();
        for (place, accumulator) in self.workspace.accumulators.iter().enumerate() {
            let values = accumulator.codes().zip(self.names.values[place].as_ref()).zip(groups.value_key(place));
            let function = &self.task.aggregation.aggregates[place].function;
            let translation = values.map(|((codes, names), key)| {
                names.numbers(key, &codes).map(|numbers| translation(function, names, &codes, &numbers))
            });
            translations.push(translation.transpose()?);
        }
        let names_memory = self.names_memory.lock().unwrap_or_else(PoisonError::into_inner);
        names_memory.try_resize(self.names.bytes())?;
        drop(names_memory);
        self.merged.add(&numbers, &self.workspace.accumulators, &used, self.names, &translations)?;
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

/// What the aggregate needs to know of each code up to the last of them.
fn translation(function: &AggregateFunction, names: &Names, codes: &[u32], numbers: &[u32]) -> Translation {
    let kind = match function {
        AggregateFunction::Sketch(call, _) => Some(call.kind),
        _ => None,
    };
    match kind {
        Some(SketchKind::Hll { .. }) => {
            Translation::Hashes(CodeHashes::Hll(by_code(codes, &names.hll_hashes(numbers), None)))
        }
        Some(SketchKind::Theta { .. }) => {
            Translation::Hashes(CodeHashes::Theta(by_code(codes, &names.theta_hashes(numbers), None)))
        }
        Some(SketchKind::Quantiles { .. }) | None => Translation::Numbers(by_code(codes, numbers, 0)),
    }
}

/// `known`: of each of the codes, which ascend.
fn by_code<T: Copy>(codes: &[u32], known: &[T], unknown: T) -> Vec<T> {
    let mut by_code = vec![unknown; codes.last().map_or(0, |code| *code as usize + 1)];
    codes.iter().zip(known).for_each(|(code, known)| by_code[*code as usize] = *known);
    by_code
}

/// Makes batches of the groups, or of the top ones.
fn name(
    task: &AggregateTask,
    merged: &MergedGroups,
    names: &GroupNames,
    context: &OperatorContext,
    turn: &mut Turn<'_>,
) -> Result<Vec<RecordBatch>, QueryError> {
    let column = |place: usize, groups: &[u32]| match names.keys.get(place) {
        Some(names) => Ok(names.array(&merged.numbers(place, groups))),
        None => {
            let place = place - names.keys.len();
            merged.accumulators[place].finish(groups, names.values[place].as_ref())
        }
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
        turn.pass()?;
        let columns = 0..task.output.fields().len();
        let columns: Vec<ArrayRef> = columns.map(|place| column(place, groups)).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(groups.len()));
        batches.push(RecordBatch::try_new_with_options(task.output.clone(), columns, &options)?);
    }
    Ok(batches)
}
