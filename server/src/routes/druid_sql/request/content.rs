//! The text of a body, by what its headers say that it is.

use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;

use crate::error::ApiError;

/// The first content type that the request names, without its parameters.
pub(super) fn content_type(headers: &HeaderMap) -> Result<String, ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err(ApiError::request(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the request has no Content-Type: send application/json or text/plain",
        ));
    };
    let value = value.to_str().unwrap_or_default();
    Ok(value.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase())
}

pub(super) fn utf8(body: &Bytes) -> Result<&str, ApiError> {
    std::str::from_utf8(body).map_err(|error| ApiError::invalid(format!("the request is not UTF-8: {error}")))
}

/// Decodes a form body that is one value, which is how curl sends `--data` and `--data-urlencode`.
pub(super) fn percent_decoded(text: &str) -> Result<String, ApiError> {
    let wrong = || ApiError::invalid("the request is not URL-encoded UTF-8 text");
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let digits = text.get(at + 1..at + 3).ok_or_else(wrong)?;
                decoded.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
                at += 2;
            }
            _ => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8(decoded).map_err(|_| wrong())
}
