//! A segment ready to be read: open rows and a serving form look alike from here up.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use henge_indexing::{Column, Predicate, RowSet, Way, evaluate_noting};

use crate::error::StoreError;
use crate::open_segment::OpenRows;
use crate::segment::{SegmentId, ServingBatches, ServingSegment};
use crate::sketch::SketchError;
use crate::sketch_values::SketchValues;

/// Batches of a scan; decoding happens in `next`.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, StoreError>> + Send>;

/// The rows of one segment as columns. What a query names was checked when this was made.
#[derive(Debug, Clone)]
pub enum SegmentReader {
    Open(Arc<OpenRows>),
    Published(SegmentId, Arc<ServingSegment>),
}

impl SegmentReader {
    pub fn row_count(&self) -> u32 {
        match self {
            Self::Open(rows) => u32::try_from(rows.row_count()).expect("a cut comes long before 2^32 rows"),
            Self::Published(_, serving) => serving.row_count(),
        }
    }

    /// A column by its name, `__time` included, in the kind that it is stored in; missing where the segment has none, and of
    /// sketches.
    pub fn column(&self, name: &str) -> Result<Column<'_>, StoreError> {
        match self {
            Self::Open(rows) => Ok(rows.column(name)),
            Self::Published(id, serving) => serving.column(name).map_err(|error| error.of_segment(id)),
        }
    }

    /// A column of sketches by its name; missing where the segment has none.
    pub fn sketches(&self, name: &str) -> Result<SketchValues<'_>, StoreError> {
        match self {
            Self::Open(rows) => Ok(rows.sketches(name)),
            Self::Published(id, serving) => serving.sketches(name).map_err(|error| error.of_segment(id)),
        }
    }

    /// Says which segment a sketch that cannot be read is of.
    pub fn damaged(&self, error: &SketchError) -> StoreError {
        match self {
            Self::Open(_) => unreachable!("open sketches are not read from bytes"),
            Self::Published(id, _) => StoreError::Corrupt { id: id.clone(), detail: error.to_string() },
        }
    }

    /// The rows for which a predicate is true; the same ones without indexes and zone maps (invariant Q1).
    pub fn evaluate(&self, predicate: &Predicate, use_indexes: bool) -> Result<RowSet, StoreError> {
        self.evaluate_noting(predicate, use_indexes, &mut |_, _| {})
    }

    /// The same; `note` is told of each test its column, and how it was made.
    pub fn evaluate_noting(
        &self,
        predicate: &Predicate,
        use_indexes: bool,
        note: &mut dyn FnMut(&str, Way),
    ) -> Result<RowSet, StoreError> {
        evaluate_noting(predicate, self.row_count(), use_indexes, &|name: &str| self.column(name), note)
    }

    /// Some of the rows, in order, with the columns that `projected` names (none at all yields row counts only). A column
    /// that the segment lacks is null, one that it holds in a narrower kind is promoted. Blocking.
    pub fn batches(&self, projected: SchemaRef, rows: &RowSet) -> Batches {
        match self {
            Self::Open(open) => Box::new(open.batches(projected, rows)),
            Self::Published(id, serving) => Box::new(ServingBatches::new(serving.clone(), id.clone(), projected, rows)),
        }
    }
}
