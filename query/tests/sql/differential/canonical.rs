//! Answers in a form in which equal ones are equal text.
//!
//! A cell is its kind and its value: `i:42`, `f:` with the 64 bits in hex, `s:text`, `b:true`, `t:` with milliseconds,
//! `d:` with days, `n:` with digits; null is `null`. All NaN are one. Rows are sorted unless their query orders them.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType,
};

use super::queries::Query;

pub type Row = Vec<String>;

/// Relative: sums of four thousand doubles in any order stay far within it.
const TOLERANCE: f64 = 1.0 / (1_u64 << 40) as f64;

pub fn rows(batches: &[RecordBatch]) -> Vec<Row> {
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(|row| row_of(batch, row))).collect()
}

fn row_of(batch: &RecordBatch, row: usize) -> Row {
    batch.columns().iter().map(|column| cell(column.as_ref(), row)).collect()
}

fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "null".to_owned();
    }
    match column.data_type() {
        DataType::Int64 => format!("i:{}", column.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => double(column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => format!("b:{}", column.as_boolean().value(row)),
        DataType::Utf8View => format!("s:{}", column.as_string_view().value(row)),
        DataType::Date32 => format!("d:{}", column.as_primitive::<Date32Type>().value(row)),
        DataType::Decimal128(..) => format!("n:{}", column.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Timestamp(TimeUnit::Millisecond, None) => {
            format!("t:{}", column.as_primitive::<TimestampMillisecondType>().value(row))
        }
        other => panic!("an answer has no columns of {other}"),
    }
}

fn double(value: f64) -> String {
    let value = if value.is_nan() { f64::NAN } else { value };
    format!("f:{:016x}", value.to_bits())
}

/// What is different, for people; `None` where the answers are the same.
pub fn difference(query: &Query, expected: &[Row], found: &[Row]) -> Option<String> {
    let (mut expected, mut found) = (expected.to_vec(), found.to_vec());
    if !query.is_ordered {
        expected.sort_by_cached_key(|row| sort_key(query, row));
        found.sort_by_cached_key(|row| sort_key(query, row));
    }
    let is_same = |(expected, found): (&Row, &Row)| {
        expected.len() == found.len()
            && expected.iter().zip(found).all(|(expected, found)| {
                expected == found || query.has_tolerance && is_near(expected, found).unwrap_or(false)
            })
    };
    let first = expected.iter().zip(&found).position(|pair| !is_same(pair));
    if first.is_none() && expected.len() == found.len() {
        return None;
    }
    let at = first.unwrap_or(expected.len().min(found.len()));
    Some(format!(
        "{}: {}\n  row {at} of {}: expected {}\n  row {at} of {}: found    {}",
        query.place,
        query.sql,
        expected.len(),
        shown(expected.get(at)),
        found.len(),
        shown(found.get(at))
    ))
}

/// Doubles that may differ a little do not decide the order.
fn sort_key(query: &Query, row: &Row) -> Row {
    row.iter().filter(|cell| !(query.has_tolerance && cell.starts_with("f:"))).cloned().collect()
}

fn is_near(expected: &str, found: &str) -> Option<bool> {
    let (expected, found) = (double_of(expected)?, double_of(found)?);
    Some((expected - found).abs() <= TOLERANCE * expected.abs().max(found.abs()))
}

fn double_of(cell: &str) -> Option<f64> {
    let bits = u64::from_str_radix(cell.strip_prefix("f:")?, 16).ok()?;
    Some(f64::from_bits(bits))
}

fn shown(row: Option<&Row>) -> String {
    let cell = |cell: &String| double_of(cell).map_or_else(|| cell.clone(), |value| format!("{value:?}"));
    row.map_or_else(|| "no row".to_owned(), |row| row.iter().map(cell).collect::<Vec<_>>().join(" | "))
}
