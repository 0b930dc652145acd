use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ColumnKind, DimensionType};
use crate::sketch::SketchKind;

/// A column of numbers or sketches with a rule for merging rows that roll up into one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Measure {
    pub name: String,
    pub aggregation: Aggregation,
}

/// How a measure's values merge. All but `Count` are null until a row brings a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// How many events a row stands for; never null.
    Count,
    LongSum,
    LongMin,
    LongMax,
    DoubleSum,
    DoubleMin,
    DoubleMax,
    /// A sketch of the values of the events.
    Sketch(SketchMeasure),
}

/// Sketches that are built of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SketchMeasure {
    pub kind: SketchKind,
    /// What the values are taken for: a sketch of longs has nothing in common with one of their texts.
    pub of: DimensionType,
}

impl Aggregation {
    /// What the values are.
    pub fn column_kind(self) -> ColumnKind {
        match self {
            Self::Count | Self::LongSum | Self::LongMin | Self::LongMax => ColumnKind::Value(DimensionType::Long),
            Self::DoubleSum | Self::DoubleMin | Self::DoubleMax => ColumnKind::Value(DimensionType::Double),
            Self::Sketch(sketch) => ColumnKind::Sketch(sketch.kind),
        }
    }

    /// Whether values are 64-bit integers.
    pub fn is_long(self) -> bool {
        matches!(self, Self::Count | Self::LongSum | Self::LongMin | Self::LongMax)
    }

    /// Merges two longs. `None` where a sum leaves 64 bits: such rows stay apart and the query adds them in more bits.
    ///
    /// Panics for an aggregation of doubles.
    pub fn merge_long(self, left: i64, right: i64) -> Option<i64> {
        match self {
            Self::Count | Self::LongSum => left.checked_add(right),
            Self::LongMin => Some(left.min(right)),
            Self::LongMax => Some(left.max(right)),
            Self::DoubleSum | Self::DoubleMin | Self::DoubleMax | Self::Sketch(_) => {
                unreachable!("{self:?} holds no longs")
            }
        }
    }

    /// Merges two doubles. NaN never enters: the decoder rejects it.
    ///
    /// Panics for an aggregation of longs.
    pub fn merge_double(self, left: f64, right: f64) -> f64 {
        match self {
            Self::DoubleSum => left + right,
            Self::DoubleMin => left.min(right),
            Self::DoubleMax => left.max(right),
            Self::Count | Self::LongSum | Self::LongMin | Self::LongMax | Self::Sketch(_) => {
                unreachable!("{self:?} holds no doubles")
            }
        }
    }
}

/// As it stands in a spec; of sketches in words.
impl fmt::Display for Aggregation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Sketch(sketch) => return write!(out, "{} of {}s", sketch.kind, sketch.of),
            Self::Count => "count",
            Self::LongSum => "long_sum",
            Self::LongMin => "long_min",
            Self::LongMax => "long_max",
            Self::DoubleSum => "double_sum",
            Self::DoubleMin => "double_min",
            Self::DoubleMax => "double_max",
        })
    }
}
