use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::{Aggregate, FetchType, Limit, LogicalPlan, Projection, SkipType, Sort, SubqueryAlias};
use henge_indexing::SortOrder;
use henge_segment_store::schema::DimensionType;

use super::rows_node::RowsNode;
use super::source::Source;
use super::top_groups::place;
use crate::operator::RowsTask;
use crate::operator::aggregate::ColumnKind;
use crate::operator::values::{ANY_ORDER, ValuesTask};

/// The values of a column of strings, for a grouping by it that aggregates nothing.
pub(super) fn recognise(plan: &Aggregate) -> Option<LogicalPlan> {
    let ([key], []) = (plan.group_expr.as_slice(), plan.aggr_expr.as_slice()) else { return None };
    let source = Source::of(&plan.input)?;
    let table = source.table();
    let column = source.column(&source.resolve(key)?)?;
    let pushed = source.pushdown();
    let is_text = column.kind == ColumnKind::Value(DimensionType::String);
    if !is_text || !table.shortcuts.use_native_operators || !pushed.is_exact {
        return None;
    }
    let filter = pushed.into_row_filter();
    let task = ValuesTask {
        segments: source.segments(filter.as_ref()),
        filter,
        column: column.name,
        order: ANY_ORDER,
        count: None,
        output: plan.schema.inner().clone(),
        use_indexes: table.shortcuts.use_indexes,
    };
    let segments_total = table.snapshot.segments.len();
    let (name, task) = (table.name.clone(), Arc::new(RowsTask::Values(task)));
    Some(RowsNode { name, segments_total, task, schema: plan.schema.clone() }.into_plan())
}

/// The sort over values that come in its order, and no more of them than it keeps.
pub(super) fn sorted(sort: &Sort) -> Result<Option<LogicalPlan>> {
    let [key] = sort.expr.as_slice() else { return Ok(None) };
    let order = SortOrder { is_descending: !key.asc, is_nulls_first: key.nulls_first };
    let count = sort.fetch.and_then(NonZeroUsize::new);
    let Some(column) = place(&key.expr, &sort.input) else { return Ok(None) };
    let input = restricted(&sort.input, Some(column), &|task| ValuesTask { order, count, ..task })?;
    Ok(input.map(|input| LogicalPlan::Sort(Sort { input: Arc::new(input), ..sort.clone() })))
}

/// The limit over no more values than it keeps.
pub(super) fn limited(limit: &Limit) -> Result<Option<LogicalPlan>> {
    let (SkipType::Literal(skip), FetchType::Literal(Some(fetch))) = (limit.get_skip_type()?, limit.get_fetch_type()?)
    else {
        return Ok(None);
    };
    let Some(count) = NonZeroUsize::new(skip.saturating_add(fetch)) else { return Ok(None) };
    let smaller =
        |task: ValuesTask| ValuesTask { count: Some(task.count.map_or(count, |known| known.min(count))), ..task };
    let input = restricted(&limit.input, None, &smaller)?;
    Ok(input.map(|input| LogicalPlan::Limit(Limit { input: Arc::new(input), ..limit.clone() })))
}

/// The plan with other values below it, of which `column`, if any, is a column that is only passed on.
fn restricted(
    plan: &LogicalPlan,
    column: Option<usize>,
    change: &dyn Fn(ValuesTask) -> ValuesTask,
) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let below = match column.map(|column| place(&projection.expr[column], &projection.input)) {
                Some(None) => return Ok(None),
                below => below.flatten(),
            };
            let Some(input) = restricted(&projection.input, below, change)? else { return Ok(None) };
            let (expr, schema) = (projection.expr.clone(), projection.schema.clone());
            let projection = Projection::try_new_with_schema(expr, Arc::new(input), schema)?;
            Ok(Some(LogicalPlan::Projection(projection)))
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let Some(input) = restricted(&alias.input, column, change)? else { return Ok(None) };
            Ok(Some(LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?)))
        }
        LogicalPlan::Extension(extension) => {
            let Some(node) = extension.node.as_any().downcast_ref::<RowsNode>() else { return Ok(None) };
            let RowsTask::Values(task) = node.task.as_ref() else { return Ok(None) };
            let task = Arc::new(RowsTask::Values(change(task.clone())));
            Ok(Some(RowsNode { task, ..node.clone() }.into_plan()))
        }
        _ => Ok(None),
    }
}
