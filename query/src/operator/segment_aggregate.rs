//! [`AggregateTask`] as a node of DataFusion's plans.

mod measured;
mod shown;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::StreamExt;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::timeline::SegmentView;
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::aggregate::AggregateTask;
use super::{OperatorContext, OperatorMetrics};

/// Batches that wait for the operator above.
const BATCHES_AHEAD: usize = 2;

/// Groups and aggregates rows of a datasource's segments, in one partition.
#[derive(Debug)]
pub(crate) struct SegmentAggregateExec {
    name: DataSourceName,
    /// Segments of the snapshot before pruning.
    segments_total: usize,
    task: Arc<AggregateTask>,
    metrics: Arc<OperatorMetrics>,
    properties: Arc<PlanProperties>,
}

impl SegmentAggregateExec {
    pub fn new(name: DataSourceName, segments_total: usize, task: AggregateTask) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(task.output.clone()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let (metrics, properties) = (Arc::default(), Arc::new(properties));
        Self { name, segments_total, task: Arc::new(task), metrics, properties }
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

/// Sends the groups until nobody listens any more. Blocking.
fn run(task: &AggregateTask, context: &OperatorContext, sender: &Sender<Result<RecordBatch>>) -> Result<()> {
    for batch in task.run(context)? {
        if sender.blocking_send(Ok(batch)).is_err() {
            break;
        }
    }
    Ok(())
}

impl DisplayAs for SegmentAggregateExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SegmentAggregate: {}", self.name)?;
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
        let operator = OperatorContext {
            threads: NonZeroUsize::new(context.session_config().target_partitions()).unwrap_or(NonZeroUsize::MIN),
            memory: context.memory_pool().clone(),
            cancelled: Arc::new(cancelled.clone()),
            metrics: self.metrics.clone(),
        };
        let mut batches = RecordBatchReceiverStream::builder(self.schema(), BATCHES_AHEAD);
        let (task, sender) = (self.task.clone(), batches.tx());
        batches.spawn_blocking(move || run(&task, &operator, &sender));
        let cancelled_when_dropped = cancelled.drop_guard();
        let batches = batches.build().inspect(move |_| {
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
