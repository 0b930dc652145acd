//! A bounded run of open rows, column by column.

use std::sync::Arc;

use arrow::array::{BooleanArray, Float64Array, Int64Array};
use arrow::buffer::{NullBuffer, ScalarBuffer};

use super::sealed_page::{SealedCodes, SealedColumn, SealedLongs, SealedPage};
use super::sketch_column::SketchColumn;
use crate::event::{DimensionValue, EventRow, MeasureValue};
use crate::schema::{Aggregation, ColumnKind, DataSourceSchema, DimensionType};
use crate::time::TimestampMs;

/// The page that rows are appended to.
#[derive(Debug, Clone)]
pub(super) struct Page {
    times: Vec<i64>,
    dimensions: Vec<DimensionColumn>,
    measures: Vec<MeasureColumn>,
}

#[derive(Debug, Clone)]
enum DimensionColumn {
    /// Dictionary codes; 0 is null.
    String(Vec<u32>),
    Long(Nullable<i64>),
    Double(Nullable<f64>),
    Boolean(Nullable<bool>),
}

#[derive(Debug, Clone)]
enum MeasureColumn {
    Long(Nullable<i64>),
    Double(Nullable<f64>),
    Sketch(SketchColumn),
}

#[derive(Debug, Clone, Default)]
struct Nullable<T> {
    values: Vec<T>,
    is_valid: Vec<bool>,
}

impl<T: Copy + Default> Nullable<T> {
    fn push(&mut self, value: Option<T>) {
        self.values.push(value.unwrap_or_default());
        self.is_valid.push(value.is_some());
    }

    fn get(&self, row: usize) -> Option<T> {
        self.is_valid[row].then(|| self.values[row])
    }

    fn set(&mut self, row: usize, value: T) {
        self.values[row] = value;
        self.is_valid[row] = true;
    }

    fn into_parts(self) -> (Vec<T>, Option<NullBuffer>) {
        let nulls = self.is_valid.contains(&false).then(|| NullBuffer::from(self.is_valid));
        (self.values, nulls)
    }
}

impl Page {
    pub fn new(schema: &DataSourceSchema) -> Self {
        let dimensions = schema.dimensions.iter().map(|dimension| match dimension.kind {
            DimensionType::String => DimensionColumn::String(Vec::new()),
            DimensionType::Long => DimensionColumn::Long(Nullable::default()),
            DimensionType::Double => DimensionColumn::Double(Nullable::default()),
            DimensionType::Boolean => DimensionColumn::Boolean(Nullable::default()),
        });
        let measures = schema.measures.iter().map(|measure| match measure.aggregation.column_kind() {
            ColumnKind::Value(DimensionType::Double) => MeasureColumn::Double(Nullable::default()),
            ColumnKind::Value(_) => MeasureColumn::Long(Nullable::default()),
            ColumnKind::Sketch(kind) => MeasureColumn::Sketch(SketchColumn::new(kind)),
        });
        Self { times: Vec::new(), dimensions: dimensions.collect(), measures: measures.collect() }
    }

    pub fn row_count(&self) -> usize {
        self.times.len()
    }

    /// Appends one event as a row of its own. `codes` are those of its strings.
    pub fn push(&mut self, time: TimestampMs, codes: &[u32], event: &EventRow, schema: &DataSourceSchema) {
        self.times.push(time.0);
        for (index, column) in self.dimensions.iter_mut().enumerate() {
            match (column, event.dimension(index)) {
                (DimensionColumn::String(column), _) => column.push(codes[index]),
                (DimensionColumn::Long(column), value) => column.push(long_of(value)),
                (DimensionColumn::Double(column), value) => column.push(double_of(value)),
                (DimensionColumn::Boolean(column), value) => column.push(boolean_of(value)),
            }
        }
        for (index, column) in self.measures.iter_mut().enumerate() {
            match column {
                MeasureColumn::Long(column) => column.push(long_input(event, index, schema)),
                MeasureColumn::Double(column) => column.push(double_input(event, index)),
                MeasureColumn::Sketch(column) => column.push(event.measure(index)),
            }
        }
    }

    /// Memory that sketches take outside of the page's columns.
    pub fn sketch_bytes(&self) -> usize {
        let bytes = self.measures.iter().map(|column| match column {
            MeasureColumn::Sketch(column) => column.bytes(),
            MeasureColumn::Long(_) | MeasureColumn::Double(_) => 0,
        });
        bytes.sum()
    }

    /// Whether a row has this time and the event's dimensions.
    pub fn holds(&self, row: u32, time: TimestampMs, codes: &[u32], event: &EventRow) -> bool {
        let row = row as usize;
        self.times[row] == time.0
            && self.dimensions.iter().enumerate().all(|(index, column)| match column {
                DimensionColumn::String(column) => column[row] == codes[index],
                DimensionColumn::Long(column) => column.get(row) == long_of(event.dimension(index)),
                DimensionColumn::Double(column) => {
                    column.get(row).map(f64::to_bits) == double_of(event.dimension(index)).map(f64::to_bits)
                }
                DimensionColumn::Boolean(column) => column.get(row) == boolean_of(event.dimension(index)),
            })
    }

    /// Merges an event's measures into a row. `false`, and nothing changed, where a sum would leave 64 bits.
    pub fn merge(&mut self, row: u32, event: &EventRow, schema: &DataSourceSchema) -> bool {
        let row = row as usize;
        let overflows = self.measures.iter().enumerate().any(|(index, column)| match column {
            MeasureColumn::Long(column) => {
                let (old, new) = (column.get(row), long_input(event, index, schema));
                let aggregation = schema.measures[index].aggregation;
                matches!((old, new), (Some(old), Some(new)) if aggregation.merge_long(old, new).is_none())
            }
            MeasureColumn::Double(_) | MeasureColumn::Sketch(_) => false,
        });
        if overflows {
            return false;
        }
        for (index, column) in self.measures.iter_mut().enumerate() {
            let aggregation = schema.measures[index].aggregation;
            match column {
                MeasureColumn::Long(column) => {
                    let Some(new) = long_input(event, index, schema) else { continue };
                    let merged = column.get(row).map_or(Some(new), |old| aggregation.merge_long(old, new));
                    column.set(row, merged.expect("overflow was ruled out above"));
                }
                MeasureColumn::Double(column) => {
                    let Some(new) = double_input(event, index) else { continue };
                    column.set(row, column.get(row).map_or(new, |old| aggregation.merge_double(old, new)));
                }
                MeasureColumn::Sketch(column) => column.add(row, event.measure(index)),
            }
        }
        true
    }

    /// The codes of each dimension; `None` for those that are no strings.
    pub fn codes(&self) -> Vec<Option<&[u32]>> {
        let codes = self.dimensions.iter().map(|column| match column {
            DimensionColumn::String(codes) => Some(codes.as_slice()),
            _ => None,
        });
        codes.collect()
    }

    /// Ends the page's growth.
    pub fn seal(self) -> SealedPage {
        let times = SealedLongs::Plain(Int64Array::new(ScalarBuffer::from(self.times), None));
        let dimensions = self.dimensions.into_iter().map(|column| match column {
            DimensionColumn::String(codes) => SealedColumn::Codes(SealedCodes::Plain(codes.into())),
            DimensionColumn::Long(column) => SealedColumn::Longs(long_array(column)),
            DimensionColumn::Double(column) => SealedColumn::Values(Arc::new(double_array(column))),
            DimensionColumn::Boolean(column) => {
                let (values, nulls) = column.into_parts();
                SealedColumn::Values(Arc::new(BooleanArray::new(values.into(), nulls)))
            }
        });
        let measures = self.measures.into_iter().map(|column| match column {
            MeasureColumn::Long(column) => SealedColumn::Longs(long_array(column)),
            MeasureColumn::Double(column) => SealedColumn::Values(Arc::new(double_array(column))),
            MeasureColumn::Sketch(column) => SealedColumn::Sketches(column.seal()),
        });
        SealedPage { times, columns: dimensions.chain(measures).collect() }
    }
}

fn long_of(value: DimensionValue<'_>) -> Option<i64> {
    if let DimensionValue::Long(number) = value { Some(number) } else { None }
}

fn double_of(value: DimensionValue<'_>) -> Option<f64> {
    if let DimensionValue::Double(number) = value { Some(number) } else { None }
}

fn boolean_of(value: DimensionValue<'_>) -> Option<bool> {
    if let DimensionValue::Boolean(flag) = value { Some(flag) } else { None }
}

/// What an event brings to a measure of longs: a count brings 1.
fn long_input(event: &EventRow, measure: usize, schema: &DataSourceSchema) -> Option<i64> {
    if schema.measures[measure].aggregation == Aggregation::Count {
        return Some(1);
    }
    if let MeasureValue::Long(number) = event.measure(measure) { Some(number) } else { None }
}

fn double_input(event: &EventRow, measure: usize) -> Option<f64> {
    if let MeasureValue::Double(number) = event.measure(measure) { Some(number) } else { None }
}

fn long_array(column: Nullable<i64>) -> SealedLongs {
    let (values, nulls) = column.into_parts();
    SealedLongs::Plain(Int64Array::new(ScalarBuffer::from(values), nulls))
}

fn double_array(column: Nullable<f64>) -> Float64Array {
    let (values, nulls) = column.into_parts();
    Float64Array::new(ScalarBuffer::from(values), nulls)
}
