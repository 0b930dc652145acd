//! Who asks: what a door finds among the extensions of its request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use henge_query::reader::Reader;

use super::key::{Key, KeyId, Role};
use crate::app::App;
use crate::error::{ApiError, Category};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Whose rows they are to see.
    pub reader: Reader,
    pub role: Role,
    /// `None` where no key is needed.
    pub key: Option<KeyId>,
}

impl Asker {
    /// Whoever reaches a server that has no keys.
    pub const fn anyone() -> Self {
        Self { reader: Reader::Everything, role: Role::Admin, key: None }
    }

    pub fn of(key: &Key) -> Self {
        Self { reader: key.role.reader(), role: key.role.clone(), key: Some(key.id.clone()) }
    }
}

/// Each door that is not open to all has one.
impl FromRequestParts<Arc<App>> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, ApiError> {
        let asker = parts.extensions.get::<Self>().cloned();
        asker.ok_or_else(|| ApiError::new(Category::Unauthorized, "a key is needed"))
    }
}
