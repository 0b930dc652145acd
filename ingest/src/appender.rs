//! Records become rows of open segments; what was read since the last cut is counted per partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use henge_segment_store::data_source::DataSource;
use henge_segment_store::event::EventRow;
use henge_segment_store::ledger::{Gap, LedgerCounts, Reason, RefusedRecord, RefusedSample, sample_text};
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::store::Consumed;
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition, TopicId};
use henge_segment_store::time::TimestampMs;

use crate::decode::json::JsonDecoder;
use crate::decode::{KafkaRecord, Refusal};
use crate::kafka::RecordView;
use crate::spec::SupervisorSpec;
use crate::time_policy::TimePolicy;

/// Rows handed to the datasource at once: its lock is held for well under a millisecond.
const ROWS_AT_ONCE: usize = 256;

/// Decodes the records of one topic into one datasource.
pub struct Appender {
    topic: Arc<str>,
    topic_id: Option<TopicId>,
    data_source: Arc<DataSource>,
    decoder: JsonDecoder,
    time_policy: TimePolicy,
    /// Used again for every batch; the first `filled` of them are decoded and not appended yet.
    rows: Vec<EventRow>,
    filled: usize,
    partitions: BTreeMap<i32, Reading>,
    refused: RefusedSample,
    gaps: Vec<Gap>,
    totals: Totals,
    /// Of all records, those that were published before the start included.
    counts: LedgerCounts,
}

/// What was read of one partition since the last cut.
#[derive(Debug, Clone)]
struct Reading {
    start: Offset,
    next: Offset,
    leader_epoch: Option<i32>,
    counts: LedgerCounts,
}

/// What was read since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub records: u64,
    pub bytes: u64,
    pub newest_event: Option<TimestampMs>,
}

impl Appender {
    pub fn new(spec: &SupervisorSpec, topic_id: Option<TopicId>, data_source: Arc<DataSource>) -> Self {
        let mut counts = LedgerCounts::default();
        data_source.progress().ledger.values().for_each(|partition| counts.add(partition));
        let row = EventRow::new(spec.schema.dimensions.len(), spec.schema.measures.len());
        Self {
            topic: spec.topic.as_str().into(),
            topic_id,
            data_source,
            decoder: JsonDecoder::new(spec),
            time_policy: spec.time_policy.clone(),
            rows: vec![row; ROWS_AT_ONCE],
            filled: 0,
            partitions: BTreeMap::new(),
            refused: RefusedSample::default(),
            gaps: Vec::new(),
            totals: Totals::default(),
            counts,
        }
    }

    /// Begins a partition, behind a gap where there is one.
    pub fn begin(&mut self, partition: i32, start: Offset, gap: Option<Gap>) {
        let reading = Reading { start, next: start, leader_epoch: None, counts: LedgerCounts::default() };
        self.partitions.insert(partition, reading);
        self.gaps.extend(gap);
    }

    /// Takes the next record of a partition that was begun. Whatever it holds, it is counted and its offset is passed.
    pub fn take(&mut self, record: &RecordView<'_>, now: TimestampMs) {
        self.totals.records += 1;
        self.totals.bytes += record.payload().map_or(0, <[u8]>::len) as u64;
        let outcome = self.decode(record, now);
        let reading = self.partitions.get_mut(&record.partition()).expect("a partition is begun before it is read");
        reading.next = Offset(record.offset().0 + 1);
        reading.leader_epoch = record.leader_epoch().or(reading.leader_epoch);
        match outcome {
            Ok(time) => {
                reading.counts.accepted += 1;
                self.counts.accepted += 1;
                self.totals.newest_event = self.totals.newest_event.max(Some(time));
                self.filled += 1;
                if self.filled == ROWS_AT_ONCE {
                    self.flush();
                }
            }
            Err(refusal) => {
                reading.counts.refuse(refusal.reason);
                self.counts.refuse(refusal.reason);
                self.sample(record, refusal, now);
            }
        }
    }

    /// Makes what was taken queryable.
    pub fn flush(&mut self) {
        self.data_source.append(&self.rows[..self.filled]);
        self.filled = 0;
    }

    /// Passes offsets that hold nothing to read: control records and aborted ones.
    pub fn pass(&mut self, partition: i32, next: Offset) {
        if let Some(reading) = self.partitions.get_mut(&partition) {
            reading.next = reading.next.max(next);
        }
    }

    /// Whether a cut has something to publish: rows, refused records or a gap.
    pub fn has_unpublished(&self) -> bool {
        !self.gaps.is_empty() || self.partitions.values().any(|reading| reading.counts.seen() > 0)
    }

    /// Everything since the last cut, which this ends. What was taken has been flushed.
    pub fn take_consumed(&mut self, generation: u32) -> Consumed {
        assert_eq!(self.filled, 0, "M2: every row of the ranges is appended before they are published");
        let (topic, topic_id) = (&self.topic, self.topic_id);
        let ranges = self.partitions.iter_mut().map(|(&partition, reading)| {
            let range = OffsetRange { start: reading.start, end: reading.next };
            reading.start = reading.next;
            ConsumedRange {
                partition: StreamPartition { topic: topic.clone(), partition },
                range,
                topic_id,
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

    /// The next offset of each partition.
    pub fn positions(&self) -> impl Iterator<Item = (i32, Offset)> {
        self.partitions.iter().map(|(&partition, reading)| (partition, reading.next))
    }

    /// What became of all records, published or not.
    pub fn counts(&self) -> &LedgerCounts {
        &self.counts
    }

    /// Whether a record comes from an older leadership than the one before it, which only another topic of the same
    /// name can do.
    pub fn is_suspect(&self, record: &RecordView<'_>) -> bool {
        let known = self.partitions.get(&record.partition()).and_then(|reading| reading.leader_epoch);
        matches!((known, record.leader_epoch()), (Some(known), Some(epoch)) if epoch < known)
    }

    /// Whether a partition was begun.
    pub fn reads(&self, partition: i32) -> bool {
        self.partitions.contains_key(&partition)
    }

    /// Records that were refused since the last cut.
    pub fn refused(&self) -> &RefusedSample {
        &self.refused
    }

    pub fn totals(&self) -> Totals {
        self.totals
    }

    fn decode(&mut self, record: &RecordView<'_>, now: TimestampMs) -> Result<TimestampMs, Refusal> {
        let mut headers = Vec::new();
        if self.decoder.needs_headers() {
            let text = |name| std::str::from_utf8(name).unwrap_or_default();
            headers.extend(record.headers().map(|(name, value)| (text(name), value)));
        }
        let kafka = KafkaRecord {
            topic: &self.topic,
            partition: record.partition(),
            offset: record.offset().0,
            timestamp: if self.decoder.needs_timestamp() { record.timestamp().map(|time| time.0) } else { None },
            key: record.key(),
            headers: &headers,
            payload: record.payload(),
        };
        let row = &mut self.rows[self.filled];
        self.decoder.decode(&kafka, row)?;
        self.time_policy.check(row.time, now)?;
        Ok(row.time)
    }

    fn sample(&mut self, record: &RecordView<'_>, Refusal { reason, detail }: Refusal, now: TimestampMs) {
        if self.refused.is_full(reason) {
            return;
        }
        self.refused.push(RefusedRecord {
            partition: StreamPartition { topic: self.topic.clone(), partition: record.partition() },
            offset: record.offset(),
            reason,
            detail,
            sample: if reason == Reason::Tombstone {
                String::new()
            } else {
                sample_text(record.payload().unwrap_or(&[]))
            },
            refused_at: now,
        });
    }
}
