//! SQL that nobody waits for, as Druid has it: `/druid/v2/sql/statements[/{id}[/results]]`.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::stream;
use henge_query::answer::{QueryAnswer, ResultBatches};
use henge_query::reader::Reader;
use henge_query::result_cache::ResultCacheCounts;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::druid_sql::answer_response::respond;
use super::druid_sql::request::{self, SqlRequest};
use super::request_body;
use crate::app::{App, Services};
use crate::error::ApiError;
use crate::recovery;
use crate::statements::{State, Statement, StatementResult, layout, read_pages};
use crate::wire::ResultFormat;
use crate::wire::encoding::Encoding;

/// The only way in which a statement can run here.
const ASYNC: &str = "ASYNC";

pub async fn submit(
    Shared(app): Shared<Arc<App>>,
    services: Services,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let (parts, body) = request.into_parts();
    let body = request_body::read(body, app.limits.request_bytes_max).await?;
    let SqlRequest { query, execution_mode, .. } =
        request::parse(&parts.headers, &body, Uuid::new_v4().to_string(), Reader::Everything)?;
    // As in Druid, nothing is assumed here.
    if !execution_mode.is_some_and(|mode| mode.eq_ignore_ascii_case(ASYNC)) {
        return Err(ApiError::invalid("context `executionMode` must be ASYNC; others wait at /druid/v2/sql"));
    }
    recovery::wait_for(&services, &query).await?;
    let id = services.statements.submit(query).await?;
    status(services, Path(id)).await
}

pub async fn status(services: Services, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let statement = known(&services, &id)?;
    Ok(Json(described(&id, &statement)))
}

/// Cancels a statement that runs; of one that is over the result goes, for it takes room.
pub async fn delete(services: Services, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    match services.statements.delete(&id).await {
        Some(true) => Ok(StatusCode::ACCEPTED),
        Some(false) => Ok(StatusCode::OK),
        None => Err(unknown(&id)),
    }
}

/// One page or all, in a format, maybe as a file to be saved.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultsQuery {
    page: Option<usize>,
    result_format: Option<ResultFormat>,
    filename: Option<String>,
}

pub async fn results(
    services: Services,
    Path(id): Path<String>,
    Query(query): Query<ResultsQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let result = match known(&services, &id)?.state {
        State::Success(result) => result,
        State::Failed(error) => return Err(error.into()),
        state => {
            let message = format!("statement `{id}` is {}: ask for its results when it is SUCCESS", word(&state));
            return Err(ApiError::not_found(message));
        }
    };
    let attachment = query.filename.as_deref().map(attachment).transpose()?;
    let layout = layout(query.result_format.unwrap_or_default(), result.time_zone.as_deref());
    let answer = answer(&result, services.statements.directory_of(&id), query.page)?;
    let accepted = Encoding::accepted(&headers);
    let mut response = respond(answer, layout, accepted, None, id).await?;
    if let Some(attachment) = attachment {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, attachment);
    }
    Ok(response)
}

fn answer(result: &StatementResult, directory: PathBuf, page: Option<usize>) -> Result<QueryAnswer, ApiError> {
    let pages = match page {
        None => 0..result.pages.len(),
        Some(page) if page < result.pages.len() => page..page + 1,
        Some(page) => {
            let message = format!("there is no page {page}: the result has {}, from 0", result.pages.len());
            return Err(ApiError::not_found(message));
        }
    };
    let pages: Vec<_> = pages.map(|number| (number, result.pages[number])).collect();
    let batches: ResultBatches = match pages.is_empty() {
        true => Box::pin(stream::empty()),
        false => read_pages(directory, pages),
    };
    Ok(QueryAnswer {
        columns: result.columns.clone(),
        batches,
        result_cache: ResultCacheCounts::default(),
        is_approximate: false,
        made_of: Vec::new(),
    })
}

fn known(services: &Services, id: &str) -> Result<Statement, ApiError> {
    services.statements.get(id).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found(format!("there is no statement `{id}`; results are kept for a while only"))
}

fn word(state: &State) -> &'static str {
    match state {
        State::Accepted => "ACCEPTED",
        State::Running(_) => "RUNNING",
        State::Success(_) => "SUCCESS",
        State::Failed(_) => "FAILED",
    }
}

fn described(id: &str, statement: &Statement) -> Value {
    let columns = match &statement.state {
        State::Running(columns) => Some(columns.as_slice()),
        State::Success(result) => Some(result.columns.as_slice()),
        State::Accepted | State::Failed(_) => None,
    };
    let mut described = json!({
        "queryId": id,
        "state": word(&statement.state),
        "createdAt": statement.created_at.to_string(),
    });
    if let Some(columns) = columns {
        let schema = columns
            .iter()
            .map(|column| json!({ "name": column.name, "type": column.sql_type, "nativeType": column.druid_type }));
        described["schema"] = schema.collect();
    }
    described["durationMs"] = json!(-1);
    match &statement.state {
        State::Success(result) => {
            described["durationMs"] = result.duration_ms.into();
            described["result"] = told(result);
        }
        State::Failed(error) => described["errorDetails"] = json!(ApiError::from(error.clone()).body),
        State::Accepted | State::Running(_) => {}
    }
    described
}

fn told(result: &StatementResult) -> Value {
    let pages = result.pages.iter().enumerate();
    let pages: Vec<Value> =
        pages.map(|(id, page)| json!({ "id": id, "numRows": page.rows, "sizeInBytes": page.bytes })).collect();
    json!({
        "numTotalRows": result.rows(),
        "totalSizeInBytes": result.bytes(),
        "dataSource": "__query_select",
        "sampleRecords": result.sample,
        "pages": pages,
    })
}

/// A name that can do no harm in a header, nor where it is saved.
fn attachment(name: &str) -> Result<HeaderValue, ApiError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_name = (1..=255).contains(&name.len()) && name.bytes().all(is_plain) && !name.starts_with('.');
    let value = is_name.then(|| HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).ok()).flatten();
    value.ok_or_else(|| ApiError::invalid("`filename` must be letters, digits, `-`, `_` and `.`, at most 255"))
}
