use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result};
use datafusion::logical_expr::{Expr, Extension, InvariantLevel, LogicalPlan, UserDefinedLogicalNode};
use henge_segment_store::schema::DataSourceName;

use crate::operator::RowsTask;

/// Rows in an order by an operator of ours, in place of a scan and of what was above it.
#[derive(Debug, Clone)]
pub(super) struct RowsNode {
    pub name: DataSourceName,
    /// Segments of the snapshot before pruning.
    pub segments_total: usize,
    pub task: Arc<RowsTask>,
    /// That of the plan it stands for.
    pub schema: DFSchemaRef,
}

impl RowsNode {
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }
}

/// A leaf without expressions: for DataFusion there is nothing in it to rewrite.
impl UserDefinedLogicalNode for RowsNode {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "SegmentRows"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn check_invariants(&self, _: InvariantLevel) -> Result<()> {
        Ok(())
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SegmentRows: {}", self.name)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Arc<dyn UserDefinedLogicalNode>> {
        Ok(Arc::new(self.clone()))
    }

    fn dyn_hash(&self, mut state: &mut dyn Hasher) {
        Arc::as_ptr(&self.task).hash(&mut state);
    }

    /// Each recognised plan is one of its own.
    fn dyn_eq(&self, other: &dyn UserDefinedLogicalNode) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| Arc::ptr_eq(&self.task, &other.task))
    }

    fn dyn_ord(&self, other: &dyn UserDefinedLogicalNode) -> Option<Ordering> {
        self.dyn_eq(other).then_some(Ordering::Equal)
    }
}
