//! SQL as Druid's clients send it: `POST /druid/v2/sql`, `DELETE /druid/v2/sql/{id}`, `DELETE /druid/v2/{id}`.

pub(super) mod answer_response;
pub(super) mod request;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use self::request::SqlRequest;
use super::request_body;
use crate::app::{App, Services};
use crate::auth::asker::Asker;
use crate::error::ApiError;
use crate::query_metrics::{QueryOutcome, QueryTimer};
use crate::recovery;
use crate::wire::encoding::Encoding;

const SQL_QUERY_ID: HeaderName = HeaderName::from_static("x-druid-sql-query-id");
const QUERY_ID: HeaderName = HeaderName::from_static("x-druid-query-id");
/// In answers of a process that reads a share of the partitions: of the others it knows what is published.
const SLOT: HeaderName = HeaderName::from_static("x-henge-slot");

pub async fn ask(
    State(app): State<Arc<App>>,
    services: Services,
    asker: Asker,
    request: Request,
) -> Result<Response, ApiError> {
    let mut timer = QueryTimer::start(app.queries.clone());
    let (parts, body) = request.into_parts();
    let refused = |timer: &mut QueryTimer| timer.ended(QueryOutcome::Refused);
    let body = request_body::read(body, app.limits.request_bytes_max).await.inspect_err(|_| refused(&mut timer))?;
    let SqlRequest { query, layout, .. } =
        request::parse(&parts.headers, &body, Uuid::new_v4().to_string(), asker.reader)
            .inspect_err(|_| refused(&mut timer))?;
    recovery::wait_for(&services, &query.reader, &query.sql)
        .await
        .inspect_err(|_| timer.ended(QueryOutcome::Failed))?;
    let query_id = query.query_id.clone();
    let accepted = Encoding::accepted(&parts.headers);
    let answered = match services.engine.execute(query).await {
        Ok(answer) => answer_response::respond(answer, layout, accepted, Some(timer), query_id.clone()).await,
        Err(error) => {
            timer.ended(error.kind.into());
            Err(error)
        }
    };
    let mut response = answered.unwrap_or_else(|error| ApiError::from(error).into_response());
    if let Ok(id) = HeaderValue::from_str(&query_id) {
        response.headers_mut().insert(SQL_QUERY_ID, id.clone());
        response.headers_mut().insert(QUERY_ID, id);
    }
    let slot = services.store.slot();
    if !slot.is_whole() {
        let slot = HeaderValue::from_str(&slot.to_string()).expect("digits and a slash are printable");
        response.headers_mut().insert(SLOT, slot);
    }
    Ok(response)
}

/// A tenant knows of its own queries alone.
pub async fn cancel(services: Services, asker: Asker, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    if services.engine.cancel(&id, &asker.reader) {
        Ok(StatusCode::ACCEPTED)
    } else {
        Err(ApiError::no_such_query(&id))
    }
}

/// Druid's way for native queries, whose ids are the same here: accepted whether or not the query still runs.
pub async fn cancel_any(services: Services, asker: Asker, Path(id): Path<String>) -> StatusCode {
    services.engine.cancel(&id, &asker.reader);
    StatusCode::ACCEPTED
}
