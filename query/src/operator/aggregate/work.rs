//! What the threads of an aggregation share out among them: segments, and parts of segments.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use henge_indexing::{BLOCK_ROWS, RowSet};
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::segment::PublishedSegment;
use henge_segment_store::segment_reader::SegmentReader;
use henge_segment_store::sketch::SketchKind;
use henge_segment_store::timeline::SegmentView;

use super::keeping::Keeping;
use super::names::GroupNames;
use super::result_key::{PlanKey, ResultKey};
use super::{AggregateFunction, AggregateTask, GroupKey, InputColumn, KeptGroups};
use crate::cpu_pool::Turn;
use crate::error::QueryError;
use crate::operator::OperatorContext;
use crate::result_cache::ResultCacheUse;
use crate::scan::WaysTaken;
use crate::segment_reads::SegmentReads;

/// Blocks of a part: about a tenth of a millisecond's work.
const PART_BLOCKS: usize = if cfg!(test) { 2 } else { 64 };

/// The segments of a task, each of which is in one of three states: untouched, some parts taken, all parts taken.
#[derive(Debug)]
pub(super) struct Work<'t> {
    task: &'t AggregateTask,
    segments: Vec<SegmentWork<'t>>,
    untouched: AtomicUsize,
    is_stopped: AtomicBool,
}

/// A segment to read in parts.
#[derive(Debug)]
pub(super) struct SegmentWork<'t> {
    view: &'t SegmentView,
    pub parts: usize,
    taken: AtomicUsize,
    opened: OnceLock<Result<OpenedSegment, QueryError>>,
    /// What is there of an earlier query; nothing is read then.
    pub kept: Option<Arc<[KeptGroups]>>,
    /// Where what is found may be kept.
    keeping: Option<Keeping>,
}

/// A segment at hand, with the rows to read.
#[derive(Debug)]
pub(super) struct OpenedSegment {
    pub reader: SegmentReader,
    /// Those that pass the query's filter.
    pub rows: RowSet,
    /// For each aggregate with a filter of its own, the rows that pass that one.
    pub passing: Vec<Option<RowSet>>,
}

impl<'t> Work<'t> {
    /// Finds out what is kept already of `results`, for as long as `names` still stand for it.
    pub fn new(task: &'t AggregateTask, names: &GroupNames, results: Option<&ResultCacheUse>) -> Self {
        let mut segments = Vec::new();
        if let Some(filter) = &task.filter {
            // Without indexes everything is to be read. What ranks say may depend on how their sketches were merged.
            let has_ranks = task.aggregation.aggregates.iter().any(|aggregate| is_of_ranks(&aggregate.function));
            let results = results.filter(|results| results.is_on() && task.use_indexes && !has_ranks);
            let results = results.map(|results| (results, Arc::new(PlanKey::new(&task.aggregation, filter))));
            for view in task.segments.iter().filter(|segment| filter.touches(segment)) {
                let mut segment = SegmentWork::new(view);
                if let (Some((results, plan)), SegmentView::Published(published)) = (&results, view) {
                    let key = ResultKey::new(plan, &task.aggregation, filter, published);
                    segment.look_up(key, published, names, results);
                }
                segments.push(segment);
            }
        }
        Self { task, segments, untouched: AtomicUsize::new(0), is_stopped: AtomicBool::new(false) }
    }

    /// Counts what is to be read, and returns of how many rows those segments are.
    pub fn begin(&self, reads: &SegmentReads) -> Result<u64, QueryError> {
        let to_read = self.segments.iter().filter(|segment| segment.kept.is_none()).map(|segment| segment.view);
        let rows = to_read.clone().map(SegmentView::row_count).sum();
        reads.expect(rows);
        reads.begin(to_read)?;
        Ok(rows)
    }

    /// How many threads can be busy at once.
    pub fn parts(&self) -> usize {
        self.segments.iter().map(|segment| segment.parts).sum()
    }

    /// A thread has failed: what the others find is of no use.
    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// The next untouched segment; where there is none, the one with the most parts that are left.
    pub fn take(&self) -> Option<&SegmentWork<'t>> {
        if self.is_stopped() {
            return None;
        }
        if let Some(segment) = self.segments.get(self.untouched.fetch_add(1, Ordering::Relaxed)) {
            return Some(segment);
        }
        self.segments.iter().max_by_key(|segment| segment.parts_left()).filter(|segment| segment.parts_left() > 0)
    }

    /// The segment's rows, found by whoever asks first. Blocking, and without a turn while the segment is not at hand.
    pub fn open<'w>(
        &self,
        segment: &'w SegmentWork<'t>,
        context: &OperatorContext,
        turn: &mut Turn<'_>,
    ) -> Result<&'w OpenedSegment, QueryError> {
        if segment.opened.get().is_none() && !segment.view.is_at_hand() {
            turn.pause();
            segment.view.open(&[]).map_err(|error| QueryError::from(&error))?;
            turn.pass()?;
        }
        let open = || {
            let start = Instant::now();
            let opened = self.open_first(segment.view, &context.metrics.ways)?;
            context.metrics.segments.add(1);
            context.metrics.rows.add(opened.rows.len());
            if opened.rows.is_empty() {
                context.reads.done(segment.view.row_count());
            }
            context.metrics.filter_ns.add_since(start);
            Ok(opened)
        };
        segment.opened.get_or_init(open).as_ref().map_err(Clone::clone)
    }

    fn open_first(&self, view: &SegmentView, ways: &WaysTaken) -> Result<OpenedSegment, QueryError> {
        let store_error = |error| QueryError::from(&error);
        let reader = view.open(&self.columns().into_iter().collect::<Vec<_>>()).map_err(store_error)?;
        let filter = self.task.filter.as_ref().expect("without a filter there are no segments");
        let rows = filter.rows_of(view, &reader, self.task.use_indexes, ways).map_err(store_error)?;
        let mut passing = Vec::new();
        for aggregate in &self.task.aggregation.aggregates {
            passing.push(match &aggregate.filter {
                Some(filter) => {
                    let rows = filter.rows_of(view, &reader, self.task.use_indexes, ways).map_err(store_error)?;
                    (!rows.is_all()).then_some(rows)
                }
                None => None,
            });
        }
        Ok(OpenedSegment { reader, rows, passing })
    }

    /// Every column that the task reads.
    fn columns(&self) -> BTreeSet<&str> {
        let aggregation = &self.task.aggregation;
        let keys = aggregation.keys.iter().map(|key| match key {
            GroupKey::Column(column) => column.name.as_ref(),
            GroupKey::TimeBucket(_) => TIME_COLUMN,
        });
        let inputs = aggregation.aggregates.iter().filter_map(|aggregate| aggregate.function.input());
        let filters = aggregation.aggregates.iter().filter_map(|aggregate| aggregate.filter.as_ref());
        let mut columns: BTreeSet<&str> = keys.chain(inputs.flat_map(InputColumn::sources)).collect();
        if aggregation.aggregates.iter().any(|aggregate| aggregate.function.is_by_time()) {
            columns.insert(TIME_COLUMN);
        }
        columns.extend(filters.chain(&self.task.filter).flat_map(|filter| filter.columns()));
        columns
    }
}

impl<'t> SegmentWork<'t> {
    fn new(view: &'t SegmentView) -> Self {
        let blocks = (view.row_count() as usize).div_ceil(BLOCK_ROWS);
        Self {
            view,
            parts: blocks.div_ceil(PART_BLOCKS).max(1),
            taken: AtomicUsize::new(0),
            opened: OnceLock::new(),
            kept: None,
            keeping: None,
        }
    }

    fn look_up(
        &mut self,
        key: ResultKey,
        segment: &Arc<PublishedSegment>,
        names: &GroupNames,
        results: &ResultCacheUse,
    ) {
        self.kept = results.get(&key, |kept| kept.iter().all(|kept| kept.fits(names)));
        if self.kept.is_some() {
            self.parts = 1;
        } else if results.is_filled() {
            self.keeping = Some(Keeping::new(key, segment.clone()));
        }
    }

    /// What is found of the segment is not complete in one place.
    pub fn keep_nothing(&self) {
        if let Some(keeping) = &self.keeping {
            keeping.give_up();
        }
    }

    /// Where what is found of the segment may be kept.
    pub fn keeping(&self) -> Option<&Keeping> {
        self.keeping.as_ref()
    }

    /// The blocks of the next part, which nobody else gets.
    pub fn take_part(&self) -> Option<Range<usize>> {
        let part = self.taken.fetch_add(1, Ordering::Relaxed);
        (part < self.parts).then(|| part * PART_BLOCKS..(part + 1) * PART_BLOCKS)
    }

    /// Rows in some blocks.
    pub fn rows_in(&self, blocks: &Range<usize>) -> u64 {
        let row = |block: usize| ((block * BLOCK_ROWS) as u64).min(self.view.row_count());
        row(blocks.end) - row(blocks.start)
    }

    /// Where no row is to be read.
    pub fn take_all(&self) {
        self.taken.store(self.parts, Ordering::Relaxed);
    }

    fn parts_left(&self) -> usize {
        self.parts.saturating_sub(self.taken.load(Ordering::Relaxed))
    }
}

fn is_of_ranks(function: &AggregateFunction) -> bool {
    matches!(function, AggregateFunction::Sketch(call, _) if matches!(call.kind, SketchKind::Quantiles { .. }))
}
