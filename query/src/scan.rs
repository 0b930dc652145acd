//! Reading segments: what passes the pushed-down filter, and no more than that.

mod reading;
mod selection;
mod ways_taken;
mod work;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::StreamExt;
use henge_segment_store::schema::{DataSourceName, TIME_COLUMN};
use henge_segment_store::time::{Interval, TimestampMs};
use henge_segment_store::timeline::{SegmentView, Snapshot};
use tokio::task::yield_now;

use self::reading::Reading;
pub(crate) use self::selection::RowFilter;
pub(crate) use self::ways_taken::{WaysTaken, counted};
use self::work::{Part, spread};
use crate::cpu_pool::QueryShare;
use crate::pushdown::shown;
use crate::segment_reads::SegmentReads;

/// Batches that wait between the pool that reads and the operator above.
const BATCHES_AHEAD: usize = 2;

/// After so many batches the operator above gives its thread a chance to see that the query is over; most take a millisecond
/// or two a batch.
const BATCHES_A_TURN: usize = 4;

/// Reads those rows of a snapshot that pass a filter.
#[derive(Debug)]
pub(crate) struct SegmentScanExec {
    name: DataSourceName,
    filter: Arc<RowFilter>,
    /// Rows that each partition needs to yield at the most.
    limit: Option<u64>,
    /// Segments of the snapshot before pruning.
    segments_total: usize,
    /// What each partition reads, similar in rows.
    partitions: Vec<Arc<[Part]>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    /// How the filter's tests were made.
    ways: Arc<WaysTaken>,
    /// Whether the planner may know how many rows there are before the filter.
    tells_statistics: bool,
}

impl SegmentScanExec {
    /// `filter`: `None` where no row can pass. `projection`: places in the datasource's Arrow schema. `limit`: rows that
    /// are enough.
    pub fn new(
        name: &DataSourceName,
        snapshot: &Snapshot,
        filter: Option<RowFilter>,
        projection: &[usize],
        limit: Option<u64>,
        partitions: usize,
    ) -> Result<Self> {
        let projected: SchemaRef = Arc::new(snapshot.schema.arrow().project(projection)?);
        let chosen = filter.as_ref().map_or_else(Vec::new, |filter| filter.chosen(snapshot));
        let ways = Arc::default();
        let partitions = spread(chosen, partitions, &ways);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(projected),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            name: name.clone(),
            filter: Arc::new(filter.unwrap_or(RowFilter { interval: Interval::ALL, predicate: None })),
            limit,
            segments_total: snapshot.segments.len(),
            partitions,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            ways,
            tells_statistics: true,
        })
    }

    /// The same rows, of which the planner knows nothing beforehand.
    pub fn without_statistics(self) -> Self {
        Self { tells_statistics: false, ..self }
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.partitions.iter().flat_map(|parts| parts.iter())
    }

    fn segments(&self) -> impl Iterator<Item = &SegmentView> {
        self.parts().filter(|part| part.is_first()).map(|part| &part.segment.view)
    }

    /// Row count and time bounds are exact where whole segments are read.
    fn statistics(&self, segments: &[&SegmentView], rows: u64, is_counted: bool) -> Statistics {
        let is_whole =
            is_counted && self.limit.is_none() && segments.iter().all(|segment| self.filter.takes_all_of(segment));
        let rows = rows.min(self.limit.unwrap_or(u64::MAX)) as usize;
        let mut statistics = Statistics::new_unknown(self.schema().as_ref());
        statistics.num_rows = if is_whole { Precision::Exact(rows) } else { Precision::Inexact(rows) };
        let place = self.schema().index_of(TIME_COLUMN).ok();
        let earliest = segments.iter().map(|segment| segment.time_bounds().0).min();
        let latest = segments.iter().map(|segment| segment.time_bounds().1).max();
        if let (Some(place), Some(earliest), Some(latest), true) = (place, earliest, latest, is_whole) {
            let time = |time: TimestampMs| Precision::Exact(ScalarValue::TimestampMillisecond(Some(time.0), None));
            statistics.column_statistics[place] = ColumnStatistics {
                null_count: Precision::Exact(0),
                min_value: time(earliest),
                max_value: time(latest),
                ..ColumnStatistics::new_unknown()
            };
        }
        statistics
    }
}

/// Which rows pass, for `EXPLAIN`; `None` lets no row pass.
pub(crate) fn write_filter(filter: Option<&RowFilter>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some(filter) = filter else { return out.write_str(" filter=[FALSE]") };
    if filter.interval != Interval::ALL {
        write!(out, " interval={}", shown_interval(filter.interval))?;
    }
    if let Some(predicate) = &filter.predicate {
        write!(out, " filter=[{}]", shown(predicate))?;
    }
    Ok(())
}

/// An end that the query leaves open is `..`.
pub(crate) fn shown_interval(interval: Interval) -> String {
    let end = |time: TimestampMs, open: TimestampMs| if time == open { "..".to_owned() } else { time.to_string() };
    format!("{}/{}", end(interval.start(), TimestampMs::MIN), end(interval.end(), TimestampMs::MAX))
}

impl DisplayAs for SegmentScanExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SegmentScan: {}", self.name)?;
        write_filter(Some(&self.filter), out)?;
        if let Some(limit) = self.limit {
            write!(out, " limit={limit}")?;
        }
        let chosen = self.segments().count();
        let open = self.segments().filter(|segment| segment.is_open()).count();
        let schema = self.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(out, " segments={chosen}/{} (open={open})", self.segments_total)?;
        write!(out, " partitions={} projection=[{}]", self.partitions.len(), columns.join(", "))
    }
}

impl ExecutionPlan for SegmentScanExec {
    fn name(&self) -> &str {
        "SegmentScanExec"
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

    /// Reads on the CPU pool; that ends within a morsel after the stream is dropped.
    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(parts) = self.partitions.get(partition).cloned() else {
            return internal_err!("a scan of {} partitions has no partition {partition}", self.partitions.len());
        };
        let config = context.session_config();
        let (Some(share), Some(reads)) = (config.get_extension::<QueryShare>(), config.get_extension::<SegmentReads>())
        else {
            return internal_err!("a scan was started outside of the query engine");
        };
        reads.expect(parts.iter().map(Part::rows).sum());
        let memory = MemoryConsumer::new("SegmentScan").register(context.memory_pool());
        let (filter, projected, limit) = (self.filter.clone(), self.schema(), self.limit);
        let mut stream = RecordBatchReceiverStream::builder(self.schema(), BATCHES_AHEAD);
        let passed = MetricBuilder::new(&self.metrics).output_rows(partition);
        let sender = stream.tx();
        let charged = share.clone();
        stream.spawn(Reading { parts, filter, projected, limit, share, reads, memory, passed }.run(sender));
        let in_turns = stream.build().enumerate().then(move |(number, batch)| {
            charged.charge_thread();
            async move {
                if number % BATCHES_A_TURN == BATCHES_A_TURN - 1 {
                    yield_now().await;
                }
                batch
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), in_turns)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        let mut metrics = self.metrics.clone_inner();
        self.ways.add_to(&mut metrics);
        Some(metrics)
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        if !self.tells_statistics {
            return Ok(Arc::new(Statistics::new_unknown(self.schema().as_ref())));
        }
        let parts: Vec<&Part> = match args.partition() {
            Some(partition) => self.partitions.get(partition).into_iter().flat_map(|parts| parts.iter()).collect(),
            None => self.parts().collect(),
        };
        let segments: Vec<&SegmentView> = parts.iter().map(|part| &part.segment.view).collect();
        let is_in_parts = parts.iter().any(|part| !part.is_whole());
        let rows = match args.partition() {
            None => self.segments().map(SegmentView::row_count).sum(),
            Some(_) => parts.iter().map(|part| part.rows()).sum(),
        };
        let is_exact = args.partition().is_none() || !is_in_parts;
        Ok(Arc::new(self.statistics(&segments, rows, is_exact)))
    }
}

#[cfg(test)]
mod tests;
