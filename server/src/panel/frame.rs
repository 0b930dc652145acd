//! The rows of an answer, all of them, in the few types that dashboards know.

mod filling;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use arrow::compute::{
    CastOptions, SortColumn, SortOptions, cast_with_options, concat_batches, filter_record_batch, lexsort_to_indices,
    take_record_batch,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, TimeUnit, TimestampMillisecondType};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use henge_query::answer::ResultColumn;
use henge_segment_store::time::TimestampMs;
use serde_json::{Value, json};

pub use self::filling::FillError;
use crate::wire::cell::{ArrayStyle, Cells};
use crate::wire::json_text::write_string;
use crate::wire::time_text::TimeText;

/// Columns are `Utf8`, `Int64`, `Float64`, `Boolean` or `Timestamp(Millisecond, "UTC")`.
#[derive(Debug, Clone)]
pub struct Frame {
    pub batch: RecordBatch,
}

/// Grafana takes numbers beyond these for milliseconds or nanoseconds since 1970, others for seconds.
const SECONDS_MAX: f64 = 1e11;
const MILLIS_MAX: f64 = 1e14;

impl Frame {
    pub fn of(columns: &[ResultColumn], batches: &[RecordBatch]) -> Result<Self, ArrowError> {
        let fields = columns.iter().map(|column| Field::new(&column.name, type_of(column), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let converted = batches.iter().map(|batch| {
            let columns = batch.columns().iter().zip(schema.fields());
            let columns = columns.map(|(column, field)| converted(column, field.data_type()));
            let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(schema.clone(), columns.collect::<Result<Vec<_>, _>>()?, &rows)
        });
        let converted = converted.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { batch: concat_batches(&schema, &converted)? })
    }

    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.batch.schema_ref().fields().iter().map(|field| field.name().as_str())
    }

    /// Names of the columns of some types.
    pub fn names_of(&self, is_wanted: impl Fn(&DataType) -> bool) -> Vec<String> {
        let fields = self.batch.schema_ref().fields().iter();
        fields.filter(|field| is_wanted(field.data_type())).map(|field| field.name().clone()).collect()
    }

    /// The column that is called time, or the first instants that there are.
    pub fn time_column(&self) -> Option<usize> {
        let fields = self.batch.schema_ref().fields();
        let of_time = |field: &Arc<Field>| matches!(field.data_type(), DataType::Timestamp(..));
        let named =
            |name: &str| fields.iter().position(|field| field.name() == name && is_time_like(field.data_type()));
        named("time").or_else(|| named("__time")).or_else(|| fields.iter().position(of_time))
    }

    /// Makes instants of the numbers of a column, as Grafana reads them.
    pub fn read_times(&mut self, column: usize) -> Result<(), ArrowError> {
        let numbers = self.batch.column(column);
        let millis = |number: f64| match number.abs() {
            seconds if seconds < SECONDS_MAX => (number * 1e3) as i64,
            millis if millis < MILLIS_MAX => number as i64,
            _ => (number / 1e6) as i64,
        };
        let times: ArrayRef = match numbers.data_type() {
            DataType::Int64 => Arc::new(
                numbers
                    .as_primitive::<Int64Type>()
                    .unary::<_, TimestampMillisecondType>(|number| {
                        if number.unsigned_abs() as f64 >= MILLIS_MAX {
                            number.div_euclid(1_000_000)
                        } else {
                            millis(number as f64)
                        }
                    })
                    .with_timezone("UTC"),
            ),
            DataType::Float64 => Arc::new(
                numbers.as_primitive::<Float64Type>().unary::<_, TimestampMillisecondType>(millis).with_timezone("UTC"),
            ),
            _ => return Ok(()),
        };
        self.replace(column, times)
    }

    fn replace(&mut self, column: usize, values: ArrayRef) -> Result<(), ArrowError> {
        let mut fields: Vec<Field> =
            self.batch.schema_ref().fields().iter().map(|field| field.as_ref().clone()).collect();
        fields[column] = Field::new(fields[column].name(), values.data_type().clone(), true);
        let mut columns = self.batch.columns().to_vec();
        columns[column] = values;
        self.batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        Ok(())
    }

    /// Keeps the order of rows of one time.
    pub fn sort_by_time(&mut self, column: usize) -> Result<(), ArrowError> {
        let times = self.batch.column(column).clone();
        let values = times.as_primitive::<TimestampMillisecondType>().values();
        if times.null_count() == 0 && values.is_sorted() {
            return Ok(());
        }
        let options = Some(SortOptions { descending: false, nulls_first: true });
        let places: ArrayRef = Arc::new(arrow::array::Int64Array::from_iter_values(0..times.len() as i64));
        let keys = [SortColumn { values: times, options }, SortColumn { values: places, options }];
        self.batch = take_record_batch(&self.batch, &lexsort_to_indices(&keys, None)?)?;
        Ok(())
    }

    /// Keeps the rows whose time is wanted, and those without one.
    pub fn keep_times(&mut self, column: usize, is_wanted: impl Fn(TimestampMs) -> bool) -> Result<(), ArrowError> {
        let times = self.batch.column(column).as_primitive::<TimestampMillisecondType>();
        let wanted: BooleanArray =
            times.iter().map(|time| Some(time.is_none_or(|time| is_wanted(TimestampMs(time))))).collect();
        if wanted.true_count() < wanted.len() {
            self.batch = filter_record_batch(&self.batch, &wanted)?;
        }
        Ok(())
    }

    /// The first rows, and whether there were more.
    pub fn truncate(&mut self, rows: usize) -> bool {
        let is_longer = self.rows() > rows;
        if is_longer {
            self.batch = self.batch.slice(0, rows);
        }
        is_longer
    }

    /// `"columns":[..],"rows":[[..]]`, times in milliseconds.
    pub fn write_json(&self, out: &mut Vec<u8>) -> Result<(), ArrowError> {
        let columns: Vec<Value> = self.batch.schema_ref().fields().iter().map(|field| described(field)).collect();
        out.extend_from_slice(b"\"columns\":");
        out.extend_from_slice(Value::from(columns).to_string().as_bytes());
        out.extend_from_slice(b",\"rows\":[");
        let cells = self.batch.columns().iter().map(|column| match column.data_type() {
            DataType::Timestamp(..) => {
                Cells::new(&cast_with_options(column, &DataType::Int64, &CastOptions::default())?)
            }
            _ => Cells::new(column),
        });
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        let time = TimeText::utc();
        for row in 0..self.rows() {
            out.extend_from_slice(if row == 0 { b"[" } else { b",[" });
            for (at, cell) in cells.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                cell.write_json(row, &time, ArrayStyle::Nested, out);
            }
            out.push(b']');
        }
        out.push(b']');
        Ok(())
    }

    /// A stream whose schema carries `meta` under `henge.panel`.
    pub fn to_arrow(&self, meta: String) -> Result<Vec<u8>, ArrowError> {
        let schema = self.batch.schema_ref().as_ref().clone();
        let schema = Arc::new(schema.with_metadata([("henge.panel".to_owned(), meta)].into()));
        let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
        writer.write(&self.batch.clone().with_schema(schema)?)?;
        writer.into_inner()
    }

    /// The text of a column, row by row; null of other types.
    pub fn texts(&self, column: usize) -> Result<StringArray, ArrowError> {
        let column = self.batch.column(column);
        let texts = match column.data_type() {
            DataType::Timestamp(..) => converted_to_text(column),
            _ => cast_with_options(column, &DataType::Utf8, &CastOptions::default()),
        };
        Ok(texts?.as_string::<i32>().clone())
    }
}

/// Instants in milliseconds.
fn converted_to_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let numbers = cast_with_options(column, &DataType::Int64, &CastOptions::default())?;
    cast_with_options(&numbers, &DataType::Utf8, &CastOptions::default())
}

fn is_time_like(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(..) | DataType::Int64 | DataType::Float64)
}

pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

/// What a column of the engine becomes.
pub fn type_of(column: &ResultColumn) -> DataType {
    match column.sql_type.as_str() {
        "TIMESTAMP" | "DATE" => time_type(),
        "BIGINT" => DataType::Int64,
        "DOUBLE" | "DECIMAL" => DataType::Float64,
        "BOOLEAN" => DataType::Boolean,
        _ => DataType::Utf8,
    }
}

/// What a column of an answer is called.
pub fn type_name(kind: &DataType) -> &'static str {
    match kind {
        DataType::Timestamp(..) => "time",
        DataType::Int64 => "long",
        DataType::Float64 => "double",
        DataType::Boolean => "boolean",
        _ => "string",
    }
}

fn described(field: &Field) -> Value {
    json!({ "name": field.name(), "type": type_name(field.data_type()) })
}

/// Arrays become JSON.
fn converted(column: &ArrayRef, kind: &DataType) -> Result<ArrayRef, ArrowError> {
    if let DataType::List(_) = column.data_type() {
        let cells = Cells::new(column)?;
        let (time, mut json) = (TimeText::utc(), Vec::new());
        let texts = (0..column.len()).map(|row| {
            json.clear();
            cells.write_json(row, &time, ArrayStyle::Nested, &mut json);
            (!cells.is_null(row)).then(|| String::from_utf8_lossy(&json).into_owned())
        });
        return Ok(Arc::new(texts.collect::<StringArray>()));
    }
    cast_with_options(column, kind, &CastOptions { safe: false, ..CastOptions::default() })
}

/// A JSON object of texts by name.
pub fn labels_json(labels: &[(&str, String)]) -> String {
    let mut out = vec![b'{'];
    for (at, (name, value)) in labels.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_string(name, &mut out);
        out.push(b':');
        write_string(value, &mut out);
    }
    out.push(b'}');
    String::from_utf8(out).expect("JSON is written from strings")
}
