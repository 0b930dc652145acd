use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use henge_segment_store::os_thread::{Rank, ThreadId};

/// The threads of one runtime that live now, and what they have used of the CPU.
#[derive(Debug, Clone, Default)]
pub(super) struct WatchedThreads {
    /// No thread ends while this is locked: its number is not another one's.
    threads: Arc<Mutex<Vec<Watched>>>,
}

#[derive(Debug)]
struct Watched {
    id: ThreadId,
    /// What it had used when the count began.
    before: Duration,
}

impl WatchedThreads {
    /// To be called by each thread when it starts.
    pub fn enter(&self) {
        self.threads().extend(ThreadId::of_caller().map(|id| Watched { id, before: Duration::ZERO }));
    }

    /// To be called by each thread before it ends.
    pub fn leave(&self) {
        let caller = ThreadId::of_caller();
        self.threads().retain(|thread| Some(thread.id) != caller);
    }

    /// Begins to count anew; like all that follows `None` where one of them starts or ends just now.
    pub fn reset(&self) -> Option<()> {
        self.each(|thread| thread.before = thread.id.cpu_time())
    }

    /// What they have used since then, those aside that have ended.
    pub fn used(&self) -> Option<Duration> {
        let mut used = Duration::ZERO;
        self.each(|thread| used += thread.id.cpu_time().saturating_sub(thread.before)).map(|()| used)
    }

    /// Lets them go before others again, as they do when they start.
    pub fn let_go_first(&self) -> Option<()> {
        self.each(|thread| thread.id.let_go_first())
    }

    /// Lets others go first.
    pub fn let_go_later(&self) -> Option<()> {
        self.each(|thread| thread.id.let_go_later())
    }

    /// Lets them step back for good to the last rank, and with them those that they will start.
    pub fn put_back(&self) -> Option<()> {
        self.each(|thread| thread.id.put_back(Rank::Fourth))
    }

    fn each(&self, act: impl FnMut(&mut Watched)) -> Option<()> {
        match self.threads.try_lock() {
            Ok(mut threads) => {
                threads.iter_mut().for_each(act);
                Some(())
            }
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Poisoned(_)) => unreachable!("no code panics while it holds the threads"),
        }
    }

    fn threads(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.threads.lock().expect("no code panics while it holds the threads")
    }
}
