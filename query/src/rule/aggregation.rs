use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::logical_expr::{Aggregate as AggregatePlan, LogicalPlan};
use henge_segment_store::schema::DimensionType;

use super::node::AggregateNode;
use super::source::Source;
use super::{function, group_key};
use crate::operator::aggregate::{
    Aggregate, AggregateFunction, AggregateTask, Aggregation, ColumnKind, GroupKey, InputColumn,
};
use crate::scan::RowFilter;
use crate::table::SnapshotTable;

/// The same aggregation by an operator of ours; `None` where a part of it is not ours.
pub(super) fn recognise(plan: &AggregatePlan) -> Option<LogicalPlan> {
    let source = Source::of(&plan.input)?;
    let table = source.table();
    if !table.shortcuts.use_native_operators {
        return None;
    }
    let keys = plan.group_expr.iter().map(|expr| group_key::recognise(expr, &source)).collect::<Option<_>>()?;
    let aggregates = plan.aggr_expr.iter().map(|expr| function::recognise(expr, &source)).collect::<Option<_>>()?;
    let aggregation = Aggregation { keys, aggregates };
    let output = plan.schema.inner().clone();
    let kinds = output.fields().iter().map(|field| field.data_type().clone());
    let pushed = source.pushdown();
    if !pushed.is_exact || !kinds.eq(output_types(&aggregation)) {
        return None;
    }
    let filter = pushed.into_row_filter();
    if is_known_without_reading(&aggregation, filter.as_ref(), table) {
        return None;
    }
    let segments = match &filter {
        Some(filter) if table.shortcuts.use_indexes => filter.chosen(&table.snapshot),
        Some(_) => table.snapshot.segments.clone(),
        None => Vec::new(),
    };
    let task = AggregateTask {
        aggregation: Arc::new(aggregation),
        filter,
        segments,
        output,
        top: None,
        use_indexes: table.shortcuts.use_indexes,
    };
    let segments_total = table.snapshot.segments.len();
    Some(AggregateNode { name: table.name.clone(), segments_total, task, schema: plan.schema.clone() }.into_plan())
}

/// What the operator yields; where SQL's types are others, the plan means something that is not recognised.
fn output_types(aggregation: &Aggregation) -> impl Iterator<Item = DataType> + '_ {
    let key = |key: &GroupKey| match key {
        GroupKey::Column(column) => column_type(column),
        GroupKey::TimeBucket(_) => DataType::Timestamp(TimeUnit::Millisecond, None),
    };
    let aggregate = |aggregate: &Aggregate| match &aggregate.function {
        AggregateFunction::CountRows | AggregateFunction::Count(_) => DataType::Int64,
        AggregateFunction::Sum(column)
        | AggregateFunction::Min(column)
        | AggregateFunction::Max(column)
        | AggregateFunction::First(column)
        | AggregateFunction::Last(column) => column_type(column),
        AggregateFunction::Avg(_) => DataType::Float64,
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
    }
}

/// Row counts and time bounds of whole segments are known to DataFusion, see `SegmentScanExec`.
fn is_known_without_reading(aggregation: &Aggregation, filter: Option<&RowFilter>, table: &SnapshotTable) -> bool {
    let is_known = |aggregate: &Aggregate| {
        let is_known = match &aggregate.function {
            AggregateFunction::CountRows => true,
            AggregateFunction::Min(column) | AggregateFunction::Max(column) => column.kind == ColumnKind::Time,
            _ => false,
        };
        is_known && aggregate.filter.is_none()
    };
    let segments = || table.snapshot.segments.iter();
    let is_whole = filter.is_none_or(|filter| {
        segments().filter(|segment| filter.touches(segment)).all(|segment| filter.takes_all_of(segment))
    });
    aggregation.keys.is_empty() && aggregation.aggregates.iter().all(is_known) && is_whole
}
