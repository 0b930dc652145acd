//! The doors, one a file. Every path is also open with a slash at its end, for half of Druid's clients send one.

mod coordinator;
mod datasets;
mod datasources;
mod docs;
mod druid_sql;
mod exposition;
mod flag;
mod grafana_json;
mod health;
mod metrics_attributes;
mod metrics_descriptors;
mod metrics_discovery;
mod metrics_export;
mod metrics_query;
mod panel;
mod queries;
mod request_body;
mod roles;
mod rules;
mod statements;
mod status;
mod supervisors;
mod tasks;

pub use self::supervisors::druid_state;

use std::any::Any;
use std::sync::Arc;

use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use axum::{Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::error;

use crate::app::App;
use crate::auth::door::{Guarded, guard};
use crate::error::{ApiError, Category};
use crate::metrics_api::problem::Problem;

pub fn router(app: Arc<App>) -> Router {
    let guarded = |path| middleware::from_fn_with_state(Guarded { app: app.clone(), path }, guard);
    let mut router = Router::new();
    for (path, door) in doors() {
        let door = door.fallback(wrong_method).layer(guarded(path));
        router = router.route(path, door.clone()).route(&format!("{path}/"), door);
    }
    // Where nothing is, nobody without a key is told so.
    router
        .fallback_service(get(unknown_path).fallback(unknown_path).layer(guarded("")).with_state(app.clone()))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(app)
}

fn doors() -> impl Iterator<Item = Door> {
    let sql = query_doors().into_iter().chain(metadata_doors());
    sql.chain(panel_doors())
        .chain(grafana_json_doors())
        .chain(metrics_doors())
        .chain(supervisor_doors())
        .chain(process_doors())
}

/// A path and what answers there.
type Door = (&'static str, MethodRouter<Arc<App>>);

fn query_doors() -> Vec<Door> {
    vec![
        ("/druid/v2/sql", post(druid_sql::ask)),
        ("/druid/v2/sql/{id}", delete(druid_sql::cancel)),
        ("/druid/v2/sql/statements", post(statements::submit)),
        ("/druid/v2/sql/statements/{id}", get(statements::status).delete(statements::delete)),
        ("/druid/v2/sql/statements/{id}/results", get(statements::results)),
        ("/druid/v2/{id}", delete(druid_sql::cancel_any)),
    ]
}

fn metadata_doors() -> Vec<Door> {
    vec![
        ("/druid/v2/datasources", get(datasources::list)),
        ("/druid/v2/datasources/{name}", get(datasources::one)),
        ("/druid/v2/datasources/{name}/dimensions", get(datasources::dimensions)),
        ("/druid/v2/datasources/{name}/metrics", get(datasources::metrics)),
        ("/druid/broker/v1/loadstatus", get(roles::broker_load_status)),
        ("/druid/broker/v1/readiness", get(roles::readiness)),
        ("/druid/historical/v1/loadstatus", get(roles::historical_load_status)),
        ("/druid/historical/v1/readiness", get(roles::readiness)),
        ("/druid/coordinator/v1/leader", get(roles::leader)),
        ("/druid/coordinator/v1/isLeader", get(roles::is_leader)),
        ("/druid/coordinator/v1/datasources", get(coordinator::data_sources)),
        ("/druid/coordinator/v1/datasources/{name}", get(coordinator::data_source)),
        ("/druid/coordinator/v1/datasources/{name}/loadstatus", get(coordinator::load_status_of)),
        ("/druid/coordinator/v1/loadstatus", get(coordinator::load_status)),
        ("/druid/coordinator/v1/metadata/datasources", get(coordinator::metadata_data_sources)),
        ("/druid/coordinator/v1/metadata/datasources/{name}/segments", get(coordinator::segments_of)),
        ("/druid/coordinator/v1/metadata/segments", get(coordinator::metadata_segments)),
        ("/druid/coordinator/v1/lookups/config/all", get(roles::lookups)),
        ("/druid/coordinator/v1/rules", get(rules::all)),
        ("/druid/coordinator/v1/rules/{name}", get(rules::one).post(rules::put)),
        ("/druid/indexer/v1/leader", get(roles::leader)),
        ("/druid/indexer/v1/isLeader", get(roles::is_leader)),
        ("/druid/indexer/v1/tasks", get(tasks::list)),
        ("/druid/indexer/v1/runningTasks", get(tasks::list_running)),
        ("/druid/indexer/v1/pendingTasks", get(tasks::list_none)),
        ("/druid/indexer/v1/waitingTasks", get(tasks::list_none)),
        ("/druid/indexer/v1/completeTasks", get(tasks::list_none)),
        ("/druid/indexer/v1/task", post(tasks::submit)),
        ("/druid/indexer/v1/task/{id}", get(tasks::one)),
        ("/druid/indexer/v1/task/{id}/status", get(tasks::status)),
    ]
}

/// Of Grafana's JSON sources.
fn grafana_json_doors() -> Vec<Door> {
    vec![
        ("/grafana/json", get(grafana_json::ping)),
        ("/grafana/json/metrics", post(grafana_json::metrics)),
        ("/grafana/json/metric-payload-options", post(grafana_json::payload_options)),
        ("/grafana/json/search", post(grafana_json::search)),
        ("/grafana/json/query", post(grafana_json::query)),
        ("/grafana/json/variable", post(grafana_json::variable)),
        ("/grafana/json/annotations", post(grafana_json::annotations)),
        ("/grafana/json/tag-keys", post(grafana_json::tag_keys)),
        ("/grafana/json/tag-values", post(grafana_json::tag_values)),
    ]
}

fn panel_doors() -> Vec<Door> {
    vec![
        ("/henge/v1/panel/query", post(panel::query)),
        ("/henge/v1/panel/check", post(panel::check)),
        ("/henge/v1/panel/catalogue", get(panel::catalogue)),
        ("/henge/v1/panel/values", post(panel::values)),
        ("/henge/v1/panel/variable", post(panel::variable)),
        ("/henge/v1/panel/annotations", post(panel::annotations)),
        ("/henge/v1/panel/tail", post(panel::tail)),
    ]
}

fn metrics_doors() -> Vec<Door> {
    vec![
        ("/v2/metrics/{dataset}/query", post(metrics_query::query)),
        ("/v2/metrics/{dataset}/attributes", post(metrics_attributes::attributes)),
        ("/v2/metrics/{dataset}/export", get(metrics_export::export)),
        ("/v2/metrics/{dataset}/discovery", get(metrics_discovery::discovery)),
        ("/v2/metrics/{dataset}/descriptors/metrics", get(metrics_descriptors::metrics)),
        ("/v2/metrics/{dataset}/descriptors/resources", get(metrics_descriptors::resources)),
        ("/henge/v1/datasets", get(datasets::list)),
        ("/henge/v1/datasets/{name}", get(datasets::one).put(datasets::put).delete(datasets::delete)),
    ]
}

fn supervisor_doors() -> Vec<Door> {
    vec![
        ("/druid/indexer/v1/supervisor", get(supervisors::list).post(supervisors::put)),
        ("/druid/indexer/v1/supervisor/{id}", get(supervisors::spec)),
        ("/druid/indexer/v1/supervisor/{id}/status", get(supervisors::status)),
        ("/druid/indexer/v1/supervisor/{id}/stats", get(supervisors::stats)),
        ("/druid/indexer/v1/supervisor/{id}/health", get(supervisors::health)),
        ("/druid/indexer/v1/supervisor/{id}/parseErrors", get(supervisors::parse_errors)),
        ("/druid/indexer/v1/supervisor/{id}/suspend", post(supervisors::suspend)),
        ("/druid/indexer/v1/supervisor/{id}/resume", post(supervisors::resume)),
        ("/druid/indexer/v1/supervisor/{id}/terminate", post(supervisors::terminate)),
        ("/druid/indexer/v1/supervisor/{id}/shutdown", post(supervisors::terminate)),
        ("/druid/indexer/v1/supervisor/{id}/reset", post(supervisors::reset)),
    ]
}

fn process_doors() -> Vec<Door> {
    vec![
        ("/status", get(status::status)),
        ("/status/health", get(status::healthy)),
        ("/status/ready", get(status::ready)),
        ("/status/properties", get(status::properties)),
        ("/status/selfDiscovered", get(status::self_discovered)),
        ("/status/selfDiscovered/status", get(status::self_discovered_status)),
        ("/henge/v1/queries", get(queries::list)),
        ("/henge/v1/queries/{id}", get(queries::one)),
        ("/health/live", get(health::live)),
        ("/health/ready", get(health::ready)),
        ("/metrics", get(exposition::metrics)),
        ("/openapi.json", get(docs::document)),
        ("/docs", get(docs::page)),
    ]
}

async fn unknown_path(uri: Uri) -> Response {
    refused_at(&uri, ApiError::not_found(format!("there is nothing at {}", uri.path())))
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not take {method}", uri.path());
    refused_at(&uri, ApiError::request(StatusCode::METHOD_NOT_ALLOWED, message))
}

/// In the form of errors at that path.
fn refused_at(uri: &Uri, error: ApiError) -> Response {
    match uri.path().starts_with("/v2/metrics/") {
        true => Problem::from(error).into_response(),
        false => error.into_response(),
    }
}

/// A panic costs one request. Its message stays in the log, for it may show what is nobody else's business.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    error!(panic = text.unwrap_or("no message"), "a request panicked");
    ApiError::new(Category::Defensive, "a defect of henge ended this request; its log says more").into_response()
}

#[cfg(test)]
mod tests;
