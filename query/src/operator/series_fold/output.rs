//! The groups that are wanted, in their order.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, RecordBatch, RecordBatchOptions, StringViewArray,
    TimestampMillisecondArray,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;

use super::label_table::LabelTable;
use super::totals::Values;
use super::{DIGITS, SeriesFoldTask};
use crate::series::GroupOrder;

/// Rows of a batch at most.
const BATCH_ROWS: usize = 8_192;

/// A value for each of some groups and buckets, in no order.
pub(super) struct Points {
    pub groups: LabelTable,
    pub keys: Vec<(u32, i64)>,
    pub values: Values,
}

pub(super) fn batches(task: &SeriesFoldTask, points: Points, schema: SchemaRef) -> Result<Vec<RecordBatch>> {
    let order = match &task.order {
        GroupOrder::ByLabels { after, count } => points.by_labels(after.as_deref(), *count)?,
        GroupOrder::ByValue { is_descending, count } => points.by_value(*is_descending, *count),
    };
    order.chunks(BATCH_ROWS).map(|places| points.batch(task, places, schema.clone())).collect()
}

impl Points {
    /// Places of the points of up to `count` groups behind the labels `after`.
    fn by_labels(&self, after: Option<&[Option<String>]>, count: usize) -> Result<Vec<usize>> {
        let mut groups: Vec<u32> = (0..self.groups.len() as u32).collect();
        if let Some(after) = after {
            let labels = after.iter().map(|label| Arc::new(StringViewArray::from_iter([label.as_deref()])) as ArrayRef);
            let after = self.groups.key_of(&labels.collect::<Vec<_>>())?;
            groups.retain(|group| self.groups.key(*group) > after.as_slice());
        }
        groups.sort_unstable_by(|left, right| self.groups.key(*left).cmp(self.groups.key(*right)));
        groups.truncate(count);
        let mut places = self.places_by_group();
        let mut order = Vec::new();
        for group in groups {
            let of_group = &mut places.of(group);
            of_group.sort_unstable_by_key(|place| self.keys[*place].1);
            order.extend_from_slice(of_group);
        }
        Ok(order)
    }

    fn by_value(&self, is_descending: bool, count: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.keys.len()).collect();
        places.sort_unstable_by(|left, right| {
            let by_value = self.values.compare(*left, *right);
            let by_value = if is_descending { by_value.reverse() } else { by_value };
            by_value.then_with(|| self.groups.key(self.keys[*left].0).cmp(self.groups.key(self.keys[*right].0)))
        });
        places.truncate(count);
        places
    }

    fn places_by_group(&self) -> PlacesByGroup {
        let mut ends = vec![0; self.groups.len() + 1];
        self.keys.iter().for_each(|(group, _)| ends[*group as usize + 1] += 1);
        (1..ends.len()).for_each(|group| ends[group] += ends[group - 1]);
        let mut next = ends.clone();
        let mut places = vec![0; self.keys.len()];
        for (place, (group, _)) in self.keys.iter().enumerate() {
            let slot = &mut next[*group as usize];
            places[*slot] = place;
            *slot += 1;
        }
        PlacesByGroup { ends, places }
    }

    fn batch(&self, task: &SeriesFoldTask, places: &[usize], schema: SchemaRef) -> Result<RecordBatch> {
        let groups: Vec<u32> = places.iter().map(|place| self.keys[*place].0).collect();
        let mut columns = match task.group_by.is_empty() {
            true => Vec::new(),
            false => self.groups.labels(&groups)?,
        };
        if task.bucket.is_some() {
            let times = places.iter().map(|place| self.keys[*place].1);
            columns.push(Arc::new(TimestampMillisecondArray::from_iter_values(times)));
        }
        if !task.is_labels {
            columns.push(self.values.array(places)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
        Ok(RecordBatch::try_new_with_options(schema, columns, &options)?)
    }
}

/// Places of points, those of each group together.
struct PlacesByGroup {
    /// Of each group the start, which is the end of the group before.
    ends: Vec<usize>,
    places: Vec<usize>,
}

impl PlacesByGroup {
    fn of(&mut self, group: u32) -> &mut [usize] {
        let range: Range<usize> = self.ends[group as usize]..self.ends[group as usize + 1];
        &mut self.places[range]
    }
}

impl Values {
    fn compare(&self, left: usize, right: usize) -> Ordering {
        match self {
            Self::Longs { values, .. } => values[left].cmp(&values[right]),
            Self::Doubles(values) => values[left].total_cmp(&values[right]),
        }
    }

    fn array(&self, places: &[usize]) -> Result<ArrayRef> {
        Ok(match self {
            Self::Longs { values, scale } => {
                let values = Decimal128Array::from_iter_values(places.iter().map(|place| values[*place]));
                Arc::new(values.with_precision_and_scale(DIGITS, *scale)?)
            }
            Self::Doubles(values) => {
                Arc::new(Float64Array::from_iter_values(places.iter().map(|place| values[*place])))
            }
        })
    }
}
