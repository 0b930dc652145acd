//! What a supervisor is doing, for people and monitors.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard};

use henge_segment_store::clock;
use henge_segment_store::ledger::{LedgerCounts, RefusedSample};
use henge_segment_store::stream::{Offset, StreamPartition};
use henge_segment_store::time::TimestampMs;

use crate::appender::Totals;
use crate::rates::Rate;

/// Errors that a status remembers.
const ERRORS_MAX: usize = 20;

/// A supervisor's state. Druid's names stand in its answers where they mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not connected yet, or connected again and again without success: `detail` says why.
    Connecting,
    Running,
    /// Reads, but a part of it does not work: a partition is stopped, or a publish fails.
    Degraded,
    /// Asked to pause by an operator.
    Suspended,
    /// Waits for an operator, because going on would lose, double or mix up events.
    Halted,
    Stopping,
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Connecting => "CONNECTING_TO_STREAM",
            Self::Running => "RUNNING",
            Self::Degraded => "DEGRADED",
            Self::Suspended => "SUSPENDED",
            Self::Halted => "HALTED",
            Self::Stopping => "STOPPING",
        })
    }
}

/// Why nothing is read for now, although there may be something: it stays in Kafka, and is read as soon as there is room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Two cuts' worth is open while the cut before is still being published.
    Publish,
    /// The memory for rows of all datasources is used up.
    Memory,
}

impl fmt::Display for Pause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Publish => "reading waits for a publish",
            Self::Memory => "reading waits for memory",
        })
    }
}

/// One partition as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionStatus {
    /// The first offset that was ever read.
    pub first: Offset,
    /// The next offset to read.
    pub next: Offset,
    /// One past the last record at the broker; `None` before the first fetch.
    pub high_watermark: Option<Offset>,
    /// Why it is not read; `None` while it is.
    pub stopped: Option<String>,
    /// Of all events that were read since the start.
    pub newest_event: Option<TimestampMs>,
    /// What became of its records, published or not.
    pub counts: LedgerCounts,
}

impl PartitionStatus {
    /// Records that are still to be read.
    pub fn lag_records(&self) -> Option<i64> {
        Some((self.high_watermark?.0 - self.next.0).max(0))
    }

    /// How far the newest event that was read lies behind `now`, while there is more to read; 0 when there is not.
    pub fn lag_ms(&self, now: TimestampMs) -> Option<i64> {
        lag_ms(self.lag_records()?, self.newest_event, now)
    }
}

fn lag_ms(lag_records: i64, newest_event: Option<TimestampMs>, now: TimestampMs) -> Option<i64> {
    match lag_records {
        0 => Some(0),
        _ => Some((now.0 - newest_event?.0).max(0)),
    }
}

/// A publish that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastPublish {
    pub at: TimestampMs,
    pub segments: usize,
    pub rows: u64,
    pub bytes: u64,
    pub elapsed_ms: u64,
}

/// Everything that a supervisor tells of itself.
#[derive(Debug, Clone)]
pub struct SupervisorStatus {
    pub state: State,
    /// What it waits for or what fails, in words.
    pub detail: Option<String>,
    /// It reads again what was queryable before the process ended; until then counts are lower than they were.
    pub is_recovering: bool,
    pub pause: Option<Pause>,
    pub partitions: BTreeMap<StreamPartition, PartitionStatus>,
    /// Since the process started.
    pub totals: Totals,
    /// What became of all records, published or not.
    pub counts: LedgerCounts,
    /// Refused records that are not published yet.
    pub refused: RefusedSample,
    pub publishes: u64,
    pub publish_failures: u64,
    /// Why the publish that is under way has failed so far.
    pub publish_trouble: Option<String>,
    pub last_publish: Option<LastPublish>,
    /// Newest last.
    pub recent_errors: VecDeque<(TimestampMs, String)>,
    pub rates: Rates,
}

/// Rates per second over one, five and fifteen minutes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rates {
    pub processed: Rate,
    pub processed_bytes: Rate,
    /// Could not be understood.
    pub rejected: Rate,
    /// Not wanted by the spec.
    pub filtered: Rate,
}

impl SupervisorStatus {
    pub fn is_healthy(&self) -> bool {
        matches!(self.state, State::Running | State::Suspended | State::Stopping)
    }

    /// Records still to be read, over all partitions; `None` while no partition's is known.
    pub fn lag_records(&self) -> Option<i64> {
        self.partitions.values().filter_map(PartitionStatus::lag_records).reduce(|left, right| left + right)
    }

    /// How far the newest event that was read lies behind `now`, while there is more to read; 0 when there is not.
    pub fn lag_ms(&self, now: TimestampMs) -> Option<i64> {
        lag_ms(self.lag_records()?, self.totals.newest_event, now)
    }
}

/// A status that one thread writes and others read.
#[derive(Debug)]
pub struct StatusCell(Mutex<SupervisorStatus>);

impl StatusCell {
    pub fn new(state: State, is_recovering: bool) -> Self {
        Self(Mutex::new(SupervisorStatus {
            state,
            detail: None,
            is_recovering,
            pause: None,
            partitions: BTreeMap::new(),
            totals: Totals::default(),
            counts: LedgerCounts::default(),
            refused: RefusedSample::default(),
            publishes: 0,
            publish_failures: 0,
            publish_trouble: None,
            last_publish: None,
            recent_errors: VecDeque::new(),
            rates: Rates::default(),
        }))
    }

    pub fn get(&self) -> SupervisorStatus {
        self.lock().clone()
    }

    pub fn update(&self, change: impl FnOnce(&mut SupervisorStatus)) {
        change(&mut self.lock());
    }

    /// Enters a state; words that are new are remembered as an error unless all is well.
    pub fn enter(&self, state: State, detail: Option<String>) {
        let mut status = self.lock();
        if let Some(detail) = &detail
            && status.detail.as_ref() != Some(detail)
        {
            remember(&mut status, detail.clone());
        }
        (status.state, status.detail) = (state, detail);
    }

    /// Something fails and is tried again; the state stays.
    pub fn trouble(&self, detail: String) {
        remember(&mut self.lock(), detail);
    }

    pub fn publish_failed(&self, detail: String) {
        let mut status = self.lock();
        status.publish_failures += 1;
        remember(&mut status, format!("publish failed: {detail}"));
        status.publish_trouble = Some(detail);
    }

    pub fn publish_trouble(&self) -> Option<String> {
        self.lock().publish_trouble.clone()
    }

    fn lock(&self) -> MutexGuard<'_, SupervisorStatus> {
        self.0.lock().expect("no code panics while it holds a status")
    }
}

fn remember(status: &mut SupervisorStatus, detail: String) {
    if status.recent_errors.back().is_some_and(|(_, last)| *last == detail) {
        return;
    }
    status.recent_errors.push_back((clock::now(), detail));
    if status.recent_errors.len() > ERRORS_MAX {
        status.recent_errors.pop_front();
    }
}
