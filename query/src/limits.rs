use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use crate::guard::StatementLimits;
use crate::request::AskedLimits;

/// What one query, and all of them together, may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryLimits {
    /// Of a statement's text and shape.
    pub statement: StatementLimits,
    /// Threads on which queries use the CPU; also into how many partitions a scan is cut.
    pub threads: NonZeroUsize,
    /// Queries that run at once.
    pub queries_max: u32,
    /// Queries that wait for that; more are refused.
    pub queries_waiting_max: u32,
    /// How long they wait before they are refused too.
    pub wait_max: Duration,
    /// Time from request to last batch for a query that names none.
    pub timeout_default: Duration,
    /// The most that a query may ask for.
    pub timeout_max: Duration,
    /// From text to plan.
    pub plan_time_max: Duration,
    /// What the operators of one query may hold.
    pub query_memory_bytes: usize,
    /// What the operators of all queries may hold together.
    pub memory_bytes: usize,
    /// What is kept of published segments for later queries.
    pub result_cache_bytes: usize,
    /// What all queries together may put on disk where it does not fit into memory.
    pub spill_bytes: u64,
    pub result_rows_max: u64,
    /// In Arrow form, before encoding for the wire.
    pub result_bytes_max: u64,
    /// Segments that a query's time lets it read, counted each time that it reads them.
    pub scanned_segments_max: u64,
    /// Bytes of those segments, whichever of their columns it reads: of the Parquet file, or of memory where they are open.
    pub scanned_bytes_max: u64,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            statement: StatementLimits::default(),
            threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queries_max: 64,
            queries_waiting_max: 256,
            wait_max: Duration::from_secs(5),
            timeout_default: Duration::from_secs(60),
            timeout_max: Duration::from_secs(300),
            plan_time_max: Duration::from_secs(2),
            query_memory_bytes: 1 << 30,
            memory_bytes: 2 << 30,
            result_cache_bytes: 128 << 20,
            spill_bytes: 16 << 30,
            result_rows_max: 1_000_000,
            result_bytes_max: 256 << 20,
            scanned_segments_max: 10_000,
            scanned_bytes_max: 50 << 30,
        }
    }
}

impl QueryLimits {
    /// Those of a query that asks for less; nothing becomes more.
    pub(crate) fn lowered_to(&self, asked: &AskedLimits) -> Self {
        Self {
            plan_time_max: lower(self.plan_time_max, asked.plan_time),
            query_memory_bytes: lower(self.query_memory_bytes, asked.query_memory_bytes),
            result_rows_max: lower(self.result_rows_max, asked.result_rows),
            result_bytes_max: lower(self.result_bytes_max, asked.result_bytes),
            scanned_segments_max: lower(self.scanned_segments_max, asked.scanned_segments),
            scanned_bytes_max: lower(self.scanned_bytes_max, asked.scanned_bytes),
            ..self.clone()
        }
    }
}

fn lower<T: Ord>(limit: T, asked: Option<T>) -> T {
    match asked {
        Some(asked) => limit.min(asked),
        None => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_lowers_its_limits_and_raises_none() {
        let limits = QueryLimits::default();
        assert_eq!(limits.lowered_to(&AskedLimits::default()), limits);
        let less = AskedLimits { result_rows: Some(5), scanned_bytes: Some(u64::MAX), ..AskedLimits::default() };
        assert_eq!(limits.lowered_to(&less), QueryLimits { result_rows_max: 5, ..limits });
    }
}
