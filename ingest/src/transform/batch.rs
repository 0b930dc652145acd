//! The rows that expressions are evaluated for, as columns.

use henge_segment_store::event::{DimensionValue, EventRow};
use henge_segment_store::schema::DimensionType;

use super::column::{Column, Texts};
use super::names::{Input, InputSource};
use crate::decode::Refusal;

/// A decoded row whose fate is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Why it could not be decoded, or is not kept.
    pub refusal: Option<Refusal>,
    /// What the row filter reads was read, whatever else is wrong with the record.
    pub is_filter_readable: bool,
}

/// The inputs of expressions for some rows.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) inputs: Vec<Column>,
    pub(super) rows: usize,
}

impl Batch {
    /// Takes the inputs out of rows in which they stand from dimension number `first` on.
    pub(super) fn new(rows: &[EventRow], inputs: &[Input], first: usize) -> Self {
        let column = |(index, input): (usize, &Input)| match input.source {
            InputSource::Time => Column::Longs(rows.iter().map(|row| Ok(Some(row.time.0))).collect()),
            InputSource::Field(_) => field(rows, first + index, input.kind),
        };
        Self { inputs: inputs.iter().enumerate().map(column).collect(), rows: rows.len() }
    }
}

fn field(rows: &[EventRow], dimension: usize, kind: DimensionType) -> Column {
    let values = rows.iter().map(|row| row.dimension(dimension));
    match kind {
        DimensionType::Boolean => Column::Booleans(values.map(|value| Ok(boolean(value))).collect()),
        DimensionType::Long => Column::Longs(values.map(|value| Ok(long(value))).collect()),
        DimensionType::Double => Column::Doubles(values.map(|value| Ok(double(value))).collect()),
        DimensionType::String => {
            let mut texts = Texts::default();
            values.for_each(|value| texts.push_copy(Ok(text(value))));
            Column::Texts(texts)
        }
    }
}

const DECODED_AS_DECLARED: &str = "the decoder writes values of an input's type";

fn boolean(value: DimensionValue<'_>) -> Option<bool> {
    match value {
        DimensionValue::Null => None,
        DimensionValue::Boolean(flag) => Some(flag),
        _ => panic!("{DECODED_AS_DECLARED}"),
    }
}

fn long(value: DimensionValue<'_>) -> Option<i64> {
    match value {
        DimensionValue::Null => None,
        DimensionValue::Long(number) => Some(number),
        _ => panic!("{DECODED_AS_DECLARED}"),
    }
}

fn double(value: DimensionValue<'_>) -> Option<f64> {
    match value {
        DimensionValue::Null => None,
        DimensionValue::Double(number) => Some(number),
        _ => panic!("{DECODED_AS_DECLARED}"),
    }
}

fn text(value: DimensionValue<'_>) -> Option<&str> {
    match value {
        DimensionValue::Null => None,
        DimensionValue::String(text) => Some(text),
        _ => panic!("{DECODED_AS_DECLARED}"),
    }
}
