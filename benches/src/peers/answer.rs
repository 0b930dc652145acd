//! What a system answered, in one form for all: rows of cells, columns by their names.

use std::cmp::Ordering;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, Schema, TimeUnit, TimestampMillisecondType};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use henge_segment_store::time::TimestampMs;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// A value as every system can say it.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    /// Instants too, as milliseconds since 1970.
    Integer(i128),
    Double(f64),
    Text(String),
}

impl Cell {
    /// Any total order serves: equal values are equal in it.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => match (self.number(), other.number()) {
                (Some(left), Some(right)) => left.total_cmp(&right),
                _ => self.kind().cmp(&other.kind()),
            },
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            Self::Null | Self::Text(_) => None,
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Integer(_) | Self::Double(_) => 1,
            Self::Text(_) => 2,
        }
    }
}

#[derive(Debug, Default)]
pub struct Answer {
    /// In alphabetical order.
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

impl Answer {
    /// Columns as a system named and ordered them; the time column has many names.
    fn new(names: Vec<String>, rows: Vec<Vec<Cell>>) -> Self {
        let names: Vec<_> = names.into_iter().map(|name| if name == "__time" { "ts".into() } else { name }).collect();
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by(|left, right| names[*left].cmp(&names[*right]));
        if order.is_sorted() {
            return Self { columns: names, rows };
        }
        let columns = order.iter().map(|place| names[*place].clone()).collect();
        let in_order = |row: Vec<Cell>| order.iter().map(|place| row[*place].clone()).collect();
        Self { columns, rows: rows.into_iter().map(in_order).collect() }
    }

    /// Of a Parquet file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
        let schema = reader.schema().clone();
        Self::of_batches(&schema, reader.build()?)
    }

    /// Of an Arrow IPC stream.
    pub fn read_stream(bytes: &[u8]) -> anyhow::Result<Self> {
        let reader = StreamReader::try_new(bytes, None)?;
        Self::of_batches(&reader.schema(), reader)
    }

    fn of_batches(
        schema: &Schema,
        batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    ) -> anyhow::Result<Self> {
        let names = schema.fields().iter().map(|field| field.name().clone()).collect();
        let mut rows = Vec::new();
        for batch in batches {
            let batch = batch?;
            let columns = batch.columns().iter().map(cells).collect::<anyhow::Result<Vec<_>>>()?;
            rows.extend((0..batch.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect()));
        }
        Ok(Self::new(names, rows))
    }

    /// Of Druid's format `arrayLines` with names and SQL types in front.
    pub fn parse(lines: &str) -> anyhow::Result<Self> {
        let mut lines = lines.lines().filter(|line| !line.is_empty());
        let mut header = || -> anyhow::Result<Vec<String>> {
            Ok(serde_json::from_str(lines.next().context("an answer opens with names and types")?)?)
        };
        let (names, types) = (header()?, header()?);
        let row = |line: &str| -> anyhow::Result<Vec<Cell>> {
            let values: Vec<Value> = serde_json::from_str(line).with_context(|| line.to_owned())?;
            ensure!(values.len() == types.len(), "{line} has not {} values", types.len());
            values.into_iter().zip(&types).map(|(value, sql_type)| json_cell(value, sql_type)).collect()
        };
        let rows = lines.map(row).collect::<anyhow::Result<_>>()?;
        Ok(Self::new(names, rows))
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }
}

fn json_cell(value: Value, sql_type: &str) -> anyhow::Result<Cell> {
    Ok(match value {
        Value::Null => Cell::Null,
        Value::String(text) if sql_type == "TIMESTAMP" => {
            Cell::Integer(TimestampMs::parse_iso(&text).with_context(|| format!("`{text}` is no instant"))?.0.into())
        }
        Value::String(text) => Cell::Text(text),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Cell::Integer(integer.into()),
            None => Cell::Double(number.as_f64().context("a number fits a double")?),
        },
        other => bail!("no query answers {other}"),
    })
}

fn cells(array: &ArrayRef) -> anyhow::Result<Vec<Cell>> {
    let in_type = |data_type: &DataType| cast(array, data_type).with_context(|| format!("{data_type} of an answer"));
    let cell = |cells: Box<dyn Fn(usize) -> Cell>| {
        (0..array.len()).map(|row| if array.is_null(row) { Cell::Null } else { cells(row) }).collect()
    };
    Ok(match array.data_type() {
        DataType::Timestamp(..) | DataType::Date32 => {
            let values = in_type(&DataType::Timestamp(TimeUnit::Millisecond, None))?;
            let values = values.as_primitive::<TimestampMillisecondType>().clone();
            cell(Box::new(move |row| Cell::Integer(values.value(row).into())))
        }
        DataType::Decimal128(_, 0) => {
            let values = array.as_primitive::<Decimal128Type>().clone();
            cell(Box::new(move |row| Cell::Integer(values.value(row))))
        }
        DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
            let values = in_type(&DataType::Float64)?.as_primitive::<Float64Type>().clone();
            cell(Box::new(move |row| Cell::Double(values.value(row))))
        }
        data_type if data_type.is_integer() => {
            let values = in_type(&DataType::Int64)?.as_primitive::<Int64Type>().clone();
            cell(Box::new(move |row| Cell::Integer(values.value(row).into())))
        }
        _ => {
            let values = in_type(&DataType::Utf8)?.as_string::<i32>().clone();
            cell(Box::new(move |row| Cell::Text(values.value(row).to_owned())))
        }
    })
}
