//! The stages one after another.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::{cast, filter_record_batch, is_not_null};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, SchemaRef, TimestampMillisecondType};
use datafusion::common::Result;
use henge_segment_store::time::TimestampMs;

use super::cells::Cells;
use super::label_table::LabelTable;
use super::totals::{Totals, Values};
use super::{Numbers, SeriesFoldTask, output};

/// What has come so far.
#[derive(Debug)]
pub(super) struct Folding<'t> {
    task: &'t SeriesFoldTask,
    /// Of all labels where series are told apart first, of the answer's where not.
    labels: LabelTable,
    cells: Cells,
}

impl<'t> Folding<'t> {
    pub fn new(task: &'t SeriesFoldTask) -> Result<Self> {
        let cells = Cells::new(Totals::of_numbers(task.time_agg.unwrap_or(task.agg), task.numbers));
        Ok(Self { task, labels: LabelTable::new(task.first_labels())?, cells })
    }

    /// Adds rows of labels, times and values. One without a value is none.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let value = batch.columns().last().expect("rows have values");
        let batch = match value.null_count() {
            0 => batch.clone(),
            _ => filter_record_batch(batch, &is_not_null(value)?)?,
        };
        let rows = batch.num_rows();
        let labels = batch.columns()[..self.task.first_labels()].iter().map(|labels| cast(labels, &DataType::Utf8View));
        let numbers = self.labels.numbers(&labels.collect::<Result<Vec<_>, _>>()?, rows)?;
        let buckets = self.buckets(&batch);
        let values = self.values(batch.columns().last().expect("rows have values"));
        self.cells.add(numbers.into_iter().zip(buckets), &values)?;
        Ok(())
    }

    /// The starts of the buckets that the rows lie in.
    fn buckets(&self, batch: &RecordBatch) -> Vec<i64> {
        let Some(bucket) = self.task.bucket.as_ref().filter(|_| self.task.is_timed) else {
            return vec![0; batch.num_rows()];
        };
        let times = batch.column(self.task.labels).as_primitive::<TimestampMillisecondType>();
        times.values().iter().map(|time| bucket.floor(TimestampMs(*time)).0).collect()
    }

    fn values(&self, values: &ArrayRef) -> Values {
        match self.task.numbers {
            Numbers::Longs => {
                let longs = values.as_primitive::<Int64Type>().values().iter();
                Values::Longs { values: longs.map(|value| i128::from(*value)).collect(), scale: 0 }
            }
            Numbers::Doubles => Values::Doubles(values.as_primitive::<Float64Type>().values().to_vec()),
        }
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        self.labels.bytes() + self.cells.bytes()
    }

    /// The answer, in order.
    pub fn finish(self, schema: SchemaRef) -> Result<Vec<RecordBatch>> {
        let Self { task, labels, cells } = self;
        let (groups, (keys, values)) = match task.time_agg {
            None => (labels, cells.finish()?),
            Some(_) => fold_series(task, &labels, cells)?,
        };
        let values = match task.scale() {
            Some(scale) => values.at_scale(scale)?,
            None => values,
        };
        values.check()?;
        let points = output::Points { groups, keys, values };
        output::batches(task, points, schema)
    }
}

/// What came out of each bucket of each group, by the numbers of both.
type Folded = (Vec<(u32, i64)>, Values);

/// From buckets of series to buckets of groups.
fn fold_series(task: &SeriesFoldTask, series: &LabelTable, cells: Cells) -> Result<(LabelTable, Folded)> {
    let mut groups = LabelTable::new(task.group_by.len())?;
    let all: Vec<u32> = (0..series.len() as u32).collect();
    let labels = series.labels(&all)?;
    let wanted = labels.get(..task.group_by.len()).unwrap_or_default();
    let group_of = groups.numbers(wanted, all.len())?;
    let (keys, values) = cells.finish()?;
    let mut folded = Cells::new(Totals::over(task.agg, &values));
    folded.add(keys.into_iter().map(|(series, bucket)| (group_of[series as usize], bucket)), &values)?;
    Ok((groups, folded.finish()?))
}
