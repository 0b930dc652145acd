use datafusion::logical_expr::{Aggregate as AggregatePlan, LogicalPlan};

use super::node::AggregateNode;
use super::source::Source;
use super::{function, group_key, output};
use crate::operator::aggregate::{Aggregate, AggregateFunction, Aggregation, ColumnKind};
use crate::scan::RowFilter;
use crate::table::SnapshotTable;

/// The same aggregation by an operator of ours; `None` where a part of it is not ours.
pub(super) fn recognise(plan: &AggregatePlan) -> Option<LogicalPlan> {
    let source = Source::of(&plan.input)?;
    let table = source.table();
    if !table.shortcuts.use_native_operators {
        return None;
    }
    let key = |expr| group_key::recognise(&source.resolve(expr)?, &source);
    let keys = plan.group_expr.iter().map(key).collect::<Option<_>>()?;
    let aggregates = plan.aggr_expr.iter().map(|expr| function::recognise(expr, &source)).collect::<Option<_>>()?;
    let aggregation = Aggregation { keys, aggregates };
    // Where SQL's types are others, the plan means something that is not recognised.
    let kinds = plan.schema.fields().iter().map(|field| field.data_type().clone());
    let pushed = source.pushdown();
    if !pushed.is_exact || !kinds.eq(output::types(&aggregation)) {
        return None;
    }
    let filter = pushed.into_row_filter();
    if is_known_without_reading(&aggregation, filter.as_ref(), table) {
        return None;
    }
    Some(AggregateNode::over(table, aggregation, filter, plan.schema.clone()).into_plan())
}

/// Row counts and time bounds of whole segments are known to DataFusion, see `SegmentScanExec`.
fn is_known_without_reading(aggregation: &Aggregation, filter: Option<&RowFilter>, table: &SnapshotTable) -> bool {
    let is_known = |aggregate: &Aggregate| {
        let is_known = match &aggregate.function {
            AggregateFunction::CountRows => true,
            AggregateFunction::Min(column) | AggregateFunction::Max(column) => {
                column.kind == ColumnKind::Time && column.formula.is_none()
            }
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
