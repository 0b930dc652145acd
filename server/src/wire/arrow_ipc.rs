//! An Arrow IPC stream: a schema, the batches, and a mark that ends them.
//!
//! | SQL | Arrow |
//! |---|---|
//! | TIMESTAMP | timestamp in milliseconds, UTC |
//! | DATE | date32 |
//! | BIGINT | int64 |
//! | DOUBLE | double |
//! | BOOLEAN | bool |
//! | VARCHAR | utf8 |
//! | DECIMAL | decimal128 as planned; of an empty answer with 38 digits |
//!
//! Every column may be null. The query's time zone does not matter: instants are instants.

use std::sync::Arc;

use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use henge_query::answer::ResultColumn;

/// Writes batches one after the other.
pub struct ArrowStream {
    schema: SchemaRef,
    writer: StreamWriter<Vec<u8>>,
}

impl ArrowStream {
    /// `first`: the first batch, if there is one.
    pub fn new(columns: &[ResultColumn], first: Option<&RecordBatch>) -> Result<Self, ArrowError> {
        let fields = columns.iter().enumerate().map(|(place, column)| {
            let kind = match (column.sql_type.as_str(), first) {
                ("TIMESTAMP", _) => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
                ("DATE", _) => DataType::Date32,
                ("BIGINT", _) => DataType::Int64,
                ("DOUBLE", _) => DataType::Float64,
                ("BOOLEAN", _) => DataType::Boolean,
                ("DECIMAL", Some(first)) => first.column(place).data_type().clone(),
                ("DECIMAL", None) => DataType::Decimal128(38, 0),
                _ => DataType::Utf8,
            };
            Field::new(&column.name, kind, true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(Self { writer: StreamWriter::try_new(Vec::new(), &schema)?, schema })
    }

    pub fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let columns = batch.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| cast_with_options(column, field.data_type(), &options));
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        self.writer.write(&RecordBatch::try_new_with_options(self.schema.clone(), columns, &rows)?)?;
        self.hand_over(out);
        Ok(())
    }

    /// The mark tells a reader that nothing was cut off.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        self.writer.finish()?;
        self.hand_over(out);
        Ok(())
    }

    fn hand_over(&mut self, out: &mut Vec<u8>) {
        out.append(self.writer.get_mut());
    }
}
