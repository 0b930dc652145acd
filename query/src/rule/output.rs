//! What the operator yields.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use henge_segment_store::schema::DimensionType;

use crate::operator::aggregate::{Aggregate, AggregateFunction, Aggregation, ColumnKind, GroupKey, InputColumn};

/// The types of the keys, then of the aggregates.
pub(crate) fn types(aggregation: &Aggregation) -> impl Iterator<Item = DataType> + '_ {
    let key = |key: &GroupKey| match key {
        GroupKey::Column(column) => column_type(column),
        GroupKey::TimeBucket(_) => DataType::Timestamp(TimeUnit::Millisecond, None),
    };
    let aggregate = |aggregate: &Aggregate| match &aggregate.function {
        AggregateFunction::CountRows | AggregateFunction::Count(_) | AggregateFunction::CountDistinct(_) => {
            DataType::Int64
        }
        AggregateFunction::Sum(column)
        | AggregateFunction::Min(column)
        | AggregateFunction::Max(column)
        | AggregateFunction::First(column)
        | AggregateFunction::Last(column) => column_type(column),
        AggregateFunction::Avg(_) => DataType::Float64,
        AggregateFunction::Sketch(call, _) => call.data_type(),
    };
    aggregation.keys.iter().map(key).chain(aggregation.aggregates.iter().map(aggregate))
}

fn column_type(column: &InputColumn) -> DataType {
    match column.kind {
        ColumnKind::Time => DataType::Timestamp(TimeUnit::Millisecond, None),
        ColumnKind::Value(DimensionType::String) => DataType::Utf8View,
        ColumnKind::Value(DimensionType::Long) => DataType::Int64,
        ColumnKind::Value(DimensionType::Double) => DataType::Float64,
        ColumnKind::Value(DimensionType::Boolean) => DataType::Boolean,
        ColumnKind::Sketches => DataType::Binary,
    }
}
