use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::node::AggregateNode;
use super::rows_node::RowsNode;
use super::with_native_operators;
use crate::operator::{SegmentAggregateExec, SegmentRowsExec};

/// DataFusion's planner, with our operators wherever they can be.
#[derive(Debug)]
pub(crate) struct NativePlanner;

#[async_trait]
impl QueryPlanner for NativePlanner {
    async fn create_physical_plan(
        &self,
        optimized: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = with_native_operators(optimized.clone())?;
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(NativeNodes)]);
        planner.create_physical_plan(&plan, session).await
    }
}

struct NativeNodes;

#[async_trait]
impl ExtensionPlanner for NativeNodes {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        _: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if let Some(node) = node.as_any().downcast_ref::<RowsNode>() {
            let rows = SegmentRowsExec::new(node.name.clone(), node.segments_total, node.task.clone());
            return Ok(Some(Arc::new(rows)));
        }
        let node = node.as_any().downcast_ref::<AggregateNode>();
        Ok(node.map(|node| -> Arc<dyn ExecutionPlan> {
            Arc::new(SegmentAggregateExec::new(node.name.clone(), node.segments_total, node.task.clone()))
        }))
    }
}
