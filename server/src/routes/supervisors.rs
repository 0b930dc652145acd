//! Druid's supervisor API: `/druid/indexer/v1/supervisor`.

mod report;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use henge_ingest::spec::SupervisorSpec;
use henge_ingest::status::SupervisorStatus;
use henge_segment_store::clock;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::info;

pub use self::report::druid_state;
use self::report::{Report, state};
use super::flag::is_set;
use super::request_body;
use crate::app::{App, Services};
use crate::error::ApiError;

/// `?full`, `?state=true`: how much of each supervisor the list shows. Druid takes a bare name for true.
#[derive(Debug, Deserialize)]
pub struct ListQuery {
    full: Option<String>,
    state: Option<String>,
}

pub async fn list(services: Services, Query(query): Query<ListQuery>) -> Json<Value> {
    let (is_full, has_state) = (is_set(&query.full), is_set(&query.state));
    let names = services.supervisors.list();
    if !is_full && !has_state {
        return Json(names.iter().map(|name| name.as_str()).collect());
    }
    let entries = names.iter().filter_map(|name| {
        // One that is terminated meanwhile is left out.
        let status = services.supervisors.status(name.as_str())?;
        let spec = if is_full { Some(services.supervisors.spec(name.as_str())?) } else { None };
        let mut entry = state(name.as_str(), &status);
        if let Some(spec) = spec {
            entry["spec"] = spec.to_json();
        }
        Some(entry)
    });
    Json(entries.collect())
}

/// Creates a supervisor, or replaces the one of the same datasource.
pub async fn put(State(app): State<Arc<App>>, services: Services, request: Request) -> Result<Json<Value>, ApiError> {
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let body = request_body::read(body, app.limits.request_bytes_max).await?;
    let json: Value =
        serde_json::from_slice(&body).map_err(|error| ApiError::invalid(format!("the spec is not JSON: {error}")))?;
    let accepted = SupervisorSpec::from_json(&json)?;
    let name = accepted.spec.data_source.clone();
    if services.supervisors.put(accepted.spec).await? {
        info!(datasource = %name, "supervisor put");
    }
    Ok(Json(json!({ "id": name, "warnings": accepted.warnings })))
}

pub async fn spec(services: Services, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    services.supervisors.spec(&id).map(|spec| Json(spec.to_json())).ok_or_else(|| unknown(&id))
}

pub async fn status(services: Services, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    report(&services, &id).map(|report| Json(report.status(clock::now())))
}

pub async fn stats(services: Services, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    report(&services, &id).map(|report| Json(report.stats()))
}

pub async fn parse_errors(services: Services, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    report(&services, &id).map(|report| Json(report.parse_errors()))
}

pub async fn health(services: Services, Path(id): Path<String>) -> Result<Response, ApiError> {
    let is_healthy = status_of(&services, &id)?.is_healthy();
    let status = if is_healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, Json(json!({ "healthy": is_healthy }))).into_response())
}

pub async fn suspend(services: Services, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    services.supervisors.suspend(&id).await?;
    info!(datasource = %id, "supervisor suspended");
    spec(services, Path(id)).await
}

pub async fn resume(services: Services, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    services.supervisors.resume(&id).await?;
    info!(datasource = %id, "supervisor resumed");
    spec(services, Path(id)).await
}

pub async fn terminate(services: Services, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    services.supervisors.terminate(&id).await?;
    info!(datasource = %id, "supervisor terminated");
    Ok(Json(json!({ "id": id })))
}

/// Why a reset happens, for the record.
#[derive(Debug, Deserialize)]
pub struct ResetQuery {
    reason: Option<String>,
}

/// Gives up the checkpoint for good; the manifest keeps what was given up, when and why.
pub async fn reset(
    services: Services,
    Path(id): Path<String>,
    Query(query): Query<ResetQuery>,
) -> Result<Json<Value>, ApiError> {
    let reason = query.reason.unwrap_or_else(|| "asked for by HTTP".to_owned());
    services.supervisors.reset(&id, reason).await?;
    info!(datasource = %id, "supervisor reset");
    Ok(Json(json!({ "id": id })))
}

fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let found = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = found.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = format!("a spec comes as application/json, not as `{found}`");
    Err(ApiError::request(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

fn status_of(services: &Services, id: &str) -> Result<SupervisorStatus, ApiError> {
    services.supervisors.status(id).ok_or_else(|| unknown(id))
}

fn report(services: &Services, id: &str) -> Result<Report, ApiError> {
    let status = status_of(services, id)?;
    let spec = services.supervisors.spec(id).ok_or_else(|| unknown(id))?;
    let data_source = services.store.data_source(id).ok_or_else(|| unknown(id))?;
    Ok(Report { id: id.to_owned(), topics: spec.topics.clone(), status, progress: data_source.progress() })
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found(format!("there is no supervisor `{id}`"))
}
