//! Which rows of a segment a scan reads.

use std::collections::BTreeSet;
use std::ops::Bound;

use henge_indexing::{BLOCK_ROWS, NumberTest, Predicate, RowSet};
use henge_segment_store::error::StoreError;
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::segment_reader::SegmentReader;
use henge_segment_store::time::Interval;
use henge_segment_store::timeline::{SegmentView, Snapshot};

use super::WaysTaken;
use crate::pushdown::all_of;

/// The rows that pass: their time lies in the interval, and the predicate is true of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowFilter {
    pub interval: Interval,
    pub predicate: Option<Predicate>,
}

impl RowFilter {
    /// Whether a row of the segment may pass, by the segment's time alone.
    pub fn touches(&self, segment: &SegmentView) -> bool {
        let (earliest, latest) = segment.time_bounds();
        earliest < self.interval.end() && self.interval.start() <= latest
    }

    /// The segments of a snapshot of which a row may pass.
    pub fn chosen(&self, snapshot: &Snapshot) -> Vec<SegmentView> {
        snapshot.segments.iter().filter(|segment| self.touches(segment)).cloned().collect()
    }

    /// Whether all rows of the segment pass.
    pub fn takes_all_of(&self, segment: &SegmentView) -> bool {
        self.predicate.is_none() && self.has_times_of(segment)
    }

    /// Whether the time of every row of the segment passes.
    pub fn has_times_of(&self, segment: &SegmentView) -> bool {
        let (earliest, latest) = segment.time_bounds();
        self.interval.contains(earliest) && self.interval.contains(latest)
    }

    /// The columns that it reads.
    pub fn columns(&self) -> BTreeSet<&str> {
        let mut columns = BTreeSet::from([TIME_COLUMN]);
        if let Some(predicate) = &self.predicate {
            collect_columns(predicate, &mut columns);
        }
        columns
    }

    /// The rows of an open segment that pass.
    pub fn rows_of(
        &self,
        segment: &SegmentView,
        reader: &SegmentReader,
        use_indexes: bool,
        ways: &WaysTaken,
    ) -> Result<RowSet, StoreError> {
        match self.test_of(segment) {
            Some(test) => reader.evaluate_noting(&test, use_indexes, &mut |column, way| ways.note(column, way)),
            None => Ok(RowSet::all(reader.row_count())),
        }
    }

    /// What is left to test of a segment's rows.
    fn test_of(&self, segment: &SegmentView) -> Option<Predicate> {
        if self.has_times_of(segment) {
            return self.predicate.clone();
        }
        let lower = Bound::Included(self.interval.start().0);
        let upper = Bound::Excluded(self.interval.end().0);
        let time = Predicate::Long { column: TIME_COLUMN.into(), test: NumberTest::Range { lower, upper } };
        Some(all_of(std::iter::once(time).chain(self.predicate.clone()).collect()))
    }
}

/// A segment that is open, and the rows of it that pass.
#[derive(Debug)]
pub(super) struct Selection {
    pub reader: SegmentReader,
    pub rows: RowSet,
}

impl Selection {
    /// Blocking: opens the segment with what the filter and the projection name.
    pub fn new(
        segment: &SegmentView,
        filter: &RowFilter,
        projected: &[&str],
        ways: &WaysTaken,
    ) -> Result<Self, StoreError> {
        let test = filter.test_of(segment);
        let mut columns: BTreeSet<&str> = projected.iter().copied().collect();
        if let Some(test) = &test {
            collect_columns(test, &mut columns);
        }
        let reader = segment.open(&columns.into_iter().collect::<Vec<_>>())?;
        let rows = match &test {
            Some(test) => reader.evaluate_noting(test, true, &mut |column, way| ways.note(column, way))?,
            None => RowSet::all(reader.row_count()),
        };
        Ok(Self { reader, rows })
    }

    /// One of several parts with about as many of the rows each, cut between blocks.
    pub fn part(&self, part: usize, parts: usize) -> RowSet {
        let row_count = self.rows.row_count();
        let cut = |part: usize| match part {
            0 => 0,
            part if part == parts => row_count,
            part => self.row_after(self.rows.len() * part as u64 / parts as u64),
        };
        self.rows.and(&RowSet::from_range(row_count, cut(part)..cut(part + 1)))
    }

    /// The start of the first block before which there are at least `count` of the rows.
    fn row_after(&self, count: u64) -> u32 {
        let row_count = self.rows.row_count();
        let mut seen = 0;
        for (block, selected) in self.rows.blocks() {
            let first = (block * BLOCK_ROWS) as u32;
            if seen >= count {
                return first;
            }
            seen += selected.len((row_count - first).min(BLOCK_ROWS as u32) as usize) as u64;
        }
        row_count
    }
}

/// At most the first `count` rows.
pub(super) fn first_rows(rows: &RowSet, count: u64) -> RowSet {
    if rows.len() <= count {
        return rows.clone();
    }
    let mut left = u32::try_from(count).unwrap_or(u32::MAX);
    let mut ranges = Vec::new();
    for range in rows.ranges() {
        if left == 0 {
            break;
        }
        let end = range.end.min(range.start.saturating_add(left));
        left -= end - range.start;
        ranges.push(range.start..end);
    }
    RowSet::from_ranges(rows.row_count(), ranges)
}

fn collect_columns<'p>(predicate: &'p Predicate, columns: &mut BTreeSet<&'p str>) {
    match predicate {
        Predicate::Const(_) => {}
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().for_each(|part| collect_columns(part, columns));
        }
        Predicate::Not(inner) => collect_columns(inner, columns),
        Predicate::IsNull(column)
        | Predicate::Text { column, .. }
        | Predicate::Long { column, .. }
        | Predicate::Double { column, .. }
        | Predicate::Flag { column, .. } => {
            columns.insert(column);
        }
        Predicate::Columns { left, right, .. } => {
            columns.insert(left);
            columns.insert(right);
        }
    }
}
