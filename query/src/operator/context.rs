//! What a query lends to an operator while it runs.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryPool;
use tokio_util::sync::CancellationToken;

use super::OperatorMetrics;
use crate::cpu_pool::QueryShare;
use crate::error::{QueryError, QueryErrorKind};
use crate::result_cache::ResultCacheUse;

/// What a query lends to an operator while it runs.
#[derive(Debug, Clone)]
pub(crate) struct OperatorContext {
    /// The query's place at the CPU pool: each of the operator's threads works while it has a turn, and passes it on after
    /// each part.
    pub share: Arc<QueryShare>,
    /// How many threads the operator may keep busy.
    pub threads: NonZeroUsize,
    pub memory: Arc<dyn MemoryPool>,
    pub cancelled: Arc<CancellationToken>,
    pub metrics: Arc<OperatorMetrics>,
    /// What earlier queries have found.
    pub results: Option<Arc<ResultCacheUse>>,
}

impl OperatorContext {
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
