//! Puts operators of our own into plans, where all of a shape is theirs; DataFusion runs what is around them.
//!
//! optimized plan -> source (what is read) -> group keys, aggregate functions -> node -> top groups -> operator
//!                                            expressions over keys -> regrouping: operator, then DataFusion's
//!                                         -> columns that sort, or one column's values -> node -> operator

mod aggregation;
mod distinct;
mod formula;
mod function;
mod group_key;
mod idle_sorts;
mod in_lists;
mod node;
mod output;
mod partial;
mod planner;
mod regrouping;
mod rows_node;
mod source;
mod top_groups;
mod top_rows;
mod truth_tests;
mod values;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::OptimizerRule;

pub(crate) use self::output::types as output_types;
pub(crate) use self::planner::NativePlanner;

/// DataFusion's rules for logical plans that [`NativePlanner`] is to plan.
pub(crate) fn logical_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = in_lists::before_simplifying(distinct::other_rules());
    rules.push(Arc::new(truth_tests::TruthTests));
    rules
}

/// The plan with our operators in it; a shape that is not recognised in full stays as it is.
///
/// For plans that DataFusion has optimized: filters are at the tables, and only the columns that count are there.
fn with_native_operators(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| {
        Ok(match &node {
            LogicalPlan::Aggregate(aggregate) => {
                let recognised = match values::recognise(aggregate).or_else(|| aggregation::recognise(aggregate)) {
                    Some(whole) => Some(whole),
                    None => regrouping::recognise(aggregate)?,
                };
                match recognised {
                    Some(recognised) => Transformed::yes(recognised),
                    None => split(node)?,
                }
            }
            LogicalPlan::Sort(sort) => {
                let limited = match (top_groups::recognise(sort)?, values::sorted(sort)?) {
                    (None, None) => top_rows::recognise(sort)?,
                    (groups, values) => groups.or(values),
                };
                limited.map_or_else(|| Transformed::no(node), Transformed::yes)
            }
            LogicalPlan::Limit(limit) => match values::limited(limit)? {
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
