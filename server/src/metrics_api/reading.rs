//! Asking the engine, once what was visible before a restart is there again.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use henge_query::provenance::MadeOf;
use henge_query::reader::Reader;
use henge_query::request::AskedLimits;
use henge_query::series::{GroupOrder, LabelFilter, SeriesRequest, SeriesValue};
use henge_segment_store::dataset::{Dataset, DatasetName, Metric};
use henge_segment_store::time::Interval;
use uuid::Uuid;

use super::problem::Problem;
use crate::app::{App, Services};
use crate::error::ApiError;
use crate::query_metrics::{QueryOutcome, QueryTimer};
use crate::recovery;

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
            reader: self.reader.clone(),
            dataset: self.dataset.clone(),
            metric: metric.to_owned(),
            value: SeriesValue::Labels,
            filter,
            group_by: vec![field.to_owned()],
            granularity: None,
            intervals,
            order,
            query_id: Uuid::new_v4().to_string(),
            timeout: None,
            limits: AskedLimits::default(),
        };
        self.series(request).await
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
