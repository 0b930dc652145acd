//! What clients ask Druid's brokers, historicals, coordinators and overlords about themselves: one process is all of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use super::health;
use crate::app::{App, Services};
use crate::error::ApiError;

/// The URL of the leader of coordinators and overlords: where the request has come to.
pub async fn leader(headers: HeaderMap) -> Result<String, ApiError> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.map(|host| format!("http://{host}")).ok_or_else(|| ApiError::invalid("the request has no Host header"))
}

pub async fn is_leader() -> Json<Value> {
    Json(json!({ "leader": true }))
}

/// The broker knows all segments once the manifest is replayed.
pub async fn broker_load_status(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "inventoryInitialized": app.services().is_some() }))
}

/// Serving forms are opened when a query needs them.
pub async fn historical_load_status(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "cacheInitialized": app.services().is_some() }))
}

pub async fn readiness(State(app): State<Arc<App>>) -> StatusCode {
    if health::is_ready(&app) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// There are no lookup tables.
pub async fn lookups(_: Services) -> Json<Value> {
    Json(json!({}))
}
