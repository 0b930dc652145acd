//! The distinct values of a column of strings that occur in the rows that pass a filter: what completes names and fills
//! lists of choices. They come from dictionaries in their order; rows are only read where the filter asks for more than
//! that column and whole segments.
//!
//! segment -> codes that occur -> the first of them in order -> texts -> merge of all segments

mod cursor;
mod merge;
mod segment_values;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::memory_pool::MemoryConsumer;
use henge_indexing::SortOrder;
use henge_segment_store::timeline::SegmentView;

use self::merge::merged;
use self::segment_values::SegmentValues;
use super::OperatorContext;
use crate::error::QueryError;
use crate::scan::RowFilter;

/// The order of values where none is asked for.
pub(crate) const ANY_ORDER: SortOrder = SortOrder { is_descending: false, is_nulls_first: true };

/// The distinct values of a column.
#[derive(Debug, Clone)]
pub(crate) struct ValuesTask {
    /// `None` where no row can pass: no segment is read then.
    pub filter: Option<RowFilter>,
    /// Those that the query's time touches.
    pub segments: Vec<SegmentView>,
    /// A column that the datasource's schema calls a string.
    pub column: Arc<str>,
    pub order: SortOrder,
    /// How many values are enough, the first in the order; `None` for all.
    pub count: Option<NonZeroUsize>,
    /// One field, `Utf8View`.
    pub output: SchemaRef,
    /// Off, predicates are evaluated row by row (invariant Q1).
    pub use_indexes: bool,
}

impl ValuesTask {
    /// The values in their order, in batches of at most 8,192. Blocking.
    ///
    /// # Errors
    /// The query is cancelled or needs more memory than it may use; a segment cannot be read.
    pub fn run(&self, context: &OperatorContext) -> Result<Vec<RecordBatch>, QueryError> {
        let Some(filter) = &self.filter else { return Ok(Vec::new()) };
        let memory = MemoryConsumer::new("Values").register(&context.memory);
        let rows = self.segments.iter().map(SegmentView::row_count).sum();
        context.reads.expect(rows);
        context.reads.begin(&self.segments)?;
        let found = context.spread(self.segments.len(), rows, |number| {
            context.check()?;
            let start = Instant::now();
            let found = SegmentValues::of(self, filter, &self.segments[number], &context.metrics)?;
            memory.try_grow(found.bytes())?;
            context.metrics.segments.add(1);
            context.reads.done(self.segments[number].row_count());
            context.metrics.scan_ns.add_since(start);
            Ok(found)
        })?;
        let _turn = context.share.turn()?;
        let start = Instant::now();
        let batches = merged(self, &found, context, &memory)?;
        context.metrics.merge_ns.add_since(start);
        Ok(batches)
    }
}

#[cfg(test)]
mod tests;
