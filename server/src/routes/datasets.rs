//! What is declared over the datasources for readers of metrics: `/henge/v1/datasets[/{name}]`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use henge_segment_store::dataset::{Dataset, DatasetName};
use serde_json::{Value, json};
use tracing::info;

use super::request_body;
use crate::app::{App, Services};
use crate::error::ApiError;

/// Names only.
pub async fn list(services: Services) -> Json<Vec<DatasetName>> {
    Json(services.store.datasets().keys().cloned().collect())
}

pub async fn one(services: Services, Path(name): Path<String>) -> Result<Json<Arc<Dataset>>, ApiError> {
    let found = name_of(&name).ok().and_then(|name| services.store.datasets().get(&name).cloned());
    found.map(Json).ok_or_else(|| unknown(&name))
}

/// Declares a dataset, or declares it anew; what is wrong with it is told all at once.
pub async fn put(
    State(app): State<Arc<App>>,
    services: Services,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let name = name_of(&name)?;
    let body = request_body::read(request.into_body(), app.limits.request_bytes_max).await?;
    let json: Value = serde_json::from_slice(&body)
        .map_err(|error| ApiError::invalid(format!("the definition is not JSON: {error}")))?;
    let dataset = Dataset::from_json(&json).map_err(ApiError::problems)?;
    services.store.put_dataset(name.clone(), dataset).await?;
    info!(dataset = %name, "dataset put");
    Ok(Json(json!({ "name": name })))
}

/// The datasources stay as they are.
pub async fn delete(services: Services, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let known = name_of(&name).ok().filter(|name| services.store.datasets().contains_key(name));
    let known = known.ok_or_else(|| unknown(&name))?;
    services.store.remove_dataset(known.clone()).await?;
    info!(dataset = %known, "dataset removed");
    Ok(Json(json!({ "name": known })))
}

fn name_of(name: &str) -> Result<DatasetName, ApiError> {
    DatasetName::new(name).map_err(|error| ApiError::invalid(error.to_string()))
}

fn unknown(name: &str) -> ApiError {
    ApiError::not_found(format!("there is no dataset `{name}`"))
}
