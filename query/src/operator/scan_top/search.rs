//! Looks for the first rows, segment by segment and part by part, on several threads.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use datafusion::arrow::array::RecordBatch;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use henge_indexing::{BLOCK_ROWS, BlockMask, BlockRows, RowBound, RowOrder, RowSet, Scratch, SortValue};
use henge_segment_store::segment_reader::SegmentReader;
use henge_segment_store::timeline::SegmentView;

use super::best_rows::BestRows;
use super::sort_keys::SortKeys;
use super::{TopRowsTask, output};
use crate::error::QueryError;
use crate::operator::OperatorContext;
use crate::scan::RowFilter;

/// Rows that pass the filter are looked through in parts of about this many.
const PART_ROWS: u64 = if cfg!(test) { 1 << 11 } else { 1 << 16 };
/// A part has at least this many times the rows that are asked for: each brings up to that many to be compared.
const PART_COUNTS_MIN: u64 = 8;
/// Rows that may be among the first are put in order when there are this many, or as many as are asked for.
const PENDING_ROWS_MIN: usize = 256;
/// Blocks between two looks at whether the query is over: about a millisecond.
const BLOCKS_PER_CHECK: usize = 64;

/// A row of one of the segments.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundRow {
    pub segment: u32,
    pub row: u32,
}

/// A search in progress.
pub(super) struct Search<'a> {
    task: &'a TopRowsTask,
    filter: &'a RowFilter,
    /// The promising ones first.
    segments: &'a [SegmentView],
    context: &'a OperatorContext,
    keys: SortKeys,
    found: Mutex<Found>,
}

/// What the threads have found together.
struct Found {
    best: BestRows<FoundRow>,
    /// What a row has to come before, once there are enough.
    bound: Option<Arc<[SortValue]>>,
    memory: MemoryReservation,
}

/// A segment, open, with the rows that pass the filter.
struct Selected {
    number: u32,
    reader: SegmentReader,
    rows: RowSet,
}

/// Blocks of a selected segment.
struct Part<'s> {
    segment: &'s Selected,
    blocks: Range<usize>,
}

impl<'a> Search<'a> {
    pub fn new(
        task: &'a TopRowsTask,
        filter: &'a RowFilter,
        segments: &'a [SegmentView],
        context: &'a OperatorContext,
    ) -> Result<Self, QueryError> {
        let found =
            Found { best: BestRows::new(task.count.get()), bound: None, memory: consumer().register(&context.memory) };
        Ok(Self { task, filter, segments, context, keys: SortKeys::new(task)?, found: Mutex::new(found) })
    }

    /// Looks through some of the segments.
    pub fn read(&self, segments: Range<usize>) -> Result<(), QueryError> {
        let (promising, others): (Vec<usize>, Vec<usize>) =
            segments.partition(|&number| self.is_promising(&self.segments[number]));
        self.context.reads.done(others.iter().map(|&number| self.segments[number].row_count()).sum());
        let rows = promising.iter().map(|&number| self.segments[number].row_count()).sum();
        let selected = self.context.spread(promising.len(), rows, |place| self.select(promising[place]))?;
        let selected: Vec<Selected> = selected.into_iter().flatten().collect();
        let parts: Vec<Part<'_>> = selected.iter().flat_map(|segment| self.parts_of(segment)).collect();
        let rows = selected.iter().map(|segment| segment.rows.len()).sum();
        self.context.spread(parts.len(), rows, |number| self.read_part(&parts[number]))?;
        self.context.reads.done(promising.iter().map(|&number| self.segments[number].row_count()).sum());
        Ok(())
    }

    /// The rows that were found, in their order.
    pub fn into_batches(self) -> Result<Vec<RecordBatch>, QueryError> {
        let Found { best, memory, .. } = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        output::batches(self.segments, &best.into_sorted(), &self.task.output, self.context, &memory)
    }

    /// Whether a row of the segment may be among the first, by the segment's time.
    fn is_promising(&self, segment: &SegmentView) -> bool {
        let (Some(bound), Some(is_latest_first)) = (self.bound(), self.task.is_latest_first()) else { return true };
        let SortValue::Long(time) = bound[0] else { return true };
        let (earliest, latest) = segment.time_bounds();
        if is_latest_first { latest.0 >= time } else { earliest.0 <= time }
    }

    /// `None` where no row can be among the first.
    fn select(&self, number: usize) -> Result<Option<Selected>, QueryError> {
        self.context.check()?;
        let segment = &self.segments[number];
        self.context.reads.begin([segment])?;
        let start = Instant::now();
        let mut columns = self.filter.columns();
        columns.extend(self.keys.names());
        let store_error = |error| QueryError::from(&error);
        let reader = segment.open(&columns.into_iter().collect::<Vec<_>>()).map_err(store_error)?;
        if let Some(bound) = self.bound() {
            let order = self.keys.order_of(&reader)?;
            if !order.may_precede(&order.bound(&bound)) {
                return Ok(None);
            }
        }
        let rows = self
            .filter
            .rows_of(segment, &reader, self.task.use_indexes, &self.context.metrics.ways)
            .map_err(store_error)?;
        self.context.metrics.segments.add(1);
        self.context.metrics.rows.add(rows.len());
        self.context.metrics.filter_ns.add_since(start);
        Ok(Some(Selected { number: number as u32, reader, rows }))
    }

    fn parts_of<'s>(&self, segment: &'s Selected) -> impl Iterator<Item = Part<'s>> + use<'s> {
        let part_rows = PART_ROWS.max(self.task.count.get() as u64 * PART_COUNTS_MIN);
        let parts = segment.rows.len().div_ceil(part_rows) as usize;
        let blocks = (segment.rows.row_count() as usize).div_ceil(BLOCK_ROWS);
        let cut = move |part: usize| blocks * part / parts;
        let parts = (0..parts).map(move |part| Part { segment, blocks: cut(part)..cut(part + 1) });
        // Rows arrive in the order of time, more or less.
        let is_reversed = self.task.order.first().is_some_and(|leading| leading.order.is_descending);
        let mut parts: Vec<Part<'s>> = parts.collect();
        if is_reversed {
            parts.reverse();
        }
        parts.into_iter()
    }

    fn read_part(&self, part: &Part<'_>) -> Result<(), QueryError> {
        let start = Instant::now();
        let order = self.keys.order_of(&part.segment.reader)?;
        let bound = self.bound().map(|bound| order.bound(&bound));
        if bound.as_ref().is_some_and(|bound| !order.may_precede(bound)) {
            return Ok(());
        }
        let mut blocks: Vec<(usize, BlockRows)> = part.segment.rows.blocks_in(part.blocks.clone()).collect();
        order.sort_blocks(&mut blocks);
        let mut search = PartSearch {
            keys: &self.keys,
            reader: &part.segment.reader,
            order: &order,
            bound,
            best: BestRows::new(self.task.count.get()),
            pending: Vec::new(),
            pending_max: self.task.count.get().max(PENDING_ROWS_MIN),
            memory: consumer().register(&self.context.memory),
        };
        let mut scratch = Scratch::default();
        for (number, (block, rows)) in blocks.iter().enumerate() {
            if number % BLOCKS_PER_CHECK == 0 {
                self.context.check()?;
            }
            search.read_block(*block, rows, &mut scratch)?;
        }
        search.sort_out()?;
        let best = search.best;
        self.context.metrics.scan_ns.add_since(start);
        if best.is_empty() { Ok(()) } else { self.add(part.segment.number, best) }
    }

    /// Adds what a part has found to what the others have.
    fn add(&self, segment: u32, best: BestRows<u32>) -> Result<(), QueryError> {
        let start = Instant::now();
        let mut found = self.found();
        let Found { best: all, bound, memory } = &mut *found;
        all.add(best.into_rows().into_iter().map(|(key, row)| (key, FoundRow { segment, row })));
        memory.try_resize(all.bytes())?;
        if let Some(last) = all.last() {
            *bound = Some(self.keys.values(last)?.into());
        }
        self.context.metrics.merge_ns.add_since(start);
        Ok(())
    }

    fn bound(&self) -> Option<Arc<[SortValue]>> {
        self.found().bound.clone()
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        // A panic ends the query anyway.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn consumer() -> MemoryConsumer {
    MemoryConsumer::new("TopRows")
}

/// The search in one part of a segment.
struct PartSearch<'p> {
    keys: &'p SortKeys,
    reader: &'p SegmentReader,
    order: &'p RowOrder<'p>,
    /// What a row has to come before.
    bound: Option<RowBound>,
    best: BestRows<u32>,
    /// Rows that come before the bound as it was when they were read.
    pending: Vec<u32>,
    pending_max: usize,
    memory: MemoryReservation,
}

impl PartSearch<'_> {
    fn read_block(&mut self, block: usize, rows: &BlockRows, scratch: &mut Scratch) -> Result<(), QueryError> {
        let first_row = (block * BLOCK_ROWS) as u32;
        let block_rows = (self.reader.row_count() - first_row).min(BLOCK_ROWS as u32) as usize;
        let pending = &mut self.pending;
        let mut push = |row: usize| pending.push(first_row + row as u32);
        match &mut self.bound {
            None => rows.for_each(block_rows, &mut push),
            Some(bound) if self.order.may_precede_in(block, bound) => {
                let mask: BlockMask = self.order.preceding(block, &rows.to_mask(block_rows), bound, scratch);
                BlockRows::Mask(mask).for_each(block_rows, &mut push);
            }
            Some(_) => {}
        }
        if self.pending.len() >= self.pending_max { self.sort_out() } else { Ok(()) }
    }

    /// Keeps the best of the rows that are pending.
    fn sort_out(&mut self) -> Result<(), QueryError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.pending.sort_unstable();
        let rows = RowSet::from_sorted_rows(self.reader.row_count(), self.pending.clone());
        let keys = self.keys.keys_of(self.reader, &rows)?;
        self.best.add(keys.into_iter().zip(self.pending.drain(..)));
        self.memory.try_resize(self.best.bytes() + self.pending.capacity() * size_of::<u32>())?;
        if let Some(last) = self.best.last() {
            self.bound = Some(self.order.bound(&self.keys.values(last)?));
        }
        Ok(())
    }
}
