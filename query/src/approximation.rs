//! Tells whether a plan estimates: an answer says so.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNode;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

use crate::functions::is_sketch_aggregate;
use crate::operator::SegmentAggregateExec;

/// Whether an aggregate of the plan is an estimate, also where few values make it exact.
pub(crate) fn is_approximate(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    plan.exists(|node| {
        if let Some(segments) = node.downcast_ref::<SegmentAggregateExec>() {
            return Ok(segments.estimates());
        }
        let aggregates = node.downcast_ref::<AggregateExec>().map(AggregateExec::aggr_expr).unwrap_or_default();
        let estimates = |name: &str| name.starts_with("approx_");
        Ok(aggregates.iter().any(|call| is_sketch_aggregate(call.fun()) || estimates(call.fun().name())))
    })
}
