use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use super::idle_sorts::without_idle_sorts;
use super::node::AggregateNode;
use super::rows_node::RowsNode;
use super::with_native_operators;
use crate::operator::{SegmentAggregateExec, SegmentRowsExec};

/// DataFusion's planner, with our operators wherever they can be.
#[derive(Debug)]
pub(crate) struct NativePlanner {
    /// The session without DataFusion's physical rules.
    without_rules: SessionState,
}

impl NativePlanner {
    /// `session`: with the configuration and the functions of all queries.
    pub fn new(session: &SessionState) -> Self {
        let without_rules = SessionStateBuilder::new_from_existing(session.clone());
        Self { without_rules: without_rules.with_physical_optimizer_rules(Vec::new()).build() }
    }
}

#[async_trait]
impl QueryPlanner for NativePlanner {
    async fn create_physical_plan(
        &self,
        optimized: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = with_native_operators(optimized.clone())?;
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(NativeNodes)]);
        if is_in_one_partition(&plan)? {
            return planner.create_physical_plan(&without_idle_sorts(plan)?, &self.without_rules).await;
        }
        planner.create_physical_plan(&plan, session).await
    }
}

/// Whether rows only pass through steps over an operator of ours, or there is no table. All of that is in one partition already, so that none
/// of DataFusion's physical rules, a third of the time that planning takes, has anything to do.
fn is_in_one_partition(plan: &LogicalPlan) -> Result<bool> {
    let mut is_so = true;
    plan.apply(|node| {
        is_so &= matches!(
            node,
            LogicalPlan::Extension(_)
                | LogicalPlan::EmptyRelation(_)
                | LogicalPlan::Values(_)
                | LogicalPlan::Projection(_)
                | LogicalPlan::Filter(_)
                | LogicalPlan::Sort(_)
                | LogicalPlan::Limit(_)
                | LogicalPlan::SubqueryAlias(_)
        );
        node.apply_subqueries(|_| {
            is_so = false;
            Ok(TreeNodeRecursion::Stop)
        })?;
        Ok(if is_so { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(is_so)
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
            Arc::new(SegmentAggregateExec::new(node.segments_total, node.task.clone()))
        }))
    }
}
