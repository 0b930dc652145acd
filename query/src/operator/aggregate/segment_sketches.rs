//! A segment's column of sketches, of which a damaged one is told as the segment's damage.

use std::borrow::Cow;

use henge_indexing::BlockMask;
use henge_segment_store::segment_reader::SegmentReader;
use henge_segment_store::sketch::Sketch;
use henge_segment_store::sketch_values::SketchValues;

use crate::error::QueryError;

/// A column whose values are sketches.
#[derive(Debug)]
pub(super) struct SegmentSketches<'s> {
    values: SketchValues<'s>,
    reader: &'s SegmentReader,
}

impl<'s> SegmentSketches<'s> {
    pub fn new(name: &str, reader: &'s SegmentReader) -> Result<Self, QueryError> {
        let values = reader.sketches(name).map_err(|error| QueryError::from(&error))?;
        Ok(Self { values, reader })
    }

    /// The rows of a block that are not null.
    pub fn validity(&self, block: usize) -> BlockMask {
        self.values.validity(block)
    }

    /// The sketch in a row of a block that is not null.
    pub fn get(&self, block: usize, row: u16) -> Result<Cow<'s, Sketch>, QueryError> {
        let damaged = |error| QueryError::from(&self.reader.damaged(&error));
        self.values.get(block, row.into()).map_err(damaged)
    }
}
