//! What upkeep has done since the start.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use henge_segment_store::compaction::Compacted;
use henge_segment_store::scrub::ScrubCounts;
use henge_segment_store::store::Swept;

/// Counted by the upkeep thread and by the scrub, read by whoever asks.
#[derive(Debug, Default)]
pub struct UpkeepMetrics {
    compactions: AtomicU64,
    compaction_rows: AtomicU64,
    compaction_read_bytes: AtomicU64,
    compaction_written_bytes: AtomicU64,
    compaction_ms: AtomicU64,
    compactions_planned: AtomicU64,
    failures: AtomicU64,
    retired_segments: AtomicU64,
    retired_bytes: AtomicU64,
    swept_files: AtomicU64,
    swept_bytes: AtomicU64,
    scrub: Mutex<ScrubCounts>,
}

/// The figures at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UpkeepFigures {
    pub compactions: u64,
    pub compaction_rows: u64,
    pub compaction_read_bytes: u64,
    pub compaction_written_bytes: u64,
    /// From the first read to the record, sleeps included.
    pub compaction_ms: u64,
    /// What the last plan found to do.
    pub compactions_planned: u64,
    pub failures: u64,
    pub retired_segments: u64,
    pub retired_bytes: u64,
    pub swept_files: u64,
    pub swept_bytes: u64,
    pub scrub: ScrubCounts,
}

impl UpkeepMetrics {
    pub fn compacted(&self, compacted: &Compacted) {
        add(&self.compactions, 1);
        add(&self.compaction_rows, compacted.rows_read);
        add(&self.compaction_read_bytes, compacted.bytes_read);
        add(&self.compaction_written_bytes, compacted.bytes_written);
        add(&self.compaction_ms, compacted.elapsed.as_millis() as u64);
    }

    pub fn planned(&self, tasks: usize) {
        self.compactions_planned.store(tasks as u64, Ordering::Relaxed);
    }

    pub fn failed(&self) {
        add(&self.failures, 1);
    }

    pub fn retired(&self, segments: u64, bytes: u64) {
        add(&self.retired_segments, segments);
        add(&self.retired_bytes, bytes);
    }

    pub fn swept(&self, swept: Swept) {
        add(&self.swept_files, swept.files);
        add(&self.swept_bytes, swept.bytes);
    }

    /// What the scrub has done by now.
    pub fn scrubbed(&self, counts: ScrubCounts) {
        *self.scrub() = counts;
    }

    pub fn figures(&self) -> UpkeepFigures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        UpkeepFigures {
            compactions: read(&self.compactions),
            compaction_rows: read(&self.compaction_rows),
            compaction_read_bytes: read(&self.compaction_read_bytes),
            compaction_written_bytes: read(&self.compaction_written_bytes),
            compaction_ms: read(&self.compaction_ms),
            compactions_planned: read(&self.compactions_planned),
            failures: read(&self.failures),
            retired_segments: read(&self.retired_segments),
            retired_bytes: read(&self.retired_bytes),
            swept_files: read(&self.swept_files),
            swept_bytes: read(&self.swept_bytes),
            scrub: *self.scrub(),
        }
    }

    fn scrub(&self) -> MutexGuard<'_, ScrubCounts> {
        self.scrub.lock().expect("no code panics while it holds the counts")
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
