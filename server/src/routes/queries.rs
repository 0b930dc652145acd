//! The queries that are running now, for whoever waits for them: `GET /henge/v1/queries`, `GET /henge/v1/queries/{id}`.

use axum::Json;
use axum::extract::Path;
use henge_query::running::QueryProgress;
use serde::Serialize;

use crate::app::Services;
use crate::error::ApiError;

/// How far a query has come.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunningQuery {
    query_id: String,
    /// The beginning of its text.
    sql: String,
    /// When it was asked, in ISO-8601.
    started_at: String,
    elapsed_ms: u64,
    /// Segments that it has begun to read.
    segments: u64,
    /// Rows that it has to look at, as far as is known: it may grow.
    rows_total: u64,
    rows_done: u64,
}

impl From<QueryProgress> for RunningQuery {
    fn from(progress: QueryProgress) -> Self {
        Self {
            query_id: progress.query_id,
            sql: progress.sql,
            started_at: progress.started_at.to_string(),
            elapsed_ms: u64::try_from(progress.elapsed.as_millis()).unwrap_or(u64::MAX),
            segments: progress.segments,
            rows_total: progress.rows_total,
            rows_done: progress.rows_done,
        }
    }
}

/// Those that were asked first come first.
pub async fn list(services: Services) -> Json<Vec<RunningQuery>> {
    Json(services.engine.queries().into_iter().map(RunningQuery::from).collect())
}

pub async fn one(services: Services, Path(id): Path<String>) -> Result<Json<RunningQuery>, ApiError> {
    let found = services.engine.queries().into_iter().find(|query| query.query_id == id);
    found.map(|query| Json(query.into())).ok_or_else(|| ApiError::no_such_query(&id))
}
