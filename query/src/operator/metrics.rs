//! What an operator did, counted while it runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::scan::WaysTaken;

/// Counters of one run of an operator; its threads add to them.
#[derive(Debug, Default)]
pub(crate) struct OperatorMetrics {
    /// Those that were read.
    pub segments: Counter,
    /// Those that were not, because an earlier query's groups of them were kept.
    pub kept_segments: Counter,
    /// How the tests of filters were made.
    pub ways: WaysTaken,
    /// Rows that passed the query's filter.
    pub rows: Counter,
    /// Groups before any were left out of the answer.
    pub groups: Counter,
    /// Written to disk, because it did not fit into memory.
    pub spilled_bytes: Counter,
    /// Evaluating filters, all threads together.
    pub filter_ns: Counter,
    /// Aggregating the rows of segments, all threads together.
    pub scan_ns: Counter,
    /// Bringing the groups of segments together.
    pub merge_ns: Counter,
    /// Making values and strings of the groups that are left.
    pub output_ns: Counter,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds the nanoseconds since `start`.
    pub fn add_since(&self, start: Instant) {
        self.add(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
}
