//! The first rows in an order: `ORDER BY ... LIMIT` over the rows of segments, of which only the columns that decide are
//! read until it is known which rows they are.
//!
//! segments, the promising ones first -> rows that pass the filter -> rows before the last of those found so far ->
//! sort keys -> the best rows -> their other columns

mod best_rows;
mod output;
mod search;
mod sort_keys;

use std::num::NonZeroUsize;
use std::time::Instant;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use henge_indexing::SortOrder;
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::timeline::SegmentView;

use self::search::Search;
use super::OperatorContext;
use crate::error::QueryError;
use crate::scan::RowFilter;

/// More rows than this are left to DataFusion, which sorts all of them.
pub(crate) const ROWS_MAX: usize = 100_000;

/// The first rows of some segments in an order.
#[derive(Debug, Clone)]
pub(crate) struct TopRowsTask {
    /// `None` where no row can pass: no segment is read then.
    pub filter: Option<RowFilter>,
    /// Those that the query's time touches.
    pub segments: Vec<SegmentView>,
    /// The columns that rows are ordered by, the leading one first.
    pub order: Vec<SortKey>,
    /// How many rows are asked for, at most [`ROWS_MAX`].
    pub count: NonZeroUsize,
    /// Columns of the datasource, those of `order` among them.
    pub output: SchemaRef,
    /// Off, predicates are evaluated row by row (invariant Q1).
    pub use_indexes: bool,
}

/// A column that rows are ordered by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SortKey {
    /// Its place in the output.
    pub column: usize,
    pub order: SortOrder,
}

impl TopRowsTask {
    /// The rows in their order, in batches of at most 8,192. Which of several rows that are equal in all columns of the
    /// order come last is not said. Blocking.
    ///
    /// # Errors
    /// The query is cancelled or needs more memory than it may use; a segment cannot be read.
    pub fn run(&self, context: &OperatorContext) -> Result<Vec<RecordBatch>, QueryError> {
        let Some(filter) = &self.filter else { return Ok(Vec::new()) };
        let segments = self.segments_by_promise();
        context.reads.expect(segments.iter().map(SegmentView::row_count).sum());
        let search = Search::new(self, filter, &segments, context)?;
        // The first segments tell which of the others need no look, and each round more of them than the one before.
        let (mut start, mut round) = (0, context.threads.get());
        while start < segments.len() {
            let end = segments.len().min(start + round);
            search.read(start..end)?;
            (start, round) = (end, round * 2);
        }
        let _turn = context.share.turn()?;
        let start = Instant::now();
        let batches = search.into_batches()?;
        context.metrics.output_ns.add_since(start);
        Ok(batches)
    }

    /// Whether rows are ordered by time before all, and then whether the latest come first.
    fn is_latest_first(&self) -> Option<bool> {
        let leading = self.order.first()?;
        let is_time = self.output.field(leading.column).name() == TIME_COLUMN;
        is_time.then_some(leading.order.is_descending)
    }

    /// By time as the order has it; the latest first where time is not in it.
    fn segments_by_promise(&self) -> Vec<SegmentView> {
        let mut segments = self.segments.clone();
        match self.is_latest_first() {
            Some(false) => segments.sort_by_key(|segment| segment.time_bounds().0),
            _ => segments.sort_by_key(|segment| std::cmp::Reverse(segment.time_bounds().1)),
        }
        segments
    }
}

#[cfg(test)]
mod tests;
