use std::fmt;

use arrow::datatypes::{DataType, Field};
use serde::Serialize;

use super::DimensionType;
use crate::sketch::SketchKind;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum ColumnKind {
    /// Those of a dimension, or of a measure that is a number.
    Value(DimensionType),
    /// Those of a measure that is a sketch.
    Sketch(SketchKind),
}

impl ColumnKind {
    /// A column in a scan: strings are `Utf8View`, sketches their bytes.
    pub fn field(self, name: &str) -> Field {
        let value = |kind| Field::new(name, kind, true);
        match self {
            Self::Value(DimensionType::String) => value(DataType::Utf8View),
            Self::Value(DimensionType::Long) => value(DataType::Int64),
            Self::Value(DimensionType::Double) => value(DataType::Float64),
            Self::Value(DimensionType::Boolean) => value(DataType::Boolean),
            Self::Sketch(kind) => kind.field(name, true),
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(kind) => kind.fmt(out),
            Self::Sketch(kind) => kind.fmt(out),
        }
    }
}
