//! Work that is shared out among threads.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::OperatorContext;
use crate::error::QueryError;

/// Less work than for this many rows is not worth another thread.
const THREAD_ROWS_MIN: u64 = if cfg!(test) { 1 << 8 } else { 1 << 16 };

impl OperatorContext {
    /// How many threads are worth it to look at so many rows, roughly.
    pub fn threads_for(&self, rows: u64) -> usize {
        self.threads.get().min(usize::try_from(rows / THREAD_ROWS_MIN).unwrap_or(usize::MAX)).max(1)
    }

    /// The results of `work` for the numbers `0..count`, which the threads take in that order; the first error ends it.
    /// `rows` says how many rows there are to look at, roughly.
    pub fn spread<T: Send>(
        &self,
        count: usize,
        rows: u64,
        work: impl Fn(usize) -> Result<T, QueryError> + Sync,
    ) -> Result<Vec<T>, QueryError> {
        let threads = self.threads_for(rows).min(count);
        if threads < 2 {
            let mut turn = self.share.turn()?;
            return (0..count)
                .map(|number| {
                    turn.pass()?;
                    work(number)
                })
                .collect();
        }
        let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let results: Mutex<Vec<(usize, Result<T, QueryError>)>> = Mutex::default();
        let put = |number: usize, result: Result<T, QueryError>| {
            has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
        };
        let take_all = || {
            let mut turn = self.share.turn();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count || has_failed.load(Ordering::Relaxed) {
                    return;
                }
                let is_ours = match &mut turn {
                    Ok(turn) => turn.pass(),
                    Err(error) => Err(error.clone()),
                };
                put(number, is_ours.and_then(|()| work(number)));
            }
        };
        thread::scope(|scope| {
            let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(take_all)).collect();
            take_all();
            for helper in helpers {
                helper.join().unwrap_or_else(|panic| resume_unwind(panic));
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_unstable_by_key(|(number, _)| *number);
        results.into_iter().map(|(_, result)| result).collect()
    }
}
