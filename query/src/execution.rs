//! Runs one query on the query threads and hands its batches to whoever asked.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{StreamExt, stream};
use henge_segment_store::clock;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::admission::Admission;
use crate::answer::{QueryAnswer, ResultBatches, ResultColumn, ResultSchema, bytes_of};
use crate::cpu_pool::QueryShare;
use crate::error::{QueryError, QueryErrorKind};
use crate::interruption::interruptible;
use crate::limits::QueryLimits;
use crate::planner::{Planned, Planner};
use crate::request::QueryRequest;
use crate::running::RunningQuery;

/// Batches that wait for a slow reader.
const BATCHES_AHEAD: usize = 2;

/// What the query threads tell.
enum Progress {
    Planned(Vec<ResultColumn>),
    Batch {
        batch: RecordBatch,
        /// What it takes of its query's memory until it is handed on.
        _memory: Option<MemoryReservation>,
    },
    /// Without it the answer is not complete, whatever came before.
    Done,
}

type Report = Result<Progress, QueryError>;

/// The asking side of a query. Dropping it ends the query.
pub(crate) struct Execution {
    reports: mpsc::Receiver<Report>,
    producer: AbortHandle,
    running: RunningQuery,
    deadline: Instant,
    timeout: Duration,
}

impl Execution {
    /// Everything that recurses over the statement stays on the threads of `runtime`, which have the stack for it.
    pub fn start(
        runtime: &Handle,
        planner: Arc<Planner>,
        admission: Arc<Admission>,
        request: QueryRequest,
        limits: &QueryLimits,
        running: RunningQuery,
    ) -> Self {
        let timeout = request.timeout.unwrap_or(limits.timeout_default).min(limits.timeout_max);
        let (sender, reports) = mpsc::channel(BATCHES_AHEAD);
        let producer = Producer { planner, admission, sender, limits: limits.clone(), share: running.share().clone() };
        let producer = runtime.spawn(producer.run(request)).abort_handle();
        Self { reports, producer, running, deadline: Instant::now() + timeout, timeout }
    }

    /// Waits for the columns and the first batch: what fails before that fails here.
    pub async fn into_answer(mut self) -> Result<QueryAnswer, QueryError> {
        let Progress::Planned(columns) = self.next_report().await? else {
            return Err(QueryError::internal("a query produced rows before it was planned"));
        };
        let first = self.next_batch().await?;
        Ok(QueryAnswer { columns, batches: self.into_batches(first) })
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
        match self.next_report().await? {
            Progress::Batch { batch, .. } => Ok(Some(batch)),
            Progress::Done => Ok(None),
            Progress::Planned(_) => Err(QueryError::internal("a query was planned twice")),
        }
    }

    /// The clock runs here, not on the query threads, which may be busy.
    async fn next_report(&mut self) -> Report {
        let report = tokio::select! {
            biased;
            () = self.running.cancelled() => Err(QueryError::new(QueryErrorKind::Cancelled, "the query was cancelled")),
            () = tokio::time::sleep_until(self.deadline) => Err(timed_out(self.timeout)),
            report = self.reports.recv() => report.unwrap_or_else(|| {
                Err(QueryError::internal("the query stopped in the middle: its thread panicked, see the log"))
            }),
        };
        if report.is_err() {
            self.producer.abort();
        }
        report
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        self.producer.abort();
    }
}

fn timed_out(timeout: Duration) -> QueryError {
    QueryError::new(
        QueryErrorKind::Timeout,
        format!(
            "the query took longer than {} ms: ask for a shorter time range or a longer timeout",
            timeout.as_millis()
        ),
    )
}

/// The side on the query threads.
struct Producer {
    planner: Arc<Planner>,
    admission: Arc<Admission>,
    sender: mpsc::Sender<Report>,
    limits: QueryLimits,
    share: Arc<QueryShare>,
}

impl Producer {
    async fn run(self, request: QueryRequest) {
        let report = self.produce(request).await.map(|()| Progress::Done);
        // Nobody listens any more where this fails.
        self.sender.send(report).await.ok();
    }

    async fn produce(&self, request: QueryRequest) -> Result<(), QueryError> {
        let _slot = self.admission.enter().await?;
        let query_id = request.query_id.clone();
        let planner = self.planner.clone();
        let plan = move || Handle::current().block_on(planner.plan(&request, clock::now()));
        let planned = tokio::task::spawn_blocking(plan)
            .await
            .map_err(|_| QueryError::internal("planning the query panicked, see the log"))??;
        match planned {
            Planned::Run(plan) => self.execute(plan, &query_id).await,
            Planned::Explain(text) => self.explain(text).await,
            Planned::Analyze(plan) => self.analyze(plan, &query_id).await,
        }
    }

    async fn explain(&self, text: String) -> Result<(), QueryError> {
        let schema = Arc::new(Schema::new(vec![Field::new("PLAN", DataType::Utf8View, false)]));
        self.send(Progress::Planned(ResultSchema::new(&schema)?.columns())).await;
        let batch = RecordBatch::try_new(schema, vec![Arc::new(StringViewArray::from(vec![text]))])?;
        self.send(Progress::Batch { batch, _memory: None }).await;
        Ok(())
    }

    /// Reads the whole answer and tells what it took.
    async fn analyze(&self, plan: Arc<dyn ExecutionPlan>, query_id: &str) -> Result<(), QueryError> {
        let plan = interruptible(plan, self.share.token())?;
        let start = Instant::now();
        let mut batches = execute_stream(plan.clone(), self.planner.session.task_context(query_id, &self.share))?;
        let mut rows = 0;
        while let Some(batch) = batches.next().await {
            rows += batch?.num_rows();
        }
        let elapsed = start.elapsed();
        let operators = DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string();
        self.explain(format!("rows={rows} elapsed={elapsed:?}\n{operators}")).await
    }

    async fn execute(&self, plan: Arc<dyn ExecutionPlan>, query_id: &str) -> Result<(), QueryError> {
        let schema = ResultSchema::new(plan.schema().as_ref())?;
        self.send(Progress::Planned(schema.columns())).await;
        let plan = interruptible(plan, self.share.token())?;
        let context = self.planner.session.task_context(query_id, &self.share);
        let mut batches = execute_stream(plan, context.clone())?;
        let (mut rows, mut bytes) = (0, 0);
        while let Some(batch) = batches.next().await {
            let batch = schema.convert(&batch?)?;
            rows += batch.num_rows() as u64;
            let batch_bytes = bytes_of(&batch);
            bytes += batch_bytes as u64;
            self.check_size(rows, bytes)?;
            if batch.num_rows() > 0 {
                let memory = MemoryConsumer::new("the answer").register(context.memory_pool());
                memory.try_grow(batch_bytes)?;
                self.send(Progress::Batch { batch, _memory: Some(memory) }).await;
            }
        }
        Ok(())
    }

    /// An answer is never cut short: past its limit it fails.
    fn check_size(&self, rows: u64, bytes: u64) -> Result<(), QueryError> {
        if rows > self.limits.result_rows_max {
            return Err(QueryError::limit(format!(
                "the result has more than {} rows: aggregate, or add a LIMIT",
                self.limits.result_rows_max
            )));
        }
        if bytes > self.limits.result_bytes_max {
            return Err(QueryError::limit(format!(
                "the result has more than {} MiB: select fewer columns, aggregate, or add a LIMIT",
                self.limits.result_bytes_max >> 20
            )));
        }
        Ok(())
    }

    /// Where the listener has gone, the producer is about to be aborted too.
    async fn send(&self, progress: Progress) {
        self.sender.send(Ok(progress)).await.ok();
    }
}
