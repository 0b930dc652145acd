use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, DataFusionError, Result, ScalarValue, Statistics, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use henge_indexing::RowSet;
use henge_segment_store::schema::{DataSourceName, DataSourceSchema, TIME_COLUMN};
use henge_segment_store::time::{Interval, TimestampMs};
use henge_segment_store::timeline::{SegmentView, Snapshot};

/// Batches that wait between a thread that reads and the operator above.
const BATCHES_AHEAD: usize = 2;

/// Reads the segments of a snapshot that a time interval touches.
#[derive(Debug)]
pub(crate) struct SegmentScanExec {
    name: DataSourceName,
    schema: Arc<DataSourceSchema>,
    projection: Arc<[usize]>,
    interval: Interval,
    /// Segments of the snapshot before pruning.
    segments_total: usize,
    /// The segments of each partition, similar in rows.
    partitions: Vec<Arc<[SegmentView]>>,
    properties: Arc<PlanProperties>,
}

impl SegmentScanExec {
    /// `interval`: `None` where no time can match. `projection`: places in the datasource's Arrow schema.
    pub fn new(
        name: &DataSourceName,
        snapshot: &Snapshot,
        interval: Option<Interval>,
        projection: Vec<usize>,
        partitions: usize,
    ) -> Result<Self> {
        let projected: SchemaRef = Arc::new(snapshot.schema.arrow().project(&projection)?);
        let chosen = match interval {
            Some(interval) => prune(&snapshot.segments, interval),
            None => Vec::new(),
        };
        let partitions = spread(chosen, partitions);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(projected),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            name: name.clone(),
            schema: snapshot.schema.clone(),
            projection: projection.into(),
            interval: interval.unwrap_or(Interval::ALL),
            segments_total: snapshot.segments.len(),
            partitions,
            properties: Arc::new(properties),
        })
    }

    fn segments(&self) -> impl Iterator<Item = &SegmentView> {
        self.partitions.iter().flat_map(|segments| segments.iter())
    }

    /// Row count and time bounds are exact where whole segments are read.
    fn statistics(&self, segments: &[&SegmentView]) -> Statistics {
        let is_whole = segments.iter().all(|segment| {
            let (earliest, latest) = segment.time_bounds();
            self.interval.contains(earliest) && self.interval.contains(latest)
        });
        let rows = segments.iter().map(|segment| segment.row_count()).sum::<u64>() as usize;
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

/// The segments with a row that may lie in `interval`.
fn prune(segments: &[SegmentView], interval: Interval) -> Vec<SegmentView> {
    let touches = |segment: &&SegmentView| {
        let (earliest, latest) = segment.time_bounds();
        earliest < interval.end() && interval.start() <= latest
    };
    segments.iter().filter(touches).cloned().collect()
}

/// Gives each segment, the largest first, to the partition with the fewest rows.
fn spread(mut segments: Vec<SegmentView>, partitions: usize) -> Vec<Arc<[SegmentView]>> {
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.row_count()));
    let count = partitions.min(segments.len()).max(1);
    let mut spread: Vec<(u64, Vec<SegmentView>)> = vec![(0, Vec::new()); count];
    for segment in segments {
        let (rows, least) = spread.iter_mut().min_by_key(|(rows, _)| *rows).expect("there is a partition");
        *rows += segment.row_count();
        least.push(segment);
    }
    spread.into_iter().map(|(_, segments)| segments.into()).collect()
}

/// An end that the query leaves open is `..`.
fn shown(interval: Interval) -> String {
    let end = |time: TimestampMs, open: TimestampMs| if time == open { "..".to_owned() } else { time.to_string() };
    format!("{}/{}", end(interval.start(), TimestampMs::MIN), end(interval.end(), TimestampMs::MAX))
}

impl DisplayAs for SegmentScanExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SegmentScan: {}", self.name)?;
        if self.interval != Interval::ALL {
            write!(out, " interval={}", shown(self.interval))?;
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

    /// Reads on a thread that may block; it ends within a batch after the stream is dropped.
    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(segments) = self.partitions.get(partition).cloned() else {
            return internal_err!("a scan of {} partitions has no partition {partition}", self.partitions.len());
        };
        let mut stream = RecordBatchReceiverStream::builder(self.schema(), BATCHES_AHEAD);
        let (sender, projected) = (stream.tx(), self.schema());
        stream.spawn_blocking(move || {
            let names: Vec<&str> = projected.fields().iter().map(|field| field.name().as_str()).collect();
            for segment in segments.iter() {
                let reader = segment.open(&names).map_err(|error| DataFusionError::External(Box::new(error)))?;
                for batch in reader.batches(projected.clone(), &RowSet::all(reader.row_count())) {
                    let batch = batch.map_err(|error| DataFusionError::External(Box::new(error)))?;
                    if sender.blocking_send(Ok(batch)).is_err() {
                        return Ok(());
                    }
                }
            }
            Ok(())
        });
        Ok(stream.build())
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let segments: Vec<&SegmentView> = match args.partition() {
            Some(partition) => self.partitions.get(partition).into_iter().flat_map(|part| part.iter()).collect(),
            None => self.segments().collect(),
        };
        Ok(Arc::new(self.statistics(&segments)))
    }
}
