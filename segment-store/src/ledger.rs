//! What became of the records that did not become rows: counts by reason, and a bounded sample of the records.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::stream::{Offset, StreamPartition};
use crate::time::TimestampMs;

/// Samples kept of each reason and datasource; older ones make room.
const SAMPLES_PER_REASON: usize = 20;
/// How much of a record a sample keeps.
pub const SAMPLE_BYTES_MAX: usize = 1_024;

/// Why a record is not in the datasource. Rejected: it could not be understood. Filtered: the spec does not want it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Filtered: the record has no value (a tombstone).
    Tombstone,
    /// Filtered: older than the spec's late message rejection allows.
    TooLate,
    /// Filtered: further in the future than the spec's early message rejection allows.
    TooEarly,
    /// Filtered: the spec's row filter is not true for it.
    Filtered,
    /// Rejected: the record is longer than the limit.
    RecordTooLarge,
    /// Rejected: not UTF-8, not JSON, or something follows the JSON value.
    Malformed,
    /// Rejected: a JSON value, but no object.
    NotAnObject,
    NestedTooDeep,
    TooManyFields,
    StringTooLong,
    TimeMissing,
    TimeUnreadable,
    /// Rejected: outside of the years 1 to 9999.
    TimeOutOfRange,
    /// Rejected: a dimension's value is of another kind than declared.
    DimensionUnreadable,
    /// Rejected: a measure's value is no number of the declared kind.
    MeasureUnreadable,
    /// Rejected: a whole number beyond 64 bits, or a double that is not finite.
    NumberOutOfRange,
    /// Rejected: an expression of the spec has no value for it, as after a division by zero.
    ExpressionFailed,
}

impl Reason {
    pub const ALL: [Self; 17] = [
        Self::Tombstone,
        Self::TooLate,
        Self::TooEarly,
        Self::Filtered,
        Self::RecordTooLarge,
        Self::Malformed,
        Self::NotAnObject,
        Self::NestedTooDeep,
        Self::TooManyFields,
        Self::StringTooLong,
        Self::TimeMissing,
        Self::TimeUnreadable,
        Self::TimeOutOfRange,
        Self::DimensionUnreadable,
        Self::MeasureUnreadable,
        Self::NumberOutOfRange,
        Self::ExpressionFailed,
    ];

    /// Whether the spec left the record out on purpose.
    pub fn is_filtered(self) -> bool {
        matches!(self, Self::Tombstone | Self::TooLate | Self::TooEarly | Self::Filtered)
    }

    /// The reason as it stands in the ledger, in metric labels and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tombstone => "tombstone",
            Self::TooLate => "too_late",
            Self::TooEarly => "too_early",
            Self::Filtered => "filtered",
            Self::RecordTooLarge => "record_too_large",
            Self::Malformed => "malformed",
            Self::NotAnObject => "not_an_object",
            Self::NestedTooDeep => "nested_too_deep",
            Self::TooManyFields => "too_many_fields",
            Self::StringTooLong => "string_too_long",
            Self::TimeMissing => "time_missing",
            Self::TimeUnreadable => "time_unreadable",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::DimensionUnreadable => "dimension_unreadable",
            Self::MeasureUnreadable => "measure_unreadable",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::ExpressionFailed => "expression_failed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Records by what became of them. For each partition, what is accepted and refused together is what a read_committed
/// reader sees (invariant M3).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerCounts {
    pub accepted: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<Reason, u64>,
}

impl LedgerCounts {
    pub fn refuse(&mut self, reason: Reason) {
        *self.refused.entry(reason).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        self.accepted = self.accepted.saturating_add(other.accepted);
        for (reason, count) in &other.refused {
            let own = self.refused.entry(*reason).or_default();
            *own = own.saturating_add(*count);
        }
    }

    /// Records that could not be understood.
    pub fn rejected(&self) -> u64 {
        self.count(|reason| !reason.is_filtered())
    }

    /// Records that the spec does not want.
    pub fn filtered(&self) -> u64 {
        self.count(|reason| reason.is_filtered())
    }

    fn count(&self, is_counted: impl Fn(Reason) -> bool) -> u64 {
        let counted = self.refused.iter().filter(|(reason, _)| is_counted(**reason));
        counted.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Every record that was read; the greatest number where they are more.
    pub fn seen(&self) -> u64 {
        self.refused.values().fold(self.accepted, |seen, count| seen.saturating_add(*count))
    }
}

/// A record that was refused, to show a person what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRecord {
    #[serde(flatten)]
    pub partition: StreamPartition,
    pub offset: Offset,
    pub reason: Reason,
    /// What exactly is wrong, in words.
    pub detail: String,
    /// The record's first KiB; bytes that are not UTF-8 are replaced.
    pub sample: String,
    pub refused_at: TimestampMs,
}

/// The newest refused records of each reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefusedSample {
    records: Vec<RefusedRecord>,
}

impl RefusedSample {
    pub fn push(&mut self, record: RefusedRecord) {
        if self.is_full(record.reason) {
            let oldest = self.records.iter().position(|kept| kept.reason == record.reason);
            self.records.remove(oldest.expect("a full reason has records"));
        }
        self.records.push(record);
    }

    /// Whether one more record of this reason would push out an older one.
    pub fn is_full(&self, reason: Reason) -> bool {
        self.records.iter().filter(|kept| kept.reason == reason).count() >= SAMPLES_PER_REASON
    }

    /// In the order in which they were refused.
    pub fn records(&self) -> &[RefusedRecord] {
        &self.records
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

/// The first KiB of a record as text.
pub fn sample_text(record: &[u8]) -> String {
    String::from_utf8_lossy(&record[..record.len().min(SAMPLE_BYTES_MAX)]).into_owned()
}

/// Offsets that were never read because Kafka no longer had them (invariant M6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    #[serde(flatten)]
    pub partition: StreamPartition,
    /// The first offset that is missing.
    pub from: Offset,
    /// Exclusive.
    pub to: Offset,
    pub cause: GapCause,
    pub found_at: TimestampMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapCause {
    /// The log starts after the checkpoint: retention or a deletion overtook the reader.
    Retention,
    /// An operator reset the supervisor.
    Reset,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(reason: Reason, offset: i64) -> RefusedRecord {
        RefusedRecord {
            partition: StreamPartition { topic: "t".into(), partition: 0 },
            offset: Offset(offset),
            reason,
            detail: String::new(),
            sample: String::new(),
            refused_at: TimestampMs(0),
        }
    }

    #[test]
    fn a_flood_of_one_reason_does_not_push_out_another() {
        let mut sample = RefusedSample::default();
        sample.push(refused(Reason::Malformed, 0));
        for offset in 1..=100 {
            sample.push(refused(Reason::TooLate, offset));
        }
        let offsets: Vec<i64> = sample.records().iter().map(|record| record.offset.0).collect();
        assert_eq!(offsets, [vec![0], (81..=100).collect()].concat());
    }

    #[test]
    fn counts_add_up_by_reason() {
        let mut counts = LedgerCounts { accepted: 3, ..Default::default() };
        counts.refuse(Reason::Malformed);
        counts.refuse(Reason::TooLate);
        let mut total = counts.clone();
        total.add(&counts);
        assert_eq!((total.accepted, total.rejected(), total.filtered(), total.seen()), (6, 2, 2, 10));
    }

    #[test]
    fn the_written_reason_is_the_shown_one() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
