//! Threads that work for one query at a time, so that the operating system shares the cores among queries.
//!
//! A query has a tokio runtime to itself while it is planned and runs. Afterwards the next one has it, unless its threads
//! may have stepped back ([`crate::cpu_pool`]) or may still be busy: those end by themselves, behind all others.
//!
//! Planning, and a step of an operator, may take long without a word. So a thread of its own looks every few milliseconds
//! at what the threads of each query have used of the CPU: those that have used more than most dashboards let others go
//! first, and those of a query that is long step back. That comes too late for a light query beside many that are over within
//! milliseconds, so what a statement used is remembered: when it is asked again, its threads are such as have stepped back.

mod busy;
mod used_before;
mod watched;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::Thread;
use std::time::Duration;

use henge_segment_store::os_thread::{self, Rank};
use tokio::runtime::{Builder, Handle, Runtime};

use self::busy::Busy;
use self::used_before::{StatementKind, UsedBefore};
use self::watched::WatchedThreads;
use crate::cpu_pool::QueryShare;
use crate::limits::QueryLimits;

/// Planning recurses over expressions; see [`crate::guard`] for how deep they may be. Memory is only taken when used.
pub(crate) const STACK_BYTES: usize = 64 << 20;
/// Threads that plan, run native operators or make serving forms: so many for each of a query's operators would be idle.
const BLOCKING_MAX: usize = 64;
/// Threads that wait for the next query; as many runtimes as have so many.
const IDLE_THREADS_MAX: usize = 64;
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How often it looks in vain before it waits to be woken: queries that come one after another need not wake it.
const LOOKS_IN_VAIN_MAX: u32 = 500;

/// The threads of all queries.
#[derive(Debug)]
pub(crate) struct QueryThreads {
    threads: NonZeroUsize,
    state: Arc<Mutex<State>>,
    watch: Thread,
    used_before: UsedBefore,
}

#[derive(Debug, Default)]
struct State {
    idle: BTreeMap<Rank, Vec<Numbered>>,
    /// By their numbers those that are a query's, and those with tasks of a query that is over.
    busy: BTreeMap<u64, Busy>,
    started: u64,
    /// Nobody looks until woken.
    is_watch_asleep: bool,
    is_over: bool,
}

#[derive(Debug)]
struct Numbered {
    number: u64,
    /// From the start of its threads on.
    rank: Rank,
    runtime: Runtime,
    threads: WatchedThreads,
}

/// One query's threads.
#[derive(Debug)]
pub(crate) struct OwnThreads {
    all: Arc<QueryThreads>,
    /// `None` only while it is dropped.
    own: Option<Numbered>,
    statement: StatementKind,
    is_reusable: bool,
}

impl QueryThreads {
    /// Panics if the system gives no thread.
    pub fn new(limits: &QueryLimits) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let watched = state.clone();
        let watch = std::thread::Builder::new().name("query-watch".into()).spawn(move || watch(&watched));
        let watch = watch.expect("the system has threads for queries").thread().clone();
        Self { threads: limits.threads, state, watch, used_before: UsedBefore::new() }
    }

    /// Threads for a query of that text. Panics if the system gives none.
    pub fn take(self: &Arc<Self>, share: &Arc<QueryShare>, text: &str) -> OwnThreads {
        let statement = StatementKind::of(text);
        share.expect(self.used_before.get(statement));
        let rank = share.rank();
        let idle = self.state().idle.get_mut(&rank).and_then(Vec::pop);
        let own = idle.unwrap_or_else(|| self.start(rank));
        let busy = Busy::new(own.runtime.handle().clone(), own.threads.clone(), rank, share);
        let mut state = self.state();
        state.busy.insert(own.number, busy);
        if std::mem::take(&mut state.is_watch_asleep) {
            self.watch.unpark();
        }
        drop(state);
        OwnThreads { all: self.clone(), own: Some(own), statement, is_reusable: false }
    }

    /// Tasks on all of them; those of a query that is over go within a batch of rows.
    pub fn tasks(&self) -> usize {
        self.state().busy.values().map(Busy::tasks).sum()
    }

    fn start(&self, rank: Rank) -> Numbered {
        let threads = WatchedThreads::default();
        let (entered, left) = (threads.clone(), threads.clone());
        let runtime = Builder::new_multi_thread()
            .worker_threads(self.threads.get())
            .max_blocking_threads(BLOCKING_MAX)
            .thread_stack_size(STACK_BYTES)
            .thread_name("query")
            .on_thread_start(move || {
                os_thread::start_in(rank);
                entered.enter();
            })
            .on_thread_stop(move || left.leave())
            .enable_all()
            .build()
            .expect("the system has threads for queries");
        let mut state = self.state();
        state.started += 1;
        Numbered { number: state.started, rank, runtime, threads }
    }

    fn give_back(&self, own: Numbered, is_reusable: bool) {
        let idle_max = (IDLE_THREADS_MAX / self.threads).max(1);
        let left = self.state().give_back(own, is_reusable, idle_max);
        // Does not wait for the threads: an async context may not block.
        left.into_iter().for_each(|left| left.runtime.shutdown_background());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for QueryThreads {
    fn drop(&mut self) {
        let mut state = self.state();
        state.is_over = true;
        let idle = std::mem::take(&mut state.idle);
        drop(state);
        idle.into_values().flatten().for_each(|idle| idle.runtime.shutdown_background());
        self.watch.unpark();
    }
}

impl State {
    /// Keeps them for another query, or returns them: what is left of their query steps back.
    fn give_back(&mut self, own: Numbered, is_reusable: bool, idle_max: usize) -> Option<Numbered> {
        let busy = self.busy.get_mut(&own.number).expect("threads are busy until their query gives them back");
        let is_as_before = busy.end();
        let idle: usize = self.idle.values().map(Vec::len).sum();
        let left = if is_reusable && is_as_before && idle < idle_max {
            self.idle.entry(own.rank).or_default().push(own);
            None
        } else {
            busy.step_back();
            Some(own)
        };
        self.forget_done();
        left
    }

    fn forget_done(&mut self) {
        self.busy.retain(|_, busy| !busy.is_done());
    }

    /// Looks at the next one; `None` where there is none.
    fn look_after(&mut self, last: Option<u64>) -> Option<u64> {
        let after = last.map_or(Bound::Unbounded, Bound::Excluded);
        let (number, busy) = self.busy.range_mut((after, Bound::Unbounded)).next()?;
        busy.look();
        Some(*number)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no code panics while it holds the runtimes")
}

/// Lets threads of long queries step back, until there are no query threads any more.
fn watch(shared: &Mutex<State>) {
    os_thread::go_first();
    let mut in_vain = 0;
    loop {
        let mut state = lock(shared);
        if state.is_over {
            return;
        }
        state.forget_done();
        in_vain = if state.busy.is_empty() { in_vain + 1 } else { 0 };
        state.is_watch_asleep = in_vain > LOOKS_IN_VAIN_MAX;
        let falls_asleep = state.is_watch_asleep;
        let mut last = state.look_after(None);
        drop(state);
        // Others need not wait until all are looked at.
        while last.is_some() {
            last = lock(shared).look_after(last);
        }
        if falls_asleep {
            std::thread::park();
        } else {
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl OwnThreads {
    pub fn runtime(&self) -> &Handle {
        self.own.as_ref().expect("the threads live as long as their owner").runtime.handle()
    }

    /// The query ends, by itself or not, and has used so much of the CPU.
    pub fn end(&mut self, is_by_itself: bool, share: &QueryShare) {
        self.all.used_before.put(self.statement, share.used());
        // Threads of long queries are as far back as they can be.
        let is_last = self.own.as_ref().is_some_and(|own| own.rank == Rank::Fourth);
        self.is_reusable = is_by_itself && (is_last || !share.is_long());
    }
}

impl Drop for OwnThreads {
    fn drop(&mut self) {
        if let Some(own) = self.own.take() {
            self.all.give_back(own, self.is_reusable);
        }
    }
}

#[cfg(test)]
mod tests;
