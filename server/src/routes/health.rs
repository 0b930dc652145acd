//! Whether the process lives, may be asked, and what it is: `/health/*`, `/status`, `/status/health`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use henge_ingest::status::{State as SupervisorState, SupervisorStatus};
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::{App, Services};
use crate::process;

/// Druid's `GET /status`; clients read `version`.
pub async fn status() -> Json<Value> {
    let resident = process::usage().resident_bytes;
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "modules": [],
        "memory": {
            "maxMemory": resident,
            "totalMemory": resident,
            "freeMemory": 0,
            "usedMemory": resident,
            "directMemory": 0,
        },
    }))
}

pub async fn healthy() -> Json<bool> {
    Json(true)
}

pub async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

/// Whether answers are complete enough to be asked for, and why not, or what is wrong although they are.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Readiness {
    ready: bool,
    /// Why it is not ready.
    waiting_for: Vec<String>,
    /// What is broken while queries are still answered.
    degraded: Vec<String>,
}

pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let readiness = readiness(&app);
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
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

fn of_supervisors(services: &Services) -> Readiness {
    let mut readiness = Readiness::default();
    for name in services.supervisors.list() {
        if let Some(status) = services.supervisors.status(name.as_str()) {
            judge(name.as_str(), &status, &mut readiness);
        }
    }
    readiness
}

/// A supervisor that reads again what was already visible makes the process not ready, for counts would go backwards.
/// One that waits for an operator would never become ready: it degrades.
fn judge(name: &str, status: &SupervisorStatus, readiness: &mut Readiness) {
    let because = status.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    let goes_on_by_itself = !matches!(status.state, SupervisorState::Suspended | SupervisorState::Halted);
    if status.is_recovering && goes_on_by_itself {
        readiness.waiting_for.push(format!("datasource `{name}` reads again what was not published{because}"));
    } else if !status.is_healthy() {
        readiness.degraded.push(format!("datasource `{name}` is {}{because}", status.state));
    }
}

#[cfg(test)]
mod tests {
    use henge_ingest::status::StatusCell;

    use super::*;

    #[test]
    fn recovering_is_not_ready_and_broken_is_degraded_each_with_its_reason() {
        let cases = [
            (SupervisorState::Running, false, None, vec![], vec![]),
            (SupervisorState::Suspended, true, None, vec![], vec![]),
            (SupervisorState::Running, true, None, vec!["datasource `a` reads again what was not published"], vec![]),
            (
                SupervisorState::Connecting,
                true,
                Some("no broker answers"),
                vec!["datasource `a` reads again what was not published: no broker answers"],
                vec![],
            ),
            (
                SupervisorState::Connecting,
                false,
                Some("no broker answers"),
                vec![],
                vec!["datasource `a` is CONNECTING_TO_STREAM: no broker answers"],
            ),
            (
                SupervisorState::Halted,
                true,
                Some("the topic was recreated"),
                vec![],
                vec!["datasource `a` is HALTED: the topic was recreated"],
            ),
        ];
        for (state, is_recovering, detail, waiting_for, degraded) in cases {
            let cell = StatusCell::new(SupervisorState::Connecting, is_recovering);
            cell.enter(state, detail.map(str::to_owned));
            let mut readiness = Readiness::default();
            judge("a", &cell.get(), &mut readiness);
            assert_eq!((readiness.waiting_for, readiness.degraded), (owned(waiting_for), owned(degraded)), "{state}");
        }
    }

    fn owned(texts: Vec<&str>) -> Vec<String> {
        texts.into_iter().map(str::to_owned).collect()
    }
}
