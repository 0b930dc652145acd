//! Upkeep beside everything else: one thread that retires, merges and sweeps, round after round.
//!
//! reconcile -> retention -> compaction (plan, merge, publish; until nothing is left) -> sweep -> wait
//!
//! Where several processes share the partitions, that of the first slot retires and merges what all of them published.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use henge_segment_store::clock;
use henge_segment_store::compaction::{self, Compacted, CompactionError, CompactionTask, Pace, Urgency};
use henge_segment_store::error::{ErrorKind, StoreError, with_sources};
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::store::Store;
use henge_segment_store::time::Interval;
use tokio::runtime::Handle;
use tracing::{error, info, warn};

use crate::config::UpkeepConfig;
use crate::upkeep_metrics::UpkeepMetrics;

/// Waits before a time chunk that could not be merged is tried again.
const RETRY_MIN: Duration = Duration::from_secs(30);
const RETRY_MAX: Duration = Duration::from_secs(3_600);
/// A sweep lists every file, so it is due a few times in a grace period only.
const SWEEPS_PER_GRACE: u32 = 12;
const SWEEP_EVERY_MAX: Duration = Duration::from_secs(600);

/// The thread that does the upkeep.
pub struct Background {
    is_cancelled: Arc<AtomicBool>,
    /// Dropped to end the wait between rounds.
    awake: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

impl Background {
    /// Begins with the first round at once. Call it on the runtime that the store's files are written on.
    pub fn start(store: Arc<Store>, config: UpkeepConfig, metrics: Arc<UpkeepMetrics>) -> Self {
        let is_cancelled = Arc::new(AtomicBool::new(false));
        let (awake, wait) = mpsc::channel();
        let mut upkeep = Upkeep {
            store,
            runtime: Handle::current(),
            pace: Pace::new(config.cpu, is_cancelled.clone()),
            is_cancelled: is_cancelled.clone(),
            metrics,
            blocked: HashMap::new(),
            swept: None,
            config,
        };
        let run = move || {
            while upkeep.round() && wait.recv_timeout(upkeep.config.every) == Err(RecvTimeoutError::Timeout) {}
        };
        let thread = std::thread::Builder::new().name("upkeep".to_owned()).spawn(run);
        Self { is_cancelled, awake, thread: thread.expect("a thread can be started") }
    }

    /// Ends it; a merge that is under way is given up.
    pub async fn stop(self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
        drop(self.awake);
        let thread = self.thread;
        let joined = tokio::task::spawn_blocking(move || thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            error!("upkeep ended badly");
        }
    }
}

struct Upkeep {
    store: Arc<Store>,
    runtime: Handle,
    config: UpkeepConfig,
    pace: Pace,
    is_cancelled: Arc<AtomicBool>,
    metrics: Arc<UpkeepMetrics>,
    /// Chunks that could not be merged.
    blocked: HashMap<(DataSourceName, Interval), Blocked>,
    swept: Option<Instant>,
}

struct Blocked {
    failures: u32,
    until: Instant,
}

impl Upkeep {
    /// Everything that is due. `false` when there is nothing more to do for this process.
    fn round(&mut self) -> bool {
        let is_first = self.store.slot().is_first();
        let kept = self.reconcile().and_then(|()| if is_first { self.retain() } else { Ok(()) });
        if is_first {
            self.compact();
        }
        let swept = self.sweep_if_due();
        for failure in [kept.err(), swept.err()].into_iter().flatten() {
            if matches!(failure, StoreError::Fenced { .. }) {
                error!(error = %failure, "upkeep ends");
                return false;
            }
            self.metrics.failed();
            warn!(error = %with_sources(&failure), "upkeep failed, trying again");
        }
        !self.is_cancelled.load(Ordering::Relaxed)
    }

    fn reconcile(&self) -> Result<(), StoreError> {
        let behind = self.runtime.block_on(self.store.reconcile())?;
        if behind > 0 {
            warn!(behind, "datasources brought up to the manifest");
        }
        Ok(())
    }

    fn retain(&self) -> Result<(), StoreError> {
        for retired in self.runtime.block_on(self.store.apply_retention(clock::now()))? {
            let segments = retired.segments.len();
            self.metrics.retired(segments as u64, retired.bytes);
            let (events, bytes) = (retired.events, retired.bytes);
            info!(datasource = %retired.data_source, rule = %retired.rule, segments, events, bytes, "retired segments");
        }
        Ok(())
    }

    /// One task after another, each planned anew: what was published meanwhile counts.
    fn compact(&mut self) {
        while !self.is_cancelled.load(Ordering::Relaxed) {
            let planned = self.runtime.block_on(self.store.plan_compaction(Urgency::Incremental, clock::now()));
            self.metrics.planned(planned.len());
            let now = Instant::now();
            let is_free = |name: &DataSourceName, task: &CompactionTask| {
                self.blocked.get(&(name.clone(), task.chunk)).is_none_or(|blocked| blocked.until <= now)
            };
            let Some((name, task)) = planned.into_iter().find(|(name, task)| is_free(name, task)) else { break };
            self.merge(name, &task);
        }
    }

    fn merge(&mut self, name: DataSourceName, task: &CompactionTask) {
        let Some(data_source) = self.store.data_source(name.as_str()) else { return };
        self.pace.begin();
        let (store, runtime, pace) = (&self.store, &self.runtime, &mut self.pace);
        let run = || compaction::run(store, runtime, &data_source, task, &mut || pace.step());
        // A defect in merging one chunk must not end all upkeep.
        let outcome = catch_unwind(AssertUnwindSafe(run));
        let (chunk, inputs) = (task.chunk, task.inputs.len());
        match outcome {
            Ok(Ok(compacted)) => {
                self.blocked.remove(&(name.clone(), chunk));
                self.note_compacted(&name, chunk, &compacted);
            }
            Ok(Err(CompactionError::Cancelled(_))) => {}
            Ok(Err(error)) => {
                let is_race = matches!(&error, CompactionError::Store(error) if error.kind() == ErrorKind::Conflict);
                warn!(datasource = %name, %chunk, inputs, is_race, error = %with_sources(&error), "merge failed");
                self.block(name, chunk);
            }
            Err(_) => {
                error!(datasource = %name, %chunk, inputs, "merge ended by a defect");
                self.block(name, chunk);
            }
        }
    }

    fn note_compacted(&self, name: &DataSourceName, chunk: Interval, compacted: &Compacted) {
        self.metrics.compacted(compacted);
        let rows: u64 = compacted.added.iter().map(|meta| meta.rows).sum();
        info!(
            datasource = %name, %chunk, purpose = ?compacted.purpose, inputs = compacted.retired.len(),
            segments = compacted.added.len(), rows_read = compacted.rows_read, rows, bytes_read = compacted.bytes_read,
            bytes = compacted.bytes_written, elapsed_ms = compacted.elapsed.as_millis() as u64, "merged segments"
        );
    }

    fn block(&mut self, name: DataSourceName, chunk: Interval) {
        self.metrics.failed();
        let now = Instant::now();
        let blocked = self.blocked.entry((name, chunk)).or_insert(Blocked { failures: 0, until: now });
        blocked.until = now + RETRY_MIN.saturating_mul(1 << blocked.failures.min(10)).min(RETRY_MAX);
        blocked.failures += 1;
    }

    fn sweep_if_due(&mut self) -> Result<(), StoreError> {
        let every = (self.config.sweep_grace / SWEEPS_PER_GRACE).min(SWEEP_EVERY_MAX);
        if self.is_cancelled.load(Ordering::Relaxed) || self.swept.is_some_and(|swept| swept.elapsed() < every) {
            return Ok(());
        }
        self.swept = Some(Instant::now());
        let swept = self.runtime.block_on(self.store.sweep(self.config.sweep_grace))?;
        if swept.files > 0 {
            self.metrics.swept(swept);
            info!(files = swept.files, bytes = swept.bytes, "swept files that nothing needs");
        }
        Ok(())
    }
}
