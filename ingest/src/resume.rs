//! Where reading starts: the manifest's checkpoint held against what the broker has now.

use henge_segment_store::ledger::{Gap, GapCause};
use henge_segment_store::stream::{Offset, OffsetRange, Position, StreamPartition, TopicId};
use henge_segment_store::time::TimestampMs;

use crate::spec::StartAt;

/// How a partition is taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// Go on where the checkpoint ended (invariant M4), or begin as the spec says.
    At(Offset),
    /// Kafka dropped records that were never read: record the gap, then go on behind it (invariant M6).
    Behind(Gap),
    /// Going on would skip records or read others; an operator has to decide.
    Stop(StopCause),
}

/// Why a partition is not read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopCause {
    #[error(
        "topic `{topic}` was deleted and created again: its id is {found}, the checkpoint belongs to {expected}; \
         reset the supervisor to read the new topic from its beginning"
    )]
    TopicRecreated { topic: String, expected: TopicId, found: TopicId },
    #[error(
        "{partition} ends at offset {end}, before the checkpoint {next}: records were lost by the broker; reset the \
         supervisor to read on"
    )]
    LogTruncated { partition: StreamPartition, next: Offset, end: Offset },
}

/// Decides for one partition. `published` is its checkpoint, `log` its `[log start, end)` at the broker, and `is_known`
/// whether the supervisor had seen the topic before: partitions added since are read from their beginning.
pub fn resume(
    partition: &StreamPartition,
    published: Option<Position>,
    log: OffsetRange,
    start: StartAt,
    is_known: bool,
    now: TimestampMs,
) -> Resume {
    let Some(position) = published else {
        return Resume::At(match start {
            StartAt::Latest if !is_known => log.end,
            StartAt::Latest | StartAt::Earliest => log.start,
        });
    };
    if position.next > log.end {
        return Resume::Stop(StopCause::LogTruncated {
            partition: partition.clone(),
            next: position.next,
            end: log.end,
        });
    }
    if position.next < log.start {
        return Resume::Behind(Gap {
            partition: partition.clone(),
            from: position.next,
            to: log.start,
            cause: GapCause::Retention,
            found_at: now,
        });
    }
    Resume::At(position.next)
}

/// Whether the topic that has the name now is the one of the checkpoint.
pub fn check_identity(topic: &str, expected: Option<TopicId>, found: Option<TopicId>) -> Result<(), StopCause> {
    match (expected, found) {
        (Some(expected), Some(found)) if expected != found => {
            Err(StopCause::TopicRecreated { topic: topic.to_owned(), expected, found })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition() -> StreamPartition {
        StreamPartition { topic: "usage".into(), partition: 0 }
    }

    fn position(next: i64) -> Option<Position> {
        Some(Position { first: Offset(1), next: Offset(next), topic_id: None, leader_epoch: None })
    }

    #[test]
    fn each_place_of_the_checkpoint_has_one_answer() {
        let log = OffsetRange { start: Offset(10), end: Offset(20) };
        let now = TimestampMs(1);
        let gap =
            Gap { partition: partition(), from: Offset(9), to: Offset(10), cause: GapCause::Retention, found_at: now };
        let truncated = StopCause::LogTruncated { partition: partition(), next: Offset(21), end: Offset(20) };
        let cases = [
            (None, StartAt::Earliest, false, Resume::At(Offset(10))),
            (None, StartAt::Latest, false, Resume::At(Offset(20))),
            (None, StartAt::Latest, true, Resume::At(Offset(10))),
            (position(10), StartAt::Latest, true, Resume::At(Offset(10))),
            (position(20), StartAt::Earliest, true, Resume::At(Offset(20))),
            (position(9), StartAt::Earliest, true, Resume::Behind(gap)),
            (position(21), StartAt::Earliest, true, Resume::Stop(truncated)),
        ];
        for (published, start, is_known, expected) in cases {
            assert_eq!(resume(&partition(), published, log, start, is_known, now), expected, "{published:?} {start:?}");
        }
    }

    #[test]
    fn another_topic_of_the_same_name_is_told_apart() {
        let (old, new) = (Some(TopicId(1)), Some(TopicId(2)));
        assert!(check_identity("usage", old, old).is_ok());
        assert!(check_identity("usage", None, new).is_ok());
        assert!(check_identity("usage", old, None).is_ok());
        let message = check_identity("usage", old, new).unwrap_err().to_string();
        assert!(message.starts_with("topic `usage` was deleted and created again"), "{message}");
    }
}
