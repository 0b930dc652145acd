//! What the process is, as Druid's clients ask any of its servers: `/status` and below.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::health;
use crate::app::{App, Services};
use crate::process;

/// The version of Druid whose interface this is: clients compare it to know what they may ask.
const DRUID_VERSION: &str = "33.0.0";

/// Clients read `version`. That of Henge stands among the modules.
pub async fn status() -> Json<Value> {
    let resident = process::usage().resident_bytes;
    Json(json!({
        "version": DRUID_VERSION,
        "modules": [{ "name": "henge", "artifact": "henge", "version": env!("CARGO_PKG_VERSION") }],
        "memory": {
            "maxMemory": resident,
            "totalMemory": resident,
            "freeMemory": 0,
            "usedMemory": resident,
            "directMemory": 0,
        },
    }))
}

pub async fn healthy() -> Json<bool> {
    Json(true)
}

/// Druid's word for what `/health/ready` says at length.
pub async fn ready(State(app): State<Arc<App>>) -> (StatusCode, Json<bool>) {
    let is_ready = health::is_ready(&app);
    (if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(is_ready))
}

/// A flat map of texts. No secret is a property.
pub async fn properties(State(app): State<Arc<App>>, services: Services) -> Json<Value> {
    let mut properties = json!({
        "druid.service": "henge",
        "druid.server.http.maxSubqueryBytes": app.limits.query.query_memory_bytes.to_string(),
        "druid.server.http.defaultQueryTimeout": app.limits.query.timeout_default.as_millis().to_string(),
        "druid.server.http.maxQueryTimeout": app.limits.query.timeout_max.as_millis().to_string(),
        "druid.query.scheduler.numThreads": app.limits.query.threads.to_string(),
        "henge.version": env!("CARGO_PKG_VERSION"),
    });
    if let Some(server) = services.engine.server() {
        properties["druid.host"] = server.host.clone().into();
        properties["druid.plaintextPort"] = server.port.to_string().into();
    }
    Json(properties)
}

/// It has found itself in the cluster that it is.
pub async fn self_discovered_status() -> Json<Value> {
    Json(json!({ "selfDiscovered": true }))
}

pub async fn self_discovered() -> StatusCode {
    StatusCode::OK
}
