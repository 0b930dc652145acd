//! Whether the process lives and may be asked: `/health/*`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use henge_ingest::status::SupervisorStatus;
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::{App, Services};
use crate::auth::asker::Asker;
use crate::auth::key::Role;
use crate::recovery;

pub async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

/// Whether answers are complete enough to be asked for, and why not, or what is wrong although they are.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    ready: bool,
    /// Why it is not ready.
    waiting_for: Vec<String>,
    /// What is broken while queries are still answered.
    degraded: Vec<String>,
}

/// A probe needs no key. What is missing, and what is broken, is for admins.
pub async fn ready(State(app): State<Arc<App>>, asker: Option<Extension<Asker>>) -> Response {
    let readiness = readiness(&app);
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let is_told = asker.is_some_and(|Extension(asker)| asker.role == Role::Admin);
    let told = if is_told { readiness } else { Readiness { ready: readiness.ready, ..Readiness::default() } };
    (status, Json(told)).into_response()
}

/// Whether nothing is waited for.
pub fn is_ready(app: &App) -> bool {
    readiness(app).ready
}

fn readiness(app: &App) -> Readiness {
    let Some(services) = app.services() else {
        return Readiness { waiting_for: vec!["the manifest is being replayed".to_owned()], ..Readiness::default() };
    };
    let mut readiness = of_supervisors(services);
    if app.stop.is_cancelled() {
        readiness.waiting_for.push("the process is stopping".to_owned());
    }
    readiness.ready = readiness.waiting_for.is_empty();
    readiness
}

/// A supervisor that reads again what was already visible makes the process not ready, for counts would go backwards.
fn of_supervisors(services: &Services) -> Readiness {
    let recovering = services.supervisors.recovering();
    let waiting_for = recovering.iter().map(recovery::explain).collect();
    let broken = services.supervisors.list().into_iter().filter_map(|name| {
        let status = services.supervisors.status(name.as_str())?;
        let is_recovering = recovering.iter().any(|recovering| recovering.data_source == name);
        if is_recovering { None } else { complaint(name.as_str(), &status) }
    });
    Readiness { ready: false, waiting_for, degraded: broken.collect() }
}

fn complaint(name: &str, status: &SupervisorStatus) -> Option<String> {
    let because = status.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    (!status.is_healthy()).then(|| format!("datasource `{name}` is {}{because}", status.state))
}

#[cfg(test)]
mod tests {
    use henge_ingest::status::{State, StatusCell};

    use super::complaint;

    #[test]
    fn what_does_not_work_is_named_with_its_reason() {
        let cases = [
            (State::Running, None, None),
            (State::Suspended, None, None),
            (
                State::Connecting,
                Some("no broker answers"),
                Some("datasource `a` is CONNECTING_TO_STREAM: no broker answers"),
            ),
            (State::Halted, Some("recreated"), Some("datasource `a` is HALTED: recreated")),
        ];
        for (state, detail, expected) in cases {
            let cell = StatusCell::new(State::Connecting, false);
            cell.enter(state, detail.map(str::to_owned));
            assert_eq!(complaint("a", &cell.get()).as_deref(), expected, "{state}");
        }
    }
}
