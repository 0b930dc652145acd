//! Puts operators of our own into plans, where all of a shape is theirs; DataFusion runs what is around them.
//!
//! optimized plan -> source (what is read) -> group keys, aggregate functions -> node -> top groups -> operator
//!                                            expressions over keys -> regrouping: operator, then DataFusion's

mod aggregation;
mod distinct;
mod function;
mod group_key;
mod node;
mod output;
mod partial;
mod planner;
mod regrouping;
mod source;
mod top_groups;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::OptimizerRule;

pub(crate) use self::planner::NativePlanner;

/// DataFusion's rules for logical plans that [`NativePlanner`] is to plan.
pub(crate) fn logical_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    distinct::other_rules()
}

/// The plan with our operators in it; a shape that is not recognised in full stays as it is.
///
/// For plans that DataFusion has optimized: filters are at the tables, and only the columns that count are there.
fn with_native_operators(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| {
        Ok(match &node {
            LogicalPlan::Aggregate(aggregate) => {
                let whole = aggregation::recognise(aggregate);
                let recognised = if whole.is_some() { whole } else { regrouping::recognise(aggregate)? };
                match recognised {
                    Some(recognised) => Transformed::yes(recognised),
                    None => split(node)?,
                }
            }
            LogicalPlan::Sort(sort) => match top_groups::recognise(sort)? {
                Some(limited) => Transformed::yes(limited),
                None => Transformed::no(node),
            },
            _ => Transformed::no(node),
        })
    })
    .data()
}

/// An aggregation in two steps, where that is the way; the first may be ours.
fn split(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let steps = distinct::split(node)?;
    if !steps.transformed {
        return Ok(steps);
    }
    with_native_operators(steps.data).map(Transformed::yes)
}
