//! Groups the rows of segments and aggregates each group.
//!
//! segments -> parts of 64k rows, taken by threads -> groups by a segment's codes -> groups by values, each thread's
//! -> in parts (on disk, where they do not fit into memory) -> all threads' -> the top ones -> batches

mod accumulator;
mod aggregation;
mod cell_hash;
mod computed;
mod counted_rows;
mod edge_rows;
mod group_table;
mod groups;
mod inputs;
mod keeping;
mod kept_groups;
mod key;
mod merged;
mod names;
mod number_table;
mod numbered;
mod order_key;
mod parted;
mod picks;
mod read_groups;
mod result_key;
mod run;
mod segment_groups;
mod segment_sketches;
mod spilled;
mod text_numbers;
mod top;
mod translation;
mod work;

use std::sync::Arc;

#[cfg(test)]
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::timeline::SegmentView;

pub(crate) use self::accumulator::exact_double;
pub(crate) use self::aggregation::{
    Aggregate, AggregateFunction, Aggregation, ColumnKind, GroupKey, InputColumn, TopGroups,
};
pub(crate) use self::computed::Formula;
pub(crate) use self::kept_groups::KeptGroups;
pub(crate) use self::read_groups::ReadGroups;
pub(crate) use self::result_key::ResultKey;
pub(crate) use self::text_numbers::TextNumbers;
use super::OperatorContext;
use crate::error::QueryError;
use crate::scan::RowFilter;

/// An aggregation of some segments' rows.
#[derive(Debug, Clone)]
pub(crate) struct AggregateTask {
    pub data_source: DataSourceName,
    pub aggregation: Arc<Aggregation>,
    /// `None` where no row can pass: no segment is read then.
    pub filter: Option<RowFilter>,
    /// Those that the query's time touches.
    pub segments: Vec<SegmentView>,
    /// A field for each key, then for each aggregate: `Utf8View`, `Int64`, `Float64`, `Boolean`, or `Timestamp` in
    /// milliseconds.
    pub output: SchemaRef,
    /// The groups that are enough; `None` for all.
    pub top: Option<TopGroups>,
    /// Off, predicates are evaluated row by row (invariant Q1).
    pub use_indexes: bool,
}

impl AggregateTask {
    /// Reads the segments on up to `context.threads` threads, and yields the groups in no particular order. Blocking.
    ///
    /// # Errors
    /// The query is cancelled or needs more memory than it may use; a segment cannot be read.
    pub fn read(&self, context: &OperatorContext) -> Result<ReadGroups, QueryError> {
        run::run(self, context)
    }

    /// All groups.
    #[cfg(test)]
    pub fn run(&self, context: &OperatorContext) -> Result<Vec<RecordBatch>, QueryError> {
        let mut groups = self.read(context)?;
        let mut batches = Vec::new();
        while !groups.is_done() {
            batches.extend(groups.next(self, context)?);
        }
        Ok(batches)
    }
}

#[cfg(test)]
mod tests;
