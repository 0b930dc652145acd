use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;

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
