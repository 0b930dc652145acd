//! The doors, one a file. Every path is also open with a slash at its end, for half of Druid's clients send one.

mod datasources;
mod druid_sql;
mod exposition;
mod health;
mod queries;
mod request_body;
mod rules;
mod supervisors;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::error;

use crate::app::App;
use crate::error::{ApiError, Category};

pub fn router(app: Arc<App>) -> Router {
    let routes: [(&str, MethodRouter<Arc<App>>); 24] = [
        ("/druid/v2/sql", post(druid_sql::ask)),
        ("/druid/v2/sql/{id}", delete(druid_sql::cancel)),
        ("/druid/v2/datasources", get(datasources::list)),
        ("/druid/v2/datasources/{name}", get(datasources::one)),
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
        ("/druid/coordinator/v1/rules", get(rules::all)),
        ("/druid/coordinator/v1/rules/{name}", get(rules::one).post(rules::put)),
        ("/henge/v1/queries", get(queries::list)),
        ("/henge/v1/queries/{id}", get(queries::one)),
        ("/status", get(health::status)),
        ("/status/health", get(health::healthy)),
        ("/health/live", get(health::live)),
        ("/health/ready", get(health::ready)),
        ("/metrics", get(exposition::metrics)),
    ];
    let mut router = Router::new();
    for (path, doors) in routes {
        router = router.route(path, doors.clone()).route(&format!("{path}/"), doors);
    }
    router
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(app)
}

async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::not_found(format!("there is nothing at {}", uri.path()))
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::request(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
}

/// A panic costs one request. Its message stays in the log, for it may show what is nobody else's business.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    error!(panic = text.unwrap_or("no message"), "a request panicked");
    ApiError::new(Category::Defensive, "a defect of henge ended this request; its log says more").into_response()
}

#[cfg(test)]
mod tests;
