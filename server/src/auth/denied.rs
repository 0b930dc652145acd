//! Why a request was not let in, as the clients of its door read it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use henge_segment_store::error::{StoreError, with_sources};
use tracing::error;

use crate::error::{ApiError, Category};
use crate::metrics_api::problem::Problem;

/// An answer never tells an unknown key from a wrong secret or a revoked key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    Missing,
    Malformed,
    Wrong,
    Expired,
    /// The key is right, and may not do this.
    Forbidden,
    /// Nobody can tell now.
    Unreadable,
}

impl Denied {
    pub fn unreadable(error: &StoreError) -> Self {
        error!(error = with_sources(error), "the keys cannot be read");
        Self::Unreadable
    }

    pub fn message(self) -> &'static str {
        match self {
            Self::Missing => {
                "a key is needed: send `Authorization: Basic`, with the key's id and secret as user and password"
            }
            Self::Malformed => {
                "the credentials are not understood: send one `Authorization: Basic base64(ID:SECRET)`, or `Bearer ID.SECRET`"
            }
            Self::Wrong => "there is no such key with such a secret; it may have been revoked",
            Self::Expired => "the key has expired: ask for a new one",
            Self::Forbidden => "the key may not do this: its role is not enough",
            Self::Unreadable => "the keys cannot be read now: try again in a moment",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Unreadable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// In the form of errors at that path.
    pub fn into_response_at(self, path: &str) -> Response {
        let mut response = if path.starts_with("/v2/metrics/") { self.as_json_api() } else { self.as_druid() };
        if response.status() == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"henge\", Bearer realm=\"henge\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    fn as_druid(self) -> Response {
        match self {
            Self::Unreadable => ApiError::unavailable(self.message()),
            Self::Forbidden => ApiError::new(Category::Forbidden, self.message()),
            _ => ApiError::new(Category::Unauthorized, self.message()),
        }
        .into_response()
    }

    fn as_json_api(self) -> Response {
        let code = match self {
            Self::Forbidden => "forbidden",
            Self::Unreadable => "unavailable",
            _ => "unauthorized",
        };
        Problem::new(self.status(), code, self.message()).into_response()
    }
}
