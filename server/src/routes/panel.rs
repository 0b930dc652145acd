//! Questions of dashboards: `/henge/v1/panel/*`.

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use henge_segment_store::clock;
use serde_json::{Value, json};

use super::druid_sql;
use super::request_body::AnyJson;
use crate::error::ApiError;
use crate::panel::annotations::AnnotationsRequest;
use crate::panel::answer::PanelAnswer;
use crate::panel::frame::{type_name, type_of};
use crate::panel::options::{ValuesRequest, VariableRequest};
use crate::panel::prepared::unwritable;
use crate::panel::request::{PanelQuery, PanelRequest};
use crate::panel::run::Panel;
use crate::panel::tail::TailRequest;
use crate::panel::window::Window;
use crate::wire::ARROW_STREAM;

/// The rows of a panel.
pub async fn query(
    panel: Panel,
    headers: HeaderMap,
    AnyJson(asked): AnyJson<PanelRequest>,
) -> Result<Response, ApiError> {
    let is_arrow = druid_sql::request::accepts_arrow(&headers);
    let answer = panel.answer(&asked).await?;
    respond(&answer, is_arrow)
}

/// The statement that would be run, the one that its author could have written, and its columns.
pub async fn check(panel: Panel, AnyJson(asked): AnyJson<PanelRequest>) -> Result<Json<Value>, ApiError> {
    let around = &asked.surroundings;
    let window = Window::of(around)?;
    if let PanelQuery::Metrics(query) = &asked.query {
        return Ok(Json(json!({ "sql": "", "template": null, "columns": query.columns() })));
    }
    let prepared = panel.planned(&asked.query, around, &window)?;
    let columns = panel.columns(&prepared, around, &window).await?;
    let columns: Vec<Value> =
        columns.iter().map(|column| json!({ "name": column.name, "type": type_name(&type_of(column)) })).collect();
    let template = panel.template(&asked.query, around, &window)?;
    Ok(Json(json!({ "sql": prepared.fragment.text, "template": template, "columns": columns })))
}

/// What can be chosen of a column or a label.
pub async fn values(panel: Panel, AnyJson(asked): AnyJson<ValuesRequest>) -> Result<Json<Value>, ApiError> {
    let found = panel.values(&asked).await?;
    Ok(Json(json!({ "values": found.values, "isTruncated": found.is_truncated })))
}

/// What a variable of a dashboard can be.
pub async fn variable(panel: Panel, AnyJson(asked): AnyJson<VariableRequest>) -> Result<Json<Value>, ApiError> {
    let options = panel.variable(&asked).await?;
    Ok(Json(json!({ "options": options })))
}

/// Marks on the time of a dashboard.
pub async fn annotations(panel: Panel, AnyJson(asked): AnyJson<AnnotationsRequest>) -> Result<Json<Value>, ApiError> {
    let marks = panel.annotations(&asked).await?;
    Ok(Json(json!({ "annotations": marks })))
}

/// What is new since the last look.
pub async fn tail(
    panel: Panel,
    headers: HeaderMap,
    AnyJson(asked): AnyJson<TailRequest>,
) -> Result<Response, ApiError> {
    let is_arrow = druid_sql::request::accepts_arrow(&headers);
    let answer = panel.tail(&asked, clock::now()).await?;
    respond(&answer, is_arrow)
}

/// What there is to ask.
pub async fn catalogue(panel: Panel) -> Result<Json<Value>, ApiError> {
    Ok(Json(panel.catalogue().await?))
}

fn respond(answer: &PanelAnswer, is_arrow: bool) -> Result<Response, ApiError> {
    let (kind, body) = match is_arrow {
        true => (ARROW_STREAM, answer.to_arrow().map_err(unwritable)?),
        false => ("application/json", answer.to_json().map_err(unwritable)?),
    };
    Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
}
