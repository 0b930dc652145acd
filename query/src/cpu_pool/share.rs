use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::schedule::AccountId;
use super::turn::Turn;
use super::{Item, Shared};
use crate::error::{QueryError, QueryErrorKind};

/// One query's place at the pool. It takes its turns with other queries.
///
/// A morsel, or a turn, should take about a millisecond and 5 ms at the most.
pub(crate) struct QueryShare {
    pool: Arc<Shared>,
    account: AccountId,
    token: Arc<CancellationToken>,
}

impl QueryShare {
    pub(super) fn new(pool: Arc<Shared>) -> Self {
        let account = pool.lock().schedule.open();
        Self { pool, account, token: Arc::default() }
    }

    /// Of a pool that all tests share.
    #[cfg(test)]
    pub fn of_tests() -> Arc<Self> {
        static POOL: std::sync::LazyLock<super::CpuPool> =
            std::sync::LazyLock::new(|| super::CpuPool::start(std::num::NonZeroUsize::MIN.saturating_add(1), 1 << 20));
        POOL.share()
    }

    /// Says that the query is over, to those who work for it.
    pub fn token(&self) -> &Arc<CancellationToken> {
        &self.token
    }

    /// Fails once the query is over.
    pub fn check(&self) -> Result<(), QueryError> {
        if self.token.is_cancelled() {
            return Err(QueryError::new(QueryErrorKind::Cancelled, "the query was cancelled"));
        }
        Ok(())
    }

    /// Ends the query: no morsel of it begins any more.
    pub fn cancel(&self) {
        self.token.cancel();
        self.pool.discard(self.account);
    }

    /// Waits until this thread may use the CPU. Blocking.
    pub fn turn(&self) -> Result<Turn<'_>, QueryError> {
        Turn::wait(self)
    }

    /// Does `work` as a morsel on a thread of the pool. It may wait for nothing: not for other morsels, not for a reader,
    /// not for the store. A panic is an error.
    ///
    /// The morsel is in line when this returns; once the future is dropped it is left out.
    pub fn run<T, F>(&self, work: F) -> impl Future<Output = Result<T, QueryError>>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, QueryError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let panicked = |_| Err(QueryError::internal("an operator of the query panicked, see the log"));
        self.push(Item::Morsel(Box::new(move || {
            if !sender.is_closed() {
                // Whoever asked may have gone meanwhile.
                sender.send(catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked)).ok();
            }
        })));
        async move { receiver.await.unwrap_or_else(|_| Err(self.left_out())) }
    }

    pub(super) fn account(&self) -> AccountId {
        self.account
    }

    /// Puts something in line, unless the query is over or the pool has stopped: then it is dropped, which tells whoever
    /// waits for it.
    pub(super) fn push(&self, item: Item) {
        self.pool.push(self.account, item, &self.token);
    }

    /// Why something in line was dropped.
    pub(super) fn left_out(&self) -> QueryError {
        let stopped = || QueryError::new(QueryErrorKind::Unavailable, "the query engine has stopped");
        self.check().err().unwrap_or_else(stopped)
    }
}

impl Drop for QueryShare {
    fn drop(&mut self) {
        self.cancel();
        self.pool.lock().schedule.close(self.account);
    }
}

impl fmt::Debug for QueryShare {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("QueryShare").field("account", &self.account).finish_non_exhaustive()
    }
}
