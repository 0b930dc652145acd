//! Who uses the CPU when: fair between queries, with few more threads at once than there are cores.
//!
//! A query's work is cut into morsels of about a millisecond. Each query has its own line of them, and [`schedule`]
//! decides whose line is next. What a query waits for in line is either that a thread of the pool does a morsel
//! ([`QueryShare::run`], by which the scan reads), or that a thread of its own may go on ([`QueryShare::turn`], which the
//! native operators take for each part of their work, on threads that can borrow what they share). Both kinds together
//! keep as many threads busy as there are cores, and for the moments that light and short queries take, as many again.
//!
//! Beside those, a query has threads of its own ([`crate::query_threads`]). They plan it and run DataFusion's operators over
//! what scans and native operators yield, without turns: the operating system shares the cores among them. What they use
//! counts all the same ([`QueryShare::charge_thread`]), and once a query is long, its threads step back behind those of
//! short ones ([`os_thread`]), as the threads that do long queries' morsels did from the start.

mod schedule;
mod share;
mod turn;

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::time::Duration;

use henge_segment_store::os_thread;
use tokio_util::sync::CancellationToken;

use self::schedule::{AccountId, CLASSES, Class, Running, Schedule};
pub(crate) use self::share::QueryShare;
use self::turn::Grant;
pub(crate) use self::turn::Turn;

/// Threads of its own, which end when it is dropped, each after the morsel that it is at.
pub(crate) struct CpuPool {
    shared: Arc<Shared>,
}

/// What the threads and the queries have in common.
struct Shared {
    state: Mutex<State>,
    /// There is something of a class to run, or nothing ever again.
    changed: [Condvar; CLASSES],
}

struct State {
    schedule: Schedule<Item>,
    /// Of each class, those of the running morsels that no thread has taken up yet.
    ready: [VecDeque<(Running, Morsel)>; CLASSES],
    is_stopped: bool,
}

/// What a query waits for. Whoever waits is told when it is dropped.
enum Item {
    /// That a thread of the pool does something.
    Morsel(Morsel),
    /// That a thread of its own may go on.
    Turn(mpsc::SyncSender<Grant>),
}

/// Does not panic.
type Morsel = Box<dyn FnOnce() + Send>;

impl CpuPool {
    /// `cores`: how many threads are kept busy. Panics if the system gives no threads. Predicates are as deep as statements, which `stack_bytes` must have room for.
    pub fn start(cores: NonZeroUsize, stack_bytes: usize) -> Self {
        let state = State { schedule: Schedule::new(cores.get()), ready: Default::default(), is_stopped: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Default::default() });
        // Queries of each class may keep the cores busy.
        for (class, name) in [(Class::Light, "light"), (Class::Short, "short"), (Class::Long, "long")] {
            for number in 0..cores.get() {
                let shared = shared.clone();
                std::thread::Builder::new()
                    .name(format!("query-{name}-{number}"))
                    .stack_size(stack_bytes)
                    .spawn(move || shared.work(class))
                    .expect("the system has threads for queries");
            }
        }
        Self { shared }
    }

    /// A place for a new query.
    pub fn share(&self) -> Arc<QueryShare> {
        Arc::new(QueryShare::new(self.shared.clone()))
    }
}

impl Drop for CpuPool {
    /// Does not wait for the threads: an async context may not block.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_stopped = true;
        // Outside of the lock, for they may hold the last of a query.
        let left_out = (state.schedule.discard_all(), std::mem::take(&mut state.ready));
        drop(state);
        self.shared.changed.iter().for_each(Condvar::notify_all);
        drop(left_out);
    }
}

impl fmt::Debug for CpuPool {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CpuPool").finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds the schedule")
    }

    fn push(self: &Arc<Self>, account: AccountId, item: Item, token: &CancellationToken) {
        let mut state = self.lock();
        // Under the lock, so that whoever cancels finds it in line.
        if state.is_stopped || token.is_cancelled() {
            drop(state);
            return drop(item);
        }
        state.schedule.push(account, item);
        self.start_next(state);
    }

    /// Takes all that an account has in line out of it.
    fn discard(&self, account: AccountId) {
        let discarded = self.lock().schedule.discard(account);
        // Outside of the lock, for it may hold the last of a query.
        drop(discarded);
    }

    /// A morsel or a turn is over, and the next one starts in its place.
    fn ended(self: &Arc<Self>, running: Running, took: Duration) {
        let mut state = self.lock();
        state.schedule.ended(running, took);
        self.start_next(state);
    }

    /// The same, with something new in line.
    fn exchange(self: &Arc<Self>, running: Running, account: AccountId, item: Item, took: Duration) {
        let mut state = self.lock();
        if !state.is_stopped {
            state.schedule.push(account, item);
        }
        state.schedule.ended(running, took);
        self.start_next(state);
    }

    /// Starts as much as may run.
    fn start_next(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let mut turns = Vec::new();
        let mut morsels = [0; CLASSES];
        while !state.is_stopped {
            let Some((running, item)) = state.schedule.next() else { break };
            match item {
                Item::Morsel(morsel) => {
                    state.ready[running.class as usize].push_back((running, morsel));
                    morsels[running.class as usize] += 1;
                }
                Item::Turn(waiting) => turns.push((waiting, Grant::new(self.clone(), running))),
            }
        }
        // Those that are woken may take the core at once from this thread, which should not hold the lock then.
        drop(state);
        for (changed, morsels) in self.changed.iter().zip(morsels) {
            (0..morsels).for_each(|_| changed.notify_one());
        }
        for (waiting, grant) in turns {
            // Where nobody waits any more it comes back and is dropped.
            drop(waiting.send(grant));
        }
    }

    /// What each thread does.
    fn work(self: &Arc<Self>, class: Class) {
        os_thread::start_in(class.rank());
        while let Some((running, morsel)) = self.wait_for_morsel(class) {
            let before = os_thread::cpu_time();
            morsel();
            self.ended(running, os_thread::cpu_time().saturating_sub(before));
        }
    }

    /// `None` once the pool has stopped.
    fn wait_for_morsel(&self, class: Class) -> Option<(Running, Morsel)> {
        let mut state = self.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(morsel) = state.ready[class as usize].pop_front() {
                return Some(morsel);
            }
            state = self.changed[class as usize].wait(state).expect("no code panics while it holds the schedule");
        }
    }
}

#[cfg(test)]
mod tests;
