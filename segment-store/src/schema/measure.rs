use std::fmt;

use serde::{Deserialize, Serialize};

/// A numeric column with a rule for merging rows that roll up into one.
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
}

impl Aggregation {
    /// Whether values are 64-bit integers; otherwise they are doubles.
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
            Self::DoubleSum | Self::DoubleMin | Self::DoubleMax => unreachable!("{self:?} holds doubles"),
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
            Self::Count | Self::LongSum | Self::LongMin | Self::LongMax => unreachable!("{self:?} holds longs"),
        }
    }
}

/// As it stands in a spec.
impl fmt::Display for Aggregation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
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
