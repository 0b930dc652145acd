//! One connection to a datasource's topics: reads, appends, cuts and publishes until it is asked to stop or has to halt.

mod events;
mod reach;
mod start;
mod topics;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use henge_segment_store::clock;
use henge_segment_store::data_source::DataSource;
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::store::Store;
use henge_segment_store::stream::{Offset, StreamPartition};
use tokio::runtime::Handle;

use crate::appender::PartitionProgress;
use crate::cut_policy::{self, CutCause};
use crate::kafka::client::StreamClient;
use crate::lanes::Lanes;
use crate::memory::{MemoryLimit, MemoryPressure, MemoryShare};
use crate::publisher::{Published, Publishing, with_source};
use crate::rates;
use crate::spec::SupervisorSpec;
use crate::status::{LastPublish, PartitionStatus, Pause, State, StatusCell};
use crate::topic_watch::TopicWatch;

pub use start::StartError;
use topics::{Standing, Topic};

/// How often a session looks at its lanes when nobody wakes it, and so the longest that a due cut waits.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The same while it waits for room.
const LOOK_EVERY_PAUSED: Duration = Duration::from_millis(5);
/// How often the status is brought up to date.
const REPORT_EVERY: Duration = Duration::from_millis(100);

const FENCED: &str = "another process has taken over what this one reads, and publishes it; stop one of the two";

/// What a session works with.
pub struct Context {
    pub spec: SupervisorSpec,
    pub store: Arc<Store>,
    pub data_source: Arc<DataSource>,
    pub runtime: Handle,
    pub status: Arc<StatusCell>,
    pub memory: Arc<MemoryLimit>,
}

/// How a supervisor's reader is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Publish what was read, waiting for the storage until then at the most.
    PublishUntil(Instant),
    /// Forget what is not published.
    Discard,
}

/// Why a session ended.
pub enum Ended {
    Asked(StopMode),
    /// Publishing is not possible: another process took over, or the manifest refuses what was read. An operator has to act.
    Halted(String),
}

/// A reader at work.
pub struct Session<'a> {
    context: &'a Context,
    client: StreamClient,
    lanes: Lanes,
    /// What became of the records that were published before the session began.
    counts_before: LedgerCounts,
    topics: BTreeMap<Arc<str>, Topic>,
    generation: u32,
    publishing: Option<Publishing>,
    /// Something is to be published soon, whatever the cut policy says.
    is_cut_wanted: bool,
    memory: MemoryShare,
    /// Why nothing is read for now.
    pause: Option<Pause>,
    /// When the oldest record or gap was read that no cut has taken.
    unpublished_since: Option<Instant>,
    watch: TopicWatch,
    /// Partitions that are not read, and why.
    stopped: BTreeMap<StreamPartition, String>,
    /// Those of them whose next offset the broker no longer has.
    lost_offsets: BTreeSet<StreamPartition>,
    trouble: Option<String>,
    /// The ends of the partitions at the start, until they are reached.
    recovery: BTreeMap<StreamPartition, Offset>,
    reported: Instant,
    rated: Instant,
}

impl Session<'_> {
    /// Works until it is asked to stop or has to halt. [`close`](Self::close) comes after it.
    pub fn run(&mut self, stop: &Receiver<StopMode>) -> Ended {
        loop {
            match stop.try_recv() {
                Ok(mode) => return Ended::Asked(mode),
                Err(TryRecvError::Disconnected) => return Ended::Asked(StopMode::Discard),
                Err(TryRecvError::Empty) => {}
            }
            if let Err(reason) = self.step() {
                self.report();
                return Ended::Halted(reason);
            }
            // Whoever sends a command wakes this thread, and so does a lane that has read much.
            std::thread::park_timeout(if self.pause.is_some() { LOOK_EVERY_PAUSED } else { LOOK_EVERY });
        }
    }

    /// Publishes what was read, or forgets it.
    pub fn close(mut self, mode: StopMode) {
        self.lanes.end();
        let StopMode::PublishUntil(deadline) = mode else {
            if let Some(publishing) = self.publishing.take() {
                publishing.give_up();
                publishing.wait(Duration::MAX / 4);
                self.note_published(publishing);
            }
            self.context.data_source.discard_unpublished();
            return;
        };
        let result = self.await_publish(deadline).and_then(|()| {
            if self.lanes.has_unpublished() {
                self.cut(None);
            }
            self.await_publish(deadline)
        });
        if let Err(reason) = result {
            tracing::error!(datasource = %self.context.data_source.name(), reason, "what was read is not published");
        }
        self.context.data_source.discard_unpublished();
        self.report();
    }

    /// One round.
    fn step(&mut self) -> Result<(), String> {
        if self.context.data_source.is_fenced() {
            return Err(FENCED.to_owned());
        }
        if self.publishing.as_ref().is_some_and(Publishing::is_finished) {
            self.finish_publishing()?;
        }
        self.pause = self.make_room();
        self.lanes.set_reading(self.pause.is_none());
        if self.pause.is_some() {
            self.report_if_due();
            return Ok(());
        }
        self.look_at_lanes();
        self.look_at_topics();
        self.recover_lost_offsets();
        if self.publishing.is_none() {
            self.cut_if_due();
        }
        self.report_if_due();
        Ok(())
    }

    /// Cuts early where memory is short, and says whether that is not enough, so that Kafka should hold what comes.
    fn make_room(&mut self) -> Option<Pause> {
        let open = self.context.data_source.open_stats();
        let pressure = self.memory.set((open.bytes + open.frozen_bytes) as u64, open.bytes as u64);
        if pressure != MemoryPressure::None && self.publishing.is_none() && open.rows > 0 {
            self.cut(Some(CutCause::Memory));
        }
        if pressure == MemoryPressure::Pause {
            return Some(Pause::Memory);
        }
        let is_full = self.publishing.is_some() && cut_policy::is_under_pressure(&self.context.spec.cut, &open);
        is_full.then_some(Pause::Publish)
    }

    /// Sees to what happened in the lanes since the last look.
    fn look_at_lanes(&mut self) {
        let news = self.lanes.take_news();
        if news.has_read {
            self.trouble = None;
        }
        news.suspects.iter().for_each(|topic| self.suspect(topic));
        news.events.into_iter().for_each(|event| self.on_event(event));
        if self.unpublished_since.is_none() && self.lanes.has_unpublished() {
            self.unpublished_since = Some(Instant::now());
        }
    }

    fn cut_if_due(&mut self) {
        if std::mem::take(&mut self.is_cut_wanted) {
            return self.cut(None);
        }
        let open = self.context.data_source.open_stats();
        let age_ms = self.unpublished_since.map(|since| since.elapsed().as_millis() as i64);
        if let Some(cause) = cut_policy::due(&self.context.spec.cut, &open, age_ms) {
            self.cut(Some(cause));
        }
    }

    /// Begins a publish of everything that was read up to now. None may be under way.
    fn cut(&mut self, cause: Option<CutCause>) {
        let Context { store, data_source, runtime, status, .. } = self.context;
        self.unpublished_since = None;
        self.publishing = Some(self.lanes.cut(self.generation, |consumed| {
            Publishing::begin(runtime, store.clone(), data_source.clone(), consumed, cause, status.clone())
        }));
    }

    /// Waits for the publish that is under way, if there is one; gives it up at the deadline.
    fn await_publish(&mut self, deadline: Instant) -> Result<(), String> {
        let Some(publishing) = &self.publishing else { return Ok(()) };
        if !publishing.wait(deadline.saturating_duration_since(Instant::now())) {
            publishing.give_up();
            publishing.wait(Duration::from_secs(5));
        }
        if publishing.is_finished() { self.finish_publishing() } else { Err("the storage does not answer".to_owned()) }
    }

    fn finish_publishing(&mut self) -> Result<(), String> {
        match self.publishing.take() {
            Some(publishing) => self.note_published(publishing).map_or(Ok(()), Err),
            None => Ok(()),
        }
    }

    /// Tells of a finished publish; the reason to halt if it failed for good.
    fn note_published(&mut self, publishing: Publishing) -> Option<String> {
        match publishing.finish(&self.context.runtime) {
            Ok(published) => {
                self.tell_published(&published);
                None
            }
            Err(error) => {
                self.context.status.publish_failed(with_source(&error));
                Some(with_source(&error))
            }
        }
    }

    fn tell_published(&self, published: &Published) {
        let (segments, rows) = (published.segments.len(), published.segments.iter().map(|segment| segment.rows).sum());
        let bytes = published.segments.iter().map(|segment| segment.bytes).sum();
        let elapsed_ms = published.elapsed.as_millis() as u64;
        tracing::info!(datasource = %self.context.data_source.name(), segments, rows, bytes, elapsed_ms, "published");
        self.context.status.update(|status| {
            status.publishes += 1;
            status.publish_trouble = None;
            status.last_publish = Some(LastPublish { at: clock::now(), segments, rows, bytes, elapsed_ms });
        });
        // Only monitors read the group's offsets: the manifest has moved already (M1, M4).
        if let Err(error) = self.client.commit_advisory(&published.ends) {
            self.context.status.trouble(error.to_string());
        }
    }

    fn report_if_due(&mut self) {
        if self.reported.elapsed() >= REPORT_EVERY {
            self.report();
        }
    }

    fn report(&mut self) {
        self.reported = Instant::now();
        let progress = self.lanes.progress();
        self.recovery.retain(|partition, end| {
            progress.partitions.get(partition).is_some_and(|own| own.next < *end)
                && !self.stopped.contains_key(partition)
                && self.topics.get(&partition.topic).is_some_and(|topic| topic.standing == Standing::Read)
        });
        let mut counts = self.counts_before.clone();
        counts.add(&progress.counts);
        let partitions = progress.partitions.into_iter().map(|(partition, progress)| {
            let status = self.partition_status(&partition, progress);
            (partition, status)
        });
        let partitions: BTreeMap<StreamPartition, PartitionStatus> = partitions.collect();
        self.tell_reach(&partitions, progress.gap_found_at);
        let (state, detail) = self.state();
        self.context.status.enter(state, detail);
        let is_rate_due = self.rated.elapsed() >= rates::TICK;
        if is_rate_due {
            self.rated += rates::TICK;
        }
        self.context.status.update(|status| {
            status.pause = self.pause;
            status.is_recovering &= !self.recovery.is_empty();
            status.partitions = partitions;
            status.totals = progress.totals;
            status.counts = counts;
            status.refused = progress.refused;
            if is_rate_due {
                status.rates.processed.tick(status.totals.records);
                status.rates.processed_bytes.tick(status.totals.bytes);
                status.rates.rejected.tick(status.counts.rejected());
                status.rates.filtered.tick(status.counts.filtered());
            }
        });
    }

    fn partition_status(&self, partition: &StreamPartition, progress: PartitionProgress) -> PartitionStatus {
        let PartitionProgress { first, next, newest_event, counts } = progress;
        let high_watermark = self.client.cached_watermarks(partition).map(|log| log.end.max(next));
        let of_topic = || self.topics.get(&partition.topic)?.stopped(&partition.topic);
        let stopped = self.stopped.get(partition).cloned().or_else(of_topic);
        PartitionStatus { first, next, high_watermark, stopped, newest_event, counts }
    }

    fn state(&self) -> (State, Option<String>) {
        if self.is_halted() {
            return (State::Halted, self.topic_trouble());
        }
        let stopped = self.topic_trouble().or_else(|| self.stopped.values().next().cloned());
        // What cannot be published is tried again; it is trouble once reading has to wait for it.
        let unpublished =
            self.pause.and_then(|pause| Some(format!("{pause}: {}", self.context.status.publish_trouble()?)));
        match stopped.or_else(|| self.trouble.clone()).or(unpublished) {
            None => (State::Running, None),
            Some(detail) => (State::Degraded, Some(detail)),
        }
    }
}
