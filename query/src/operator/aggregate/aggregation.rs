//! What an aggregation computes, as data.

use std::num::NonZeroUsize;
use std::sync::Arc;

use henge_segment_store::schema::DimensionType;
use henge_segment_store::time::Granularity;

use super::Formula;
use crate::functions::SketchCall;
use crate::scan::RowFilter;

/// Groups by `keys`, one output column each, followed by one for each of `aggregates`. Without keys there is one group,
/// which is there even where no row is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregation {
    pub keys: Vec<GroupKey>,
    pub aggregates: Vec<Aggregate>,
}

/// What rows of a group have in common. Nulls are a group of their own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum GroupKey {
    Column(InputColumn),
    /// The start of the bucket that the row's time lies in.
    TimeBucket(Granularity),
}

/// A column of the datasource, or one that is computed from some of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct InputColumn {
    /// Of a computed one its expression.
    pub name: Arc<str>,
    /// As the datasource's schema has it now; segments may hold a narrower kind, or no such column.
    pub kind: ColumnKind,
    /// `None` of the datasource's own; keys are no others.
    pub formula: Option<Arc<Formula>>,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ColumnKind {
    /// `__time`.
    Time,
    /// A dimension, or a measure as the dimension type of its values.
    Value(DimensionType),
    /// A measure of sketches, which are merged and neither compared nor grouped by.
    Sketches,
}

/// One aggregate over the rows of a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregate {
    pub function: AggregateFunction,
    /// `FILTER (WHERE ...)`: of the rows that pass the query's filter, those that count for this aggregate.
    pub filter: Option<RowFilter>,
}

/// How values become one; null values do not count but for the first and the last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum AggregateFunction {
    CountRows,
    Count(InputColumn),
    /// Of longs exact in 128 bits, and an error where the total leaves 64; of doubles the same in any order.
    Sum(InputColumn),
    Min(InputColumn),
    Max(InputColumn),
    Avg(InputColumn),
    /// The value, which may be null, of the row with the least `__time`.
    First(InputColumn),
    /// Of the row with the greatest.
    Last(InputColumn),
    /// How many different values there are, exactly.
    CountDistinct(InputColumn),
    /// What a sketch of the values says.
    Sketch(SketchCall, InputColumn),
}

/// Groups that are enough, because the plan above sorts by one column and takes the first few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TopGroups {
    /// The output column that is sorted by.
    pub column: usize,
    pub is_descending: bool,
    pub is_nulls_first: bool,
    /// How many are needed. Groups equal to the last of them are kept too: what is above decides between them.
    pub count: NonZeroUsize,
}

impl InputColumn {
    /// Of the datasource.
    pub fn own(name: &str, kind: ColumnKind) -> Self {
        Self { name: name.into(), kind, formula: None }
    }

    /// The columns of the datasource that its values come from.
    pub fn sources(&self) -> Vec<&str> {
        match &self.formula {
            None => vec![&self.name],
            Some(formula) => formula.columns.fields().iter().map(|field| field.name().as_str()).collect(),
        }
    }
}

impl AggregateFunction {
    /// Whether the times of rows decide.
    pub fn is_by_time(&self) -> bool {
        matches!(self, Self::First(_) | Self::Last(_))
    }

    /// The column whose values it takes; `None` where it takes rows.
    pub fn input(&self) -> Option<&InputColumn> {
        match self {
            Self::CountRows => None,
            Self::Count(input)
            | Self::Sum(input)
            | Self::Min(input)
            | Self::Max(input)
            | Self::Avg(input)
            | Self::First(input)
            | Self::Last(input)
            | Self::CountDistinct(input)
            | Self::Sketch(_, input) => Some(input),
        }
    }
}
