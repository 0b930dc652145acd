//! Decoded records that wait for their batch to be filtered and computed.

use std::ops::Range;

use henge_segment_store::event::EventRow;
use henge_segment_store::ledger::SAMPLE_BYTES_MAX;
use henge_segment_store::schema::DataSourceSchema;
use henge_segment_store::stream::Offset;
use henge_segment_store::time::TimestampMs;

use crate::spec::SupervisorSpec;
use crate::transform::{Pending, Transform};

/// Where a record came from, and when it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Where the partition is kept.
    pub(super) partition: usize,
    pub(super) offset: Offset,
    pub(super) read_at: TimestampMs,
}

/// One entry for each row that is filled; never more than rows are appended at once.
#[derive(Debug)]
pub(super) struct Staging {
    transform: Transform,
    schema: DataSourceSchema,
    places: Vec<(Place, Option<Range<usize>>)>,
    /// What the ledger would show of each record.
    samples: Vec<u8>,
    pending: Vec<Pending>,
}

impl Staging {
    pub(super) fn new(spec: &SupervisorSpec) -> Self {
        Self {
            transform: spec.transform.clone(),
            schema: spec.schema.clone(),
            places: Vec::new(),
            samples: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// Takes what is known of the next row.
    pub(super) fn stage(&mut self, place: Place, payload: Option<&[u8]>, pending: Pending) {
        let start = self.samples.len();
        let sample = payload.map(|payload| {
            self.samples.extend_from_slice(&payload[..payload.len().min(SAMPLE_BYTES_MAX)]);
            start..self.samples.len()
        });
        self.places.push((place, sample));
        self.pending.push(pending);
    }

    /// Evaluates the expressions for the staged rows.
    pub(super) fn transform(&mut self, rows: &mut [EventRow]) {
        self.transform.apply(rows, &self.schema, &mut self.pending);
    }

    /// Hands out what was staged, row by row, with the beginning of each record.
    pub(super) fn staged(&mut self) -> impl Iterator<Item = (Place, Option<&[u8]>, Pending)> {
        let samples = &self.samples;
        let rows = self.places.drain(..).zip(self.pending.drain(..));
        rows.map(|((place, sample), pending)| (place, sample.map(|range| &samples[range]), pending))
    }

    /// Ends a batch that was handed out.
    pub(super) fn clear(&mut self) {
        self.samples.clear();
    }
}
