//! SQL as Druid's clients send it: `POST /druid/v2/sql`, `DELETE /druid/v2/sql/{id}`.

mod request;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use henge_query::error::QueryError;
use henge_query::result_cache::ResultCacheCounts;
use serde_json::json;
use tracing::warn;
use uuid::Uuid;

use self::request::SqlRequest;
use super::request_body;
use crate::app::{App, Services};
use crate::error::ApiError;
use crate::query_metrics::{QueryOutcome, QueryTimer};
use crate::recovery;
use crate::wire::{Layout, answer};

const SQL_QUERY_ID: HeaderName = HeaderName::from_static("x-druid-sql-query-id");
const QUERY_ID: HeaderName = HeaderName::from_static("x-druid-query-id");
/// JSON, as the other values of a query are.
const RESPONSE_CONTEXT: HeaderName = HeaderName::from_static("x-druid-response-context");
const HEADER_INCLUDED: HeaderName = HeaderName::from_static("x-druid-sql-header-included");

pub async fn ask(State(app): State<Arc<App>>, services: Services, request: Request) -> Result<Response, ApiError> {
    let mut timer = QueryTimer::start(app.queries.clone());
    let (parts, body) = request.into_parts();
    let refused = |timer: &mut QueryTimer| timer.ended(QueryOutcome::Refused);
    let body = request_body::read(body, app.limits.request_bytes_max).await.inspect_err(|_| refused(&mut timer))?;
    let SqlRequest { query, layout } =
        request::parse(&parts.headers, &body, Uuid::new_v4().to_string()).inspect_err(|_| refused(&mut timer))?;
    recovery::wait_for(&services.supervisors, &query.sql).await.inspect_err(|_| timer.ended(QueryOutcome::Failed))?;
    let query_id = query.query_id.clone();
    let started = match services.engine.execute(query).await {
        Ok(answer) => answer::started(answer).await,
        Err(error) => Err(error),
    };
    let mut headers = layout_headers(&layout);
    if let Ok(started) = &started {
        headers.insert(RESPONSE_CONTEXT, response_context(started.result_cache()));
    }
    let mut response = match started.and_then(|started| started.into_bytes(layout)) {
        Ok(pieces) => (headers, Body::from_stream(measured(pieces, timer, query_id.clone()))).into_response(),
        Err(error) => {
            timer.ended(error.kind.into());
            ApiError::from(error).into_response()
        }
    };
    if let Ok(id) = HeaderValue::from_str(&query_id) {
        response.headers_mut().insert(SQL_QUERY_ID, id.clone());
        response.headers_mut().insert(QUERY_ID, id);
    }
    Ok(response)
}

pub async fn cancel(services: Services, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    if services.engine.cancel(&id) { Ok(StatusCode::ACCEPTED) } else { Err(ApiError::no_such_query(&id)) }
}

fn layout_headers(layout: &Layout) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(layout.format.content_type()));
    if layout.header.names {
        headers.insert(HEADER_INCLUDED, HeaderValue::from_static("yes"));
    }
    headers
}

/// What the client may want to know of how its answer came to be.
fn response_context(cache: ResultCacheCounts) -> HeaderValue {
    let ResultCacheCounts { hits, misses } = cache;
    let context = json!({ "resultCache": { "hits": hits, "misses": misses } });
    HeaderValue::from_str(&context.to_string()).expect("names and numbers are printable")
}

/// The same pieces; their end, or the connection's, ends the timer. An error makes hyper close the connection without
/// the last chunk (invariant Q4).
fn measured(
    pieces: impl Stream<Item = Result<Bytes, QueryError>> + Send + 'static,
    timer: QueryTimer,
    query_id: String,
) -> impl Stream<Item = Result<Bytes, QueryError>> + Send {
    let state = (Box::pin(pieces), timer, query_id);
    stream::unfold(state, |(mut pieces, mut timer, query_id)| async move {
        match pieces.next().await {
            None => {
                timer.ended(QueryOutcome::Success);
                None
            }
            Some(piece) => {
                if let Err(error) = &piece {
                    warn!(query_id, %error, "an answer broke off");
                    timer.ended(error.kind.into());
                }
                Some((piece, (pieces, timer, query_id)))
            }
        }
    })
}
