use std::sync::{Arc, Weak};
use std::time::Duration;

use henge_segment_store::os_thread::Rank;
use tokio::runtime::Handle;

use super::watched::WatchedThreads;
use crate::cpu_pool::QueryShare;

/// What threads use before they let others go first: less than planning a large statement, more than a dashboard's query.
const FIRST_MAX: Duration = Duration::from_millis(5);

/// The threads of a query, or those with tasks of one that is over.
///
/// Nobody waits for them: those of a long query may wait for a core for as long as others want one, whatever they are at.
#[derive(Debug)]
pub(super) struct Busy {
    runtime: Handle,
    threads: WatchedThreads,
    share: Weak<QueryShare>,
    rank: Rank,
    is_owned: bool,
    pace: Pace,
}

/// How a query's threads get on beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Nobody has looked at them yet.
    Unknown,
    /// As their rank says.
    First,
    Later,
    /// As soon as nobody is in the way.
    StepsBack,
    Unwatched,
}

impl Busy {
    /// `rank`: of the threads.
    pub fn new(runtime: Handle, threads: WatchedThreads, rank: Rank, share: &Arc<QueryShare>) -> Self {
        Self { runtime, threads, share: Arc::downgrade(share), rank, is_owned: true, pace: Pace::Unknown }
    }

    /// Lets the threads go later once they have used much, and step back once their query is long. Where one of them starts
    /// or ends just now, that is left for the next time.
    pub fn look(&mut self) {
        self.pace = self.next_pace().unwrap_or(self.pace);
    }

    fn next_pace(&self) -> Option<Pace> {
        if self.pace == Pace::Unwatched {
            return None;
        }
        if self.pace == Pace::StepsBack {
            return self.threads.put_back().map(|()| Pace::Unwatched);
        }
        let share = self.share.upgrade()?;
        if self.pace == Pace::Unknown {
            return self.threads.reset().map(|()| Pace::First);
        }
        let used = self.threads.used()?;
        let is_long = share.has_used(used);
        if self.rank == Rank::Fourth {
            // They are as far back as they can be. What they use is counted to the end: the statement may be asked again.
            return None;
        }
        if is_long {
            return Some(self.threads.put_back().map_or(Pace::StepsBack, |()| Pace::Unwatched));
        }
        if self.rank == Rank::First && used > FIRST_MAX && self.pace == Pace::First {
            return self.threads.let_go_later().map(|()| Pace::Later);
        }
        None
    }

    /// The query is over: nobody looks any more. Whether another one may have the threads: they are then as they were at first.
    pub fn end(&mut self) -> bool {
        self.is_owned = false;
        match std::mem::replace(&mut self.pace, Pace::Unwatched) {
            Pace::Unknown | Pace::First => true,
            Pace::Later => self.threads.let_go_first().is_some(),
            Pace::StepsBack | Pace::Unwatched => false,
        }
    }

    /// What the query left behind may be busy with it for long: it steps back at the next look.
    pub fn step_back(&mut self) {
        self.pace = Pace::StepsBack;
    }

    pub fn is_done(&self) -> bool {
        !self.is_owned && self.pace != Pace::StepsBack && self.tasks() == 0
    }

    pub fn tasks(&self) -> usize {
        self.runtime.metrics().num_alive_tasks()
    }
}
