//! Groups the rows of segments and aggregates each group.

mod aggregation;

pub(crate) use self::aggregation::{
    Aggregate, AggregateFunction, Aggregation, ColumnKind, GroupKey, InputColumn, TopGroups,
};
