//! Threads that work for one query at a time, so that the operating system shares the cores among queries.
//!
//! A query has a tokio runtime to itself while it is planned and runs. Afterwards the next one has it, unless its threads
//! may have stepped back ([`crate::cpu_pool`]) or may still be busy: those end by themselves.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::cpu_pool::thread;
use crate::limits::QueryLimits;

/// Planning recurses over expressions; see [`crate::guard`] for how deep they may be. Memory is only taken when used.
pub(crate) const STACK_BYTES: usize = 64 << 20;
/// Threads that plan, run native operators or make serving forms: so many for each of a query's operators would be idle.
const BLOCKING_MAX: usize = 64;
/// Threads that wait for the next query; as many runtimes as have so many.
const IDLE_THREADS_MAX: usize = 64;

/// The threads of all queries.
#[derive(Debug)]
pub(crate) struct QueryThreads {
    threads: NonZeroUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Numbered>,
    /// By their numbers those that are a query's, and those with tasks of a query that is over.
    busy: BTreeMap<u64, Busy>,
    started: u64,
}

#[derive(Debug)]
struct Numbered {
    number: u64,
    runtime: Runtime,
}

#[derive(Debug)]
struct Busy {
    runtime: Handle,
    is_owned: bool,
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
    pub fn new(limits: &QueryLimits) -> Self {
        Self { threads: limits.threads, state: Mutex::default() }
    }

    /// Threads for a query. Panics if the system gives none.
    pub fn take(self: &Arc<Self>) -> OwnThreads {
        let idle = self.state().idle.pop();
        let runtime = idle.unwrap_or_else(|| self.start());
        let busy = Busy { runtime: runtime.runtime.handle().clone(), is_owned: true };
        self.state().busy.insert(runtime.number, busy);
        OwnThreads { all: self.clone(), own: Some(runtime), is_reusable: false }
    }

    /// Tasks on all of them; those of a query that is over go within a batch of rows.
    pub fn tasks(&self) -> usize {
        self.state().busy.values().map(Busy::tasks).sum()
    }

    fn start(&self) -> Numbered {
        let runtime = Builder::new_multi_thread()
            .worker_threads(self.threads.get())
            .max_blocking_threads(BLOCKING_MAX)
            .thread_stack_size(STACK_BYTES)
            .thread_name("query")
            .on_thread_start(thread::go_first)
            .enable_all()
            .build()
            .expect("the system has threads for queries");
        let mut state = self.state();
        state.started += 1;
        Numbered { number: state.started, runtime }
    }

    fn give_back(&self, own: Numbered, is_reusable: bool) {
        let mut state = self.state();
        if let Some(busy) = state.busy.get_mut(&own.number) {
            busy.is_owned = false;
        }
        state.busy.retain(|_, busy| busy.is_owned || busy.tasks() > 0);
        let idle_max = (IDLE_THREADS_MAX / self.threads).max(1);
        if is_reusable && state.idle.len() < idle_max {
            return state.idle.push(own);
        }
        drop(state);
        // Does not wait for the threads: an async context may not block.
        own.runtime.shutdown_background();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds the runtimes")
    }
}

impl Drop for QueryThreads {
    fn drop(&mut self) {
        let idle = std::mem::take(&mut self.state().idle);
        idle.into_iter().for_each(|idle| idle.runtime.shutdown_background());
    }
}

impl Busy {
    fn tasks(&self) -> usize {
        self.runtime.metrics().num_alive_tasks()
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
mod tests {
    use super::*;

    fn threads() -> Arc<QueryThreads> {
        Arc::new(QueryThreads::new(&QueryLimits { threads: NonZeroUsize::MIN, ..QueryLimits::default() }))
    }

    fn number(own: &OwnThreads) -> u64 {
        own.own.as_ref().unwrap().number
    }

    #[test]
    fn threads_are_one_querys_at_a_time_and_then_another_ones() {
        let all = threads();
        let (mut first, second) = (all.take(), all.take());
        assert_eq!((number(&first), number(&second)), (1, 2));
        first.set_reusable();
        drop(first);
        drop(second);
        assert_eq!(number(&all.take()), 1, "those of the second may be of no use any more");
        assert_eq!(number(&all.take()), 3);
    }

    #[test]
    fn tasks_that_a_query_left_behind_are_counted_until_they_go() {
        let all = threads();
        let own = all.take();
        let (started, start) = std::sync::mpsc::channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        own.runtime().spawn(async move {
            started.send(()).unwrap();
            wait.recv().ok();
        });
        start.recv().unwrap();
        drop(own);
        assert_eq!(all.tasks(), 1);
        drop(go_on);
        while all.tasks() > 0 {
            std::thread::yield_now();
        }
    }
}
