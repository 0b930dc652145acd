use std::collections::{BTreeMap, BTreeSet, HashSet};

use arrow::array::{Array, AsArray, RecordBatch};
use axum::http::StatusCode;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use henge_query::series::{GroupOrder, LabelFilter, SeriesRequest, SeriesValue};
use henge_segment_store::dataset::{Metric, SAMPLE_MS, resource_id_field};
use henge_segment_store::time::{Interval, TimestampMs};

use super::name::{label_name, metric_name};
use super::text::{ExportText, Syntax};
use super::wanted::Wanted;
use crate::metrics_api::answer::value_texts;
use crate::metrics_api::problem::Problem;
use crate::metrics_api::reading::DatasetReading;
use crate::metrics_api::resources::none_readable;

/// Samples of one metric; what is beyond that is left out (reference: 60,000 points per resource type and metric).
const POINTS_MAX: usize = 60_000;
/// Metrics that are asked for at the same time.
const CONCURRENCY: usize = 4;

/// Told of each resource that was named: 1 where nothing of it may be read.
const ACCESS_ERROR: &str = "confluent_scrape_resource_access_error";
/// Told of each metric that failed, where that is no reason to fail.
const STATUS: &str = "export_status";

/// The samples of one metric.
struct Collected<'r> {
    name: &'r str,
    metric: &'r Metric,
    /// The names of their labels, which stand in the first columns.
    labels: Vec<String>,
    time: TimestampMs,
    batches: Vec<RecordBatch>,
}

/// The text of all samples.
///
/// # Errors
/// None of the resources may be read, or a metric has no answer and that is not to be ignored.
pub async fn collect(reading: &DatasetReading<'_>, wanted: &Wanted, syntax: Syntax) -> Result<Vec<u8>, Problem> {
    let metrics = metrics(reading, wanted)?;
    let mut asked: Vec<BoxFuture<'_, _>> = Vec::new();
    for &(name, metric) in &metrics {
        asked.push(Box::pin(async move { (name, of_metric(reading, wanted, name, metric).await) }));
    }
    let collected: Vec<_> = stream::iter(asked).buffered(CONCURRENCY).collect().await;
    let (mut found, mut failed) = (Vec::new(), Vec::new());
    for (name, collected) in collected {
        match collected {
            Ok(collected) => found.push(collected),
            Err(_) if wanted.ignores_failures => failed.push(name),
            Err(problem) => return Err(problem),
        }
    }
    let readable = readable(reading, wanted, &found).await?;
    let mut text = ExportText::new(syntax);
    found.iter().for_each(|collected| collected.write(&mut text));
    write_access(wanted, &readable, &mut text);
    write_status(wanted, &failed, &mut text);
    Ok(text.finish())
}

/// Those that are wanted, may be exported, and are about a resource that was named.
fn metrics<'r>(reading: &'r DatasetReading<'_>, wanted: &Wanted) -> Result<Vec<(&'r str, &'r Metric)>, Problem> {
    for name in &wanted.metrics {
        reading.metric(name)?;
    }
    let is_about = |metric: &Metric| metric.resources.iter().any(|kind| wanted.resources.contains_key(kind));
    let is_wanted = |name: &str| wanted.metrics.is_empty() || wanted.metrics.contains(name);
    // Two that are called alike would be one to a scraper.
    let mut names = HashSet::new();
    let all = reading.dataset.metrics.iter().map(|(name, metric)| (name.as_str(), metric));
    let chosen = all.filter(|(name, metric)| metric.exportable && is_about(metric) && is_wanted(name));
    Ok(chosen.filter(|(name, _)| names.insert(metric_name(name))).collect())
}

async fn of_metric<'r>(
    reading: &'r DatasetReading<'_>,
    wanted: &Wanted,
    name: &'r str,
    metric: &'r Metric,
) -> Result<Collected<'r>, Problem> {
    let minute = newest_minute(reading, metric).ok_or_else(|| {
        let detail = format!(
            "no minute of `{name}` is known to be complete: what comes is not read to its end yet; ask again in a moment"
        );
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_complete", detail)
    })?;
    let group_by = fields(reading, metric);
    let tests = metric.resources.iter().filter_map(|kind| Some((resource_id_field(kind), wanted.resources.get(kind)?)));
    let tests =
        tests.flat_map(|(field, ids)| ids.iter().map(move |id| LabelFilter::equal(&field, id)).collect::<Vec<_>>());
    let value = SeriesValue::Aggregate { time_agg: None, agg: None };
    let request = SeriesRequest {
        filter: Some(LabelFilter::Any(tests.collect())),
        group_by: group_by.clone(),
        granularity: Some("PT1M".parse().expect("a granularity")),
        intervals: vec![minute],
        ..reading.request(name, value, GroupOrder::ByLabels { after: None, count: POINTS_MAX })
    };
    let (batches, _) = reading.series(request).await?;
    Ok(Collected { name, metric, labels: group_by, time: minute.start(), batches })
}

/// The last minute before everything of the metric's datasource is there.
fn newest_minute(reading: &DatasetReading<'_>, metric: &Metric) -> Option<Interval> {
    let data_source = reading.services.store.data_source(metric.data_source.as_str())?;
    let end = data_source.completeness().complete_until?.0.div_euclid(SAMPLE_MS) * SAMPLE_MS;
    Interval::new(TimestampMs(end - SAMPLE_MS), TimestampMs(end))
}

/// The fields that scrapers get, ids of resources first.
fn fields(reading: &DatasetReading<'_>, metric: &Metric) -> Vec<String> {
    let mut fields = Vec::new();
    for kind in &metric.resources {
        fields.push(resource_id_field(kind));
        let labels = reading.dataset.resources.get(kind).map(|resource| &resource.labels).into_iter().flatten();
        fields.extend(labels.filter(|(_, label)| label.exportable).map(|(name, _)| format!("resource.{kind}.{name}")));
    }
    fields.extend(metric.labels.iter().filter(|(_, label)| label.exportable).map(|(name, _)| format!("metric.{name}")));
    fields
}

impl Collected<'_> {
    fn write(&self, text: &mut ExportText) {
        let (name, labels) = (metric_name(self.name), self.labels.iter().map(|field| label_name(field)));
        let labels: Vec<String> = labels.collect();
        text.family(&name, &self.metric.description);
        for batch in &self.batches {
            let values = batch.columns().last().expect("points have values");
            for row in 0..batch.num_rows() {
                let texts =
                    labels.iter().zip(batch.columns()).map(|(label, column)| (label.as_str(), cell(column, row)));
                text.sample(&name, texts, &value_texts(values, row).0, Some(self.time));
            }
        }
    }

    /// The resources of a type that it has samples of.
    fn resources(&self, kind: &str) -> impl Iterator<Item = &str> {
        let column = self.labels.iter().position(|label| *label == resource_id_field(kind));
        let batches = column.into_iter().flat_map(|column| self.batches.iter().map(move |batch| batch.column(column)));
        batches.flat_map(|ids| (0..ids.len()).map(move |row| cell(ids, row)))
    }
}

/// Empty where it is null: to scrapers the same.
fn cell(column: &dyn Array, row: usize) -> &str {
    if column.is_valid(row) { column.as_string_view().value(row) } else { "" }
}

/// By type, the named resources of which something is stored that the reader may see.
async fn readable(
    reading: &DatasetReading<'_>,
    wanted: &Wanted,
    found: &[Collected<'_>],
) -> Result<BTreeMap<String, BTreeSet<String>>, Problem> {
    let mut readable = BTreeMap::new();
    for (kind, ids) in &wanted.resources {
        let sampled = found.iter().flat_map(|collected| collected.resources(kind));
        let mut known: BTreeSet<String> = sampled.filter(|id| ids.contains(*id)).map(str::to_owned).collect();
        let silent: Vec<&String> = ids.difference(&known).collect();
        if !silent.is_empty() {
            // Some sent nothing lately, and something before.
            let field = resource_id_field(kind);
            let filter = LabelFilter::Any(silent.iter().map(|id| LabelFilter::equal(&field, *id)).collect());
            let count = silent.len();
            known.extend(reading.values(&field, Some(&filter), Interval::ALL, count).await?);
        }
        readable.insert(kind.clone(), known);
    }
    if readable.values().all(BTreeSet::is_empty) {
        return Err(none_readable(wanted.resources.values().flatten().map(String::as_str)));
    }
    Ok(readable)
}

fn write_access(wanted: &Wanted, readable: &BTreeMap<String, BTreeSet<String>>, text: &mut ExportText) {
    text.family(ACCESS_ERROR, "Whether the resource may not be read, or is not there");
    for (kind, ids) in &wanted.resources {
        for id in ids {
            let value = if readable[kind].contains(id) { "0" } else { "1" };
            text.sample(ACCESS_ERROR, [("resource_id", id.as_str()), ("resource_type", kind)], value, None);
        }
    }
}

fn write_status(wanted: &Wanted, failed: &[&str], text: &mut ExportText) {
    if failed.is_empty() {
        return;
    }
    text.family(STATUS, "Metrics that are not exported now");
    for name in failed {
        for kind in wanted.resources.keys() {
            let labels = [("export_status", "error"), ("metric", *name), ("resource", kind.as_str())];
            text.sample(STATUS, labels, "1", None);
        }
    }
}
