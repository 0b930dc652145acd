//! Values that are computed from several columns, or by more than a cast: by DataFusion's expressions, block by block.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, SchemaRef, TimeUnit, TimestampMillisecondType};
use datafusion::physical_expr::PhysicalExpr;
use henge_indexing::{BLOCK_ROWS, BlockMask, RowSet};
use henge_segment_store::segment_reader::SegmentReader;

use super::accumulator::{Needs, Values};
use super::order_key::key_of_double;
use super::picks::Picks;
use crate::error::QueryError;

/// An expression over columns of a datasource.
#[derive(Debug, Clone)]
pub(crate) struct Formula {
    pub expression: Arc<dyn PhysicalExpr>,
    /// The columns that it is over, in their order, of the datasource's types.
    pub columns: SchemaRef,
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        self.expression.as_ref() == other.expression.as_ref() && self.columns == other.columns
    }
}

impl Eq for Formula {}

impl Hash for Formula {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expression.hash(state);
        self.columns.hash(state);
    }
}

/// A formula over the rows of a segment.
pub(super) struct ComputedInput<'s> {
    formula: Arc<Formula>,
    reader: &'s SegmentReader,
}

/// What came out for some rows of a block.
#[derive(Debug)]
pub(super) struct Computed {
    /// The rows whose value is not null.
    pub valid: BlockMask,
    /// Their values, side by side, as far as they are longs or order keys.
    longs: Vec<i64>,
    doubles: Vec<f64>,
}

impl Computed {
    pub fn new() -> Self {
        Self { valid: [0; BLOCK_ROWS / 64], longs: Vec::new(), doubles: Vec::new() }
    }

    /// Those of the rows that are not null.
    pub fn values(&self, needs: Needs) -> Result<Values<'_>, QueryError> {
        Ok(match needs {
            Needs::Rows => Values::Rows,
            Needs::Longs => {
                let magnitude = self.longs.iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
                Values::Longs { values: &self.longs, magnitude }
            }
            Needs::Doubles => Values::Doubles(&self.doubles),
            Needs::OrderKeys | Needs::DoubleKeys => Values::OrderKeys(&self.longs),
            needs => return Err(QueryError::internal(format!("{needs:?} cannot be computed"))),
        })
    }
}

impl<'s> ComputedInput<'s> {
    pub fn new(formula: Arc<Formula>, reader: &'s SegmentReader) -> Self {
        Self { formula, reader }
    }

    /// Evaluates the formula for these rows and for no others, which might have no value.
    pub fn evaluate(&self, block: usize, picks: &Picks, needs: Needs, out: &mut Computed) -> Result<(), QueryError> {
        out.valid = [0; BLOCK_ROWS / 64];
        out.longs.clear();
        out.doubles.clear();
        let (first, mut rows) = ((block * BLOCK_ROWS) as u32, Vec::with_capacity(picks.len()));
        picks.for_each(|row| rows.push(first + row as u32));
        let selected = RowSet::from_sorted_rows(self.reader.row_count(), rows.clone());
        let mut rows = rows.into_iter().map(|row| (row - first) as usize);
        for batch in self.reader.batches(self.formula.columns.clone(), &selected) {
            let batch = batch.map_err(|error| QueryError::from(&error))?;
            let array = self.formula.expression.evaluate(&batch)?.into_array(batch.num_rows())?;
            out.add(&array, rows.by_ref().take(batch.num_rows()), needs)?;
        }
        Ok(())
    }
}

impl Computed {
    fn add(&mut self, array: &ArrayRef, rows: impl Iterator<Item = usize>, needs: Needs) -> Result<(), QueryError> {
        for (number, row) in rows.enumerate() {
            self.valid[row / 64] |= u64::from(array.is_valid(number)) << (row % 64);
        }
        match (array.data_type(), needs) {
            (_, Needs::Rows) => {}
            (DataType::Int64, _) => self.longs.extend(array.as_primitive::<Int64Type>().iter().flatten()),
            (DataType::Timestamp(TimeUnit::Millisecond, None), _) => {
                self.longs.extend(array.as_primitive::<TimestampMillisecondType>().iter().flatten());
            }
            (DataType::Boolean, _) => self.longs.extend(array.as_boolean().iter().flatten().map(i64::from)),
            (DataType::Float64, Needs::DoubleKeys) => {
                self.longs.extend(array.as_primitive::<Float64Type>().iter().flatten().map(key_of_double));
            }
            (DataType::Float64, _) => self.doubles.extend(array.as_primitive::<Float64Type>().iter().flatten()),
            (kind, _) => return Err(QueryError::internal(format!("values of {kind} are not aggregated"))),
        }
        Ok(())
    }
}
