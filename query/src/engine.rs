use std::fmt;
use std::sync::Arc;

use henge_segment_store::store::Store;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::admission::Admission;
use crate::answer::QueryAnswer;
use crate::cpu_pool::CpuPool;
use crate::error::QueryError;
use crate::execution::Execution;
use crate::limits::QueryLimits;
use crate::plan_cache::PlanCacheFigures;
use crate::planner::Planner;
use crate::request::QueryRequest;
use crate::result_cache::{ResultCache, ResultCacheFigures, ResultCacheUse};
use crate::running::RunningQueries;
use crate::session::SharedSession;

/// Planning recurses over expressions; see [`crate::guard`] for how deep they may be. Memory is only taken when used.
const STACK_BYTES: usize = 64 << 20;

/// Answers SQL over the segments of a store, on threads of its own: queries and sockets do not wait for each other.
pub struct QueryEngine {
    planner: Arc<Planner>,
    limits: QueryLimits,
    admission: Arc<Admission>,
    pool: CpuPool,
    results: Arc<ResultCache>,
    running: Arc<RunningQueries>,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl QueryEngine {
    /// Starts the query threads. Panics if the system gives no threads.
    pub fn new(store: Arc<Store>, limits: QueryLimits) -> Self {
        let session = SharedSession::new(&limits).expect("the functions and options of a session are constants");
        let runtime = Builder::new_multi_thread()
            .worker_threads(limits.threads.get())
            .max_blocking_threads(blocking_threads(&limits))
            .thread_stack_size(STACK_BYTES)
            .thread_name("query")
            .enable_all()
            .build()
            .expect("the system has threads for queries");
        let planner = Arc::new(Planner::new(store, session));
        let admission = Arc::new(Admission::new(&limits));
        let pool = CpuPool::start(limits.threads, STACK_BYTES);
        let results = Arc::new(ResultCache::new(limits.result_cache_bytes));
        Self { planner, limits, admission, pool, results, running: Arc::default(), runtime: Some(runtime) }
    }

    /// Waits for its turn, plans the statement, and waits for its first rows.
    ///
    /// Must be called on a tokio runtime with time. Dropping the future or the answer's stream ends the query.
    pub async fn execute(&self, request: QueryRequest) -> Result<QueryAnswer, QueryError> {
        let running = self.running.start(&request.query_id, self.pool.share());
        let (planner, admission) = (self.planner.clone(), self.admission.clone());
        let results =
            ResultCacheUse::new(self.results.clone(), request.use_result_cache, request.populate_result_cache);
        let results = Arc::new(results);
        Execution::start(self.runtime(), planner, admission, results, request, &self.limits, running)
            .into_answer()
            .await
    }

    /// Ends the running queries of that id with an error; `false` where there is none.
    pub fn cancel(&self, query_id: &str) -> bool {
        self.running.cancel(query_id)
    }

    /// Tasks on the query threads. One query has several; those of a query that is over go within a batch of rows.
    pub fn tasks(&self) -> usize {
        self.runtime().metrics().num_alive_tasks()
    }

    /// Queries that wait for their turns, are planned, run, or are read by their askers now.
    pub fn running(&self) -> usize {
        self.running.count()
    }

    pub fn plan_cache(&self) -> PlanCacheFigures {
        self.planner.cache_figures()
    }

    pub fn result_cache(&self) -> ResultCacheFigures {
        self.results.figures()
    }

    /// Those of them that wait for their turns.
    pub fn waiting(&self) -> usize {
        self.admission.waiting()
    }

    /// What the operators of all queries hold now.
    pub fn memory_bytes(&self) -> usize {
        self.planner.session.memory_bytes()
    }

    fn runtime(&self) -> &Handle {
        self.runtime.as_ref().expect("the runtime lives as long as the engine").handle()
    }
}

/// Each query plans on one, waits on others for native operators, and gives up one for a join that takes its time.
fn blocking_threads(limits: &QueryLimits) -> usize {
    4 * limits.queries_max as usize + 16
}

impl Drop for QueryEngine {
    /// Does not wait for running queries: an async context may not block.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for QueryEngine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("QueryEngine").field("limits", &self.limits).finish_non_exhaustive()
    }
}
