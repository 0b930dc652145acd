use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result};
use datafusion::logical_expr::{Expr, Extension, InvariantLevel, LogicalPlan, UserDefinedLogicalNode};

use crate::operator::aggregate::{AggregateTask, Aggregation, TopGroups};
use crate::scan::RowFilter;
use crate::table::SnapshotTable;

/// An aggregation by an operator of ours, in place of DataFusion's and of all that was below it.
#[derive(Debug, Clone)]
pub(super) struct AggregateNode {
    /// Segments of the snapshot before pruning.
    pub segments_total: usize,
    pub task: AggregateTask,
    /// That of the plan it stands for.
    pub schema: DFSchemaRef,
}

impl AggregateNode {
    /// `filter`: `None` where no row can pass.
    pub fn over(
        table: &SnapshotTable,
        aggregation: Aggregation,
        filter: Option<RowFilter>,
        schema: DFSchemaRef,
    ) -> Self {
        let use_indexes = table.shortcuts.use_indexes;
        let segments = match &filter {
            Some(filter) if use_indexes => filter.chosen(&table.snapshot),
            Some(_) => table.snapshot.segments.clone(),
            None => Vec::new(),
        };
        let (aggregation, output) = (Arc::new(aggregation), schema.inner().clone());
        let data_source = table.name.clone();
        let task = AggregateTask { data_source, aggregation, filter, segments, output, top: None, use_indexes };
        Self { segments_total: table.snapshot.segments.len(), task, schema }
    }

    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    pub fn with_top(&self, top: TopGroups) -> Self {
        Self { task: AggregateTask { top: Some(top), ..self.task.clone() }, ..self.clone() }
    }
}

/// A leaf without expressions: for DataFusion there is nothing in it to rewrite.
impl UserDefinedLogicalNode for AggregateNode {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn name(&self) -> &str {
        "SegmentAggregate"
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
        write!(out, "SegmentAggregate: {}", self.task.data_source)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Arc<dyn UserDefinedLogicalNode>> {
        Ok(Arc::new(self.clone()))
    }

    fn dyn_hash(&self, mut state: &mut dyn Hasher) {
        Arc::as_ptr(&self.task.aggregation).hash(&mut state);
    }

    /// Each recognised plan is one of its own.
    fn dyn_eq(&self, other: &dyn UserDefinedLogicalNode) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| {
            Arc::ptr_eq(&self.task.aggregation, &other.task.aggregation) && self.task.top == other.task.top
        })
    }

    fn dyn_ord(&self, other: &dyn UserDefinedLogicalNode) -> Option<Ordering> {
        self.dyn_eq(other).then_some(Ordering::Equal)
    }
}
