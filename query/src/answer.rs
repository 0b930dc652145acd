use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::array::{ArrayRef, AsArray, BinaryArray, RecordBatch, RecordBatchOptions, StringViewArray};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use futures::Stream;
use henge_segment_store::sketch::SKETCH_TYPE_KEY;

use crate::error::QueryError;
use crate::provenance::MadeOf;
use crate::result_cache::ResultCacheCounts;

/// The columns of an answer and its rows as they come.
///
/// Batches hold only these Arrow types: `Timestamp(Millisecond, None)` in UTC, `Date32`, `Int64`, `Float64`, `Boolean`,
/// `Utf8View`, `Decimal128`, and `List` of `Int64`, `Float64` or `Utf8View`. An error ends the stream; an answer is complete only if the stream ends without one.
pub struct QueryAnswer {
    pub columns: Vec<ResultColumn>,
    pub batches: ResultBatches,
    /// Until the first rows were there, which is before any only where several aggregations follow each other.
    pub result_cache: ResultCacheCounts,
    /// Some of it is an estimate, by a function that says so.
    pub is_approximate: bool,
    /// Where that was asked, the datasources that the statement names, in alphabetical order; a tenant is told of no
    /// partitions.
    pub made_of: Vec<MadeOf>,
}

pub type ResultBatches = Pin<Box<dyn Stream<Item = Result<RecordBatch, QueryError>> + Send>>;

impl fmt::Debug for QueryAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("QueryAnswer").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// A column of an answer, with its type in Druid's two namings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultColumn {
    pub name: String,
    /// `LONG`, `DOUBLE`, `STRING`, `ARRAY<..>` of one of them, or `COMPLEX<..>` of sketches, which come in base64.
    pub druid_type: String,
    /// `BIGINT`, `DOUBLE`, `VARCHAR`, `TIMESTAMP`, `DATE`, `BOOLEAN`, `DECIMAL`, `ARRAY` or `OTHER`.
    pub sql_type: String,
}

/// How the columns of a plan become the columns of its answer.
#[derive(Debug, Clone)]
pub(crate) struct ResultSchema {
    schema: SchemaRef,
}

impl ResultSchema {
    /// Refuses columns that have no form on the wire.
    pub fn new(planned: &Schema) -> Result<Self, QueryError> {
        let fields = planned.fields().iter().map(|field| {
            let kind = result_type(field.data_type()).ok_or_else(|| {
                QueryError::unsupported(format!(
                    "column '{}' is of type {}, which an answer cannot hold: CAST it to VARCHAR or BIGINT",
                    field.name(),
                    field.data_type()
                ))
            })?;
            // What a planned field says of its sketches is said of their text too.
            Ok(Field::new(field.name(), kind, field.is_nullable()).with_metadata(field.metadata().clone()))
        });
        Ok(Self { schema: Arc::new(Schema::new(fields.collect::<Result<Vec<_>, QueryError>>()?)) })
    }

    pub fn columns(&self) -> Vec<ResultColumn> {
        let column = |field: &Arc<Field>| {
            let (druid_type, sql_type) = match field.metadata().get(SKETCH_TYPE_KEY) {
                Some(sketch) => (sketch.as_str(), "OTHER"),
                None => type_names(field.data_type()),
            };
            ResultColumn { name: field.name().clone(), druid_type: druid_type.into(), sql_type: sql_type.into() }
        };
        self.schema.fields().iter().map(column).collect()
    }

    /// The batch in this schema.
    pub fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch, QueryError> {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let columns = batch.columns().iter().zip(self.schema.fields()).map(|(column, field)| {
            if column.data_type() == field.data_type() {
                return Ok(column.clone());
            }
            if let Some(sketches) = column.as_binary_opt::<i32>() {
                return Ok(base64(sketches));
            }
            cast_with_options(column, field.data_type(), &options)
        });
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &rows)?)
    }
}

/// Bytes of the batch's own rows, where its columns may be parts of larger ones.
pub(crate) fn bytes_of(batch: &RecordBatch) -> usize {
    let column_bytes = |column: &ArrayRef| {
        let texts = column.as_string_view_opt().map_or(0, |texts| texts.total_buffer_bytes_used());
        // Nothing that an answer holds has offsets, which are all that can be wrong.
        texts + column.to_data().get_slice_memory_size().unwrap_or(0)
    };
    batch.columns().iter().map(column_bytes).sum()
}

fn result_type(planned: &DataType) -> Option<DataType> {
    Some(match planned {
        kind if kind.is_integer() => DataType::Int64,
        kind if kind.is_floating() => DataType::Float64,
        DataType::Timestamp(..) | DataType::Date64 => DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => DataType::Utf8View,
        // In base64.
        DataType::Binary => DataType::Utf8View,
        DataType::Date32 | DataType::Boolean | DataType::Decimal128(..) => planned.clone(),
        DataType::Dictionary(_, values) => result_type(values)?,
        DataType::List(item) => {
            DataType::List(Arc::new(Field::new_list_field(result_type(item.data_type())?, item.is_nullable())))
        }
        _ => return None,
    })
}

fn base64(bytes: &BinaryArray) -> ArrayRef {
    let text = |bytes: &[u8]| STANDARD.encode(bytes);
    Arc::new(bytes.iter().map(|bytes| bytes.map(text)).collect::<StringViewArray>())
}

fn type_names(kind: &DataType) -> (&'static str, &'static str) {
    match kind {
        DataType::Int64 => ("LONG", "BIGINT"),
        DataType::Float64 => ("DOUBLE", "DOUBLE"),
        DataType::Decimal128(..) => ("DOUBLE", "DECIMAL"),
        DataType::Boolean => ("LONG", "BOOLEAN"),
        DataType::Timestamp(..) => ("LONG", "TIMESTAMP"),
        DataType::Date32 => ("LONG", "DATE"),
        DataType::List(item) => match item.data_type() {
            DataType::Int64 => ("ARRAY<LONG>", "ARRAY"),
            DataType::Float64 => ("ARRAY<DOUBLE>", "ARRAY"),
            _ => ("ARRAY<STRING>", "ARRAY"),
        },
        _ => ("STRING", "VARCHAR"),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, StringViewArray};

    use super::*;

    #[test]
    fn a_part_of_a_large_batch_counts_its_own_rows() {
        let long = "a text of twenty byte";
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(["short", long, long, "short"]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4)]));
        let batch = RecordBatch::try_from_iter([("texts", texts), ("numbers", numbers)]).unwrap();
        // 16 bytes a view and what does not fit into it; 8 bytes a number and a byte for up to 8 nulls.
        assert_eq!(bytes_of(&batch.slice(1, 2)), 2 * 16 + 2 * long.len() + 2 * 8 + 1);
        assert_eq!(bytes_of(&batch.slice(0, 1)), 16 + 8, "a part without nulls has no bits for them");
    }
}
