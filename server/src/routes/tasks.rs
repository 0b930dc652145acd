//! Druid's tasks: `/druid/indexer/v1/{tasks,task}`. Here each supervisor that reads is one, by its own name.

use axum::Json;
use axum::extract::{Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::Services;
use crate::error::{ApiError, Category};

/// `?state=running`, `?datasource=name`, `?type=index_kafka`.
#[derive(Debug, Default, Deserialize)]
pub struct TasksQuery {
    state: Option<String>,
    datasource: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

const KIND: &str = "index_kafka";

pub async fn list(services: Services, Query(query): Query<TasksQuery>) -> Json<Value> {
    let is_asked = |asked: &Option<String>, value: &str| asked.as_deref().is_none_or(|asked| asked == value);
    let running = running(&services).into_iter().filter(|name| {
        is_asked(&query.state, "running") && is_asked(&query.datasource, name) && is_asked(&query.kind, KIND)
    });
    Json(running.map(|name| described(&services, &name)).collect())
}

/// All of them.
pub async fn list_running(services: Services) -> Json<Value> {
    list(services, Query(TasksQuery::default())).await
}

/// Those that wait or are over: nothing is kept of them.
pub async fn list_none(_: Services) -> Json<Value> {
    Json(json!([]))
}

pub async fn one(services: Services, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    require(&services, &id)?;
    let spec = services.supervisors.spec(&id).ok_or_else(|| unknown(&id))?;
    Ok(Json(json!({ "task": id, "payload": { "type": KIND, "id": id, "dataSource": id, "spec": spec.to_json() } })))
}

pub async fn status(services: Services, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    require(&services, &id)?;
    Ok(Json(json!({ "task": id, "status": described(&services, &id) })))
}

/// Rows come from topics only.
pub async fn submit() -> ApiError {
    ApiError::new(
        Category::Unsupported,
        "tasks cannot be submitted: rows come from Kafka, post a supervisor spec to /druid/indexer/v1/supervisor",
    )
}

fn running(services: &Services) -> Vec<String> {
    let names = services.supervisors.list().into_iter().map(String::from);
    names.filter(|name| services.supervisors.spec(name).is_some_and(|spec| !spec.suspended)).collect()
}

fn described(services: &Services, name: &str) -> Value {
    let server = services.engine.server();
    let started_at = server.map(|server| server.started_at.to_string());
    json!({
        "id": name,
        "groupId": name,
        "type": KIND,
        "createdTime": started_at,
        "queueInsertionTime": started_at,
        "statusCode": "RUNNING",
        "status": "RUNNING",
        "runnerStatusCode": "RUNNING",
        "duration": -1,
        "location": server.map(|server| json!({ "host": server.host, "port": server.port, "tlsPort": -1 })),
        "dataSource": name,
        "errorMsg": null,
    })
}

fn require(services: &Services, id: &str) -> Result<(), ApiError> {
    if running(services).iter().any(|name| name == id) { Ok(()) } else { Err(unknown(id)) }
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found(format!("there is no task `{id}`: each supervisor that reads is one"))
}
