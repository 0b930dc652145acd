use std::sync::{Arc, mpsc};
use std::time::Duration;

use henge_segment_store::os_thread;

use super::schedule::{AccountId, Class, Running};
use super::{Item, QueryShare, Shared};
use crate::error::QueryError;

/// A thread's leave to use the CPU. Others have theirs once it is dropped, paused or passed on.
#[must_use = "whoever works without a turn takes the CPU from others"]
pub(crate) struct Turn<'s> {
    share: &'s QueryShare,
    /// `None` while it is paused.
    grant: Option<Grant>,
}

/// One of as many as may run at once; given back when it is dropped.
pub(super) struct Grant {
    pool: Arc<Shared>,
    running: Running,
    /// What its thread had used of the CPU when it got this.
    before: Option<Duration>,
    /// Given back already.
    is_over: bool,
}

impl<'s> Turn<'s> {
    pub(super) fn wait(share: &'s QueryShare) -> Result<Self, QueryError> {
        let mut turn = Self { share, grant: None };
        turn.pass()?;
        Ok(turn)
    }

    /// Lets those go first whose turn it is by now, and waits until it is this query's again. To be called about every
    /// millisecond, and never while other threads of the query wait for this one. Blocking. A long query's thread steps back.
    pub fn pass(&mut self) -> Result<(), QueryError> {
        let grant = self.grant.take();
        self.share.check()?;
        let (sender, receiver) = mpsc::sync_channel(1);
        match grant {
            Some(grant) => grant.exchange(self.share.account(), Item::Turn(sender)),
            None => self.share.push(Item::Turn(sender)),
        }
        let mut grant = receiver.recv().map_err(|_| self.share.left_out())?;
        grant.before = Some(os_thread::cpu_time());
        if grant.running.class == Class::Long {
            os_thread::step_back(grant.running.class.rank());
        }
        self.grant = Some(grant);
        Ok(())
    }

    /// Lets others have the CPU while this thread waits for something else; [`pass`](Self::pass) ends that.
    pub fn pause(&mut self) {
        self.grant = None;
    }
}

impl Grant {
    pub fn new(pool: Arc<Shared>, running: Running) -> Self {
        Self { pool, running, before: None, is_over: false }
    }

    /// What its thread has used of the CPU since it has it.
    fn took(&self) -> Duration {
        self.before.map_or(Duration::ZERO, |before| os_thread::cpu_time().saturating_sub(before))
    }

    /// Gives it back with a wish for another; in line before it is given back, so that it may be the next one.
    fn exchange(mut self, account: AccountId, item: Item) {
        self.is_over = true;
        self.pool.exchange(self.running, account, item, self.took());
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        if !self.is_over {
            self.pool.ended(self.running, self.took());
        }
    }
}
