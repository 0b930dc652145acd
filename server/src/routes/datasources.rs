//! Names of datasources and of their columns: `GET /druid/v2/datasources[/{name}]`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::time::{Interval, TimestampMs};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::flag::is_set;
use crate::app::Services;
use crate::error::ApiError;

/// A datasource's columns by kind; `metrics` is Druid's word for measures.
#[derive(Debug, Default, Serialize)]
pub struct ColumnNames {
    pub dimensions: Vec<String>,
    pub metrics: Vec<String>,
}

impl ColumnNames {
    pub fn of(data_source: &DataSource) -> Self {
        let schema = data_source.schema();
        let dimensions = schema.dimensions.iter().map(|dimension| dimension.name.clone());
        let metrics = schema.measures.iter().map(|measure| measure.name.clone());
        Self { dimensions: dimensions.collect(), metrics: metrics.collect() }
    }
}

/// The datasource, or the answer that there is none.
pub fn known(services: &Services, name: &str) -> Result<Arc<DataSource>, ApiError> {
    services.store.data_source(name).ok_or_else(|| ApiError::not_found(format!("there is no datasource `{name}`")))
}

pub async fn list(services: Services) -> Json<Vec<String>> {
    Json(services.store.data_sources().into_iter().map(String::from).collect())
}

/// `?interval=start/end`: columns of rows in it; `?full`: by interval.
#[derive(Debug, Deserialize)]
pub struct ColumnsQuery {
    interval: Option<String>,
    full: Option<String>,
}

/// Every column that rows have, however old they are; Druid without `interval` looks at the last week only.
pub async fn one(
    services: Services,
    Path(name): Path<String>,
    Query(query): Query<ColumnsQuery>,
) -> Result<Json<Value>, ApiError> {
    let data_source = known(&services, &name)?;
    let asked = query.interval.as_deref().map(read_interval).transpose()?;
    let columns = ColumnNames::of(&data_source);
    if !is_set(&query.full) {
        let has_rows = || rows_within(&data_source, asked.unwrap_or(Interval::ALL)).is_some();
        return Ok(Json(json!(if asked.is_none() || has_rows() { columns } else { ColumnNames::default() })));
    }
    Ok(Json(match rows_within(&data_source, asked.unwrap_or(Interval::ALL)) {
        Some(interval) => json!({ interval.to_string(): columns }),
        None => json!({}),
    }))
}

pub async fn dimensions(services: Services, Path(name): Path<String>) -> Result<Json<Vec<String>>, ApiError> {
    Ok(Json(ColumnNames::of(known(&services, &name)?.as_ref()).dimensions))
}

pub async fn metrics(services: Services, Path(name): Path<String>) -> Result<Json<Vec<String>>, ApiError> {
    Ok(Json(ColumnNames::of(known(&services, &name)?.as_ref()).metrics))
}

/// The part of an interval, from the first to the last row's segment; `None` where no segment has rows in it.
fn rows_within(data_source: &DataSource, asked: Interval) -> Option<Interval> {
    let snapshot = data_source.snapshot(asked);
    let bounds = || snapshot.segments.iter().map(|segment| segment.time_bounds());
    let (earliest, latest) = (bounds().map(|bounds| bounds.0).min()?, bounds().map(|bounds| bounds.1).max()?);
    Interval::new(earliest, TimestampMs(latest.0 + 1))?.intersect(asked)
}

/// `start/end`, both in ISO-8601.
fn read_interval(text: &str) -> Result<Interval, ApiError> {
    let bounds = text.split_once('/').and_then(|(start, end)| {
        Interval::new(TimestampMs::parse_iso(start.trim())?, TimestampMs::parse_iso(end.trim())?)
    });
    bounds.ok_or_else(|| {
        ApiError::invalid(format!("`interval` must be like 2026-01-01/2026-02-01T12:00:00Z, not `{text}`"))
    })
}
