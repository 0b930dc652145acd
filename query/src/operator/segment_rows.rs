//! [`TopRowsTask`] and [`ValuesTask`] as a node of DataFusion's plans.

mod shown;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};
use henge_indexing::SortOrder;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::timeline::SegmentView;
use tokio_util::sync::CancellationToken;

use super::scan_top::TopRowsTask;
use super::segment_aggregate::measured;
use super::values::ValuesTask;
use super::{OperatorContext, OperatorMetrics};
use crate::answer::bytes_of;
use crate::error::QueryError;

/// What rows are asked for.
#[derive(Debug, Clone)]
pub(crate) enum RowsTask {
    TopRows(TopRowsTask),
    Values(ValuesTask),
}

impl RowsTask {
    fn run(&self, context: &OperatorContext) -> Result<Vec<RecordBatch>, QueryError> {
        match self {
            Self::TopRows(task) => task.run(context),
            Self::Values(task) => task.run(context),
        }
    }

    fn output(&self) -> &SchemaRef {
        match self {
            Self::TopRows(task) => &task.output,
            Self::Values(task) => &task.output,
        }
    }

    fn segments(&self) -> &[SegmentView] {
        match self {
            Self::TopRows(task) => &task.segments,
            Self::Values(task) => &task.segments,
        }
    }

    /// The places of the columns that the rows are ordered by.
    pub fn order(&self) -> Vec<(usize, SortOrder)> {
        match self {
            Self::TopRows(task) => task.order.iter().map(|key| (key.column, key.order)).collect(),
            Self::Values(task) => vec![(0, task.order)],
        }
    }

    /// How many rows are enough; `None` for all.
    pub fn count(&self) -> Option<NonZeroUsize> {
        match self {
            Self::TopRows(task) => Some(task.count),
            Self::Values(task) => task.count,
        }
    }

    fn rows_max(&self) -> u64 {
        let rows = self.segments().iter().map(SegmentView::row_count).sum();
        self.count().map_or(rows, |count| rows.min(count.get() as u64))
    }
}

/// Yields rows of a datasource's segments in an order, in one partition.
#[derive(Debug)]
pub(crate) struct SegmentRowsExec {
    name: DataSourceName,
    /// Segments of the snapshot before pruning.
    segments_total: usize,
    task: Arc<RowsTask>,
    metrics: Arc<OperatorMetrics>,
    properties: Arc<PlanProperties>,
}

impl SegmentRowsExec {
    pub fn new(name: DataSourceName, segments_total: usize, task: Arc<RowsTask>) -> Self {
        let schema = task.output().clone();
        let sorted_by = |(column, order): (usize, SortOrder)| {
            let expr = Arc::new(Column::new(schema.field(column).name(), column));
            let options = SortOptions { descending: order.is_descending, nulls_first: order.is_nulls_first };
            PhysicalSortExpr { expr, options }
        };
        let ordering: Vec<PhysicalSortExpr> = task.order().into_iter().map(sorted_by).collect();
        let properties = PlanProperties::new(
            EquivalenceProperties::new_with_orderings(schema.clone(), [ordering]),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { name, segments_total, task, metrics: Arc::default(), properties: Arc::new(properties) }
    }
}

impl DisplayAs for SegmentRowsExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown::write(&self.name, &self.task, self.segments_total, out)
    }
}

impl ExecutionPlan for SegmentRowsExec {
    fn name(&self) -> &str {
        "SegmentRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    /// Works on threads that may block; they end within milliseconds after the stream is dropped.
    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("rows in an order have one partition, not {partition}");
        }
        let cancelled = CancellationToken::new();
        let operator = OperatorContext::new(&context, &cancelled, &self.metrics)?;
        let task = self.task.clone();
        let rows = SpawnedTask::spawn_blocking(move || task.run(&operator));
        let memory = MemoryConsumer::new("rows").register(context.memory_pool());
        let cancelled_when_dropped = cancelled.drop_guard();
        let batches = stream::once(async move {
            let panicked = |_| QueryError::internal("an operator of the query panicked, see the log");
            let batches = rows.join().await.map_err(panicked)??;
            memory.try_grow(batches.iter().map(bytes_of).sum())?;
            Ok::<_, DataFusionError>(stream::iter(batches).map(move |batch| {
                memory.shrink(bytes_of(&batch));
                Ok(batch)
            }))
        });
        let batches = batches.try_flatten().inspect(move |_| {
            let _ = &cancelled_when_dropped;
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(measured::metrics(&self.metrics))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let rows = Precision::Inexact(usize::try_from(self.task.rows_max()).unwrap_or(usize::MAX));
        Ok(Arc::new(Statistics { num_rows: rows, ..Statistics::new_unknown(self.schema().as_ref()) }))
    }
}
