//! One manifest record and its bytes.
//!
//! ```text
//! header   one line of JSON: {"format":1,"length":<body bytes>,"blake3":"<hex of the body>"}
//! newline
//! body     JSON of `ManifestRecord`
//! ```

use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, DatasetName};
use crate::ledger::{Gap, LedgerCounts, RefusedSample};
use crate::retention::Rule;
use crate::schema::{DataSourceName, DataSourceSchema};
use crate::segment::{SegmentId, SegmentMeta};
use crate::slot::Slot;
use crate::stream::{OffsetRange, StreamPartition, TopicId};
use crate::time::TimestampMs;
use crate::upkeep::UpkeepPolicy;

/// The version of the bytes described above.
const FORMAT: u32 = 1;

/// One step of the store's history. Its number is its name; it is written once, by put-if-absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestRecord {
    pub number: u64,
    /// BLAKE3 of the previous record's body, in hex; empty for the first one.
    pub previous: String,
    /// Of the process that wrote it. A newer one of its slot fences off every older writer (invariant M5).
    pub epoch: u64,
    /// Chosen before the first attempt: tells "our put took effect" from "someone was faster".
    pub commit_id: String,
    pub written_at: TimestampMs,
    pub change: Change,
}

/// What a record changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// A process takes over as the only writer of a slot; writers of slots that overlap with it are fenced off.
    ClaimEpoch {
        /// Manifests from before there were slots have none: all partitions.
        #[serde(default, skip_serializing_if = "Slot::is_whole")]
        slot: Slot,
    },
    /// A datasource gets a supervisor, or another spec for it.
    PutSupervisor {
        data_source: DataSourceName,
        /// As declared; types are promoted when the record is applied.
        schema: Box<DataSourceSchema>,
        /// Understood by the ingest side only.
        spec: serde_json::Value,
        suspended: bool,
        #[serde(default)]
        upkeep: UpkeepPolicy,
    },
    SetSuspended {
        data_source: DataSourceName,
        suspended: bool,
    },
    /// The supervisor goes, the data stays.
    TerminateSupervisor {
        data_source: DataSourceName,
    },
    /// An operator gives up the checkpoint: reading starts anew as the spec says, in a new generation.
    Reset {
        data_source: DataSourceName,
        reason: String,
    },
    /// Segments and the offsets that they were made from; or, with nothing consumed, segments in the place of others that
    /// hold the same events (compaction, invariant Q3).
    Publish(Publish),
    /// An operator's retention rules, asked before those of the upkeep policy.
    SetRules {
        data_source: DataSourceName,
        rules: Vec<Rule>,
    },
    /// Segments leave, and their events with them: retention, on record.
    Retire {
        data_source: DataSourceName,
        segments: Vec<SegmentId>,
        reason: String,
    },
    /// A dataset is declared, or declared anew.
    PutDataset {
        name: DatasetName,
        dataset: Dataset,
    },
    RemoveDataset {
        name: DatasetName,
    },
}

impl Change {
    /// The datasource that it is about.
    pub fn data_source(&self) -> Option<&DataSourceName> {
        match self {
            Self::ClaimEpoch { .. } | Self::PutDataset { .. } | Self::RemoveDataset { .. } => None,
            Self::PutSupervisor { data_source, .. }
            | Self::SetSuspended { data_source, .. }
            | Self::TerminateSupervisor { data_source }
            | Self::Reset { data_source, .. }
            | Self::SetRules { data_source, .. }
            | Self::Retire { data_source, .. } => Some(data_source),
            Self::Publish(publish) => Some(&publish.data_source),
        }
    }
}

/// Segments and the offsets that they were made from, in one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Publish {
    pub data_source: DataSourceName,
    /// Reset raises a datasource's generation; what was read before it cannot be published after it.
    pub generation: u32,
    pub added: Vec<SegmentMeta>,
    /// What `added` replaces. All of them still have to be live.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<SegmentId>,
    pub consumed: Vec<ConsumedRange>,
    #[serde(default, skip_serializing_if = "RefusedSample::is_empty")]
    pub refused: RefusedSample,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

impl Publish {
    /// What the checkpoint moves over: the range itself and the gap before it, if there is one.
    pub(super) fn covered(&self, consumed: &ConsumedRange) -> OffsetRange {
        let ends_here = |gap: &&Gap| gap.partition == consumed.partition && gap.to == consumed.range.start;
        let start = self.gaps.iter().find(ends_here).map_or(consumed.range.start, |gap| gap.from);
        OffsetRange { start, end: consumed.range.end }
    }
}

/// A contiguous part of a partition and what became of its records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumedRange {
    #[serde(flatten)]
    pub partition: StreamPartition,
    pub range: OffsetRange,
    pub topic_id: Option<TopicId>,
    pub leader_epoch: Option<i32>,
    pub counts: LedgerCounts,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    length: usize,
    blake3: String,
}

impl ManifestRecord {
    /// The record's bytes and the digest that the next record names as `previous`.
    pub fn encode(&self) -> (Vec<u8>, String) {
        encode_checked(self)
    }

    /// Checks length and digest before the body is believed. The error says what is wrong.
    pub fn decode(bytes: &[u8]) -> Result<(Self, String), String> {
        decode_checked(bytes)
    }
}

/// Writes any manifest object as header and body.
pub(crate) fn encode_checked<T: Serialize>(value: &T) -> (Vec<u8>, String) {
    let body = serde_json::to_vec(value).expect("manifest types have string keys and no failing serialisers");
    let digest = blake3::hash(&body).to_hex().to_string();
    let header = Header { format: FORMAT, length: body.len(), blake3: digest.clone() };
    let mut bytes = serde_json::to_vec(&header).expect("a header is plain JSON");
    bytes.push(b'\n');
    bytes.extend_from_slice(&body);
    (bytes, digest)
}

pub(crate) fn decode_checked<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<(T, String), String> {
    let newline = bytes.iter().position(|&byte| byte == b'\n').ok_or("its header is missing")?;
    let header: Header = serde_json::from_slice(&bytes[..newline]).map_err(|error| format!("its header: {error}"))?;
    if header.format != FORMAT {
        return Err(format!("its format is {}, this version of henge reads {FORMAT}", header.format));
    }
    let body = &bytes[newline + 1..];
    if body.len() != header.length {
        return Err(format!("it has {} bytes instead of {}", body.len(), header.length));
    }
    let digest = blake3::hash(body).to_hex().to_string();
    if digest != header.blake3 {
        return Err("its digest does not match its bytes".to_owned());
    }
    let value = serde_json::from_slice(body).map_err(|error| format!("its body: {error}"))?;
    Ok((value, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> ManifestRecord {
        ManifestRecord {
            number: 7,
            previous: "ab".into(),
            epoch: 2,
            commit_id: "2-1".into(),
            written_at: TimestampMs(5),
            change: Change::SetSuspended { data_source: DataSourceName::new("usage").unwrap(), suspended: true },
        }
    }

    #[test]
    fn a_record_reads_back_equal() {
        let (bytes, digest) = record().encode();
        assert_eq!(ManifestRecord::decode(&bytes), Ok((record(), digest)));
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_noticed() {
        let (bytes, _) = record().encode();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                let read = ManifestRecord::decode(&damaged).map(|(read, _)| read);
                assert!(read.is_err() || read == Ok(record()), "byte {at} bit {bit}");
            }
            assert!(ManifestRecord::decode(&bytes[..at]).is_err(), "cut at {at}");
        }
    }
}
