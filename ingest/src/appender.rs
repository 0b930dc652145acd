//! Records become rows of open segments; what was read since the last cut is counted per partition.

mod staging;

use std::sync::Arc;

use henge_segment_store::data_source::DataSource;
use henge_segment_store::event::EventRow;
use henge_segment_store::ledger::{Gap, LedgerCounts, Reason, RefusedRecord, RefusedSample, sample_text};
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::store::Consumed;
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition, TopicId};
use henge_segment_store::time::TimestampMs;

use self::staging::{Place, Staging};
use crate::decode::json::JsonDecoder;
use crate::decode::{KafkaRecord, Refusal};
use crate::kafka::RecordView;
use crate::partition_map::PartitionMap;
use crate::spec::SupervisorSpec;
use crate::time_policy::TimePolicy;
use crate::transform::Pending;

/// Rows handed to the datasource at once: its lock is held for well under a millisecond.
const ROWS_AT_ONCE: usize = 256;

const BEGUN: &str = "a partition is begun before it is read";

/// Decodes records of partitions into one lane of a datasource.
pub struct Appender {
    data_source: Arc<DataSource>,
    lane: usize,
    decoder: JsonDecoder,
    time_policy: TimePolicy,
    /// Used again for every batch; the first `filled` of them are decoded and not appended yet.
    rows: Vec<EventRow>,
    filled: usize,
    /// Decides on the filled rows before they are appended, where the spec has expressions.
    staging: Option<Staging>,
    partitions: PartitionMap<Reading>,
    refused: RefusedSample,
    gaps: Vec<Gap>,
    totals: Totals,
    /// Of the records since the start.
    counts: LedgerCounts,
}

/// What was read of one partition since the last cut.
#[derive(Debug, Clone)]
struct Reading {
    topic_id: Option<TopicId>,
    /// Of all that was ever read.
    first: Offset,
    start: Offset,
    next: Offset,
    leader_epoch: Option<i32>,
    counts: LedgerCounts,
    /// What became of the records before, those that were published before the start included.
    counts_before: LedgerCounts,
    newest_event: Option<TimestampMs>,
}

/// What is known of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionProgress {
    /// The first offset that was ever read.
    pub first: Offset,
    /// The next offset to read.
    pub next: Offset,
    /// Of all events that were read since the start.
    pub newest_event: Option<TimestampMs>,
    /// What became of its records, published or not.
    pub counts: LedgerCounts,
}

/// What was read since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub records: u64,
    pub bytes: u64,
    pub newest_event: Option<TimestampMs>,
}

impl Totals {
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.newest_event = self.newest_event.max(other.newest_event);
    }
}

impl Reading {
    fn all_counts(&self) -> LedgerCounts {
        let mut counts = self.counts_before.clone();
        counts.add(&self.counts);
        counts
    }
}

impl Appender {
    pub fn new(spec: &SupervisorSpec, data_source: Arc<DataSource>, lane: usize) -> Self {
        let inputs = spec.transform.inputs().len();
        let row = EventRow::new(spec.schema.dimensions.len() + inputs, spec.schema.measures.len());
        Self {
            data_source,
            lane,
            decoder: JsonDecoder::new(spec),
            time_policy: spec.time_policy.clone(),
            rows: vec![row; ROWS_AT_ONCE],
            filled: 0,
            staging: (!spec.transform.is_empty()).then(|| Staging::new(spec)),
            partitions: PartitionMap::default(),
            refused: RefusedSample::default(),
            gaps: Vec::new(),
            totals: Totals::default(),
            counts: LedgerCounts::default(),
        }
    }

    /// Begins a partition of the topic with this id, behind a gap where there is one.
    pub fn begin(&mut self, partition: StreamPartition, topic_id: Option<TopicId>, start: Offset, gap: Option<Gap>) {
        assert_eq!(self.filled, 0, "rows that wait know their partition by its place, which changes here");
        let again = self.partitions.remove(&partition);
        let (first, counts_before) = match &again {
            Some(reading) => (reading.first, reading.all_counts()),
            None => {
                let progress = self.data_source.progress();
                let first = progress.checkpoint.get(&partition).map_or(start, |published| published.first);
                (first, progress.ledger.get(&partition).cloned().unwrap_or_default())
            }
        };
        let newest_event = again.and_then(|reading| reading.newest_event);
        let counts = LedgerCounts::default();
        let reading =
            Reading { topic_id, first, start, next: start, leader_epoch: None, counts, counts_before, newest_event };
        self.partitions.insert(partition, reading);
        self.gaps.extend(gap);
    }

    /// Takes the next record of a partition that was begun. Whatever it holds, it is counted and its offset is passed.
    pub fn take(&mut self, partition: &StreamPartition, record: &RecordView<'_>, now: TimestampMs) {
        self.totals.records += 1;
        self.totals.bytes += record.payload().map_or(0, <[u8]>::len) as u64;
        let decoded = self.decode(partition, record);
        let partition = self.partitions.find(&partition.topic, partition.partition).expect(BEGUN);
        let (_, reading) = self.partitions.at(partition);
        reading.next = Offset(record.offset().0 + 1);
        reading.leader_epoch = record.leader_epoch().or(reading.leader_epoch);
        let place = Place { partition, offset: record.offset(), read_at: now };
        if let Some(staging) = &mut self.staging {
            let is_filter_readable = self.decoder.is_filter_readable();
            staging.stage(place, record.payload(), Pending { refusal: decoded.err(), is_filter_readable });
            self.filled += 1;
        } else {
            let time = self.rows[self.filled].time;
            match decoded.and_then(|()| self.time_policy.check(time, now)) {
                Ok(()) => {
                    self.accept(place, time);
                    self.filled += 1;
                }
                Err(refusal) => self.refuse(place, record.payload(), refusal),
            }
        }
        if self.filled == ROWS_AT_ONCE {
            self.flush();
        }
    }

    /// Makes what was taken queryable.
    pub fn flush(&mut self) {
        if let Some(mut staging) = self.staging.take() {
            self.settle(&mut staging);
            self.staging = Some(staging);
        }
        self.data_source.append_in_lane(self.lane, &self.rows[..self.filled]);
        self.filled = 0;
    }

    /// Decides on the staged rows; those that are kept are moved to the front.
    fn settle(&mut self, staging: &mut Staging) {
        staging.transform(&mut self.rows[..self.filled]);
        let mut kept = 0;
        for (index, (place, payload, pending)) in staging.staged().enumerate() {
            let time = self.rows[index].time;
            let outcome = pending.refusal.map_or_else(|| self.time_policy.check(time, place.read_at), Err);
            match outcome {
                Ok(()) => {
                    self.accept(place, time);
                    self.rows.swap(kept, index);
                    kept += 1;
                }
                Err(refusal) => self.refuse(place, payload, refusal),
            }
        }
        staging.clear();
        self.filled = kept;
    }

    fn accept(&mut self, place: Place, time: TimestampMs) {
        let (_, reading) = self.partitions.at(place.partition);
        reading.counts.accepted += 1;
        reading.newest_event = reading.newest_event.max(Some(time));
        self.counts.accepted += 1;
        self.totals.newest_event = self.totals.newest_event.max(Some(time));
    }

    fn refuse(&mut self, place: Place, payload: Option<&[u8]>, refusal: Refusal) {
        let (_, reading) = self.partitions.at(place.partition);
        reading.counts.refuse(refusal.reason);
        self.counts.refuse(refusal.reason);
        self.sample(place, payload, refusal);
    }

    /// Passes offsets that hold nothing to read: control records and aborted ones.
    pub fn pass(&mut self, partition: &StreamPartition, next: Offset) {
        if let Some(reading) = self.partitions.get_mut(partition) {
            reading.next = reading.next.max(next);
        }
    }

    /// Whether a cut has something to publish: rows, refused records or a gap.
    pub fn has_unpublished(&self) -> bool {
        !self.gaps.is_empty() || self.partitions.iter().any(|(_, reading)| reading.counts.seen() > 0)
    }

    /// Everything since the last cut, which this ends. What was taken has been flushed.
    pub fn take_consumed(&mut self, generation: u32) -> Consumed {
        assert_eq!(self.filled, 0, "M2: every row of the ranges is appended before they are published");
        let ranges = self.partitions.iter_mut().map(|(partition, reading)| {
            let range = OffsetRange { start: reading.start, end: reading.next };
            reading.start = reading.next;
            reading.counts_before.add(&reading.counts);
            ConsumedRange {
                partition: partition.clone(),
                range,
                topic_id: reading.topic_id,
                leader_epoch: reading.leader_epoch,
                counts: std::mem::take(&mut reading.counts),
            }
        });
        let ranges = ranges.collect();
        Consumed {
            generation,
            ranges,
            refused: std::mem::take(&mut self.refused),
            gaps: std::mem::take(&mut self.gaps),
        }
    }

    /// When the newest gap was found that is not published.
    pub fn gap_found_at(&self) -> Option<TimestampMs> {
        self.gaps.iter().map(|gap| gap.found_at).max()
    }

    /// What is known of each partition.
    pub fn progress(&self) -> impl Iterator<Item = (&StreamPartition, PartitionProgress)> {
        self.partitions.iter().map(|(partition, reading)| {
            let Reading { first, next, newest_event, .. } = *reading;
            (partition, PartitionProgress { first, next, newest_event, counts: reading.all_counts() })
        })
    }

    /// The next offset of each partition.
    pub fn positions(&self) -> impl Iterator<Item = (&StreamPartition, Offset)> {
        self.partitions.iter().map(|(partition, reading)| (partition, reading.next))
    }

    /// What became of the records since the start.
    pub fn counts(&self) -> &LedgerCounts {
        &self.counts
    }

    /// Whether a record comes from an older leadership than the one before it, which only another topic of the same
    /// name can do.
    pub fn is_suspect(&mut self, partition: &StreamPartition, record: &RecordView<'_>) -> bool {
        let place = self.partitions.find(&partition.topic, partition.partition);
        let known = place.and_then(|place| self.partitions.at(place).1.leader_epoch);
        matches!((known, record.leader_epoch()), (Some(known), Some(epoch)) if epoch < known)
    }

    /// Records that were refused since the last cut.
    pub fn refused(&self) -> &RefusedSample {
        &self.refused
    }

    pub fn totals(&self) -> Totals {
        self.totals
    }

    fn decode(&mut self, partition: &StreamPartition, record: &RecordView<'_>) -> Result<(), Refusal> {
        let mut headers = Vec::new();
        if self.decoder.needs_headers() {
            let text = |name| std::str::from_utf8(name).unwrap_or_default();
            headers.extend(record.headers().map(|(name, value)| (text(name), value)));
        }
        let kafka = KafkaRecord {
            topic: &partition.topic,
            partition: record.partition(),
            offset: record.offset().0,
            timestamp: if self.decoder.needs_timestamp() { record.timestamp().map(|time| time.0) } else { None },
            key: record.key(),
            headers: &headers,
            payload: record.payload(),
        };
        self.decoder.decode(&kafka, &mut self.rows[self.filled])
    }

    fn sample(&mut self, place: Place, payload: Option<&[u8]>, Refusal { reason, detail }: Refusal) {
        // What the row filter leaves out is no trouble to look into.
        if reason == Reason::Filtered || self.refused.is_full(reason) {
            return;
        }
        self.refused.push(RefusedRecord {
            partition: self.partitions.at(place.partition).0.clone(),
            offset: place.offset,
            reason,
            detail,
            sample: if reason == Reason::Tombstone { String::new() } else { sample_text(payload.unwrap_or(&[])) },
            refused_at: place.read_at,
        });
    }
}
