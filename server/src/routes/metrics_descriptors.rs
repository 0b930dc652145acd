//! What can be asked: `GET /v2/metrics/{dataset}/descriptors/{metrics,resources}`.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use henge_segment_store::dataset::{Label, Metric, MetricKind, ResourceType};
use henge_segment_store::schema::Measure;
use henge_segment_store::store::Store;
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::asker::Asker;
use crate::metrics_api::listing::ListQuery;
use crate::metrics_api::problem::Problem;
use crate::metrics_api::reading::DatasetReading;
use crate::metrics_api::respond;

pub async fn metrics(
    State(app): State<Arc<App>>,
    asker: Asker,
    dataset: Result<Path<String>, PathRejection>,
    list: Result<Query<ListQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let answered = async {
        let (Path(dataset), Query(list)) = (dataset?, list?);
        let reading = DatasetReading::of(&app, asker.reader, &dataset)?;
        let kind = list.resource_type.as_deref();
        if let Some(unknown) = kind.filter(|kind| !reading.dataset.resources.contains_key(*kind)) {
            let known: Vec<&str> = reading.dataset.resources.keys().map(String::as_str).collect();
            let detail = format!("`resource_type` is one of {}, not `{unknown}`", known.join(", "));
            return Err(Problem::invalid("unknown_resource_type", detail));
        }
        let wanted = reading
            .dataset
            .metrics
            .iter()
            .filter(|(_, metric)| kind.is_none_or(|kind| metric.resources.iter().any(|resource| resource == kind)));
        let described = wanted.map(|(name, metric)| (name.as_str(), described(name, metric, &reading.services.store)));
        list.page(parts.uri.path(), described.collect())
    };
    respond(&app, &parts.extensions, answered).await
}

pub async fn resources(
    State(app): State<Arc<App>>,
    asker: Asker,
    dataset: Result<Path<String>, PathRejection>,
    list: Result<Query<ListQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let answered = async {
        let (Path(dataset), Query(list)) = (dataset?, list?);
        let reading = DatasetReading::of(&app, asker.reader, &dataset)?;
        let described = reading.dataset.resources.iter().map(|(kind, resource)| {
            let labels = resource_labels(kind, resource);
            let json = json!({ "type": kind, "description": resource.description, "labels": labels });
            (kind.as_str(), json)
        });
        list.page(parts.uri.path(), described.collect())
    };
    respond(&app, &parts.extensions, answered).await
}

fn described(name: &str, metric: &Metric, store: &Store) -> Value {
    let labels: Vec<Value> = metric.labels.iter().map(|(key, label)| label_json(key, label)).collect();
    json!({
        "name": name,
        "description": metric.description,
        "type": type_name(metric, store),
        "unit": metric.unit,
        "lifecycle_stage": metric.stage,
        "exportable": metric.exportable,
        "resources": metric.resources,
        "labels": labels,
    })
}

fn type_name(metric: &Metric, store: &Store) -> &'static str {
    let schema = store.data_source(metric.data_source.as_str()).map(|data_source| data_source.schema());
    let is_it = |measure: &&Measure| measure.name == metric.measure;
    let is_long = schema
        .is_some_and(|schema| schema.measures.iter().find(is_it).is_some_and(|measure| measure.aggregation.is_long()));
    match (metric.kind, is_long) {
        (MetricKind::Counter, true) => "COUNTER_INT64",
        (MetricKind::Counter, false) => "COUNTER_DOUBLE",
        (MetricKind::Gauge, true) => "GAUGE_INT64",
        (MetricKind::Gauge, false) => "GAUGE_DOUBLE",
    }
}

/// The id first.
fn resource_labels(kind: &str, resource: &ResourceType) -> Vec<Value> {
    let id = json!({ "key": format!("{kind}.id"), "description": "its id", "exportable": true });
    let others = resource.labels.iter().map(|(key, label)| label_json(&format!("{kind}.{key}"), label));
    std::iter::once(id).chain(others).collect()
}

fn label_json(key: &str, label: &Label) -> Value {
    json!({ "key": key, "description": label.description, "exportable": label.exportable })
}
