use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt, stream};
use henge_query::answer::{QueryAnswer, ResultColumn};
use henge_query::error::{QueryError, QueryErrorKind};
use henge_query::request::QueryRequest;
use henge_query::result_cache::ResultCacheCounts;
use henge_segment_store::time::TimestampMs;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::result_files::{Page, complete, write_page};
use super::{State, StatementResult, Statements, remove_directory};
use crate::query_metrics::{QueryOutcome, QueryTimer};
use crate::wire::cell::ArrayStyle;
use crate::wire::time_text::TimeText;
use crate::wire::{Header, Layout, ResultFormat, answer};

/// A page ends with the batch that reaches either; what is not written yet is held in memory.
const PAGE_ROWS: usize = 100_000;
const PAGE_BYTES: usize = 8 << 20;
/// Rows that a state shows.
const SAMPLE_ROWS: usize = 10;

/// One statement on its way.
pub struct Run {
    statements: Arc<Statements>,
    id: String,
    directory: PathBuf,
    created_at: TimestampMs,
    started: Instant,
    cancelled: CancellationToken,
}

impl Run {
    /// Ends without a result once it is `cancelled`.
    pub fn new(statements: Arc<Statements>, id: String, created_at: TimestampMs, cancelled: CancellationToken) -> Self {
        let directory = statements.directory_of(&id);
        Self { statements, id, directory, created_at, started: Instant::now(), cancelled }
    }

    /// Whatever happens, the statement is over at the end; without a result nothing of it stays on disk.
    pub async fn finish(self, query: QueryRequest) {
        let mut timer = QueryTimer::start(self.statements.metrics.clone());
        let (statements, id, directory) = (self.statements.clone(), self.id.clone(), self.directory.clone());
        let panicked = |_| Err(QueryError::new(QueryErrorKind::Internal, "the statement panicked, see the log"));
        let executed = tokio::spawn(self.execute(query)).await.unwrap_or_else(panicked);
        let entered = executed.and_then(|result| {
            let result = Arc::new(result);
            statements.enter(&id, State::Success(result.clone())).then_some(result).ok_or_else(cancelled)
        });
        match entered {
            Ok(result) => {
                info!(statement = id, rows = result.rows(), bytes = result.bytes(), "a statement's result is complete");
                timer.ended(QueryOutcome::Success);
            }
            Err(error) => {
                warn!(statement = id, %error, "a statement failed");
                timer.ended(error.kind.into());
                let removed = blocking(move || {
                    remove_directory(&directory);
                    Ok(())
                });
                if removed.await.is_err() {
                    warn!(statement = id, "its files are not removed");
                }
                statements.enter(&id, State::Failed(error));
            }
        }
    }

    async fn execute(self, query: QueryRequest) -> Result<StatementResult, QueryError> {
        // Nobody waits, so there is no hurry but the server's own.
        let query = QueryRequest { timeout: Some(query.timeout.unwrap_or(Duration::MAX)), ..query };
        let time_zone = query.time_zone.clone();
        let answer = self.unless_cancelled(self.statements.engine.execute(query)).await?;
        let QueryAnswer { columns, mut batches, .. } = answer;
        self.statements.enter(&self.id, State::Running(Arc::new(columns.clone())));
        let (mut pages, mut page) = (Vec::new(), OpenPage::default());
        let mut sample = sample(&columns, None, time_zone.as_deref()).await?;
        while let Some(batch) = self.unless_cancelled(batches.try_next()).await? {
            if pages.is_empty() && page.batches.is_empty() {
                sample = self::sample(&columns, Some(&batch), time_zone.as_deref()).await?;
            }
            page.push(batch);
            if page.is_full() {
                pages.push(self.write(pages.len(), std::mem::take(&mut page)).await?);
            }
        }
        if page.rows > 0 {
            pages.push(self.write(pages.len(), page).await?);
        }
        let duration_ms = self.started.elapsed().as_millis() as u64;
        let result = StatementResult { created_at: self.created_at, duration_ms, time_zone, columns, pages, sample };
        let directory = self.directory;
        blocking(move || complete(&directory, &result).map(|()| result)).await
    }

    /// Dropping a query, or its rows, ends it.
    async fn unless_cancelled<T>(&self, step: impl Future<Output = Result<T, QueryError>>) -> Result<T, QueryError> {
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => Err(cancelled()),
            done = step => done,
        }
    }

    async fn write(&self, number: usize, page: OpenPage) -> Result<Page, QueryError> {
        let expected = page.bytes as u64;
        self.statements.reserve(&self.id, expected).await?;
        let directory = self.directory.clone();
        let page = blocking(move || write_page(&directory, number, &page.batches)).await?;
        self.statements.reserve(&self.id, page.bytes.saturating_sub(expected)).await?;
        Ok(page)
    }
}

fn cancelled() -> QueryError {
    QueryError::new(QueryErrorKind::Cancelled, "the statement was cancelled")
}

/// Rows that are not written yet.
#[derive(Default)]
struct OpenPage {
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl OpenPage {
    fn push(&mut self, batch: RecordBatch) {
        self.rows += batch.num_rows();
        self.bytes += batch.get_array_memory_size();
        self.batches.push(batch);
    }

    fn is_full(&self) -> bool {
        self.rows >= PAGE_ROWS || self.bytes >= PAGE_BYTES
    }
}

/// Files are written where waiting for a disk holds nobody up.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    let panicked = |_| Err(QueryError::new(QueryErrorKind::Internal, "writing a result panicked, see the log"));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(panicked)
}

/// How a result is written in a format; Druid's statements have no headers.
pub fn layout(format: ResultFormat, time_zone: Option<&str>) -> Layout {
    let zone = time_zone.and_then(|name| henge_segment_store::time::time_zone(name).ok());
    let time = zone.map_or_else(TimeText::utc, TimeText::new);
    Layout { format, header: Header::default(), time, arrays: ArrayStyle::Stringified }
}

/// The first rows as JSON arrays.
async fn sample(
    columns: &[ResultColumn],
    first: Option<&RecordBatch>,
    time_zone: Option<&str>,
) -> Result<Box<RawValue>, QueryError> {
    let rows = first.map(|batch| Ok(batch.slice(0, batch.num_rows().min(SAMPLE_ROWS))));
    let batches = Box::pin(stream::iter(rows.into_iter().collect::<Vec<_>>()));
    let sample = QueryAnswer {
        columns: columns.to_vec(),
        batches,
        result_cache: ResultCacheCounts::default(),
        is_approximate: false,
        made_of: Vec::new(),
    };
    let pieces = answer::started(sample).await?.into_bytes(layout(ResultFormat::Array, time_zone))?;
    let pieces: Vec<_> = pieces.collect::<Vec<_>>().await.into_iter().collect::<Result<_, _>>()?;
    let json = String::from_utf8(pieces.concat()).expect("JSON is text");
    Ok(RawValue::from_string(json.trim_end().to_owned()).expect("rows are written as JSON"))
}
