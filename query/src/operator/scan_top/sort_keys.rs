//! Keys of rows that compare as bytes like the rows do, whatever segment they are from.

use std::sync::Arc;

use arrow::row::{RowConverter, SortField};
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{
    DataType, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMillisecondType,
};
use henge_indexing::{Column, RowOrder, RowSet, SortOrder, SortValue, ValueKind};
use henge_segment_store::segment_reader::SegmentReader;

use super::TopRowsTask;
use crate::error::QueryError;

/// Makes keys of rows, and values of keys.
#[derive(Debug)]
pub(super) struct SortKeys {
    /// The columns that rows are ordered by.
    schema: SchemaRef,
    orders: Vec<SortOrder>,
    converter: RowConverter,
}

impl SortKeys {
    pub fn new(task: &TopRowsTask) -> Result<Self, QueryError> {
        let columns = task.order.iter().map(|key| task.output.field(key.column).clone());
        let schema = Arc::new(Schema::new(columns.collect::<Vec<_>>()));
        let orders: Vec<SortOrder> = task.order.iter().map(|key| key.order).collect();
        let fields = schema.fields().iter().zip(&orders).map(|(field, order)| {
            let options = SortOptions { descending: order.is_descending, nulls_first: order.is_nulls_first };
            SortField::new_with_options(field.data_type().clone(), options)
        });
        Ok(Self { converter: RowConverter::new(fields.collect())?, schema, orders })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.schema.fields().iter().map(|field| field.name().as_str())
    }

    /// The columns of a segment as they order its rows.
    pub fn order_of<'a>(&self, reader: &'a SegmentReader) -> Result<RowOrder<'a>, QueryError> {
        let mut columns: Vec<(Column<'a>, ValueKind, SortOrder)> = Vec::new();
        for (field, order) in self.schema.fields().iter().zip(&self.orders) {
            let column = reader.column(field.name()).map_err(|error| QueryError::from(&error))?;
            columns.push((column, value_kind(field.data_type())?, *order));
        }
        RowOrder::new(columns)
            .ok_or_else(|| QueryError::internal("a segment has a column of a wider kind than the schema"))
    }

    /// The keys of some rows of a segment, in the order of the rows.
    pub fn keys_of(&self, reader: &SegmentReader, rows: &RowSet) -> Result<Vec<Box<[u8]>>, QueryError> {
        let mut keys = Vec::with_capacity(rows.len() as usize);
        for batch in reader.batches(self.schema.clone(), rows) {
            let batch = batch.map_err(|error| QueryError::from(&error))?;
            keys.extend(self.converter.convert_columns(batch.columns())?.iter().map(|key| Box::from(key.data())));
        }
        Ok(keys)
    }

    /// What a key was made of.
    pub fn values(&self, key: &[u8]) -> Result<Vec<SortValue>, QueryError> {
        let parser = self.converter.parser();
        self.converter.convert_rows([parser.parse(key)])?.iter().map(first_value).collect()
    }
}

fn value_kind(kind: &DataType) -> Result<ValueKind, QueryError> {
    Ok(match kind {
        DataType::Utf8View => ValueKind::Text,
        DataType::Int64 | DataType::Timestamp(TimeUnit::Millisecond, None) => ValueKind::Long,
        DataType::Float64 => ValueKind::Double,
        DataType::Boolean => ValueKind::Flag,
        other => return Err(unsortable(other)),
    })
}

fn first_value(column: &ArrayRef) -> Result<SortValue, QueryError> {
    if column.is_null(0) {
        return Ok(SortValue::Null);
    }
    Ok(match column.data_type() {
        DataType::Utf8View => SortValue::Text(column.as_string_view().value(0).as_bytes().into()),
        DataType::Int64 => SortValue::Long(column.as_primitive::<Int64Type>().value(0)),
        DataType::Timestamp(TimeUnit::Millisecond, None) => {
            SortValue::Long(column.as_primitive::<TimestampMillisecondType>().value(0))
        }
        DataType::Float64 => SortValue::Double(column.as_primitive::<Float64Type>().value(0)),
        DataType::Boolean => SortValue::Flag(column.as_boolean().value(0)),
        other => return Err(unsortable(other)),
    })
}

fn unsortable(kind: &DataType) -> QueryError {
    QueryError::internal(format!("rows cannot be ordered by a column of type {kind}"))
}
