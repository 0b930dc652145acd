//! Places in Kafka: partitions, offsets, and the checkpoint up to which records are published.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A Kafka topic's identity: 128 bits that a topic of the same name does not get again when it is recreated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TopicId(pub u128);

impl fmt::Display for TopicId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl fmt::Debug for TopicId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TopicId({self})")
    }
}

impl TryFrom<String> for TopicId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        u128::from_str_radix(&text, 16).map(Self).map_err(|_| format!("`{text}` is not a topic id of 32 hex digits"))
    }
}

impl From<TopicId> for String {
    fn from(id: TopicId) -> Self {
        id.to_string()
    }
}

/// One partition of a Kafka topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

impl fmt::Display for StreamPartition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}[{}]", self.topic, self.partition)
    }
}

/// A record's number within its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub i64);

impl fmt::Display for Offset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Half-open (invariant T1); may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetRange {
    pub start: Offset,
    /// Exclusive: the next offset to read.
    pub end: Offset,
}

impl OffsetRange {
    /// Offsets covered; Kafka's control records and aborted records count although nobody sees them.
    pub fn len(self) -> u64 {
        u64::try_from(i128::from(self.end.0) - i128::from(self.start.0)).unwrap_or(0)
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for OffsetRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "[{}, {})", self.start, self.end)
    }
}

/// Where a partition's reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The first offset that was ever read.
    pub first: Offset,
    /// The next offset to read.
    pub next: Offset,
    /// Which topic of that name the offset belongs to; `None` where the broker has no topic ids.
    pub topic_id: Option<TopicId>,
    /// The partition leader's epoch at the last record read; `None` before the first one.
    pub leader_epoch: Option<i32>,
}

/// Why consumed ranges cannot follow a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("{partition}: range {range} ends before it starts")]
    Reversed { partition: StreamPartition, range: OffsetRange },
    #[error("{partition}: range {range} does not start at the checkpoint {expected}")]
    NotContiguous { partition: StreamPartition, range: OffsetRange, expected: Offset },
    #[error("{partition}: the topic's id is {found:?}, the checkpoint belongs to {expected:?}")]
    OtherTopic { partition: StreamPartition, found: Option<TopicId>, expected: Option<TopicId> },
}

/// Per partition the next offset to read, as published; what a restart seeks to (invariant M4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(StreamPartition, Position)>", into = "Vec<(StreamPartition, Position)>")]
pub struct Checkpoint {
    positions: BTreeMap<StreamPartition, Position>,
}

impl Checkpoint {
    pub fn get(&self, partition: &StreamPartition) -> Option<Position> {
        self.positions.get(partition).copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&StreamPartition, &Position)> {
        self.positions.iter()
    }

    /// Whether `range` may follow: it starts where the partition's last one ended, in the same topic (invariant M2). A
    /// partition that was never read may start anywhere.
    pub fn check(
        &self,
        partition: &StreamPartition,
        range: OffsetRange,
        topic_id: Option<TopicId>,
    ) -> Result<(), CheckpointError> {
        if range.end < range.start {
            return Err(CheckpointError::Reversed { partition: partition.clone(), range });
        }
        let Some(position) = self.positions.get(partition) else { return Ok(()) };
        if let (Some(expected), Some(found)) = (position.topic_id, topic_id)
            && expected != found
        {
            return Err(CheckpointError::OtherTopic {
                partition: partition.clone(),
                found: Some(found),
                expected: Some(expected),
            });
        }
        if range.start != position.next {
            return Err(CheckpointError::NotContiguous {
                partition: partition.clone(),
                range,
                expected: position.next,
            });
        }
        Ok(())
    }

    /// Moves past `range` after [`check`](Self::check); an unknown topic id or leader epoch keeps the known one.
    pub fn advance(
        &mut self,
        partition: &StreamPartition,
        range: OffsetRange,
        topic_id: Option<TopicId>,
        leader_epoch: Option<i32>,
    ) -> Result<(), CheckpointError> {
        self.check(partition, range, topic_id)?;
        let known = self.get(partition);
        let position = Position {
            first: known.map_or(range.start, |known| known.first),
            next: range.end,
            topic_id: topic_id.or(known.and_then(|known| known.topic_id)),
            leader_epoch: leader_epoch.or(known.and_then(|known| known.leader_epoch)),
        };
        self.positions.insert(partition.clone(), position);
        Ok(())
    }
}

impl From<Vec<(StreamPartition, Position)>> for Checkpoint {
    fn from(positions: Vec<(StreamPartition, Position)>) -> Self {
        Self { positions: positions.into_iter().collect() }
    }
}

impl From<Checkpoint> for Vec<(StreamPartition, Position)> {
    fn from(checkpoint: Checkpoint) -> Self {
        checkpoint.positions.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition() -> StreamPartition {
        StreamPartition { topic: "usage".into(), partition: 3 }
    }

    fn range(start: i64, end: i64) -> OffsetRange {
        OffsetRange { start: Offset(start), end: Offset(end) }
    }

    #[test]
    fn ranges_tile_and_gaps_overlaps_and_other_topics_are_refused() {
        let mut checkpoint = Checkpoint::default();
        let id = Some(TopicId(7));
        checkpoint.advance(&partition(), range(5, 10), id, Some(1)).unwrap();
        checkpoint.advance(&partition(), range(10, 10), None, None).unwrap();
        let expected = Position { first: Offset(5), next: Offset(10), topic_id: id, leader_epoch: Some(1) };
        assert_eq!(checkpoint.get(&partition()), Some(expected));
        for (wrong, message) in [
            (range(11, 12), "usage[3]: range [11, 12) does not start at the checkpoint 10"),
            (range(9, 12), "usage[3]: range [9, 12) does not start at the checkpoint 10"),
            (range(10, 9), "usage[3]: range [10, 9) ends before it starts"),
        ] {
            assert_eq!(checkpoint.advance(&partition(), wrong, id, None).unwrap_err().to_string(), message);
        }
        let other = checkpoint.advance(&partition(), range(10, 12), Some(TopicId(8)), None);
        assert!(matches!(other, Err(CheckpointError::OtherTopic { .. })), "{other:?}");
        assert_eq!(checkpoint.get(&partition()), Some(expected));
    }

    #[test]
    fn a_checkpoint_reads_back_equal() {
        let mut checkpoint = Checkpoint::default();
        checkpoint.advance(&partition(), range(0, 10), Some(TopicId(u128::MAX)), None).unwrap();
        let json = serde_json::to_string(&checkpoint).unwrap();
        assert_eq!(serde_json::from_str::<Checkpoint>(&json).unwrap(), checkpoint);
    }
}
