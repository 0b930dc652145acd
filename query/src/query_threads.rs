//! Threads that work for one query at a time, so that the operating system shares the cores among queries.
//!
//! A query has a tokio runtime to itself while it is planned and runs. Afterwards the next one has it, unless its threads
//! may have stepped back ([`crate::cpu_pool`]) or may still be busy: those end by themselves, behind all others.
//!
//! Planning, and a step of an operator, may take long without a word. So a thread of its own looks every few milliseconds
//! at what the threads of each query have used of the CPU: those that have used more than most dashboards let others go
//! first, and those of a query that is long step back.

mod busy;
mod watched;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::Thread;
use std::time::Duration;

use henge_segment_store::os_thread;
use tokio::runtime::{Builder, Handle, Runtime};

use self::busy::Busy;
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
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Numbered>,
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
    runtime: Runtime,
    threads: WatchedThreads,
}

/// One query's threads.
#[derive(Debug)]
pub(crate) struct OwnThreads {
    all: Arc<QueryThreads>,
    /// `None` only while it is dropped.
    own: Option<Numbered>,
    is_reusable: bool,
}

impl QueryThreads {
    /// Panics if the system gives no thread.
    pub fn new(limits: &QueryLimits) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let watched = state.clone();
        let watch = std::thread::Builder::new().name("query-watch".into()).spawn(move || watch(&watched));
        let watch = watch.expect("the system has threads for queries").thread().clone();
        Self { threads: limits.threads, state, watch }
    }

    /// Threads for a query. Panics if the system gives none.
    pub fn take(self: &Arc<Self>, share: &Arc<QueryShare>) -> OwnThreads {
        let idle = self.state().idle.pop();
        let own = idle.unwrap_or_else(|| self.start());
        own.threads.reset();
        let busy = Busy::new(own.runtime.handle().clone(), own.threads.clone(), share);
        let mut state = self.state();
        state.busy.insert(own.number, busy);
        if std::mem::take(&mut state.is_watch_asleep) {
            self.watch.unpark();
        }
        drop(state);
        OwnThreads { all: self.clone(), own: Some(own), is_reusable: false }
    }

    /// Tasks on all of them; those of a query that is over go within a batch of rows.
    pub fn tasks(&self) -> usize {
        self.state().busy.values().map(Busy::tasks).sum()
    }

    fn start(&self) -> Numbered {
        let threads = WatchedThreads::default();
        let (entered, left) = (threads.clone(), threads.clone());
        let runtime = Builder::new_multi_thread()
            .worker_threads(self.threads.get())
            .max_blocking_threads(BLOCKING_MAX)
            .thread_stack_size(STACK_BYTES)
            .thread_name("query")
            .on_thread_start(move || {
                os_thread::go_first();
                entered.enter();
            })
            .on_thread_stop(move || left.leave())
            .enable_all()
            .build()
            .expect("the system has threads for queries");
        let mut state = self.state();
        state.started += 1;
        Numbered { number: state.started, runtime, threads }
    }

    fn give_back(&self, own: Numbered, is_reusable: bool) {
        let mut state = self.state();
        let is_as_before = state.busy.get_mut(&own.number).is_some_and(Busy::end);
        state.forget_done();
        let idle_max = (IDLE_THREADS_MAX / self.threads).max(1);
        if is_reusable && is_as_before && state.idle.len() < idle_max {
            return state.idle.push(own);
        }
        drop(state);
        // What it left behind may be busy with it for long.
        own.threads.put_back();
        // Does not wait for the threads: an async context may not block.
        own.runtime.shutdown_background();
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
        idle.into_iter().for_each(|idle| idle.runtime.shutdown_background());
        self.watch.unpark();
    }
}

impl State {
    fn forget_done(&mut self) {
        self.busy.retain(|_, busy| !busy.is_done());
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no code panics while it holds the runtimes")
}

/// Lets threads of long queries step back, until there are no query threads any more.
fn watch(state: &Mutex<State>) {
    os_thread::go_first();
    let mut in_vain = 0;
    loop {
        let mut state = lock(state);
        if state.is_over {
            return;
        }
        state.forget_done();
        state.busy.values_mut().for_each(Busy::look);
        in_vain = if state.busy.is_empty() { in_vain + 1 } else { 0 };
        state.is_watch_asleep = in_vain > LOOKS_IN_VAIN_MAX;
        let falls_asleep = state.is_watch_asleep;
        drop(state);
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

    /// The query has ended by itself, and its threads are as they were.
    pub fn set_reusable(&mut self) {
        self.is_reusable = true;
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
