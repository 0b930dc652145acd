use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use henge_segment_store::os_thread::{self, Rank};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::schedule::{AccountId, Class};
use super::turn::Turn;
use super::{Item, Shared};
use crate::error::{QueryError, QueryErrorKind};

/// Less is not worth counting yet.
const CHARGE_MIN: Duration = Duration::from_millis(1);

thread_local! {
    /// Whose time the thread has counted last, and up to where.
    static COUNTED: Cell<Option<(AccountId, Duration)>> = const { Cell::new(None) };
}

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

    /// Counts what this thread, which works for this query alone and without turns, has used since it was here before;
    /// a long query's thread steps back. To be called every few milliseconds.
    pub fn charge_thread(&self) {
        let now = os_thread::cpu_time();
        let used = match COUNTED.get() {
            Some((account, before)) if account == self.account => now.saturating_sub(before),
            _ => Duration::ZERO,
        };
        if used > Duration::ZERO && used < CHARGE_MIN {
            return;
        }
        COUNTED.set(Some((self.account, now)));
        let mut state = self.pool.lock();
        state.schedule.charge(self.account, used);
        let class = state.schedule.class_of(self.account);
        drop(state);
        if class == Class::Long {
            os_thread::step_back(class.rank());
        }
    }

    /// Says that this query will use so much, at the least, so that one of many rows is long from the start.
    pub fn expect(&self, at_least: Duration) {
        self.pool.lock().schedule.expect(self.account, at_least);
    }

    /// Says that all its threads together have used so much, and tells whether it is long therefore.
    pub fn has_used(&self, altogether: Duration) -> bool {
        let mut state = self.pool.lock();
        state.schedule.has_used(self.account, altogether);
        state.schedule.class_of(self.account) == Class::Long
    }

    /// What it has used of the CPU, as far as is known.
    pub fn used(&self) -> Duration {
        self.pool.lock().schedule.used_of(self.account)
    }

    /// Of the threads that should work for it by now.
    pub fn rank(&self) -> Rank {
        self.pool.lock().schedule.class_of(self.account).rank()
    }

    /// Whether it has used more than dashboards do.
    pub fn is_long(&self) -> bool {
        self.pool.lock().schedule.class_of(self.account) == Class::Long
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
