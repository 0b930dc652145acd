//! [`AggregateTask`] as a node of DataFusion's plans.

pub(super) mod measured;
mod shown;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};
use henge_segment_store::timeline::SegmentView;
use tokio_util::sync::CancellationToken;

use super::aggregate::{AggregateFunction, AggregateTask, ReadGroups};
use super::{OperatorContext, OperatorMetrics};
use crate::answer::bytes_of;
use crate::error::QueryError;

/// Groups and aggregates rows of a datasource's segments, in one partition.
#[derive(Debug)]
pub(crate) struct SegmentAggregateExec {
    /// Segments of the snapshot before pruning.
    segments_total: usize,
    task: Arc<AggregateTask>,
    metrics: Arc<OperatorMetrics>,
    properties: Arc<PlanProperties>,
}

impl SegmentAggregateExec {
    pub fn new(segments_total: usize, task: AggregateTask) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(task.output.clone()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let (metrics, properties) = (Arc::default(), Arc::new(properties));
        Self { segments_total, task: Arc::new(task), metrics, properties }
    }

    /// Whether an aggregate is an estimate.
    pub fn estimates(&self) -> bool {
        let mut aggregates = self.task.aggregation.aggregates.iter();
        aggregates.any(|aggregate| matches!(aggregate.function, AggregateFunction::Sketch(..)))
    }

    /// No more groups than rows, nor than are asked for.
    fn groups_max(&self) -> Precision<usize> {
        if self.task.aggregation.keys.is_empty() {
            return Precision::Exact(1);
        }
        let rows: u64 = self.task.segments.iter().map(SegmentView::row_count).sum();
        let asked_for = self.task.top.map_or(usize::MAX, |top| top.count.get());
        Precision::Inexact(asked_for.min(usize::try_from(rows).unwrap_or(usize::MAX)))
    }
}

/// Yields groups bit by bit, on threads that may block.
struct Reader {
    task: Arc<AggregateTask>,
    operator: OperatorContext,
    /// `None` before the segments are read.
    groups: Option<ReadGroups>,
}

/// Some groups, and how to get more.
type Reading = SpawnedTask<Result<(Vec<RecordBatch>, Option<Reader>), QueryError>>;

impl Reader {
    /// Begins at once, so that more groups are found while the last ones are made use of.
    fn read_on(mut self) -> Reading {
        SpawnedTask::spawn_blocking(move || {
            let mut groups = match self.groups.take() {
                Some(groups) => groups,
                None => self.task.read(&self.operator)?,
            };
            let batches = groups.next(&self.task, &self.operator)?;
            let rest = (!groups.is_done()).then(|| Self { groups: Some(groups), ..self });
            Ok((batches, rest))
        })
    }
}

impl DisplayAs for SegmentAggregateExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SegmentAggregate: {}", self.task.data_source)?;
        shown::write(&self.task, self.segments_total, out)
    }
}

impl ExecutionPlan for SegmentAggregateExec {
    fn name(&self) -> &str {
        "SegmentAggregateExec"
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
            return internal_err!("an aggregation has one partition, not {partition}");
        }
        let cancelled = CancellationToken::new();
        let operator = OperatorContext::new(&context, &cancelled, &self.metrics)?;
        let reader = Reader { task: self.task.clone(), operator, groups: None };
        let memory = MemoryConsumer::new("groups").register(context.memory_pool());
        let cancelled_when_dropped = cancelled.drop_guard();
        let batches = stream::try_unfold(Some(reader.read_on()), move |reading| {
            let memory = memory.new_empty();
            async move {
                let Some(reading) = reading else { return Ok(None) };
                let panicked = |_| QueryError::internal("an aggregation panicked, see the log");
                let (batches, reader) = reading.join().await.map_err(panicked)??;
                memory.try_grow(batches.iter().map(bytes_of).sum())?;
                let batches = stream::iter(batches).map(move |batch| {
                    memory.shrink(bytes_of(&batch));
                    Ok(batch)
                });
                Ok::<_, DataFusionError>(Some((batches, reader.map(Reader::read_on))))
            }
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
        let unknown = Statistics::new_unknown(self.schema().as_ref());
        Ok(Arc::new(Statistics { num_rows: self.groups_max(), ..unknown }))
    }
}
