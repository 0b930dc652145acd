//! Errors in the form of JSON:API, which clients of metrics know.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use henge_query::error::{QueryError, QueryErrorKind};
use henge_segment_store::error::{ErrorKind, StoreError, with_sources};
use serde_json::json;

use crate::error::ApiError;

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// For programs.
    pub code: &'static str,
    /// For people: what is wrong, and what to change.
    pub detail: String,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    /// The request itself has to be changed.
    pub fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        // What helps those who write SQL is no help here.
        if error.message.starts_with("SUM overflow") {
            let detail = "a sum leaves 64 bits: ask for shorter intervals, or for fewer series at once";
            return Self::invalid("too_large", detail);
        }
        let (status, code) = match error.kind {
            QueryErrorKind::Parse | QueryErrorKind::Plan | QueryErrorKind::Unsupported => {
                (StatusCode::BAD_REQUEST, "invalid_query")
            }
            QueryErrorKind::ResourceLimit => (StatusCode::BAD_REQUEST, "too_large"),
            QueryErrorKind::Capacity => (StatusCode::TOO_MANY_REQUESTS, "too_many_queries"),
            QueryErrorKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "timeout"),
            QueryErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            QueryErrorKind::Cancelled | QueryErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        Self::new(status, code, error.message)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let (status, code) = match error.kind() {
            ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid"),
            ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict"),
            ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            ErrorKind::Data | ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        Self::new(status, code, with_sources(&error))
    }
}

/// Of what all doors share: reading bodies, recovery.
impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        let code = if error.status.is_client_error() { "invalid_request" } else { "unavailable" };
        Self::new(error.status, code, error.body.error_message)
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::invalid("invalid_path", format!("{}: name a dataset", rejection.body_text()))
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::invalid("invalid_parameter", format!("{}: give each parameter once", rejection.body_text()))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Without an id: the same request of the same reader is answered alike, whoever else asks.
        let error = json!({
            "status": self.status.as_str(),
            "code": self.code,
            "detail": self.detail,
        });
        let body = json!({ "errors": [error] }).to_string();
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if matches!(self.status, StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
