//! Asking the engine, once what was visible before a restart is there again.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use futures::TryStreamExt;
use henge_query::provenance::MadeOf;
use henge_query::reader::Reader;
use henge_query::request::AskedLimits;
use henge_query::series::{GroupOrder, LabelFilter, SeriesRequest, SeriesValue};
use henge_segment_store::completeness::Completeness;
use henge_segment_store::dataset::{Dataset, DatasetName, Metric};
use henge_segment_store::time::Interval;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::problem::Problem;
use crate::app::{App, Services};
use crate::error::ApiError;
use crate::query_metrics::{QueryOutcome, QueryTimer};
use crate::recovery;
use crate::wire::provenance;

/// A dataset as one reader sees it.
pub struct DatasetReading<'a> {
    pub app: &'a App,
    pub services: &'a Services,
    pub reader: Reader,
    pub dataset: Arc<Dataset>,
}

impl<'a> DatasetReading<'a> {
    pub fn of(app: &'a App, reader: Reader, name: &str) -> Result<Self, Problem> {
        let recovering = || ApiError::unavailable("henge is recovering: try again in a moment");
        let services = app.services().ok_or_else(recovering)?;
        let datasets = services.store.datasets();
        let found = DatasetName::new(name).ok().and_then(|name| datasets.get(&name).cloned());
        let dataset = found.ok_or_else(|| {
            let known: Vec<&str> = datasets.keys().map(DatasetName::as_str).collect();
            let known = if known.is_empty() { "none is declared yet".to_owned() } else { known.join(", ") };
            Problem::not_found(format!("there is no dataset `{name}`; declared: {known}"))
        })?;
        Ok(Self { app, services, reader, dataset })
    }

    pub fn metric(&self, name: &str) -> Result<&Metric, Problem> {
        self.dataset.metrics.get(name).ok_or_else(|| {
            let known = self.dataset.metrics.keys();
            let nearest = known.min_by_key(|known| strsim::osa_distance(known, name));
            let nearest = nearest.map(|nearest| format!("; the nearest is `{nearest}`")).unwrap_or_default();
            Problem::invalid(
                "unknown_metric",
                format!("there is no metric `{name}`{nearest}: `descriptors/metrics` lists them all"),
            )
        })
    }

    /// A question of this reader about all series of a metric; it needs an interval.
    pub fn request(&self, metric: &str, value: SeriesValue, order: GroupOrder) -> SeriesRequest {
        SeriesRequest {
            reader: self.reader.clone(),
            dataset: self.dataset.clone(),
            metric: metric.to_owned(),
            value,
            filter: None,
            group_by: Vec::new(),
            granularity: None,
            intervals: Vec::new(),
            order,
            query_id: Uuid::new_v4().to_string(),
            timeout: None,
            limits: AskedLimits::default(),
        }
    }

    /// The rows of an answer, and how complete they are.
    pub async fn series(&self, request: SeriesRequest) -> Result<(Vec<RecordBatch>, Vec<MadeOf>), Problem> {
        let mut timer = QueryTimer::start(self.app.queries.clone());
        if let Some(metric) = self.dataset.metrics.get(&request.metric) {
            let waited = recovery::wait_for(self.services, &self.reader, metric.data_source.as_str()).await;
            waited.inspect_err(|_| timer.ended(QueryOutcome::Failed))?;
        }
        let answered = match self.services.engine.series(request).await {
            Ok(answer) => {
                let batches = answer.batches.try_collect::<Vec<_>>().await;
                batches.map(|batches| (batches, answer.made_of))
            }
            Err(error) => Err(error),
        };
        timer.ended(answered.as_ref().map_or_else(|error| error.kind.into(), |_| QueryOutcome::Success));
        Ok(answered?)
    }

    /// How complete an answer is: of several datasources, what the one has that is known the least of. Partitions are told
    /// to operators who ask for them.
    pub fn completeness(&self, made_of: &[MadeOf], has_sources: bool) -> Map<String, Value> {
        let all = || made_of.iter().map(|made_of| &made_of.completeness);
        let sources = if has_sources && self.reader == Reader::Everything {
            all().flat_map(|completeness| completeness.sources.iter().cloned()).collect()
        } else {
            Vec::new()
        };
        // `None` is less than any time.
        provenance::members(&Completeness {
            as_of: all().map(|completeness| completeness.as_of).min().flatten(),
            complete_until: all().map(|completeness| completeness.complete_until).min().flatten(),
            complete_from: all().map(|completeness| completeness.complete_from).max().flatten(),
            sources,
        })
    }

    /// The labels that a field has, one row each.
    pub async fn labels(
        &self,
        metric: &str,
        field: &str,
        filter: Option<LabelFilter>,
        intervals: Vec<Interval>,
        order: GroupOrder,
    ) -> Result<(Vec<RecordBatch>, Vec<MadeOf>), Problem> {
        let request = SeriesRequest {
            filter,
            group_by: vec![field.to_owned()],
            intervals,
            ..self.request(metric, SeriesValue::Labels, order)
        };
        self.series(request).await
    }

    /// The values that a field has in an interval, of each column that it is read from up to `count`.
    pub async fn values(
        &self,
        field: &str,
        filter: Option<&LabelFilter>,
        interval: Interval,
        count: usize,
    ) -> Result<BTreeSet<String>, Problem> {
        let mut values = BTreeSet::new();
        for metric in self.metrics_with(field) {
            let order = GroupOrder::ByLabels { after: None, count };
            let (batches, _) = self.labels(metric, field, filter.cloned(), vec![interval], order).await?;
            for batch in batches {
                values.extend(batch.column(0).as_string_view().iter().flatten().map(str::to_owned));
            }
        }
        Ok(values)
    }

    /// For each column that a field is read from one metric that has it.
    pub fn metrics_with(&self, field: &str) -> Vec<&str> {
        let mut columns = BTreeSet::new();
        let metrics = self.dataset.metrics.iter().filter(|(_, metric)| {
            let fields = metric.fields(&self.dataset);
            let dimension = fields.iter().find(|(known, _)| known == field).map(|(_, dimension)| *dimension);
            dimension.is_some_and(|dimension| columns.insert((metric.data_source.clone(), dimension.to_owned())))
        });
        metrics.map(|(name, _)| name.as_str()).collect()
    }
}
