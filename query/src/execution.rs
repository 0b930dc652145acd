//! Runs one query on the query threads and hands its batches to whoever asked.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{FutureExt, StreamExt, stream};
use henge_segment_store::clock;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::admission::Admission;
use crate::answer::{QueryAnswer, ResultBatches, ResultColumn, ResultSchema, bytes_of};
use crate::approximation::is_approximate;
use crate::cpu_pool::QueryShare;
use crate::description::Description;
use crate::error::{QueryError, QueryErrorKind};
use crate::interruption::interruptible;
use crate::limits::QueryLimits;
use crate::planner::{Planned, Planner};
use crate::provenance::MadeOf;
use crate::query_threads::OwnThreads;
use crate::question::Question;
use crate::reader::Reader;
use crate::request::QueryRequest;
use crate::result_cache::{ResultCacheCounts, ResultCacheUse};
use crate::running::RunningQuery;
use crate::segment_reads::SegmentReads;
use crate::series::SeriesRequest;
use crate::session::Lent;
use crate::wanted::Wanted;

/// Batches that wait for a slow reader.
const BATCHES_AHEAD: usize = 2;

/// What the query threads tell.
///
/// Each report wakes a thread, which takes longer than a small query; so what is there at the same time is told together.
enum Progress {
    /// `first`: `None` where there are no rows.
    Started {
        columns: Vec<ResultColumn>,
        first: Option<Rows>,
        is_whole: bool,
        is_approximate: bool,
        made_of: Vec<MadeOf>,
    },
    Batch(Rows),
    /// Where an answer is not whole at once, it is not complete without this, whatever came before.
    Done,
    /// Nothing is run.
    Described(Description),
}

struct Rows {
    batch: RecordBatch,
    /// What it takes of its query's memory until it is handed on.
    _memory: Option<MemoryReservation>,
}

type Report = Result<Progress, QueryError>;

/// A query that somebody waits for, until its deadline.
pub(crate) struct Asked {
    running: RunningQuery,
    deadline: Instant,
    timeout: Duration,
    results: Arc<ResultCacheUse>,
}

/// The asking side of a query. Dropping it ends the query.
pub(crate) struct Execution {
    asked: Asked,
    reports: mpsc::Receiver<Report>,
    producer: AbortHandle,
    threads: OwnThreads,
    /// Nothing more will be reported.
    is_over: bool,
}

impl Asked {
    /// The clock runs from now on.
    pub fn new(
        running: RunningQuery,
        timeout: Option<Duration>,
        limits: &QueryLimits,
        results: Arc<ResultCacheUse>,
    ) -> Self {
        let timeout = timeout.unwrap_or(limits.timeout_default).min(limits.timeout_max);
        Self { running, deadline: Instant::now() + timeout, timeout, results }
    }

    /// Its place at the CPU pool.
    pub fn share(&self) -> &Arc<QueryShare> {
        self.running.share()
    }

    /// Waits in line.
    pub async fn admitted(
        &self,
        admission: &Admission,
        wait_max: Duration,
    ) -> Result<OwnedSemaphorePermit, QueryError> {
        let entered = tokio::time::timeout(wait_max, admission.enter());
        self.wait_for(async { entered.await.unwrap_or_else(|_| Err(admission.waited(wait_max))) }).await
    }

    /// Waits on the asking side, for the query's threads may be busy.
    async fn wait_for<T>(&self, wanted: impl Future<Output = Result<T, QueryError>>) -> Result<T, QueryError> {
        tokio::select! {
            biased;
            () = self.running.cancelled() => Err(QueryError::new(QueryErrorKind::Cancelled, "the query was cancelled")),
            () = tokio::time::sleep_until(self.deadline) => Err(timed_out(self.timeout)),
            result = wanted => result,
        }
    }
}

impl Execution {
    /// Everything that recurses over the statement stays on `threads`, which have the stack for it.
    pub fn start(
        asked: Asked,
        slot: OwnedSemaphorePermit,
        threads: OwnThreads,
        planner: Arc<Planner>,
        wanted: Wanted,
        limits: QueryLimits,
    ) -> Self {
        let (sender, reports) = mpsc::channel(BATCHES_AHEAD);
        let (share, reads) = (asked.running.share().clone(), asked.running.reads().clone());
        let results = asked.results.clone();
        let producer = Producer { planner, sender, limits, share, reads, results, slot: Arc::new(slot) };
        let producer = threads.runtime().spawn(producer.run(wanted)).abort_handle();
        Self { asked, reports, producer, threads, is_over: false }
    }

    /// Waits for the columns and the first batch: what fails before that fails here.
    pub async fn into_answer(mut self) -> Result<QueryAnswer, QueryError> {
        let Progress::Started { columns, first, is_whole, is_approximate, mut made_of } = self.next_report().await?
        else {
            return Err(QueryError::internal("a query produced rows before it was planned"));
        };
        if is_whole {
            self.is_over = true;
        }
        let result_cache = match self.asked.running.reader() {
            Reader::Everything => self.asked.results.counts(),
            Reader::Tenant(_) => {
                // How many segments the rows of all take, and how many records others send, is not for a tenant.
                made_of.iter_mut().for_each(|made_of| made_of.completeness.sources.clear());
                ResultCacheCounts::default()
            }
        };
        let batches = self.into_batches(first.map(|rows| rows.batch));
        Ok(QueryAnswer { columns, result_cache, is_approximate, made_of, batches })
    }

    /// Of a statement that is not run.
    pub async fn into_description(mut self) -> Result<Description, QueryError> {
        match self.next_report().await? {
            Progress::Described(description) => {
                self.is_over = true;
                Ok(description)
            }
            _ => Err(QueryError::internal("a query that was to be described ran")),
        }
    }

    fn into_batches(self, first: Option<RecordBatch>) -> ResultBatches {
        let Some(first) = first else { return Box::pin(stream::empty()) };
        let rest = stream::unfold(Some(self), |execution| async {
            let mut execution = execution?;
            match execution.next_batch().await {
                Ok(Some(batch)) => Some((Ok(batch), Some(execution))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Box::pin(stream::iter([Ok(first)]).chain(rest))
    }

    async fn next_batch(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        if self.is_over {
            return Ok(None);
        }
        match self.next_report().await? {
            Progress::Batch(rows) => Ok(Some(rows.batch)),
            Progress::Done => Ok(None),
            Progress::Started { .. } | Progress::Described(_) => Err(QueryError::internal("a query started twice")),
        }
    }

    async fn next_report(&mut self) -> Report {
        let Self { asked, reports, is_over, .. } = self;
        let reported = asked
            .wait_for(async {
                let report = reports.recv().await.unwrap_or_else(|| {
                    Err(QueryError::internal("the query stopped in the middle: its thread panicked, see the log"))
                });
                // It has ended by itself.
                *is_over = matches!(report, Err(_) | Ok(Progress::Done));
                report
            })
            .await;
        if reported.is_err() {
            self.producer.abort();
        }
        reported.map_err(|error| self.asked.running.reader().told(error))
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        self.producer.abort();
        self.threads.end(self.is_over, self.asked.share());
    }
}

fn timed_out(timeout: Duration) -> QueryError {
    QueryError::new(
        QueryErrorKind::Timeout,
        format!(
            "the query took longer than {} ms (`query_timeout`): ask for a shorter time range or a longer timeout",
            timeout.as_millis()
        ),
    )
}

/// The side on the query threads.
struct Producer {
    planner: Arc<Planner>,
    sender: mpsc::Sender<Report>,
    limits: QueryLimits,
    share: Arc<QueryShare>,
    reads: Arc<SegmentReads>,
    results: Arc<ResultCacheUse>,
    /// Among the queries that run at once.
    slot: Arc<OwnedSemaphorePermit>,
}

impl Producer {
    async fn run(self, wanted: Wanted) {
        let report = match wanted {
            Wanted::Statement(request) => self.produce(request).await,
            Wanted::Description(request) => self.describe(request).await,
            Wanted::Series(request) => self.produce_series(&request).await,
        };
        // Nobody listens any more where this fails.
        self.sender.send(report).await.ok();
    }

    /// Reports but for the last one, which it returns.
    async fn produce(&self, request: QueryRequest) -> Report {
        let question = Question::read(&request, &self.limits.statement, clock::now())?;
        let provenance = question.provenance.clone();
        let planned = match self.planner.plan_from_cache(&question).await? {
            Some(planned) => planned,
            None => self.plan(question).await?,
        };
        match planned {
            Planned::Run(plan) => {
                let made_of = provenance.map(|provenance| provenance.told()).unwrap_or_default();
                self.execute(plan, &request.query_id, made_of).await
            }
            Planned::Explain(text) => explain(text),
            Planned::Analyze(plan) => self.analyze(plan, &request.query_id).await,
        }
    }

    async fn describe(&self, request: QueryRequest) -> Report {
        let question = Question::open(&request, &self.limits.statement, clock::now())?;
        let planner = self.planner.clone();
        self.apart(move || planner.describe(&question)).await.map(Progress::Described)
    }

    /// A plan of a few nodes is made at once.
    async fn produce_series(&self, request: &SeriesRequest) -> Report {
        let (plan, made_of) = self.planner.series(request)?;
        self.execute(plan, &request.query_id, made_of).await
    }

    /// Other queries should not wait for this one's planning. Nothing stops it half way: where it takes too long its place
    /// among the queries that run is free again only when it is over.
    async fn plan(&self, question: Question) -> Result<Planned, QueryError> {
        let planner = self.planner.clone();
        self.apart(move || Handle::current().block_on(planner.plan(&question))).await
    }

    async fn apart<T: Send + 'static>(
        &self,
        plan: impl FnOnce() -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let (slot, share) = (self.slot.clone(), self.share.clone());
        let plan = move || {
            let _slot = slot;
            share.charge_thread();
            let planned = plan();
            share.charge_thread();
            planned
        };
        let planned = tokio::time::timeout(self.limits.plan_time_max, tokio::task::spawn_blocking(plan)).await;
        let planned = planned.map_err(|_| {
            QueryError::limit(format!(
                "the query takes longer than {} ms to plan (`plan_timeout`): split it into simpler ones",
                self.limits.plan_time_max.as_millis()
            ))
        })?;
        planned.map_err(|_| QueryError::internal("planning the query panicked, see the log"))?
    }

    fn task_context(&self, query_id: &str) -> Arc<TaskContext> {
        let lent = Lent { share: &self.share, reads: &self.reads, results: &self.results };
        self.planner.session.task_context(query_id, &lent, self.limits.query_memory_bytes)
    }

    /// Reads the whole answer and tells what it took.
    async fn analyze(&self, plan: Arc<dyn ExecutionPlan>, query_id: &str) -> Report {
        let plan = interruptible(plan, self.share.token())?;
        let start = Instant::now();
        let context = self.task_context(query_id);
        let mut batches = execute_stream(plan.clone(), context)?;
        let mut rows = 0;
        while let Some(batch) = batches.next().await {
            rows += batch?.num_rows();
        }
        let elapsed = start.elapsed();
        let operators = DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string();
        explain(format!("rows={rows} elapsed={elapsed:?}\n{operators}"))
    }

    async fn execute(&self, plan: Arc<dyn ExecutionPlan>, query_id: &str, mut made_of: Vec<MadeOf>) -> Report {
        let schema = ResultSchema::new(plan.schema().as_ref())?;
        let is_approximate = is_approximate(&plan)?;
        let plan = interruptible(plan, self.share.token())?;
        let context = self.task_context(query_id);
        let mut batches = execute_stream(plan, context.clone())?;
        let (mut rows, mut bytes) = (0, 0);
        let mut next = batches.next().await;
        let mut is_started = false;
        while let Some(batch) = next {
            self.share.charge_thread();
            let batch = schema.convert(&batch?)?;
            rows += batch.num_rows() as u64;
            let batch_bytes = bytes_of(&batch);
            bytes += batch_bytes as u64;
            self.check_size(rows, bytes)?;
            if batch.num_rows() == 0 {
                next = batches.next().await;
                continue;
            }
            let memory = MemoryConsumer::new("the answer").register(context.memory_pool());
            memory.try_grow(batch_bytes)?;
            let batch = Rows { batch, _memory: Some(memory) };
            if is_started {
                self.send(Progress::Batch(batch)).await;
                next = batches.next().await;
                continue;
            }
            // Rows that are there do not wait for those that are not.
            let after = batches.next().now_or_never();
            let is_whole = matches!(after, Some(None));
            let (columns, made_of) = (schema.columns(), std::mem::take(&mut made_of));
            let started = Progress::Started { columns, first: Some(batch), is_whole, is_approximate, made_of };
            if is_whole {
                return Ok(started);
            }
            self.send(started).await;
            is_started = true;
            next = match after {
                Some(after) => after,
                None => batches.next().await,
            };
        }
        Ok(match is_started {
            true => Progress::Done,
            false => {
                Progress::Started { columns: schema.columns(), first: None, is_whole: true, is_approximate, made_of }
            }
        })
    }

    /// An answer is never cut short: past its limit it fails.
    fn check_size(&self, rows: u64, bytes: u64) -> Result<(), QueryError> {
        if rows > self.limits.result_rows_max {
            return Err(QueryError::limit(format!(
                "the result has more than {} rows (`result_rows`): aggregate, or add a LIMIT",
                self.limits.result_rows_max
            )));
        }
        if bytes > self.limits.result_bytes_max {
            return Err(QueryError::limit(format!(
                "the result has more than {} bytes (`result_size`): select fewer columns, aggregate, or add a LIMIT",
                self.limits.result_bytes_max
            )));
        }
        Ok(())
    }

    /// Where the listener has gone, the producer is about to be aborted too.
    async fn send(&self, progress: Progress) {
        self.sender.send(Ok(progress)).await.ok();
    }
}

fn explain(text: String) -> Report {
    let schema = Arc::new(Schema::new(vec![Field::new("PLAN", DataType::Utf8View, false)]));
    let columns = ResultSchema::new(&schema)?.columns();
    let batch = RecordBatch::try_new(schema, vec![Arc::new(StringViewArray::from(vec![text]))])?;
    let first = Some(Rows { batch, _memory: None });
    Ok(Progress::Started { columns, first, is_whole: true, is_approximate: false, made_of: Vec::new() })
}
