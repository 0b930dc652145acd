use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::{LogicalPlan, Sort, SortExpr};
use henge_indexing::SortOrder;

use super::rows_node::RowsNode;
use super::top_groups::place;

/// The plan without sorts of rows that come in their order, for plans in which nothing else gives rows another order.
/// Where it does, DataFusion finds out itself which sorts it needs.
pub(super) fn without_idle_sorts(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up(|node| {
        Ok(match node {
            LogicalPlan::Sort(sort) if is_idle(&sort) => Transformed::yes(LogicalPlan::clone(&sort.input)),
            node => Transformed::no(node),
        })
    })
    .data()
}

/// The operator below yields no more rows than the sort keeps, in its order.
fn is_idle(sort: &Sort) -> bool {
    let is_in_order = |(number, key): (usize, &SortExpr)| {
        let order = SortOrder { is_descending: !key.asc, is_nulls_first: key.nulls_first };
        let source = place(&key.expr, &sort.input).and_then(|column| source_of(&sort.input, column));
        source.is_some_and(|(node, column)| {
            let is_few = sort.fetch.is_none_or(|fetch| node.task.count().is_some_and(|count| count.get() <= fetch));
            is_few && node.task.order().get(number) == Some(&(column, order))
        })
    };
    sort.expr.iter().enumerate().all(is_in_order)
}

/// The operator that a column comes from as it is, and which of its columns that is.
fn source_of(plan: &LogicalPlan, column: usize) -> Option<(&RowsNode, usize)> {
    match plan {
        LogicalPlan::Projection(projection) => {
            source_of(&projection.input, place(&projection.expr[column], &projection.input)?)
        }
        LogicalPlan::SubqueryAlias(alias) => source_of(&alias.input, column),
        LogicalPlan::Extension(extension) => Some((extension.node.as_any().downcast_ref()?, column)),
        _ => None,
    }
}
