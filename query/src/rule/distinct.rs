//! DISTINCT in aggregations that no operator of ours takes: DataFusion groups by the values first, then counts groups.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan};
use datafusion::optimizer::single_distinct_to_groupby::SingleDistinctToGroupBy;
use datafusion::optimizer::{Optimizer, OptimizerContext, OptimizerRule};

/// DataFusion's logical rules without the one that splits such aggregations, since what it makes of them can no more be
/// recognised.
pub(super) fn other_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let split = SingleDistinctToGroupBy::new();
    Optimizer::new().rules.into_iter().filter(|rule| rule.name() != split.name()).collect()
}

/// What that rule makes of an aggregation.
pub(super) fn split(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match &plan {
        LogicalPlan::Aggregate(aggregate) if has_distinct(aggregate) => {
            SingleDistinctToGroupBy::new().rewrite(plan, &OptimizerContext::new())
        }
        _ => Ok(Transformed::no(plan)),
    }
}

fn has_distinct(aggregate: &Aggregate) -> bool {
    let is_distinct = |expr: &Expr| matches!(expr, Expr::AggregateFunction(call) if call.params.distinct);
    aggregate.aggr_expr.iter().any(is_distinct)
}
