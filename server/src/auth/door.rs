//! In front of each door: lets in who may, and says who it is.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::access::Access;
use super::asker::Asker;
use super::credentials::{self, Credentials};
use super::denied::Denied;
use crate::app::App;

/// The door of a path.
#[derive(Clone)]
pub struct Guarded {
    pub app: Arc<App>,
    /// As the list of operations has it; empty where there is nothing.
    pub path: &'static str,
}

pub async fn guard(State(door): State<Guarded>, mut request: Request, next: Next) -> Response {
    let access = Access::of(request.method(), door.path);
    match admitted(&door.app, credentials::read(request.headers()), access).await {
        Ok(asker) => {
            if let Some(asker) = asker {
                request.extensions_mut().insert(asker);
            }
            next.run(request).await
        }
        Err(denied) => denied.into_response_at(request.uri().path()),
    }
}

/// `None`: somebody without a key, at a door that is open to all.
async fn admitted(
    app: &App,
    credentials: Result<Credentials, Denied>,
    access: Access,
) -> Result<Option<Asker>, Denied> {
    let asker = match app.keys.holder(credentials).await {
        Ok(Some(key)) => Asker::of(&key),
        Ok(None) => Asker::anyone(),
        Err(_) if access == Access::Anyone => return Ok(None),
        Err(denied) => return Err(denied),
    };
    if access.is_open_to(&asker.role) { Ok(Some(asker)) } else { Err(Denied::Forbidden) }
}
