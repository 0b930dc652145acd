//! What a query reads of segments, counted while it runs: for its limits, and for those who watch it.

use std::sync::atomic::{AtomicU64, Ordering};

use henge_segment_store::timeline::SegmentView;

use crate::error::QueryError;
use crate::limits::QueryLimits;

/// The counters of one query; all of its operators add to them.
#[derive(Debug)]
pub(crate) struct SegmentReads {
    segments_max: u64,
    bytes_max: u64,
    segments: AtomicU64,
    bytes: AtomicU64,
    rows_expected: AtomicU64,
    rows_done: AtomicU64,
}

/// Without limits.
impl Default for SegmentReads {
    fn default() -> Self {
        Self::up_to(u64::MAX, u64::MAX)
    }
}

impl SegmentReads {
    pub fn new(limits: &QueryLimits) -> Self {
        Self::up_to(limits.scanned_segments_max, limits.scanned_bytes_max)
    }

    fn up_to(segments_max: u64, bytes_max: u64) -> Self {
        let [segments, bytes, rows_expected, rows_done] = [(); 4].map(|()| AtomicU64::new(0));
        Self { segments_max, bytes_max, segments, bytes, rows_expected, rows_done }
    }

    /// Counts segments that are about to be read: all at once where it is known, so that nothing is read in vain.
    ///
    /// # Errors
    /// They would be more than the query may read.
    pub fn begin<'s>(&self, segments: impl IntoIterator<Item = &'s SegmentView>) -> Result<(), QueryError> {
        let (count, bytes) =
            segments.into_iter().fold((0, 0), |(count, bytes), view| (count + 1, bytes + view.bytes()));
        let segments = self.segments.fetch_add(count, Ordering::Relaxed) + count;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if segments > self.segments_max {
            return Err(QueryError::limit(format!(
                "the query reads more than {} segments (`scanned_segments`): ask for a shorter time range",
                self.segments_max
            )));
        }
        if bytes > self.bytes_max {
            return Err(QueryError::limit(format!(
                "the query reads segments of more than {} bytes (`scanned_size`): ask for a shorter time range",
                self.bytes_max
            )));
        }
        Ok(())
    }

    /// Adds rows that an operator is going to look at, to tell the share that is done.
    pub fn expect(&self, rows: u64) {
        self.rows_expected.fetch_add(rows, Ordering::Relaxed);
    }

    /// Adds rows that an operator has looked at, or has found no need to.
    pub fn done(&self, rows: u64) {
        self.rows_done.fetch_add(rows, Ordering::Relaxed);
    }

    /// Segments that were begun, rows to look at as far as is known, and those of them that are done.
    pub fn counts(&self) -> (u64, u64, u64) {
        let [segments, expected, done] =
            [&self.segments, &self.rows_expected, &self.rows_done].map(|counter| counter.load(Ordering::Relaxed));
        (segments, expected, done.min(expected))
    }
}
