//! Metrics for scrapers: `GET /v2/metrics/{dataset}/export`.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{TryStreamExt, stream};

use crate::app::App;
use crate::auth::asker::Asker;
use crate::metrics_api::export::{Syntax, Wanted, collect};
use crate::metrics_api::problem::Problem;
use crate::metrics_api::reading::DatasetReading;
use crate::metrics_api::{query_pairs, respond};
use crate::wire::encoding::Encoding;

pub async fn export(
    State(app): State<Arc<App>>,
    asker: Asker,
    dataset: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let answered = async {
        let Path(dataset) = dataset?;
        let reading = DatasetReading::of(&app, asker.reader, &dataset)?;
        let pairs = query_pairs(query.as_deref().unwrap_or_default());
        let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let wanted = Wanted::read(pairs, &reading.dataset)?;
        let syntax = Syntax::accepted(&parts.headers);
        let text = collect(&reading, &wanted, syntax).await?;
        respond_with(text, syntax, &parts.headers).await
    };
    respond(&app, &parts.extensions, answered).await
}

async fn respond_with(text: Vec<u8>, syntax: Syntax, asked: &HeaderMap) -> Result<Response, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(syntax.content_type()));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    let Some(encoding) = Encoding::accepted(asked) else { return Ok((StatusCode::OK, headers, text).into_response()) };
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    let packed = encoding.pack(Box::pin(stream::iter([Ok(Bytes::from(text))])));
    let packed: Vec<Bytes> = packed.try_collect().await?;
    Ok((StatusCode::OK, headers, packed.concat()).into_response())
}
