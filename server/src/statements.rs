//! Statements that nobody waits for: they run by themselves, and their results stay on disk for a while.
//!
//! submit -> run -> result_files (pages, then the description that makes them a result) -> read page by page
//!
//! At most so many statements, bytes and hours are kept; beyond that the oldest results go first. A directory without a
//! description, which is written last, is no result: it goes at the next start.

mod result_files;
mod run;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use henge_query::answer::ResultColumn;
use henge_query::engine::QueryEngine;
use henge_query::error::{QueryError, QueryErrorKind};
use henge_query::reader::Reader;
use henge_query::request::QueryRequest;
use henge_segment_store::clock;
use henge_segment_store::time::TimestampMs;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

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
}

/// By id.
type Entries = BTreeMap<String, Statement>;

/// A statement as its client sees it.
#[derive(Debug, Clone)]
pub struct Statement {
    pub created_at: TimestampMs,
    pub state: State,
    /// On disk, or about to be.
    bytes: u64,
}

#[derive(Debug, Clone)]
pub enum State {
    /// Waits for its turn, or for its first rows.
    Accepted,
    /// Its rows are being written.
    Running(Arc<Vec<ResultColumn>>),
    Success(Arc<StatementResult>),
    Failed(QueryError),
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

impl State {
    fn is_over(&self) -> bool {
        matches!(self, Self::Success(_) | Self::Failed(_))
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
        let found = result_files::recover(&directory).into_iter().map(|(id, result)| {
            let (created_at, bytes) = (result.created_at, result.bytes());
            (id, Statement { created_at, state: State::Success(Arc::new(result)), bytes })
        });
        let entries = Mutex::new(found.collect());
        let statements = Arc::new(Self { directory, limits, engine, metrics, entries });
        statements.tidy(clock::now());
        statements
    }

    /// Starts a statement under an id of its own. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// As many run already as may be kept.
    pub fn submit(self: &Arc<Self>, query: QueryRequest) -> Result<String, QueryError> {
        let now = clock::now();
        self.tidy(now);
        let id = format!("query-{}", Uuid::new_v4());
        let mut entries = self.entries();
        if !self.make_room(&mut entries, |entries| entries.len() < self.limits.count_max) {
            return Err(QueryError::new(
                QueryErrorKind::Capacity,
                format!("{} statements run already (`limits.async_statements`): ask again later", entries.len()),
            ));
        }
        entries.insert(id.clone(), Statement { created_at: now, state: State::Accepted, bytes: 0 });
        drop(entries);
        let query = QueryRequest { query_id: id.clone(), ..query };
        tokio::spawn(Run::new(self.clone(), id.clone(), now).finish(query));
        Ok(id)
    }

    pub fn get(&self, id: &str) -> Option<Statement> {
        self.tidy(clock::now());
        self.entries().get(id).cloned()
    }

    /// Ends a statement that runs, or forgets one that is over with its result. `None` where there is none; otherwise
    /// whether it still ran.
    pub fn delete(&self, id: &str) -> Option<bool> {
        let mut entries = self.entries();
        let is_over = entries.get(id)?.state.is_over();
        if is_over {
            entries.remove(id);
            drop(entries);
            self.remove_files(id);
        } else {
            drop(entries);
            self.engine.cancel(id, &Reader::Everything);
        }
        Some(!is_over)
    }

    /// Where the pages of a statement lie.
    pub fn directory_of(&self, id: &str) -> PathBuf {
        self.directory.join(id)
    }

    /// Removes results that are too old, now and then, until the process stops.
    pub async fn keep_tidy(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(TIDY_EVERY) => self.tidy(clock::now()),
                () = stop.cancelled() => return,
            }
        }
    }

    /// Lets go of what is too old, and of the oldest results beyond the limits.
    fn tidy(&self, now: TimestampMs) {
        let age_max = i64::try_from(self.limits.age_max.as_millis()).unwrap_or(i64::MAX);
        let mut entries = self.entries();
        let is_old = |statement: &Statement| statement.state.is_over() && now.0 - statement.created_at.0 >= age_max;
        let old: Vec<String> =
            entries.iter().filter(|(_, statement)| is_old(statement)).map(|(id, _)| id.clone()).collect();
        for id in &old {
            entries.remove(id);
        }
        self.make_room(&mut entries, |entries| {
            entries.len() <= self.limits.count_max && bytes_of(entries) <= self.limits.bytes_max
        });
        drop(entries);
        old.iter().for_each(|id| self.remove_files(id));
    }

    /// Lets go of the oldest results until there is room; `false` where there is none though no other statement is over.
    /// Their files go while the entries are held, so that nobody takes their room before.
    fn make_room(&self, entries: &mut Entries, has_room: impl Fn(&Entries) -> bool) -> bool {
        while !has_room(entries) {
            let over = entries.iter().filter(|(_, statement)| statement.state.is_over());
            let Some(id) = over.min_by_key(|(_, statement)| statement.created_at).map(|(id, _)| id.clone()) else {
                return false;
            };
            entries.remove(&id);
            info!(statement = id, "made room for newer statements");
            self.remove_files(&id);
        }
        true
    }

    /// Makes room for more bytes of a statement's result.
    fn reserve(&self, id: &str, bytes: u64) -> Result<(), QueryError> {
        let mut entries = self.entries();
        if !self.make_room(&mut entries, |entries| bytes_of(entries) + bytes <= self.limits.bytes_max) {
            return Err(QueryError::new(
                QueryErrorKind::ResourceLimit,
                format!(
                    "the results of statements would take more than {} MiB on disk (`limits.async_size`): aggregate, \
                     or delete what was read",
                    self.limits.bytes_max >> 20
                ),
            ));
        }
        if let Some(statement) = entries.get_mut(id) {
            statement.bytes += bytes;
        }
        Ok(())
    }

    fn enter(&self, id: &str, state: State) {
        if let Some(statement) = self.entries().get_mut(id) {
            statement.bytes = match &state {
                State::Success(result) => result.bytes(),
                State::Failed(_) => 0,
                State::Accepted | State::Running(_) => statement.bytes,
            };
            statement.state = state;
        }
    }

    fn remove_files(&self, id: &str) {
        remove_directory(&self.directory_of(id));
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().expect("no code panics while it holds the statements")
    }
}

fn bytes_of(entries: &Entries) -> u64 {
    entries.values().map(|statement| statement.bytes).sum()
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
