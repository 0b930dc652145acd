//! How many queries run at once, and how many wait for that in line.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{QueryError, QueryErrorKind};
use crate::limits::QueryLimits;

/// Lets queries in, in the order they came, and turns away those for whom the line is too long.
#[derive(Debug)]
pub(crate) struct Admission {
    slots: Arc<Semaphore>,
    running_max: usize,
    waiting: AtomicUsize,
    waiting_max: usize,
}

/// A place in line, for as long as it lives.
struct Place<'a>(&'a AtomicUsize);

impl Admission {
    pub fn new(limits: &QueryLimits) -> Self {
        let (running_max, waiting_max) = (limits.queries_max as usize, limits.queries_waiting_max as usize);
        Self { slots: Arc::new(Semaphore::new(running_max)), running_max, waiting: AtomicUsize::new(0), waiting_max }
    }

    /// Waits until the query may run; it may do so for as long as it holds what this returns.
    pub async fn enter(&self) -> Result<OwnedSemaphorePermit, QueryError> {
        if let Ok(slot) = self.slots.clone().try_acquire_owned() {
            return Ok(slot);
        }
        let _place = self.line_up()?;
        self.slots.clone().acquire_owned().await.map_err(|_| QueryError::internal("no query is let in any more"))
    }

    /// Why a query that has waited so long is not let in.
    pub fn waited(&self, waited: Duration) -> QueryError {
        QueryError::new(
            QueryErrorKind::Capacity,
            format!(
                "too many queries at once: {} run, and this one waited {} ms (`queue_timeout`), ask again later",
                self.running_max,
                waited.as_millis()
            ),
        )
    }

    /// Queries in line.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn line_up(&self) -> Result<Place<'_>, QueryError> {
        let longer = |waiting: usize| (waiting < self.waiting_max).then_some(waiting + 1);
        match self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, longer) {
            Ok(_) => Ok(Place(&self.waiting)),
            Err(waiting) => Err(QueryError::new(
                QueryErrorKind::Capacity,
                format!("too many queries at once: {} run and {waiting} wait, ask again later", self.running_max),
            )),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn admission(queries_max: u32, queries_waiting_max: u32) -> Admission {
        Admission::new(&QueryLimits { queries_max, queries_waiting_max, ..QueryLimits::default() })
    }

    #[test]
    fn queries_beyond_the_limit_wait_and_those_beyond_the_line_are_refused() {
        let admission = admission(2, 1);
        let first = admission.enter().now_or_never().expect("there is a slot").unwrap();
        let _second = admission.enter().now_or_never().expect("there is another").unwrap();
        let mut third = Box::pin(admission.enter());
        assert!(third.as_mut().now_or_never().is_none());
        assert_eq!(admission.waiting(), 1);
        let refused = admission.enter().now_or_never().expect("nobody waits for a place in line").unwrap_err();
        assert_eq!(refused.kind, QueryErrorKind::Capacity);
        assert_eq!(refused.message, "too many queries at once: 2 run and 1 wait, ask again later");
        drop(first);
        let _third = third.now_or_never().expect("the first slot is free again").unwrap();
        assert_eq!(admission.waiting(), 0);
    }

    #[test]
    fn whoever_leaves_the_line_makes_room_in_it() {
        let admission = admission(1, 1);
        let running = admission.enter().now_or_never().unwrap().unwrap();
        let mut waiting = Box::pin(admission.enter());
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(waiting);
        let mut next = Box::pin(admission.enter());
        assert!(next.as_mut().now_or_never().is_none(), "it waits, and is not refused");
        drop(running);
        assert!(next.now_or_never().expect("the slot is free").is_ok());
    }

    #[test]
    fn the_line_is_not_jumped() {
        let admission = admission(1, 2);
        let running = admission.enter().now_or_never().unwrap().unwrap();
        let mut first = Box::pin(admission.enter());
        assert!(first.as_mut().now_or_never().is_none());
        drop(running);
        let mut second = Box::pin(admission.enter());
        assert!(second.as_mut().now_or_never().is_none(), "the slot is the first one's");
        assert!(first.now_or_never().is_some_and(|slot| slot.is_ok()));
    }
}
