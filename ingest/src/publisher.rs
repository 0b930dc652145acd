//! Publishes one cut at a time beside the reader, and again while the storage is unavailable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use henge_segment_store::data_source::{DataSource, Frozen};
use henge_segment_store::error::{ErrorKind, StoreError};
use henge_segment_store::segment::SegmentMeta;
use henge_segment_store::store::{Consumed, Store};
use henge_segment_store::stream::{Offset, StreamPartition};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cut_policy::CutCause;
use crate::status::StatusCell;

/// Waits between attempts: a full disk or a store that is down needs a person or a while.
const RETRY_MIN: Duration = Duration::from_millis(200);
const RETRY_MAX: Duration = Duration::from_secs(10);

/// A cut on its way into the manifest.
pub struct Publishing {
    task: JoinHandle<Result<Vec<SegmentMeta>, StoreError>>,
    give_up: watch::Sender<bool>,
    /// Where each partition's group offset moves to once it is published.
    ends: Vec<(StreamPartition, Offset)>,
    begun: Instant,
}

impl Publishing {
    /// Cuts what is open and publishes it with everything that was consumed for it.
    pub fn begin(
        runtime: &Handle,
        store: Arc<Store>,
        data_source: Arc<DataSource>,
        consumed: Consumed,
        cause: Option<CutCause>,
        status: Arc<StatusCell>,
    ) -> Self {
        let frozen = data_source.cut();
        let (rows, events) = (frozen.row_count(), frozen.events());
        tracing::debug!(datasource = %data_source.name(), ?cause, rows, events, "cut open segments");
        let ends = consumed.ranges.iter().map(|consumed| (consumed.partition.clone(), consumed.range.end)).collect();
        let (give_up, given_up) = watch::channel(false);
        let task = runtime.spawn(publish(store, data_source, frozen, consumed, status, given_up));
        Self { task, give_up, ends, begun: Instant::now() }
    }

    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Ends after the attempt that is under way; the cut's rows are not published unless that one succeeds.
    pub fn give_up(&self) {
        self.give_up.send_replace(true);
    }

    /// Waits for the end, `timeout` at most; `false` when it is still going on.
    pub fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while !self.is_finished() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// The outcome, once finished: the new segments, and the offsets for the advisory group commit.
    pub fn finish(self, runtime: &Handle) -> Result<Published, StoreError> {
        let segments = runtime.block_on(self.task).expect("publishing does not panic")?;
        Ok(Published { segments, ends: self.ends, elapsed: self.begun.elapsed() })
    }
}

/// A cut that is durable.
pub struct Published {
    pub segments: Vec<SegmentMeta>,
    pub ends: Vec<(StreamPartition, Offset)>,
    pub elapsed: Duration,
}

async fn publish(
    store: Arc<Store>,
    data_source: Arc<DataSource>,
    frozen: Frozen,
    consumed: Consumed,
    status: Arc<StatusCell>,
    mut given_up: watch::Receiver<bool>,
) -> Result<Vec<SegmentMeta>, StoreError> {
    let mut pause = RETRY_MIN;
    loop {
        match store.publish(&data_source, &frozen, consumed.clone()).await {
            Ok(segments) => return Ok(segments),
            Err(error) if error.kind() != ErrorKind::Unavailable || *given_up.borrow() => return Err(error),
            Err(error) => {
                tracing::warn!(datasource = %data_source.name(), error = %with_source(&error), "publish failed, trying again");
                status.publish_failed(with_source(&error));
            }
        }
        let waited = tokio::time::timeout(pause, given_up.wait_for(|given_up| *given_up)).await;
        pause = if waited.is_ok() { Duration::ZERO } else { (pause * 2).min(RETRY_MAX) };
    }
}

/// An error and what caused it, in one line.
pub fn with_source(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
