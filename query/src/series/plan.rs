//! Which stages a question takes, and over which columns.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::physical_plan::ExecutionPlan;
use henge_indexing::Predicate;
use henge_segment_store::dataset::{Dataset, Metric, SAMPLE_MS, SeriesFunction};
use henge_segment_store::schema::{Aggregation as Merge, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::time::Granularity;

use super::filter::{self, Fields};
use super::{SeriesRequest, SeriesValue};
use crate::error::QueryError;
use crate::operator::aggregate::{
    Aggregate, AggregateFunction, AggregateTask, Aggregation, ColumnKind, GroupKey, InputColumn,
};
use crate::operator::{Numbers, SegmentAggregateExec, SeriesFoldExec, SeriesFoldTask};
use crate::pushdown::all_of;
use crate::rule::output_types;
use crate::scan::RowFilter;
use crate::suggestion::did_you_mean;
use crate::table::SnapshotTable;

/// The metric that a question names.
pub(crate) fn metric_of(request: &SeriesRequest) -> Result<&Metric, QueryError> {
    let metrics = &request.dataset.metrics;
    metrics.get(&request.metric).ok_or_else(|| {
        let suggestion = did_you_mean(&request.metric, metrics.keys().map(String::as_str));
        QueryError::plan(format!("there is no metric '{}'{suggestion}", request.metric))
    })
}

/// The plan over one snapshot of the metric's datasource.
///
/// # Errors
/// The question names a field that the metric does not have, or the datasource lost a column since the dataset was declared.
pub(crate) fn plan(request: &SeriesRequest, table: &SnapshotTable) -> Result<Arc<dyn ExecutionPlan>, QueryError> {
    let metric = metric_of(request)?;
    let reading = Reading::of(request, metric, &table.snapshot.schema)?;
    let hull = request.hull().ok_or_else(|| QueryError::plan("a question about a metric names an interval"))?;
    let own_rows = table.pushdown(&[]).predicate;
    let tests = [own_rows, filter::times(&request.intervals), reading.predicate.clone()];
    let tests: Vec<Predicate> = tests.into_iter().flatten().collect();
    let predicate = (!tests.is_empty()).then(|| all_of(tests));
    let filter = RowFilter { interval: hull, predicate };
    let rows = reading.rows(table, filter);
    let fold = reading.fold(request);
    Ok(Arc::new(SeriesFoldExec::new(Arc::new(rows), fold)))
}

/// What is read for a question.
struct Reading {
    /// Dimensions of the labels that rows are grouped by, those of the answer first.
    labels: Vec<InputColumn>,
    /// The buckets that rows are grouped by; `None` where there is only one.
    bucket: Option<Granularity>,
    /// How rows are brought together.
    merge: AggregateFunction,
    measure: DimensionType,
    /// Of samples, where rows are brought together by them.
    time_agg: Option<SeriesFunction>,
    agg: SeriesFunction,
    predicate: Option<Predicate>,
}

impl Reading {
    fn of(request: &SeriesRequest, metric: &Metric, schema: &DataSourceSchema) -> Result<Self, QueryError> {
        let fields = fields_of(&request.dataset, &request.metric, metric, schema)?;
        let measure = measure_of(metric, schema)?;
        let ColumnKind::Value(kind) = column_kind(measure)? else { return Err(lost("measure", &measure.name, metric)) };
        let input = InputColumn::own(&measure.name, ColumnKind::Value(kind));
        let mut labels: Vec<InputColumn> = Vec::new();
        for field in &request.group_by {
            let (dimension, kind) = fields.get(field)?;
            labels.push(InputColumn::own(dimension, ColumnKind::Value(*kind)));
        }
        let predicate = request.filter.as_ref().map(|filter| fields.predicate(filter)).transpose()?;
        let (merge, merged_by) = merge(measure.aggregation, input.clone());
        let mut reading = Self {
            labels,
            bucket: request.granularity.clone(),
            merge,
            measure: kind,
            time_agg: None,
            agg: merged_by,
            predicate,
        };
        match request.value {
            // Any value will do, and the greatest cannot grow too large.
            SeriesValue::Labels => {
                (reading.merge, reading.agg) = (AggregateFunction::Max(input), SeriesFunction::Max);
            }
            SeriesValue::Aggregate { time_agg, agg } => {
                let time_agg = time_agg.unwrap_or(metric.kind.time_agg());
                let agg = agg.unwrap_or(metric.agg);
                let series = series_labels(&fields, schema);
                reading.take_stages(request, [merged_by, time_agg, agg], series);
            }
        }
        Ok(reading)
    }

    /// Leaves out the stages that change nothing.
    fn take_stages(
        &mut self,
        request: &SeriesRequest,
        [merged_by, time_agg, agg]: [SeriesFunction; 3],
        series: Vec<InputColumn>,
    ) {
        let is_one_sample = request.granularity.as_ref().and_then(Granularity::length_ms) == Some(SAMPLE_MS);
        // One sample is its own sum, mean and extreme.
        let is_sampled = time_agg != merged_by && !(is_one_sample && time_agg != SeriesFunction::Count);
        self.agg = agg;
        if !is_sampled && agg == merged_by {
            return;
        }
        for label in series {
            if !self.labels.contains(&label) {
                self.labels.push(label);
            }
        }
        if is_sampled {
            self.time_agg = Some(time_agg);
            let sample = format!("PT{}S", SAMPLE_MS / 1_000).parse().expect("the length of a sample is a period");
            self.bucket = Some(sample);
        }
    }

    /// The first stage.
    fn rows(&self, table: &SnapshotTable, filter: RowFilter) -> SegmentAggregateExec {
        let mut keys: Vec<GroupKey> = self.labels.iter().cloned().map(GroupKey::Column).collect();
        keys.extend(self.bucket.clone().map(GroupKey::TimeBucket));
        let aggregates = vec![Aggregate { function: self.merge.clone(), filter: None }];
        let aggregation = Aggregation { keys, aggregates };
        let field = |(place, kind): (usize, DataType)| Field::new(format!("${place}"), kind, true);
        let output: Vec<Field> = output_types(&aggregation).enumerate().map(field).collect();
        let use_indexes = table.shortcuts.use_indexes;
        let segments = filter.chosen(&table.snapshot);
        let task = AggregateTask {
            data_source: table.name.clone(),
            aggregation: Arc::new(aggregation),
            filter: Some(filter),
            segments,
            output: Arc::new(Schema::new(output)),
            top: None,
            use_indexes,
        };
        SegmentAggregateExec::new(table.snapshot.segments.len(), task)
    }

    /// The other stages, and what of the groups is wanted.
    fn fold(self, request: &SeriesRequest) -> SeriesFoldTask {
        SeriesFoldTask {
            labels: self.labels.len(),
            group_by: request.group_by.clone(),
            is_timed: self.bucket.is_some(),
            bucket: request.granularity.clone(),
            time_agg: self.time_agg,
            agg: self.agg,
            numbers: match self.measure {
                DimensionType::Double => Numbers::Doubles,
                _ => Numbers::Longs,
            },
            is_labels: request.value == SeriesValue::Labels,
            order: request.order.clone(),
        }
    }
}

/// Every label of the metric's series by its field.
fn fields_of(dataset: &Dataset, name: &str, metric: &Metric, schema: &DataSourceSchema) -> Result<Fields, QueryError> {
    let mut dimensions = HashMap::new();
    for (field, dimension) in metric.fields(dataset) {
        let known = schema.dimensions.iter().find(|known| known.name == dimension);
        let known = known.filter(|known| known.kind != DimensionType::Double);
        let Dimension { name, kind } = known.ok_or_else(|| lost("label", dimension, metric))?;
        dimensions.insert(field, (name.as_str().into(), *kind));
    }
    Ok(Fields { metric: name.to_owned(), dimensions })
}

/// What tells the series of a metric apart, whose they are among it, in the order of the datasource's dimensions.
fn series_labels(fields: &Fields, schema: &DataSourceSchema) -> Vec<InputColumn> {
    let is_label = |dimension: &&Dimension| {
        let is_tenant = schema.tenant.as_ref() == Some(&dimension.name);
        is_tenant || fields.dimensions.values().any(|(name, _)| **name == *dimension.name)
    };
    let labels = schema.dimensions.iter().filter(is_label);
    labels.map(|dimension| InputColumn::own(&dimension.name, ColumnKind::Value(dimension.kind))).collect()
}

fn measure_of<'a>(metric: &Metric, schema: &'a DataSourceSchema) -> Result<&'a Measure, QueryError> {
    let found = schema.measures.iter().find(|measure| measure.name == metric.measure);
    found.ok_or_else(|| lost("measure", &metric.measure, metric))
}

fn column_kind(measure: &Measure) -> Result<ColumnKind, QueryError> {
    Ok(match measure.aggregation {
        Merge::Sketch(_) => ColumnKind::Sketches,
        aggregation if aggregation.is_long() => ColumnKind::Value(DimensionType::Long),
        _ => ColumnKind::Value(DimensionType::Double),
    })
}

/// How rows of a sample become one value.
fn merge(aggregation: Merge, input: InputColumn) -> (AggregateFunction, SeriesFunction) {
    match aggregation {
        Merge::LongMin | Merge::DoubleMin => (AggregateFunction::Min(input), SeriesFunction::Min),
        Merge::LongMax | Merge::DoubleMax => (AggregateFunction::Max(input), SeriesFunction::Max),
        Merge::Count | Merge::LongSum | Merge::DoubleSum | Merge::Sketch(_) => {
            (AggregateFunction::Sum(input), SeriesFunction::Sum)
        }
    }
}

fn lost(what: &str, name: &str, metric: &Metric) -> QueryError {
    QueryError::plan(format!(
        "{what} '{name}' is no column of datasource '{}' any more: whoever declares the dataset has to declare it anew",
        metric.data_source
    ))
}
