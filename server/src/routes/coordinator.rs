//! Datasources and their segments as Druid's coordinator tells of them: `/druid/coordinator/v1/{datasources,metadata,loadstatus}`.

use axum::Json;
use axum::extract::{Path, Query};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::segment::SegmentMeta;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::datasources::{ColumnNames, known};
use super::flag::is_set;
use crate::app::Services;
use crate::error::ApiError;

/// `?simple`, `?full`: how much of each datasource the list shows.
#[derive(Debug, Deserialize)]
pub struct Detail {
    simple: Option<String>,
    full: Option<String>,
}

/// Those that have published segments, as in Druid.
pub async fn data_sources(services: Services, Query(detail): Query<Detail>) -> Json<Value> {
    let names = services.store.data_sources();
    let data_sources = names.iter().filter_map(|name| services.store.data_source(name.as_str()));
    let told = data_sources.filter_map(|data_source| {
        let segments = data_source.published();
        if segments.is_empty() {
            return None;
        }
        let name = data_source.name().as_str();
        Some(if is_set(&detail.full) {
            json!({ "name": name, "properties": {}, "segments": described_all(&data_source, &segments) })
        } else if is_set(&detail.simple) {
            json!({ "name": name, "properties": summary(&segments) })
        } else {
            name.into()
        })
    });
    Json(told.collect())
}

pub async fn data_source(services: Services, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    Ok(Json(summary(&known(&services, &name)?.published())))
}

/// Every published segment can be asked, so all are loaded.
pub async fn load_status(services: Services) -> Json<Value> {
    let names = services.store.data_sources();
    Json(names.iter().map(|name| (name.to_string(), json!(100.0))).collect::<Map<_, _>>().into())
}

pub async fn load_status_of(services: Services, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let name = known(&services, &name)?.name().to_string();
    Ok(Json(json!({ name: 100.0 })))
}

pub async fn metadata_data_sources(services: Services) -> Json<Value> {
    Json(services.store.data_sources().iter().map(|name| name.as_str()).collect())
}

/// Which datasources' segments; all without it.
#[derive(Debug, Deserialize)]
pub struct SegmentsQuery {
    datasources: Option<String>,
}

pub async fn metadata_segments(services: Services, Query(query): Query<SegmentsQuery>) -> Json<Value> {
    let names = services.store.data_sources();
    let wanted = names.iter().filter(|name| query.datasources.as_deref().is_none_or(|wanted| wanted == name.as_str()));
    let data_sources = wanted.filter_map(|name| services.store.data_source(name.as_str()));
    let segments = data_sources.flat_map(|data_source| described_all(&data_source, &data_source.published()));
    Json(segments.collect())
}

/// Ids of the published segments.
pub async fn segments_of(services: Services, Path(name): Path<String>) -> Result<Json<Vec<String>>, ApiError> {
    let segments = known(&services, &name)?.published();
    Ok(Json(segments.iter().map(|meta| meta.id.to_string()).collect()))
}

fn summary(segments: &[SegmentMeta]) -> Value {
    let bytes: u64 = segments.iter().map(|meta| meta.bytes).sum();
    let tier = json!({ "size": bytes, "replicatedSize": bytes, "segmentCount": segments.len() });
    json!({
        "tiers": { "_default_tier": tier },
        "segments": {
            "minTime": segments.iter().map(|meta| meta.id.chunk.start()).min().map(|time| time.to_string()),
            "maxTime": segments.iter().map(|meta| meta.id.chunk.end()).max().map(|time| time.to_string()),
            "count": segments.len(),
            "size": bytes,
            "replicatedSize": bytes,
        },
    })
}

fn described_all(data_source: &DataSource, segments: &[SegmentMeta]) -> Vec<Value> {
    let ColumnNames { dimensions, metrics } = ColumnNames::of(data_source);
    let (dimensions, metrics) = (dimensions.join(","), metrics.join(","));
    let described = segments.iter().map(|meta| {
        json!({
            "dataSource": meta.id.data_source.as_str(),
            "interval": meta.id.chunk.to_string(),
            "version": meta.id.version,
            "loadSpec": { "type": "local", "path": meta.path },
            "dimensions": dimensions,
            "metrics": metrics,
            "shardSpec": { "type": "numbered", "partitionNum": meta.id.shard, "partitions": 0 },
            "binaryVersion": 9,
            "size": meta.bytes,
            "identifier": meta.id.to_string(),
        })
    });
    described.collect()
}
