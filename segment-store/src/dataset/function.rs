use std::fmt;

use serde::{Deserialize, Serialize};

/// How several numbers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeriesFunction {
    #[default]
    Sum,
    Min,
    Max,
    #[serde(alias = "avg")]
    Mean,
    /// How many there are.
    Count,
}

impl SeriesFunction {
    pub const ALL: [Self; 5] = [Self::Sum, Self::Min, Self::Max, Self::Mean, Self::Count];

    /// In capitals, as requests name it; `AVG` is another name of `MEAN`.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "AVG" => Some(Self::Mean),
            name => Self::ALL.into_iter().find(|function| function.as_str() == name),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sum => "SUM",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::Mean => "MEAN",
            Self::Count => "COUNT",
        }
    }
}

impl fmt::Display for SeriesFunction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
