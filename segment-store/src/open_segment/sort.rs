//! Freezing: sorts rows by dimensions, then time, and rolls up the ones that are equal.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, TimestampMillisecondArray, UInt32Array,
    new_empty_array,
};
use arrow::compute::{concat, take};
use arrow::datatypes::{Float64Type, Int64Type, SchemaRef};

use henge_indexing::{DictionaryPrefix, KeyField, RowKeys, order_of_double, order_of_long};

use super::open_rows::{OpenRows, strings};
use super::page::SealedColumn;
use crate::error::StoreError;
use crate::schema::{Aggregation, DataSourceSchema, DimensionType};

/// Rows in their final order (invariant S2), each once.
#[derive(Debug)]
pub struct SortedRows {
    schema: SchemaRef,
    rows: Arc<OpenRows>,
    /// Row numbers of the first row of each group, in sort order.
    firsts: Vec<u32>,
    times: TimestampMillisecondArray,
    dimensions: Vec<Column>,
    /// One value for each group.
    measures: Vec<ArrayRef>,
}

/// One column of all pages together.
#[derive(Debug)]
enum Column {
    Codes(Vec<u32>),
    Values(ArrayRef),
}

/// Sorts frozen rows. Takes a while for many rows: call it on a thread that may be busy.
pub fn sort(rows: Arc<OpenRows>) -> Result<SortedRows, StoreError> {
    let schema = rows.schema.clone();
    let count = rows.row_count();
    let times: Vec<i64> = rows.times().collect();
    let columns = (0..schema.dimensions.len() + schema.measures.len())
        .map(|column| whole_column(&rows, column))
        .collect::<Result<Vec<_>, _>>()?;
    let mut dimensions = columns;
    let measures = dimensions.split_off(schema.dimensions.len());

    let mut fields = Vec::new();
    for (column, dictionary) in dimensions.iter().zip(&rows.dictionaries) {
        fields.extend(key_fields(column, dictionary));
    }
    fields.push(KeyField::of(times.iter().map(|&time| order_of_long(time))));
    let keys = RowKeys::pack(&fields, count);
    let order = keys.sorted_rows();
    let groups = if schema.rollup { equal_rows(&keys, &order, &measures, &schema) } else { singles(count) };
    let measures = measures.iter().zip(&schema.measures);
    let measures =
        measures.map(|(column, measure)| merge_groups(column, measure.aggregation, &order, &groups)).collect();
    let firsts = groups.iter().map(|group| order[group.start]).collect();
    Ok(SortedRows { schema: schema.arrow(), rows, firsts, times: times.into(), dimensions, measures })
}

impl SortedRows {
    pub fn row_count(&self) -> usize {
        self.firsts.len()
    }

    /// All columns of the sorted rows, in batches of at most `batch_rows`.
    pub fn batches(&self, batch_rows: usize) -> impl Iterator<Item = Result<RecordBatch, StoreError>> {
        (0..self.row_count()).step_by(batch_rows).map(move |start| {
            let end = self.row_count().min(start + batch_rows);
            self.batch(start..end)
        })
    }

    fn batch(&self, range: Range<usize>) -> Result<RecordBatch, StoreError> {
        let firsts = &self.firsts[range.clone()];
        let indices = UInt32Array::from(firsts.to_vec());
        let mut columns = vec![take(&self.times, &indices, None)?];
        for (column, dictionary) in self.dimensions.iter().zip(&self.rows.dictionaries) {
            columns.push(match column {
                Column::Codes(codes) => Arc::new(strings(dictionary, firsts.iter().map(|&row| codes[row as usize]))),
                Column::Values(values) => take(values, &indices, None)?,
            });
        }
        columns.extend(self.measures.iter().map(|measure| measure.slice(range.start, range.len())));
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }
}

fn whole_column(rows: &OpenRows, column: usize) -> Result<Column, StoreError> {
    let mut codes = Vec::new();
    let mut arrays: Vec<&dyn Array> = Vec::new();
    for page in &rows.pages {
        match &page.columns[column] {
            SealedColumn::Codes(page_codes) => codes.extend_from_slice(page_codes),
            SealedColumn::Values(values) => arrays.push(values),
        }
    }
    let is_string = rows.schema.dimensions.get(column).is_some_and(|dimension| dimension.kind == DimensionType::String);
    if is_string {
        return Ok(Column::Codes(codes));
    }
    if arrays.is_empty() {
        // `__time` comes before the other columns.
        return Ok(Column::Values(new_empty_array(rows.schema.arrow().field(column + 1).data_type())));
    }
    Ok(Column::Values(concat(&arrays)?))
}

/// A dimension's part of the key; nulls sort first.
fn key_fields(column: &Column, dictionary: &DictionaryPrefix) -> Vec<KeyField> {
    let values = match column {
        Column::Codes(codes) => {
            let ranks = dictionary.ranks();
            return vec![KeyField::of(codes.iter().map(|&code| u64::from(ranks[code as usize])))];
        }
        Column::Values(values) => values,
    };
    let is_valid = KeyField::of((0..values.len()).map(|row| u64::from(values.is_valid(row))));
    let ordered: Box<dyn Iterator<Item = u64>> = if let Some(longs) = values.as_primitive_opt::<Int64Type>() {
        Box::new(longs.iter().map(|long| long.map_or(0, order_of_long)))
    } else if let Some(doubles) = values.as_primitive_opt::<Float64Type>() {
        Box::new(doubles.iter().map(|double| double.map_or(0, order_of_double)))
    } else {
        Box::new(values.as_boolean().iter().map(|flag| u64::from(flag == Some(true))))
    };
    vec![is_valid, KeyField::of(ordered)]
}

fn singles(count: usize) -> Vec<Range<usize>> {
    (0..count).map(|at| at..at + 1).collect()
}

/// Runs of rows with equal keys; a run ends early where a sum of longs would leave 64 bits.
fn equal_rows(keys: &RowKeys, order: &[u32], measures: &[Column], schema: &DataSourceSchema) -> Vec<Range<usize>> {
    let sums: Vec<&Int64Array> = measures
        .iter()
        .zip(&schema.measures)
        .filter(|(_, measure)| matches!(measure.aggregation, Aggregation::Count | Aggregation::LongSum))
        .map(|(column, _)| values_of(column).as_primitive())
        .collect();
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut totals = vec![0_i64; sums.len()];
    for (at, &row) in order.iter().enumerate() {
        let inputs = || sums.iter().map(|sum| if sum.is_valid(row as usize) { sum.value(row as usize) } else { 0 });
        let continues = at > 0 && keys.of(order[at - 1]) == keys.of(row);
        let merged: Option<Vec<i64>> = match continues {
            true => totals.iter().zip(inputs()).map(|(total, input)| total.checked_add(input)).collect(),
            false => None,
        };
        match merged {
            Some(merged) => {
                totals = merged;
                groups.last_mut().expect("a run continues a group").end = at + 1;
            }
            None => {
                totals = inputs().collect();
                groups.push(at..at + 1);
            }
        }
    }
    groups
}

fn values_of(column: &Column) -> &ArrayRef {
    match column {
        Column::Values(values) => values,
        Column::Codes(_) => unreachable!("measures have no dictionary"),
    }
}

/// One value for each group; null where no row of the group has one.
fn merge_groups(column: &Column, aggregation: Aggregation, order: &[u32], groups: &[Range<usize>]) -> ArrayRef {
    let values = values_of(column);
    let rows =
        |group: &Range<usize>| order[group.clone()].iter().map(|&row| row as usize).filter(|&row| values.is_valid(row));
    if aggregation.is_long() {
        let longs: &Int64Array = values.as_primitive();
        let merge = |left, right| aggregation.merge_long(left, right).expect("groups end before a sum overflows");
        Arc::new(
            groups.iter().map(|group| rows(group).map(|row| longs.value(row)).reduce(merge)).collect::<Int64Array>(),
        )
    } else {
        let doubles: &Float64Array = values.as_primitive();
        let merge = |left, right| aggregation.merge_double(left, right);
        Arc::new(
            groups
                .iter()
                .map(|group| rows(group).map(|row| doubles.value(row)).reduce(merge))
                .collect::<Float64Array>(),
        )
    }
}
