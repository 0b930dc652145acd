//! An answer as a response: headers, then pieces as they are made, then trailers.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use henge_query::answer::QueryAnswer;
use henge_query::error::QueryError;
use henge_query::result_cache::ResultCacheCounts;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::json;
use tracing::warn;

use crate::query_metrics::{QueryOutcome, QueryTimer};
use crate::wire::answer::{self, StartedAnswer};
use crate::wire::encoding::Encoding;
use crate::wire::{Layout, provenance};

/// JSON, as the other values of a query are.
const RESPONSE_CONTEXT: HeaderName = HeaderName::from_static("x-druid-response-context");
const HEADER_INCLUDED: HeaderName = HeaderName::from_static("x-druid-sql-header-included");
/// A trailer: clients that send `TE: trailers` get it. An answer that breaks off has none (invariant Q4).
const RESPONSE_COMPLETE: HeaderName = HeaderName::from_static("x-druid-response-complete");

/// Fewer bytes are sent as they are: packing costs more than it saves, and they fit into one packet.
const PACKED_BYTES_MIN: usize = 1_400;

/// The response, once the first piece is there: what fails before that is an error with its status. The timer, if the
/// answer is of a query that is measured, ends with the last piece, or with the error.
pub async fn respond(
    answer: QueryAnswer,
    layout: Layout,
    accepted: Option<Encoding>,
    mut timer: Option<QueryTimer>,
    query_id: String,
) -> Result<Response, QueryError> {
    let failed = |timer: &mut Option<QueryTimer>, error: QueryError| {
        ended(timer, error.kind.into());
        error
    };
    let mut headers = layout_headers(&layout);
    let started = answer::started(answer).await.map_err(|error| failed(&mut timer, error))?;
    headers.insert(RESPONSE_CONTEXT, response_context(&started));
    let mut pieces = Box::pin(started.into_bytes(layout).map_err(|error| failed(&mut timer, error))?);
    let first = pieces.next().await.transpose().map_err(|error| failed(&mut timer, error))?;
    let encoding = accepted.filter(|_| first.as_ref().is_some_and(|piece| piece.len() >= PACKED_BYTES_MIN));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::TRAILER, HeaderValue::from(RESPONSE_COMPLETE));
    let pieces = measured(stream::iter(first.map(Ok)).chain(pieces), timer, query_id);
    let body = match encoding {
        None => body(pieces),
        Some(encoding) => {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
            body(encoding.pack(Box::pin(pieces)))
        }
    };
    Ok((headers, body).into_response())
}

fn ended(timer: &mut Option<QueryTimer>, outcome: QueryOutcome) {
    if let Some(timer) = timer {
        timer.ended(outcome);
    }
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
fn response_context(started: &StartedAnswer) -> HeaderValue {
    let ResultCacheCounts { hits, misses } = started.result_cache();
    let mut context = json!({ "resultCache": { "hits": hits, "misses": misses } });
    if started.is_approximate() {
        context["approximate"] = true.into();
    }
    if !started.made_of().is_empty() {
        context["provenance"] = started.made_of().iter().map(provenance::of_answer).collect();
    }
    HeaderValue::from_str(&context.to_string()).expect("names and numbers are printable")
}

/// The pieces, then the word that they were all. An error makes hyper close the connection without the last chunk
/// (invariant Q4).
fn body(pieces: impl Stream<Item = Result<Bytes, QueryError>> + Send + 'static) -> Body {
    let trailers = HeaderMap::from_iter([(RESPONSE_COMPLETE, HeaderValue::from_static("true"))]);
    let end = stream::iter([Ok(Frame::trailers(trailers))]);
    Body::new(StreamBody::new(Box::pin(pieces.map(|piece| piece.map(Frame::data)).chain(end))))
}

/// The same pieces; their end, or the connection's, ends the timer.
fn measured(
    pieces: impl Stream<Item = Result<Bytes, QueryError>> + Send + 'static,
    timer: Option<QueryTimer>,
    query_id: String,
) -> impl Stream<Item = Result<Bytes, QueryError>> + Send {
    let state = (Box::pin(pieces), timer, query_id);
    stream::unfold(state, |(mut pieces, mut timer, query_id)| async move {
        match pieces.next().await {
            None => {
                ended(&mut timer, QueryOutcome::Success);
                None
            }
            Some(piece) => {
                if let Err(error) = &piece {
                    warn!(query_id, %error, "an answer broke off");
                    ended(&mut timer, error.kind.into());
                }
                Some((piece, (pieces, timer, query_id)))
            }
        }
    })
}
