//! Puts operators of our own into plans, where all of a shape is theirs; DataFusion runs what is around them.
//!
//! optimized plan -> source (what is read) -> group keys, aggregate functions -> node -> top groups -> operator

mod aggregation;
mod function;
mod group_key;
mod node;
mod planner;
mod source;
mod top_groups;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::logical_expr::LogicalPlan;

pub(crate) use self::planner::NativePlanner;

/// The plan with our operators in it; a shape that is not recognised in full stays as it is.
///
/// For plans that DataFusion has optimized: filters are at the tables, and only the columns that count are there.
fn with_native_operators(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| {
        Ok(match &node {
            LogicalPlan::Aggregate(aggregate) => replaced(aggregation::recognise(aggregate), node),
            LogicalPlan::Sort(sort) => replaced(top_groups::recognise(sort)?, node),
            _ => Transformed::no(node),
        })
    })
    .data()
}

fn replaced(by: Option<LogicalPlan>, node: LogicalPlan) -> Transformed<LogicalPlan> {
    by.map_or_else(|| Transformed::no(node), Transformed::yes)
}
