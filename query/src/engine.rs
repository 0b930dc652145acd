use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use henge_segment_store::store::Store;

use crate::admission::Admission;
use crate::answer::QueryAnswer;
use crate::cpu_pool::CpuPool;
use crate::description::Description;
use crate::error::QueryError;
use crate::execution::{Asked, Execution};
use crate::limits::QueryLimits;
use crate::lookups::Lookups;
use crate::memory::MemoryFigures;
use crate::operator::aggregate::TextNumbers;
use crate::plan_cache::PlanCacheFigures;
use crate::planner::Planner;
use crate::query_threads::{QueryThreads, STACK_BYTES};
use crate::reader::Reader;
use crate::request::QueryRequest;
use crate::result_cache::{ResultCache, ResultCacheFigures, ResultCacheUse};
use crate::running::{QueryProgress, RunningQueries};
use crate::segment_reads::SegmentReads;
use crate::series::SeriesRequest;
use crate::session::SharedSession;
use crate::spill::{SpillFigures, SpillSpace};
use crate::system_tables::{ProvidedTable, ServerInfo};
use crate::wanted::Wanted;

/// Answers SQL over the segments of a store, on threads of its own: queries and sockets do not wait for each other.
pub struct QueryEngine {
    planner: Arc<Planner>,
    limits: QueryLimits,
    admission: Arc<Admission>,
    pool: CpuPool,
    results: Arc<ResultCache>,
    running: Arc<RunningQueries>,
    threads: Arc<QueryThreads>,
}

/// What queries can be told of the process around them.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// Where others can reach it.
    pub server: Option<ServerInfo>,
    /// Tables that it fills.
    pub provided: Vec<ProvidedTable>,
    pub lookups: Lookups,
}

impl QueryEngine {
    /// Starts the CPU pool. Panics if the system gives no threads.
    pub fn new(store: Arc<Store>, limits: QueryLimits) -> Self {
        Self::of_server(store, limits, Surroundings::default())
    }

    /// Like [`Self::new`], for a process that others can reach, and with what it tells of itself.
    pub fn of_server(
        store: Arc<Store>,
        limits: QueryLimits,
        Surroundings { server, provided, lookups }: Surroundings,
    ) -> Self {
        let spill = Arc::new(SpillSpace::new(store.spill_directory().to_owned(), limits.spill_bytes));
        let session = SharedSession::new(&limits, spill, &Arc::new(lookups))
            .expect("the functions and options of a session are constants");
        let running: Arc<RunningQueries> = Arc::default();
        let planner = Arc::new(Planner::new(store, session, running.clone(), server, provided));
        let admission = Arc::new(Admission::new(&limits));
        let pool = CpuPool::start(limits.threads, STACK_BYTES);
        let threads = Arc::new(QueryThreads::new(&limits));
        let results = Arc::new(ResultCache::new(limits.result_cache_bytes));
        Self { planner, limits, admission, pool, results, running, threads }
    }

    /// The process, where others can reach it.
    pub fn server(&self) -> Option<&ServerInfo> {
        self.planner.server()
    }

    /// Waits for its turn, plans the statement, and waits for its first rows.
    ///
    /// Must be called on a tokio runtime with time. Dropping the future or the answer's stream ends the query. Panics if the
    /// system gives no threads.
    pub async fn execute(&self, request: QueryRequest) -> Result<QueryAnswer, QueryError> {
        let results =
            ResultCacheUse::new(self.results.clone(), request.use_result_cache, request.populate_result_cache);
        self.answer(Wanted::Statement(request), results).await
    }

    /// The same for a question about a metric.
    pub async fn series(&self, request: SeriesRequest) -> Result<QueryAnswer, QueryError> {
        let results = ResultCacheUse::new(self.results.clone(), true, true);
        self.answer(Wanted::Series(request), results).await
    }

    /// What the columns of an answer would be, and of what types the parameters of a statement in PostgreSQL's spelling
    /// are; the values that came with the request count for nothing. Waits for its turn, and reads no rows.
    pub async fn describe(&self, request: QueryRequest) -> Result<Description, QueryError> {
        let results = ResultCacheUse::new(self.results.clone(), false, false);
        self.execution(Wanted::Description(request), results).await?.into_description().await
    }

    async fn answer(&self, wanted: Wanted, results: ResultCacheUse) -> Result<QueryAnswer, QueryError> {
        self.execution(wanted, results).await?.into_answer().await
    }

    async fn execution(&self, wanted: Wanted, results: ResultCacheUse) -> Result<Execution, QueryError> {
        let limits = self.limits.lowered_to(wanted.limits());
        let (share, reads) = (self.pool.share(), SegmentReads::new(&limits));
        let running = self.running.start(&wanted, share, reads);
        let asked = Asked::new(running, wanted.timeout(), &limits, Arc::new(results));
        let slot = asked.admitted(&self.admission, limits.wait_max).await?;
        let threads = self.threads.take(asked.share(), &wanted.shown());
        Ok(Execution::start(asked, slot, threads, self.planner.clone(), wanted, limits))
    }

    /// Ends the running queries of that id with an error; `false` where the reader knows of none.
    pub fn cancel(&self, query_id: &str, reader: &Reader) -> bool {
        self.running.cancel(query_id, reader)
    }

    /// Tasks on the query threads. One query has several; those of a query that is over go within a batch of rows.
    pub fn tasks(&self) -> usize {
        self.threads.tasks()
    }

    /// Queries that wait for their turns, are planned, run, or are read by their askers now.
    pub fn running(&self) -> usize {
        self.running.count()
    }

    /// How far each of them has come.
    pub fn queries(&self) -> Vec<QueryProgress> {
        self.running.progress()
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

    /// What is held now.
    pub fn memory(&self) -> MemoryFigures {
        MemoryFigures {
            operators: self.memory_bytes(),
            plans: self.plan_cache().bytes,
            text_numbers: TextNumbers::kept_bytes(),
            results: self.result_cache().bytes,
        }
    }

    /// Lets go of what is kept for later queries that will hardly come. To be called now and then.
    pub fn let_go(&self) {
        let names = self.planner.data_sources();
        TextNumbers::let_go(Instant::now(), |wanted| names.iter().any(|name| name.as_str() == wanted));
    }

    /// What queries have put on disk because it did not fit into memory.
    pub fn spilled(&self) -> SpillFigures {
        self.planner.session.spilled()
    }
}

impl fmt::Debug for QueryEngine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("QueryEngine").field("limits", &self.limits).finish_non_exhaustive()
    }
}
