//! Reads the segments of an aggregation: threads take parts of them, and each brings together the groups that it finds.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use henge_segment_store::timeline::SegmentView;

use super::AggregateTask;
use super::names::GroupNames;
use super::parted::PartedGroups;
use super::read_groups::{Part, ReadGroups};
use super::segment_groups::{SegmentGroups, Workspace};
use super::work::{SegmentWork, Work};
use crate::cpu_pool::Turn;
use crate::error::QueryError;
use crate::operator::OperatorContext;

/// What the operator is called where memory runs out.
const CONSUMER: &str = "aggregation";

pub(super) fn run(task: &AggregateTask, context: &OperatorContext) -> Result<ReadGroups, QueryError> {
    context.check()?;
    let work = Work::new(task);
    let data_source = task.segments.iter().find_map(data_source_of);
    let names = GroupNames::new(&task.aggregation, data_source);
    let names_memory = Mutex::new(MemoryConsumer::new(CONSUMER).register(&context.memory));
    let threads = context.threads.get().min(work.parts()).max(1);
    let workers = run_on(threads, || {
        let mut worker = Worker::new(task, &names, &names_memory, context)?;
        let done = worker.run(&work);
        if done.is_err() {
            work.stop();
        }
        done.map(|()| worker.into_groups())
    })?;
    let memory = MemoryConsumer::new(CONSUMER).register(&context.memory);
    let parts = parts(workers, &names, &memory)?;
    let names_memory = names_memory.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(ReadGroups::new(names, parts, memory, names_memory))
}

/// Puts the parts of all threads side by side. `memory` takes over what they hold.
fn parts(
    found: Vec<(PartedGroups, MemoryReservation)>,
    names: &GroupNames,
    memory: &MemoryReservation,
) -> Result<Vec<Part>, QueryError> {
    let is_split = found.iter().any(|(groups, _)| groups.is_split());
    let mut parts: Vec<Part> = Vec::new();
    for (mut groups, held) in found {
        if is_split {
            groups.split(names)?;
        }
        drop(held);
        memory.grow(groups.bytes());
        let pieces = groups.into_parts();
        parts.resize_with(pieces.len(), Part::default);
        parts.iter_mut().zip(pieces).for_each(|(part, piece)| part.pieces.push(piece));
    }
    Ok(parts)
}

fn data_source_of(segment: &SegmentView) -> Option<&str> {
    match segment {
        SegmentView::Published(segment) => Some(segment.meta.id.data_source.as_str()),
        SegmentView::Open(_) => None,
    }
}

/// Runs `work` on some threads at once, this one among them, and collects what they return.
pub(super) fn run_on<T: Send>(
    threads: usize,
    work: impl Fn() -> Result<T, QueryError> + Sync,
) -> Result<Vec<T>, QueryError> {
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
    merged: PartedGroups,
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
            merged: PartedGroups::new(&task.aggregation)?,
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
            let translation = values
                .map(|((codes, names), key)| names.numbers(key, &codes).map(|numbers| translation(&codes, &numbers)));
            translations.push(translation.transpose()?);
        }
        let names_memory = self.names_memory.lock().unwrap_or_else(PoisonError::into_inner);
        names_memory.try_resize(self.names.bytes())?;
        drop(names_memory);
        self.merged.add(&numbers, &self.workspace.accumulators, &used, self.names, &translations)?;
        self.count_memory()
    }

    /// What it has found, and the memory that this takes.
    fn into_groups(self) -> (PartedGroups, MemoryReservation) {
        (self.merged, self.memory)
    }

    fn count_memory(&mut self) -> Result<(), QueryError> {
        Ok(self.memory.try_resize(self.bytes())?)
    }

    fn bytes(&self) -> usize {
        let accumulators = self.workspace.accumulators.iter().map(|accumulator| accumulator.bytes());
        self.merged.bytes() + accumulators.sum::<usize>()
    }
}

/// For each code up to the last of them its number.
fn translation(codes: &[u32], numbers: &[u32]) -> Vec<u32> {
    let mut number_of = vec![0; codes.last().map_or(0, |code| *code as usize + 1)];
    codes.iter().zip(numbers).for_each(|(code, number)| number_of[*code as usize] = *number);
    number_of
}
