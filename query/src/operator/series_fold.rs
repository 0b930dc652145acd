//! [`SeriesFoldTask`] as a node of DataFusion's plans.

mod cells;
mod folding;
mod label_table;
mod output;
mod totals;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};
use henge_segment_store::dataset::SeriesFunction;
use henge_segment_store::time::Granularity;
use tokio::task::yield_now;

use self::folding::Folding;
use self::totals::MEAN_SCALE;
use crate::cpu_pool::QueryShare;
use crate::series::GroupOrder;

/// Digits of a decimal in an answer.
const DIGITS: u8 = 38;
/// After so many batches, a millisecond's work each, the thread gets a chance to see that the query is over.
const BATCHES_A_TURN: usize = 4;

/// What becomes of rows of labels, times and values, each combination of labels and time there once.
#[derive(Debug, Clone)]
pub(crate) struct SeriesFoldTask {
    /// Columns of labels that the rows begin with.
    pub labels: usize,
    /// The names of those of them that the answer has, the first ones.
    pub group_by: Vec<String>,
    /// Whether a time follows.
    pub is_timed: bool,
    /// The answer's buckets; `None` is one for all times.
    pub bucket: Option<Granularity>,
    /// How rows of a series within a bucket become one; `None` where there is one for each bucket already, of a series or of
    /// a group.
    pub time_agg: Option<SeriesFunction>,
    /// How series of a group become one.
    pub agg: SeriesFunction,
    pub numbers: Numbers,
    /// Whether the answer has labels only.
    pub is_labels: bool,
    pub order: GroupOrder,
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    Longs,
    Doubles,
}

impl SeriesFoldTask {
    /// Labels that rows are told apart by at first: all of them where series come before groups.
    fn first_labels(&self) -> usize {
        if self.time_agg.is_some() { self.labels } else { self.group_by.len() }
    }

    /// Digits behind the point of the answer's values; `None` of doubles.
    fn scale(&self) -> Option<i8> {
        let functions = || self.time_agg.into_iter().chain([self.agg]);
        if self.agg == SeriesFunction::Count {
            return Some(0);
        }
        let is_counted = self.time_agg == Some(SeriesFunction::Count);
        match self.numbers {
            Numbers::Doubles if !is_counted => None,
            _ if functions().any(|function| function == SeriesFunction::Mean) => Some(MEAN_SCALE),
            _ => Some(0),
        }
    }

    fn schema(&self) -> SchemaRef {
        let labels = self.group_by.iter().map(|field| Field::new(field, DataType::Utf8View, true));
        let mut fields: Vec<Field> = labels.collect();
        if self.bucket.is_some() {
            fields.push(Field::new("timestamp", DataType::Timestamp(TimeUnit::Millisecond, None), false));
        }
        if !self.is_labels {
            let kind = self.scale().map_or(DataType::Float64, |scale| DataType::Decimal128(DIGITS, scale));
            fields.push(Field::new("value", kind, false));
        }
        Arc::new(Schema::new(fields))
    }
}

/// Folds series into groups, and puts the groups in order; in one partition.
#[derive(Debug)]
pub(crate) struct SeriesFoldExec {
    input: Arc<dyn ExecutionPlan>,
    task: SeriesFoldTask,
    properties: Arc<PlanProperties>,
}

impl SeriesFoldExec {
    /// `input`: in one partition.
    pub fn new(input: Arc<dyn ExecutionPlan>, task: SeriesFoldTask) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(task.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input, task, properties: Arc::new(properties) }
    }

    /// The same over another input.
    fn over(&self, mut inputs: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match inputs.pop() {
            Some(input) => Ok(Arc::new(Self::new(input, self.task.clone()))),
            None => internal_err!("series come from somewhere"),
        }
    }
}

impl DisplayAs for SeriesFoldExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SeriesFold: groups=[{}]", self.task.group_by.join(", "))?;
        if let Some(time_agg) = self.task.time_agg {
            write!(out, " time_agg={time_agg}")?;
        }
        write!(out, " agg={} of {} labels", self.task.agg, self.task.labels)
    }
}

impl ExecutionPlan for SeriesFoldExec {
    fn name(&self) -> &str {
        "SeriesFoldExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.over(children)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.over(children)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(share) = context.session_config().get_extension::<QueryShare>() else {
            return internal_err!("series were folded outside of the query engine");
        };
        let mut input = self.input.execute(partition, context.clone())?;
        let memory = MemoryConsumer::new("series").register(context.memory_pool());
        let (task, schema) = (self.task.clone(), self.schema());
        let folded = async move {
            let mut folding = Folding::new(&task)?;
            let mut batches = 0;
            while let Some(batch) = input.next().await {
                folding.add(&batch?)?;
                memory.try_resize(folding.bytes())?;
                share.charge_thread();
                batches += 1;
                if batches % BATCHES_A_TURN == 0 {
                    yield_now().await;
                }
            }
            share.check()?;
            let batches = folding.finish(schema)?;
            share.charge_thread();
            Ok::<_, datafusion::common::DataFusionError>(stream::iter(batches.into_iter().map(Ok)))
        };
        let batches = stream::once(folded).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}
