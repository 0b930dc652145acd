use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

/// What one query, and all of them together, may use.
///
/// The limits on a statement's text and shape are constants of [`crate::guard`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryLimits {
    /// Threads on which queries use the CPU; also into how many partitions a scan is cut.
    pub threads: NonZeroUsize,
    /// Queries that run at once.
    pub queries_max: u32,
    /// Queries that wait for that; more are refused.
    pub queries_waiting_max: u32,
    /// Time from request to last batch for a query that names none.
    pub timeout_default: Duration,
    /// The most that a query may ask for.
    pub timeout_max: Duration,
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
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            threads: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queries_max: 64,
            queries_waiting_max: 256,
            timeout_default: Duration::from_secs(60),
            timeout_max: Duration::from_secs(300),
            query_memory_bytes: 1 << 30,
            memory_bytes: 2 << 30,
            result_cache_bytes: 128 << 20,
            spill_bytes: 16 << 30,
            result_rows_max: 1_000_000,
            result_bytes_max: 256 << 20,
        }
    }
}
