//! What a query lends to an operator while it runs.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::common::{Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool};
use tokio_util::sync::CancellationToken;

use super::OperatorMetrics;
use crate::cpu_pool::QueryShare;
use crate::error::{QueryError, QueryErrorKind};
use crate::result_cache::ResultCacheUse;
use crate::segment_reads::SegmentReads;
use crate::spill::SpillSpace;

/// What a query lends to an operator while it runs.
#[derive(Debug, Clone)]
pub(crate) struct OperatorContext {
    /// The query's place at the CPU pool: each of the operator's threads works while it has a turn, and passes it on after
    /// each part.
    pub share: Arc<QueryShare>,
    /// How many threads the operator may keep busy.
    pub threads: NonZeroUsize,
    pub memory: Arc<dyn MemoryPool>,
    /// What the groups that one thread has found may take; more go to `spill`.
    pub groups_bytes_max: usize,
    pub spill: Arc<SpillSpace>,
    pub cancelled: Arc<CancellationToken>,
    pub metrics: Arc<OperatorMetrics>,
    /// Counts what is read of segments.
    pub reads: Arc<SegmentReads>,
    /// What earlier queries have found.
    pub results: Option<Arc<ResultCacheUse>>,
}

impl OperatorContext {
    /// What an operator of a plan works with.
    ///
    /// # Errors
    /// The plan runs outside of the query engine.
    pub fn new(task: &TaskContext, cancelled: &CancellationToken, metrics: &Arc<OperatorMetrics>) -> Result<Self> {
        let config = task.session_config();
        let (Some(share), Some(spill), Some(reads)) = (
            config.get_extension::<QueryShare>(),
            config.get_extension::<SpillSpace>(),
            config.get_extension::<SegmentReads>(),
        ) else {
            return internal_err!("an operator was started outside of the query engine");
        };
        let threads = NonZeroUsize::new(config.target_partitions()).unwrap_or(NonZeroUsize::MIN);
        let memory = task.memory_pool().clone();
        let query_bytes = match memory.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes,
            MemoryLimit::Infinite | MemoryLimit::Unknown => usize::MAX,
        };
        Ok(Self {
            share,
            threads,
            memory,
            // What is left is for groups on their way out.
            groups_bytes_max: query_bytes / 2 / threads,
            spill,
            cancelled: Arc::new(cancelled.clone()),
            metrics: metrics.clone(),
            reads,
            results: config.get_extension::<ResultCacheUse>(),
        })
    }

    /// To be asked every few milliseconds.
    ///
    /// # Errors
    /// The query was cancelled.
    pub fn check(&self) -> Result<(), QueryError> {
        if self.cancelled.is_cancelled() {
            return Err(QueryError::new(QueryErrorKind::Cancelled, "the query was cancelled"));
        }
        Ok(())
    }
}
