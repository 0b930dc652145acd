//! Names of datasources and of their columns: `GET /druid/v2/datasources[/{name}]`.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;

use crate::app::Services;
use crate::error::ApiError;

/// A datasource's columns by kind; `metrics` is Druid's word for measures.
#[derive(Debug, Serialize)]
pub struct Columns {
    dimensions: Vec<String>,
    metrics: Vec<String>,
}

pub async fn list(services: Services) -> Json<Vec<String>> {
    Json(services.store.data_sources().into_iter().map(String::from).collect())
}

pub async fn one(services: Services, Path(name): Path<String>) -> Result<Json<Columns>, ApiError> {
    let Some(data_source) = services.store.data_source(&name) else {
        return Err(ApiError::not_found(format!("there is no datasource `{name}`")));
    };
    let schema = data_source.schema();
    let dimensions = schema.dimensions.iter().map(|dimension| dimension.name.clone());
    let metrics = schema.measures.iter().map(|measure| measure.name.clone());
    Ok(Json(Columns { dimensions: dimensions.collect(), metrics: metrics.collect() }))
}
