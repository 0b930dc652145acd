use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::watched::WatchedThreads;
use crate::cpu_pool::QueryShare;

/// What threads use before they let others go first: less than planning a large statement, more than a dashboard's query.
const FIRST_MAX: Duration = Duration::from_millis(5);

/// The threads of a query, or those with tasks of one that is over.
#[derive(Debug)]
pub(super) struct Busy {
    runtime: Handle,
    threads: WatchedThreads,
    share: Weak<QueryShare>,
    is_owned: bool,
    pace: Pace,
}

/// How a query's threads get on beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    First,
    Later,
    /// They have stepped back, or their query is over.
    Unwatched,
}

impl Busy {
    pub fn new(runtime: Handle, threads: WatchedThreads, share: &Arc<QueryShare>) -> Self {
        Self { runtime, threads, share: Arc::downgrade(share), is_owned: true, pace: Pace::First }
    }

    /// Lets the threads go later once they have used much, and step back once their query is long.
    pub fn look(&mut self) {
        let Some(share) = self.share.upgrade().filter(|_| self.pace != Pace::Unwatched) else { return };
        let used = self.threads.used();
        if share.has_used(used) {
            self.pace = Pace::Unwatched;
            self.threads.put_back();
        } else if used > FIRST_MAX && self.pace == Pace::First {
            self.pace = Pace::Later;
            self.threads.let_go_later();
        }
    }

    /// Nobody looks any more. Whether another query may have the threads: they are then as they were at first.
    pub fn end(&mut self) -> bool {
        self.is_owned = false;
        match std::mem::replace(&mut self.pace, Pace::Unwatched) {
            Pace::First => true,
            Pace::Later => {
                self.threads.let_go_first();
                true
            }
            Pace::Unwatched => false,
        }
    }

    pub fn is_done(&self) -> bool {
        !self.is_owned && self.tasks() == 0
    }

    pub fn tasks(&self) -> usize {
        self.runtime.metrics().num_alive_tasks()
    }
}
