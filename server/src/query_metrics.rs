//! How many queries were asked, how they ended, and how long they took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use henge_query::error::QueryErrorKind;

/// Upper bounds of the time histogram's buckets in seconds; a last one holds the rest.
pub const BUCKETS_S: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// How a query ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryOutcome {
    Success,
    /// The statement was at fault, or too large.
    Refused,
    Failed,
    /// There were too many others.
    Overloaded,
    Timeout,
    Cancelled,
    /// The client went away before the end of the answer.
    Disconnected,
}

impl QueryOutcome {
    pub const ALL: [Self; 7] = [
        Self::Success,
        Self::Refused,
        Self::Failed,
        Self::Overloaded,
        Self::Timeout,
        Self::Cancelled,
        Self::Disconnected,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Disconnected => "disconnected",
        }
    }
}

impl From<QueryErrorKind> for QueryOutcome {
    fn from(kind: QueryErrorKind) -> Self {
        match kind {
            QueryErrorKind::Parse
            | QueryErrorKind::Plan
            | QueryErrorKind::Unsupported
            | QueryErrorKind::ResourceLimit => Self::Refused,
            QueryErrorKind::Capacity => Self::Overloaded,
            QueryErrorKind::Timeout => Self::Timeout,
            QueryErrorKind::Cancelled => Self::Cancelled,
            QueryErrorKind::Unavailable | QueryErrorKind::Internal => Self::Failed,
        }
    }
}

/// Counters since the start of the process.
#[derive(Debug, Default)]
pub struct QueryMetrics {
    outcomes: [AtomicU64; QueryOutcome::ALL.len()],
    /// Not cumulative; the last one counts what is beyond every bound.
    buckets: [AtomicU64; BUCKETS_S.len() + 1],
    micros: AtomicU64,
}

impl QueryMetrics {
    pub fn count(&self, outcome: QueryOutcome) -> u64 {
        self.outcomes[outcome as usize].load(Ordering::Relaxed)
    }

    /// How many queries took at most each bound, then how many there were.
    pub fn cumulative_buckets(&self) -> [u64; BUCKETS_S.len() + 1] {
        let mut total = 0;
        self.buckets.each_ref().map(|bucket| {
            total += bucket.load(Ordering::Relaxed);
            total
        })
    }

    /// Seconds that all queries took together.
    pub fn seconds(&self) -> f64 {
        Duration::from_micros(self.micros.load(Ordering::Relaxed)).as_secs_f64()
    }

    fn record(&self, outcome: QueryOutcome, elapsed: Duration) {
        self.outcomes[outcome as usize].fetch_add(1, Ordering::Relaxed);
        let seconds = elapsed.as_secs_f64();
        let bucket = BUCKETS_S.iter().position(|&bound| seconds <= bound).unwrap_or(BUCKETS_S.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(elapsed.as_micros() as u64, Ordering::Relaxed);
    }
}

/// Measures one query from its request to the end of its answer, whichever way it ends.
pub struct QueryTimer {
    metrics: Arc<QueryMetrics>,
    started: Instant,
    outcome: QueryOutcome,
}

impl QueryTimer {
    pub fn start(metrics: Arc<QueryMetrics>) -> Self {
        // Whoever drops the timer without a word has lost its client.
        Self { metrics, started: Instant::now(), outcome: QueryOutcome::Disconnected }
    }

    pub fn ended(&mut self, outcome: QueryOutcome) {
        self.outcome = outcome;
    }
}

impl Drop for QueryTimer {
    fn drop(&mut self) {
        self.metrics.record(self.outcome, self.started.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_bounds_are_inclusive() {
        let metrics = QueryMetrics::default();
        for millis in [0, 1, 2, 100, 61_000] {
            metrics.record(QueryOutcome::Success, Duration::from_millis(millis));
        }
        assert_eq!(metrics.cumulative_buckets(), [2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5]);
        assert_eq!((metrics.count(QueryOutcome::Success), metrics.seconds()), (5, 61.103));
    }

    #[test]
    fn a_timer_that_nobody_ended_counts_a_client_that_went_away() {
        let metrics = Arc::new(QueryMetrics::default());
        drop(QueryTimer::start(metrics.clone()));
        QueryTimer::start(metrics.clone()).ended(QueryOutcome::Refused);
        assert_eq!(QueryOutcome::ALL.map(|outcome| metrics.count(outcome)), [0, 1, 0, 0, 0, 0, 1]);
    }
}
