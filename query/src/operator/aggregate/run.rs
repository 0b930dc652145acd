//! Reads the segments of an aggregation: threads take parts of them, and each brings together the groups that it finds.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};

use super::names::GroupNames;
use super::numbered::NumberedGroups;
use super::parted::PartedGroups;
use super::read_groups::{Part, ReadGroups};
use super::segment_groups::{SegmentGroups, Workspace};
use super::spilled::SpilledGroups;
use super::work::{SegmentWork, Work};
use super::{AggregateTask, KeptGroups, keeping};
use crate::cpu_pool::Turn;
use crate::error::QueryError;
use crate::operator::OperatorContext;

/// What the operator is called where memory runs out.
const CONSUMER: &str = "aggregation";

pub(super) fn run(task: &AggregateTask, context: &OperatorContext) -> Result<ReadGroups, QueryError> {
    context.check()?;
    let names = GroupNames::new(&task.aggregation, task.data_source.as_str());
    let work = Work::new(task, &names, context.results.as_deref());
    let rows = work.begin(&context.reads)?;
    let names_memory = Mutex::new(MemoryConsumer::new(CONSUMER).register(&context.memory));
    let threads = context.threads_for(rows).min(work.parts()).max(1);
    let workers = run_on(threads, || {
        let mut worker = Worker::new(task, &names, &names_memory, context)?;
        let done = worker.run(&work);
        if done.is_err() {
            work.stop();
        }
        done.map(|()| worker.into_found())
    })?;
    let memory = MemoryConsumer::new(CONSUMER).register(&context.memory);
    let parts = parts(workers, &names, &memory)?;
    let names_memory = names_memory.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(ReadGroups::new(names, parts, memory, names_memory))
}

/// What a thread has found.
struct Found {
    groups: PartedGroups,
    /// What it found before.
    spilled: Option<SpilledGroups>,
    memory: MemoryReservation,
}

/// Puts the parts of all threads side by side. `memory` takes over what they hold.
fn parts(found: Vec<Found>, names: &GroupNames, memory: &MemoryReservation) -> Result<Vec<Part>, QueryError> {
    let is_split = found.iter().any(|found| found.groups.is_split() || found.spilled.is_some());
    let mut parts: Vec<Part> = Vec::new();
    for Found { mut groups, spilled, memory: held } in found {
        if is_split {
            groups.split(names)?;
        }
        drop(held);
        memory.grow(groups.bytes());
        let pieces = groups.into_parts();
        let spilled = spilled.map(Arc::new);
        parts.resize_with(pieces.len(), Part::default);
        for (place, (part, piece)) in parts.iter_mut().zip(pieces).enumerate() {
            part.place = place;
            part.pieces.push(piece);
            part.spilled.extend(spilled.clone());
        }
    }
    Ok(parts)
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
    spilled: Option<SpilledGroups>,
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
            spilled: None,
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
        if let Some(kept) = &segment.kept {
            return if segment.take_part().is_some() { self.merge_kept(kept) } else { Ok(()) };
        }
        let opened = work.open(segment, self.context, &mut self.turn)?;
        if opened.rows.is_empty() {
            segment.take_all();
            self.keep(segment, segment.parts, None);
            return Ok(());
        }
        let Some(first) = segment.take_part() else { return Ok(()) };
        let start = Instant::now();
        let mut groups = SegmentGroups::new(&self.task.aggregation, opened, &mut self.workspace)?;
        let (mut part, mut parts) = (Some(first), 0);
        while let Some(blocks) = part {
            self.context.check()?;
            self.turn.pass()?;
            let read = blocks.clone();
            for (block, rows) in opened.rows.blocks_in(blocks) {
                groups.add(block, &rows, &mut self.workspace)?;
            }
            if !self.fits(groups.bytes()) {
                self.merge(&NumberedGroups::new(&groups, &self.workspace.accumulators, self.names)?)?;
                self.spill()?;
                segment.keep_nothing();
                groups = SegmentGroups::new(&self.task.aggregation, opened, &mut self.workspace)?;
            }
            if work.is_stopped() {
                return Ok(());
            }
            parts += 1;
            self.context.reads.done(segment.rows_in(&read));
            part = segment.take_part();
        }
        self.context.metrics.scan_ns.add_since(start);
        let start = Instant::now();
        let found = NumberedGroups::new(&groups, &self.workspace.accumulators, self.names)?;
        let kept = self.kept(segment, &found, groups.table().len(), opened.rows.len())?;
        self.merge(&found)?;
        self.keep(segment, parts, kept);
        self.context.metrics.merge_ns.add_since(start);
        Ok(())
    }

    /// Adds the groups of a segment to those of the segments before.
    fn merge(&mut self, found: &NumberedGroups) -> Result<(), QueryError> {
        self.count_names()?;
        let translations = found.translations(&self.task.aggregation, self.names);
        let accumulators = &self.workspace.accumulators;
        self.merged.add(&found.keys, accumulators, &found.groups, self.names, &translations)?;
        if self.fits(0) { Ok(()) } else { self.spill() }
    }

    /// Adds groups of a segment that need not be read.
    fn merge_kept(&mut self, kept: &[KeptGroups]) -> Result<(), QueryError> {
        let start = Instant::now();
        for kept in kept {
            kept.add_to(&mut self.merged, self.names)?;
        }
        self.count_names()?;
        self.context.metrics.kept_segments.add(1);
        self.context.metrics.merge_ns.add_since(start);
        if self.fits(0) { Ok(()) } else { self.spill() }
    }

    /// What was found in parts of a segment, in a form that later queries can use; `None` where that does not pay.
    fn kept(
        &self,
        segment: &SegmentWork<'_>,
        found: &NumberedGroups,
        groups_total: usize,
        rows: u64,
    ) -> Result<Option<KeptGroups>, QueryError> {
        let Some((keeping, results)) = segment.keeping().zip(self.context.results.as_deref()) else { return Ok(None) };
        let accumulators = &self.workspace.accumulators;
        let bytes = keeping::bytes_of(found, accumulators, groups_total);
        if !keeping.wants(found.groups.len(), bytes, rows, results) {
            return Ok(None);
        }
        KeptGroups::new(&self.task.aggregation, found, accumulators, self.names).map(Some)
    }

    /// Keeps what was found of a segment, once all of its parts are there.
    fn keep(&self, segment: &SegmentWork<'_>, parts: usize, kept: Option<KeptGroups>) {
        if let Some((keeping, results)) = segment.keeping().zip(self.context.results.as_deref()) {
            keeping.add(kept, parts, segment.parts, results);
        }
    }

    fn count_names(&self) -> Result<(), QueryError> {
        let names_memory = self.names_memory.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(names_memory.try_resize(self.names.bytes())?)
    }

    fn into_found(self) -> Found {
        Found { groups: self.merged, spilled: self.spilled, memory: self.memory }
    }

    /// Whether what it holds, and `more`, fits into memory; accounts for it if so.
    fn fits(&self, more: usize) -> bool {
        let bytes = self.bytes() + more;
        bytes <= self.context.groups_bytes_max && self.memory.try_resize(bytes).is_ok()
    }

    /// Puts what was found of the segments before on disk; what the workspace holds is forgotten.
    fn spill(&mut self) -> Result<(), QueryError> {
        if !self.task.aggregation.keys.is_empty() {
            self.merged.split(self.names)?;
            let full = std::mem::replace(&mut self.merged, PartedGroups::new(&self.task.aggregation)?);
            self.workspace = Workspace::new(&self.task.aggregation)?;
            let spilled = match &mut self.spilled {
                Some(spilled) => spilled,
                None => self.spilled.insert(SpilledGroups::new(&self.context.spill)?),
            };
            let before = spilled.bytes();
            // Others may use the CPU while this waits for the disk.
            self.turn.pause();
            spilled.add(&full.into_parts(), self.context)?;
            self.context.metrics.spilled_bytes.add(spilled.bytes() - before);
            self.turn.pass()?;
        }
        Ok(self.memory.try_resize(self.bytes())?)
    }

    fn bytes(&self) -> usize {
        self.merged.bytes() + self.workspace.bytes()
    }
}
