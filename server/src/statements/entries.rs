//! What is known of each statement, and which of them have to leave.

use std::collections::BTreeMap;
use std::sync::Arc;

use henge_query::answer::ResultColumn;
use henge_query::error::QueryError;
use henge_segment_store::time::TimestampMs;
use tokio_util::sync::CancellationToken;

use super::StatementResult;

/// A statement as its client sees it.
#[derive(Debug, Clone)]
pub struct Statement {
    pub created_at: TimestampMs,
    pub state: State,
    /// On disk, or about to be.
    pub(super) bytes: u64,
    /// Its client wants no result any more.
    pub(super) cancelled: CancellationToken,
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

impl State {
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Success(_) | Self::Failed(_))
    }

    /// What its files take once it is this.
    fn bytes(&self, before: u64) -> u64 {
        match self {
            Self::Success(result) => result.bytes(),
            Self::Failed(_) => 0,
            Self::Accepted | Self::Running(_) => before,
        }
    }
}

impl Statement {
    pub(super) fn new(created_at: TimestampMs, state: State) -> Self {
        let bytes = state.bytes(0);
        Self { created_at, state, bytes, cancelled: CancellationToken::new() }
    }

    pub(super) fn is_older(&self, now: TimestampMs, age_max_ms: i64) -> bool {
        self.state.is_over() && now.0 - self.created_at.0 >= age_max_ms
    }
}

/// All statements by their ids.
#[derive(Debug, Default)]
pub(super) struct Entries {
    known: BTreeMap<String, Statement>,
    /// Of results that nobody can ask for any more, and whose files are still there.
    leaving_bytes: u64,
}

/// A statement that is known no more; its files are to be removed.
#[derive(Debug)]
pub(super) struct Leaving {
    pub id: String,
    bytes: u64,
}

impl Entries {
    pub fn new(known: impl Iterator<Item = (String, Statement)>) -> Self {
        Self { known: known.collect(), leaving_bytes: 0 }
    }

    pub fn get(&self, id: &str) -> Option<&Statement> {
        self.known.get(id)
    }

    pub fn insert(&mut self, id: String, statement: Statement) {
        self.known.insert(id, statement);
    }

    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// On disk, or about to be.
    pub fn bytes(&self) -> u64 {
        self.leaving_bytes + self.known.values().map(|statement| statement.bytes).sum::<u64>()
    }

    pub fn reserve(&mut self, id: &str, bytes: u64) {
        if let Some(statement) = self.known.get_mut(id) {
            statement.bytes += bytes;
        }
    }

    /// Returns whether it is that now: who was told that a statement ends shall find no result of it.
    pub fn enter(&mut self, id: &str, state: State) -> bool {
        let Some(statement) = self.known.get_mut(id) else { return false };
        if matches!(state, State::Success(_)) && statement.cancelled.is_cancelled() {
            return false;
        }
        statement.bytes = state.bytes(statement.bytes);
        statement.state = state;
        true
    }

    /// Those that are too old.
    pub fn take_old(&mut self, now: TimestampMs, age_max_ms: i64) -> Vec<Leaving> {
        let old = self.known.iter().filter(|(_, statement)| statement.is_older(now, age_max_ms));
        let old: Vec<String> = old.map(|(id, _)| id.clone()).collect();
        old.into_iter().filter_map(|id| self.take(&id)).collect()
    }

    /// The oldest results, until so many statements are left and, once their files are gone, so many bytes; or until no
    /// statement that is left is over.
    pub fn take_oldest(&mut self, count_max: usize, bytes_max: u64) -> Vec<Leaving> {
        let mut taken: Vec<Leaving> = Vec::new();
        let mut leaving = self.leaving_bytes;
        while self.count() > count_max || self.bytes() - leaving > bytes_max {
            let over = self.known.iter().filter(|(_, statement)| statement.state.is_over());
            let Some(id) = over.min_by_key(|(_, statement)| statement.created_at).map(|(id, _)| id.clone()) else {
                break;
            };
            let oldest = self.take(&id);
            leaving += oldest.as_ref().map_or(0, |oldest| oldest.bytes);
            taken.extend(oldest);
        }
        taken
    }

    /// `None` where there is none, or it is not over.
    pub fn take(&mut self, id: &str) -> Option<Leaving> {
        if !self.known.get(id)?.state.is_over() {
            return None;
        }
        let bytes = self.known.remove(id)?.bytes;
        self.leaving_bytes += bytes;
        Some(Leaving { id: id.to_owned(), bytes })
    }

    /// Their files are gone.
    pub fn left(&mut self, gone: &[Leaving]) {
        self.leaving_bytes -= gone.iter().map(|leaving| leaving.bytes).sum::<u64>();
    }
}
