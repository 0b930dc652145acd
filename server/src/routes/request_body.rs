use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::error::ApiError;

/// How long a client may send nothing in the middle of a body.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// Reads a whole body of at most `bytes_max`.
pub async fn read(body: Body, bytes_max: usize) -> Result<Bytes, ApiError> {
    let mut pieces = body.into_data_stream();
    let mut whole = BytesMut::new();
    loop {
        let Ok(piece) = tokio::time::timeout(IDLE_TIMEOUT, pieces.next()).await else {
            return Err(ApiError::request(StatusCode::REQUEST_TIMEOUT, "the request's body stopped arriving"));
        };
        let Some(piece) = piece else { return Ok(whole.freeze()) };
        let piece = piece.map_err(|error| ApiError::invalid(format!("the request's body broke off: {error}")))?;
        if whole.len() + piece.len() > bytes_max {
            let message = format!("the request's body is longer than {bytes_max} bytes (`limits.request_size`)");
            return Err(ApiError::request(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        whole.extend_from_slice(&piece);
    }
}

/// The JSON of a request, whatever it says its type is; nothing is an empty object.
pub struct AnyJson<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for AnyJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let body = read(request.into_body(), app.limits.request_bytes_max).await?;
        let body = if body.is_empty() { b"{}".as_slice() } else { &body };
        serde_json::from_slice(body).map(Self).map_err(|error| not_understood(&error))
    }
}

/// JSON that says something else than it should.
pub fn not_understood(error: &serde_json::Error) -> ApiError {
    ApiError::invalid(format!("the request is not understood: {error}"))
}
