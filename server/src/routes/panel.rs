//! Questions of dashboards: `/henge/v1/panel/*`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use henge_segment_store::clock;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{druid_sql, request_body};
use crate::app::{App, Services};
use crate::auth::asker::Asker;
use crate::error::ApiError;
use crate::panel::annotations::AnnotationsRequest;
use crate::panel::answer::PanelAnswer;
use crate::panel::frame::{answer_json, type_name, type_of};
use crate::panel::options::{ValuesRequest, VariableRequest};
use crate::panel::request::{PanelQuery, PanelRequest};
use crate::panel::run::{Panel, unwritable};
use crate::panel::tail::TailRequest;
use crate::panel::window::Window;
use crate::wire::ARROW_STREAM;

/// The rows of a panel.
pub async fn query(
    State(app): State<Arc<App>>,
    services: Services,
    asker: Asker,
    request: Request,
) -> Result<Response, ApiError> {
    let is_arrow = druid_sql::request::accepts_arrow(request.headers());
    let asked: PanelRequest = body_of(&app, request).await?;
    let answer = Panel { app: &app, services: &services, asker: &asker }.answer(&asked).await?;
    respond(&answer, is_arrow)
}

/// The statement that would be run, the one that its author could have written, and its columns.
pub async fn check(
    State(app): State<Arc<App>>,
    services: Services,
    asker: Asker,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let asked: PanelRequest = body_of(&app, request).await?;
    let panel = Panel { app: &app, services: &services, asker: &asker };
    let around = &asked.surroundings;
    let window = Window::of(around)?;
    if let PanelQuery::Metrics(query) = &asked.query {
        return Ok(Json(json!({ "sql": "", "template": null, "columns": query.columns() })));
    }
    let prepared = panel.planned(&asked.query, around, &window)?;
    let columns = panel.columns(&prepared, around).await?;
    let columns: Vec<Value> =
        columns.iter().map(|column| json!({ "name": column.name, "type": type_name(&type_of(column)) })).collect();
    let template = panel.template(&asked.query, around, &window)?;
    Ok(Json(json!({ "sql": prepared.fragment.text, "template": template, "columns": columns })))
}

/// What can be chosen of a column or a label.
pub async fn values(
    State(app): State<Arc<App>>,
    services: Services,
    asker: Asker,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let asked: ValuesRequest = body_of(&app, request).await?;
    let found = Panel { app: &app, services: &services, asker: &asker }.values(&asked).await?;
    Ok(Json(json!({ "values": found.values, "isTruncated": found.is_truncated })))
}

/// What a variable of a dashboard can be.
pub async fn variable(
    State(app): State<Arc<App>>,
    services: Services,
    asker: Asker,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let asked: VariableRequest = body_of(&app, request).await?;
    let options = Panel { app: &app, services: &services, asker: &asker }.variable(&asked).await?;
    Ok(Json(json!({ "options": options })))
}

/// Marks on the time of a dashboard.
pub async fn annotations(
    State(app): State<Arc<App>>,
    services: Services,
    asker: Asker,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let asked: AnnotationsRequest = body_of(&app, request).await?;
    let marks = Panel { app: &app, services: &services, asker: &asker }.annotations(&asked).await?;
    Ok(Json(json!({ "annotations": marks })))
}

/// What is new since the last look.
pub async fn tail(
    State(app): State<Arc<App>>,
    services: Services,
    asker: Asker,
    request: Request,
) -> Result<Response, ApiError> {
    let is_arrow = druid_sql::request::accepts_arrow(request.headers());
    let asked: TailRequest = body_of(&app, request).await?;
    let answer = Panel { app: &app, services: &services, asker: &asker }.tail(&asked, clock::now()).await?;
    respond(&answer, is_arrow)
}

/// What there is to ask.
pub async fn catalogue(State(app): State<Arc<App>>, services: Services, asker: Asker) -> Result<Json<Value>, ApiError> {
    Ok(Json(Panel { app: &app, services: &services, asker: &asker }.catalogue().await?))
}

/// The JSON of a request, whatever it says its type is.
async fn body_of<T: DeserializeOwned>(app: &App, request: Request) -> Result<T, ApiError> {
    let body = request_body::read(request.into_body(), app.limits.request_bytes_max).await?;
    serde_json::from_slice(&body).map_err(|error| ApiError::invalid(format!("the request is not understood: {error}")))
}

fn respond(answer: &PanelAnswer, is_arrow: bool) -> Result<Response, ApiError> {
    let meta = serde_json::to_string(&answer.meta).expect("what is told of an answer is plain data");
    let (kind, body) = match is_arrow {
        true => (ARROW_STREAM, answer.frame.to_arrow(meta).map_err(unwritable)?),
        false => ("application/json", answer_json(&meta, &answer.frame).map_err(unwritable)?),
    };
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}
