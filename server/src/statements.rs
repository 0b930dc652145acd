//! Statements that nobody waits for: they run by themselves, and their results stay on disk for a while.
//!
//! submit -> run -> result_files (pages, then the description that makes them a result) -> read page by page
//!
//! At most so many statements, bytes and hours are kept; beyond that the oldest results go first. A directory without a
//! description, which is written last, is no result: it goes at the next start.

mod entries;
mod result_files;
mod run;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use henge_query::answer::ResultColumn;
use henge_query::engine::QueryEngine;
use henge_query::error::{QueryError, QueryErrorKind};
use henge_query::request::QueryRequest;
use henge_segment_store::clock;
use henge_segment_store::time::TimestampMs;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use self::entries::{Entries, Leaving};
pub use self::entries::{State, Statement};
use self::result_files::Page;
pub use self::result_files::read_pages;
use self::run::Run;
pub use self::run::layout;
use crate::query_metrics::QueryMetrics;

const TIDY_EVERY: Duration = Duration::from_secs(60);

/// What all statements together may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsyncLimits {
    /// Statements that run, or whose results are kept.
    pub count_max: usize,
    /// Of results on disk.
    pub bytes_max: u64,
    /// How long a result is kept after its statement was submitted.
    pub age_max: Duration,
}

impl Default for AsyncLimits {
    fn default() -> Self {
        Self { count_max: 100, bytes_max: 4 << 30, age_max: Duration::from_secs(24 * 3_600) }
    }
}

/// All statements of the process, and the results that earlier processes have left.
pub struct Statements {
    directory: PathBuf,
    limits: AsyncLimits,
    engine: Arc<QueryEngine>,
    metrics: Arc<QueryMetrics>,
    entries: Mutex<Entries>,
    /// Held while files are removed: nobody else waits for room that is only about to be there.
    removing: tokio::sync::Mutex<()>,
}

/// A whole result: what its directory's description says.
#[derive(Debug, Serialize, Deserialize)]
pub struct StatementResult {
    pub created_at: TimestampMs,
    pub duration_ms: u64,
    /// Of times in the answer: an IANA name or an offset; `None` is UTC.
    pub time_zone: Option<String>,
    #[serde(with = "result_files::columns")]
    pub columns: Vec<ResultColumn>,
    pub pages: Vec<Page>,
    /// The first rows as JSON arrays.
    pub sample: Box<RawValue>,
}

impl StatementResult {
    pub fn rows(&self) -> u64 {
        self.pages.iter().map(|page| page.rows).sum()
    }

    pub fn bytes(&self) -> u64 {
        self.pages.iter().map(|page| page.bytes).sum()
    }
}

impl Statements {
    /// Takes over whole results of earlier processes and removes everything else from the directory. Blocking.
    pub fn open(
        directory: PathBuf,
        limits: AsyncLimits,
        engine: Arc<QueryEngine>,
        metrics: Arc<QueryMetrics>,
    ) -> Arc<Self> {
        let found = result_files::recover(&directory).into_iter();
        let found = found.map(|(id, result)| (id, Statement::new(result.created_at, State::Success(Arc::new(result)))));
        let entries = Mutex::new(Entries::new(found));
        let statements = Self { directory, limits, engine, metrics, entries, removing: Default::default() };
        let leaving = statements.beyond_the_limits(clock::now());
        statements.remove_files(&leaving);
        Arc::new(statements)
    }

    /// Starts a statement under an id of its own. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// As many run already as may be kept.
    pub async fn submit(self: &Arc<Self>, query: QueryRequest) -> Result<String, QueryError> {
        let now = clock::now();
        let id = format!("query-{}", Uuid::new_v4());
        let statement = Statement::new(now, State::Accepted);
        let cancelled = statement.cancelled.clone();
        let (leaving, count) = {
            let mut entries = self.entries();
            let leaving = entries.take_oldest(self.limits.count_max.saturating_sub(1), u64::MAX);
            let count = entries.count();
            if count < self.limits.count_max {
                entries.insert(id.clone(), statement);
                let query = QueryRequest { query_id: id.clone(), ..query };
                tokio::spawn(Run::new(self.clone(), id.clone(), now, cancelled).finish(query));
            }
            (leaving, count)
        };
        self.remove(leaving).await;
        if count < self.limits.count_max {
            return Ok(id);
        }
        let message = format!("{count} statements run already (`limits.async_statements`): ask again later");
        Err(QueryError::new(QueryErrorKind::Capacity, message))
    }

    pub fn get(&self, id: &str) -> Option<Statement> {
        let now = clock::now();
        self.entries().get(id).filter(|statement| !statement.is_older(now, self.age_max_ms())).cloned()
    }

    /// Ends a statement that runs, or forgets one that is over with its result. `None` where there is none; otherwise
    /// whether it still ran.
    pub async fn delete(self: &Arc<Self>, id: &str) -> Option<bool> {
        let leaving = {
            let mut entries = self.entries();
            // Under the lock, so that it cannot become a success in between.
            entries.get(id)?.cancelled.cancel();
            entries.take(id)
        };
        let is_running = leaving.is_none();
        self.remove(leaving.into_iter().collect()).await;
        Some(is_running)
    }

    /// Where the pages of a statement lie.
    pub fn directory_of(&self, id: &str) -> PathBuf {
        self.directory.join(id)
    }

    /// Removes results that are too old, now and then, until the process stops.
    pub async fn keep_tidy(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(TIDY_EVERY) => self.tidy(clock::now()).await,
                () = stop.cancelled() => return,
            }
        }
    }

    /// Lets go of what is too old, and of the oldest results beyond the limits.
    async fn tidy(self: &Arc<Self>, now: TimestampMs) {
        let leaving = self.beyond_the_limits(now);
        self.remove(leaving).await;
    }

    fn beyond_the_limits(&self, now: TimestampMs) -> Vec<Leaving> {
        let mut entries = self.entries();
        let mut leaving = entries.take_old(now, self.age_max_ms());
        leaving.extend(entries.take_oldest(self.limits.count_max, self.limits.bytes_max));
        leaving
    }

    fn age_max_ms(&self) -> i64 {
        i64::try_from(self.limits.age_max.as_millis()).unwrap_or(i64::MAX)
    }

    /// Makes room for more bytes of a statement's result: the oldest results go.
    async fn reserve(self: &Arc<Self>, id: &str, bytes: u64) -> Result<(), QueryError> {
        if self.reserve_free(id, bytes) {
            return Ok(());
        }
        let _removing = self.removing.lock().await;
        let bytes_max = self.limits.bytes_max.saturating_sub(bytes);
        let leaving = self.entries().take_oldest(usize::MAX, bytes_max);
        self.remove_in_turn(leaving).await;
        match self.reserve_free(id, bytes) {
            true => Ok(()),
            false => Err(QueryError::new(
                QueryErrorKind::ResourceLimit,
                format!(
                    "the results of statements would take more than {} MiB on disk (`limits.async_size`): aggregate, \
                     or delete what was read",
                    self.limits.bytes_max >> 20
                ),
            )),
        }
    }

    /// `false` where that is more than is free.
    fn reserve_free(&self, id: &str, bytes: u64) -> bool {
        let mut entries = self.entries();
        let is_free = entries.bytes() + bytes <= self.limits.bytes_max;
        if is_free {
            entries.reserve(id, bytes);
        }
        is_free
    }

    /// Goes on where whoever waits for it goes away.
    async fn remove(self: &Arc<Self>, leaving: Vec<Leaving>) {
        if leaving.is_empty() {
            return;
        }
        let statements = self.clone();
        let removed = tokio::spawn(async move {
            let _removing = statements.removing.lock().await;
            statements.remove_in_turn(leaving).await;
        });
        if let Err(error) = removed.await {
            warn!(%error, "files of statements are not removed");
        }
    }

    /// With `removing` held. Files are removed where waiting for a disk holds nobody up.
    async fn remove_in_turn(self: &Arc<Self>, leaving: Vec<Leaving>) {
        let statements = self.clone();
        let removed = tokio::task::spawn_blocking(move || statements.remove_files(&leaving)).await;
        if let Err(error) = removed {
            warn!(%error, "files of statements are not removed");
        }
    }

    /// Blocking.
    fn remove_files(&self, leaving: &[Leaving]) {
        for Leaving { id, .. } in leaving {
            info!(statement = id, "a result goes");
            remove_directory(&self.directory_of(id));
        }
        self.entries().left(leaving);
    }

    /// See [`Entries::enter`].
    fn enter(&self, id: &str, state: State) -> bool {
        self.entries().enter(id, state)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().expect("no code panics while it holds the statements")
    }
}

/// What cannot be removed now is no result, and goes at the next start.
fn remove_directory(path: &Path) {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            warn!(path = %path.display(), %error, "a statement's files cannot be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
