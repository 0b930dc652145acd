//! A row for each series in each bucket, also where there was none.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, TimestampMillisecondArray, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMillisecondType};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::row::{OwnedRow, RowConverter, SortField};
use henge_segment_store::time::TimestampMs;

use super::Frame;
use crate::panel::bucket::{Bucket, Fill};

/// Rows of a filled frame.
const ROWS_MAX: usize = 1_000_000;

/// Why a frame cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    #[error(
        "there would be more than {ROWS_MAX} rows with those that are filled in: ask for longer buckets or fewer series"
    )]
    TooLong,
    #[error("gaps are not filled, for a series has several rows at one time: group by what tells them apart")]
    Ambiguous,
    #[error("gaps are not filled, for a time is null or not the start of a bucket")]
    NoBucket,
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// Which row each series has in each bucket.
struct Grid {
    buckets: Vec<TimestampMs>,
    /// A row of each series.
    series: Vec<usize>,
    /// By bucket, then by series.
    rows: Vec<Option<u32>>,
}

impl Frame {
    /// Fills the buckets that start from `start` on and before `end`. The frame is in order of time; other columns than
    /// numbers and the time tell series apart.
    pub fn fill(
        &mut self,
        time: usize,
        bucket: &Bucket,
        start: TimestampMs,
        end: TimestampMs,
    ) -> Result<(), FillError> {
        if bucket.fill == Fill::None || self.rows() == 0 {
            return Ok(());
        }
        let fields = self.batch.schema_ref().fields().clone();
        let is_number = |at: usize| at != time && matches!(fields[at].data_type(), DataType::Int64 | DataType::Float64);
        let labels: Vec<usize> = (0..fields.len()).filter(|at| *at != time && !is_number(*at)).collect();
        let grid = self.grid(time, &labels, bucket, start, end)?;
        let representatives: UInt32Array =
            (0..grid.rows.len()).map(|cell| Some(grid.series[cell % grid.series.len()] as u32)).collect();
        let rows = UInt32Array::from(grid.rows.clone());
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(fields.len());
        for (at, column) in self.batch.columns().iter().enumerate() {
            columns.push(match at {
                at if at == time => grid.times(),
                at if is_number(at) => grid.filled(&take(column, &rows, None)?, bucket.fill)?,
                _ => take(column, &representatives, None)?,
            });
        }
        let fields = fields
            .iter()
            .zip(&columns)
            .map(|(field, column)| field.as_ref().clone().with_data_type(column.data_type().clone()));
        let schema = arrow::datatypes::Schema::new(fields.collect::<Vec<_>>());
        self.batch = RecordBatch::try_new(Arc::new(schema), columns)?;
        Ok(())
    }

    fn grid(
        &self,
        time: usize,
        labels: &[usize],
        bucket: &Bucket,
        start: TimestampMs,
        end: TimestampMs,
    ) -> Result<Grid, FillError> {
        let times = self.batch.column(time).as_primitive::<TimestampMillisecondType>();
        if times.null_count() > 0 {
            return Err(FillError::NoBucket);
        }
        let starts = times.values();
        let first = bucket.granularity.floor(start).0.min(starts[0]);
        let end = end.0.max(starts[starts.len() - 1] + 1);
        let mut buckets = Vec::new();
        let mut next = TimestampMs(first);
        while next.0 < end {
            buckets.push(next);
            next = bucket.granularity.next(next);
            if buckets.len() > ROWS_MAX {
                return Err(FillError::TooLong);
            }
        }
        let (of_row, series) = self.series(labels)?;
        if buckets.len().saturating_mul(series.len()) > ROWS_MAX {
            return Err(FillError::TooLong);
        }
        let mut rows = vec![None; buckets.len() * series.len()];
        for (row, start) in starts.iter().enumerate() {
            let place = buckets.binary_search(&TimestampMs(*start)).map_err(|_| FillError::NoBucket)?;
            let cell = &mut rows[place * series.len() + of_row[row]];
            if cell.replace(row as u32).is_some() {
                return Err(FillError::Ambiguous);
            }
        }
        Ok(Grid { buckets, series, rows })
    }

    /// The series of each row, and a row of each series.
    fn series(&self, labels: &[usize]) -> Result<(Vec<usize>, Vec<usize>), ArrowError> {
        if labels.is_empty() {
            return Ok((vec![0; self.rows()], vec![0]));
        }
        let columns: Vec<ArrayRef> = labels.iter().map(|at| self.batch.column(*at).clone()).collect();
        let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
        let keys = RowConverter::new(fields)?.convert_columns(&columns)?;
        let (mut known, mut of_row, mut series) = (HashMap::<OwnedRow, usize>::new(), Vec::new(), Vec::new());
        for (row, key) in keys.iter().enumerate() {
            let number = *known.entry(key.owned()).or_insert_with(|| {
                series.push(row);
                series.len() - 1
            });
            of_row.push(number);
        }
        Ok((of_row, series))
    }
}

impl Grid {
    fn times(&self) -> ArrayRef {
        let times = self.buckets.iter().flat_map(|bucket| std::iter::repeat_n(bucket.0, self.series.len()));
        Arc::new(TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC"))
    }

    /// Values by bucket and series; null where there was no row, or where it had none.
    fn filled(&self, values: &ArrayRef, fill: Fill) -> Result<ArrayRef, ArrowError> {
        Ok(match (fill, values.data_type()) {
            (Fill::None | Fill::Null, _) => values.clone(),
            (Fill::Zero, DataType::Int64) => {
                let values = values.as_primitive::<Int64Type>();
                Arc::new(self.zeroed(values.iter(), 0).collect::<Int64Array>())
            }
            (Fill::Zero, _) => {
                let values = values.as_primitive::<Float64Type>();
                Arc::new(self.zeroed(values.iter(), 0.0).collect::<Float64Array>())
            }
            (Fill::Previous, _) => {
                let count = self.series.len();
                let mut last: Vec<Option<u32>> = vec![None; count];
                let places = (0..values.len()).map(|cell| {
                    if values.is_valid(cell) {
                        last[cell % count] = Some(cell as u32);
                    }
                    last[cell % count]
                });
                take(values, &places.collect::<UInt32Array>(), None)?
            }
            (Fill::Linear, _) => {
                let doubles = cast(values, &DataType::Float64)?;
                Arc::new(self.lines(doubles.as_primitive::<Float64Type>()))
            }
        })
    }

    /// What a row says to be null stays null.
    fn zeroed<T>(&self, values: impl Iterator<Item = Option<T>>, zero: T) -> impl Iterator<Item = Option<T>>
    where
        T: Copy,
    {
        values.zip(&self.rows).map(move |(value, row)| if row.is_none() { Some(zero) } else { value })
    }

    fn lines(&self, values: &Float64Array) -> Float64Array {
        let count = self.series.len();
        let mut filled: Vec<Option<f64>> = values.iter().collect();
        for series in 0..count {
            let mut last: Option<(usize, f64)> = None;
            for bucket in 0..self.buckets.len() {
                let Some(value) = filled[bucket * count + series] else { continue };
                if let Some((from, start)) = last {
                    let (first, length) =
                        (self.buckets[from].0, (self.buckets[bucket].0 - self.buckets[from].0) as f64);
                    for between in from + 1..bucket {
                        let part = (self.buckets[between].0 - first) as f64 / length;
                        filled[between * count + series] = Some(start + (value - start) * part);
                    }
                }
                last = Some((bucket, value));
            }
        }
        filled.into()
    }
}
