//! One decoded event on its way into an open segment.

use std::ops::Range;

use crate::sketch::{HashedValue, SketchInput, SketchKind, ThetaHasher};
use crate::time::TimestampMs;

/// A dimension's value in one row. Null is not `""`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DimensionValue<'a> {
    Null,
    String(&'a str),
    Long(i64),
    Double(f64),
    Boolean(bool),
}

/// What one event brings to a measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MeasureValue {
    Null,
    Long(i64),
    Double(f64),
    Sketched(SketchInput),
}

impl MeasureValue {
    /// What a value brings to a sketch; booleans count as 0 and 1.
    pub fn sketched(kind: SketchKind, value: DimensionValue<'_>, hasher: &mut ThetaHasher) -> Self {
        let value = match value {
            DimensionValue::Null => return Self::Null,
            DimensionValue::String(text) => HashedValue::Text(text.as_bytes()),
            DimensionValue::Long(long) => HashedValue::Long(long),
            DimensionValue::Double(double) => HashedValue::Double(double),
            DimensionValue::Boolean(flag) => HashedValue::Long(flag.into()),
        };
        hasher.input(kind, value).map_or(Self::Null, Self::Sketched)
    }
}

/// An event's time, dimensions and measures in the order of its datasource's schema.
///
/// One row is used again for many events, so its strings lie in one buffer.
#[derive(Debug, Clone)]
pub struct EventRow {
    pub time: TimestampMs,
    text: String,
    dimensions: Vec<Cell>,
    measures: Vec<MeasureValue>,
}

#[derive(Debug, Clone)]
enum Cell {
    Null,
    String(Range<usize>),
    Long(i64),
    Double(f64),
    Boolean(bool),
}

impl EventRow {
    /// A row of nulls.
    pub fn new(dimensions: usize, measures: usize) -> Self {
        Self {
            time: TimestampMs(0),
            text: String::new(),
            dimensions: vec![Cell::Null; dimensions],
            measures: vec![MeasureValue::Null; measures],
        }
    }

    /// Makes every value null again.
    pub fn clear(&mut self) {
        self.text.clear();
        self.dimensions.fill(Cell::Null);
        self.measures.fill(MeasureValue::Null);
    }

    /// Sets dimension number `index`. Panics beyond the schema.
    ///
    /// ```
    /// # use henge_segment_store::event::{DimensionValue, EventRow};
    /// let mut row = EventRow::new(2, 0);
    /// row.set_dimension(1, DimensionValue::String("eu"));
    /// assert_eq!(row.dimension(0), DimensionValue::Null);
    /// assert_eq!(row.dimension(1), DimensionValue::String("eu"));
    /// ```
    pub fn set_dimension(&mut self, index: usize, value: DimensionValue<'_>) {
        self.dimensions[index] = match value {
            DimensionValue::Null => Cell::Null,
            DimensionValue::String(text) => {
                let start = self.text.len();
                self.text.push_str(text);
                Cell::String(start..self.text.len())
            }
            DimensionValue::Long(number) => Cell::Long(number),
            DimensionValue::Double(number) => Cell::Double(number),
            DimensionValue::Boolean(flag) => Cell::Boolean(flag),
        };
    }

    /// Sets measure number `index`. Panics beyond the schema.
    pub fn set_measure(&mut self, index: usize, value: MeasureValue) {
        self.measures[index] = value;
    }

    pub fn dimension(&self, index: usize) -> DimensionValue<'_> {
        match &self.dimensions[index] {
            Cell::Null => DimensionValue::Null,
            Cell::String(range) => DimensionValue::String(&self.text[range.clone()]),
            Cell::Long(number) => DimensionValue::Long(*number),
            Cell::Double(number) => DimensionValue::Double(*number),
            Cell::Boolean(flag) => DimensionValue::Boolean(*flag),
        }
    }

    pub fn measure(&self, index: usize) -> MeasureValue {
        self.measures[index]
    }
}
