use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Builder, Int64Builder, RecordBatch, RecordBatchOptions, StringViewBuilder,
    TimestampMillisecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;

use henge_segment_store::time::TimestampMs;

use super::ColumnKind;

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    Null,
    Text(&'a str),
    Long(i64),
    Double(f64),
    Time(TimestampMs),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Long(number)
    }
}

/// Counts; one beyond 64 signed bits is shown as the greatest number.
impl From<u64> for Cell<'_> {
    fn from(count: u64) -> Self {
        Self::Long(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Cell<'_> {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<TimestampMs> for Cell<'_> {
    fn from(time: TimestampMs) -> Self {
        Self::Time(time)
    }
}

/// Druid tells flags as 0 and 1.
impl From<bool> for Cell<'_> {
    fn from(flag: bool) -> Self {
        Self::Long(i64::from(flag))
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The rows of a table while they are made.
pub struct Rows {
    columns: Vec<Column>,
    count: usize,
}

enum Column {
    /// Each different text once, for most say the same in thousands of rows.
    Text(StringViewBuilder),
    Long(Int64Builder),
    Double(Float64Builder),
    Time(TimestampMillisecondBuilder),
}

impl ColumnKind {
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8View,
            Self::Long => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Time => DataType::Timestamp(TimeUnit::Millisecond, None),
        }
    }
}

impl Rows {
    pub(super) fn new(columns: &[(&str, ColumnKind)]) -> Self {
        let columns = columns.iter().map(|(_, kind)| match kind {
            ColumnKind::Text => Column::Text(StringViewBuilder::new().with_deduplicate_strings()),
            ColumnKind::Long => Column::Long(Int64Builder::new()),
            ColumnKind::Double => Column::Double(Float64Builder::new()),
            ColumnKind::Time => Column::Time(TimestampMillisecondBuilder::new()),
        });
        Self { columns: columns.collect(), count: 0 }
    }

    /// Panics where the cells are not those of the table's columns, which is a mistake in the table's file.
    pub fn push(&mut self, cells: &[Cell<'_>]) {
        assert_eq!(cells.len(), self.columns.len(), "a row has a cell for each column");
        for (at, (column, cell)) in self.columns.iter_mut().zip(cells).enumerate() {
            match (column, cell) {
                (Column::Text(texts), Cell::Text(text)) => texts.append_value(text),
                (Column::Text(texts), Cell::Null) => texts.append_null(),
                (Column::Long(numbers), Cell::Long(number)) => numbers.append_value(*number),
                (Column::Long(numbers), Cell::Null) => numbers.append_null(),
                (Column::Double(numbers), Cell::Double(number)) => numbers.append_value(*number),
                (Column::Double(numbers), Cell::Null) => numbers.append_null(),
                (Column::Time(times), Cell::Time(time)) => times.append_value(time.0),
                (Column::Time(times), Cell::Null) => times.append_null(),
                (_, cell) => panic!("column {at} cannot hold {cell:?}"),
            }
        }
        self.count += 1;
    }

    pub(super) fn finish(self, schema: SchemaRef) -> Result<RecordBatch, ArrowError> {
        let columns = self.columns.into_iter().map(|column| -> ArrayRef {
            match column {
                Column::Text(mut texts) => Arc::new(texts.finish()),
                Column::Long(mut numbers) => Arc::new(numbers.finish()),
                Column::Double(mut numbers) => Arc::new(numbers.finish()),
                Column::Time(mut times) => Arc::new(times.finish()),
            }
        });
        let options = RecordBatchOptions::new().with_row_count(Some(self.count));
        RecordBatch::try_new_with_options(schema, columns.collect(), &options)
    }
}
