//! Whether what a datasource answers is all that there was: what its readers have read, held against what the broker had.
//!
//! A partition is *reached* as of the last moment of which the broker's high watermark, as it was told then, has been
//! read. Its event-time watermark at that moment is its newest event less the allowed lateness. A partition that has
//! brought nothing for a minute does not hold the others back: its watermark follows the moment itself, a minute (or the
//! lateness, if that is longer) behind. No watermark is later than its moment, whatever times events claim.
//!
//! All events before `complete_until`, the least of the watermarks, are there, provided that none comes later than the
//! allowed lateness; nothing is said while a partition was never reached, nor by a process that reads a share of them.

use std::collections::BTreeMap;

use crate::ledger::Gap;
use crate::stream::{Offset, StreamPartition};
use crate::time::TimestampMs;

/// A partition that brought nothing for so long waits for nothing.
const IDLE_MS: i64 = 60_000;

/// One partition, as its reader sees it at a moment. The rows before `next` can be asked for already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPartition {
    pub partition: StreamPartition,
    /// The first offset that was ever read.
    pub first: Offset,
    /// The next offset to read.
    pub next: Offset,
    /// One past the last record at the broker; `None` where that is not known, or is not read at the moment.
    pub high_watermark: Option<Offset>,
    /// Of all events that were read since the start.
    pub newest_event: Option<TimestampMs>,
}

/// What a datasource's answers are made of, and how far they are complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completeness {
    /// Everything that the broker had at this moment has been read; `None` while a partition is behind since the start.
    pub as_of: Option<TimestampMs>,
    /// Events before this time are all there (exclusive).
    pub complete_until: Option<TimestampMs>,
    /// Of events before this time some may be missing: records that held them were lost. `None` without gaps.
    pub complete_from: Option<TimestampMs>,
    /// By partition.
    pub sources: Vec<Source>,
}

/// What was read of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub partition: StreamPartition,
    /// The first record that was read, and is in answers unless it was refused, or dropped since.
    pub from: Offset,
    /// One past the last record that answers hold.
    pub to: Offset,
    pub high_watermark: Option<Offset>,
    /// When it was reached.
    pub event_time_watermark: Option<TimestampMs>,
}

/// What is known of the partitions of a datasource, for whoever asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    partitions: BTreeMap<StreamPartition, PartitionReach>,
    /// The newest gap that the manifest may not know yet.
    gap_found_at: Option<TimestampMs>,
    is_share: bool,
}

/// A look at all partitions that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub at: TimestampMs,
    /// How much later than the newest event of its partition an event may come.
    pub lateness_ms: i64,
    pub partitions: Vec<ReadPartition>,
    /// When the newest gap was found, published or not.
    pub gap_found_at: Option<TimestampMs>,
    /// Other processes read partitions of the datasource, too: how far they are is not known here.
    pub is_share: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PartitionReach {
    now: ReadPartition,
    /// A high watermark that is not reached yet, and when it was told.
    awaited: Option<(TimestampMs, Offset)>,
    reached: Option<Reached>,
    /// Since when there was nothing to read.
    still_since: TimestampMs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reached {
    at: TimestampMs,
    watermark: Option<TimestampMs>,
}

impl Reach {
    /// What is known after another look at all partitions. Those that are not among them are read no more.
    pub fn after(&self, look: Look) -> Self {
        let Look { at, lateness_ms, partitions, gap_found_at, is_share } = look;
        let looked_at = |seen: ReadPartition| {
            let before = self.partitions.get(&seen.partition);
            (seen.partition.clone(), PartitionReach::after(before, seen, lateness_ms, at))
        };
        let partitions = partitions.into_iter().map(looked_at).collect();
        Self { partitions, gap_found_at: self.gap_found_at.max(gap_found_at), is_share }
    }

    /// `gaps`: of the manifest.
    pub fn completeness(&self, gaps: &[Gap]) -> Completeness {
        let reached = || self.partitions.values().map(|partition| partition.reached);
        let least = |of: fn(Reached) -> Option<TimestampMs>| {
            let all: Option<Vec<TimestampMs>> = reached().map(|reached| reached.and_then(of)).collect();
            all.filter(|_| !self.is_share).and_then(|all| all.into_iter().min())
        };
        let source = |partition: &PartitionReach| Source {
            partition: partition.now.partition.clone(),
            from: partition.now.first,
            to: partition.now.next,
            high_watermark: partition.now.high_watermark,
            event_time_watermark: partition.reached.and_then(|reached| reached.watermark),
        };
        Completeness {
            as_of: least(|reached| Some(reached.at)),
            complete_until: least(|reached| reached.watermark),
            complete_from: gaps.iter().map(|gap| gap.found_at).max().max(self.gap_found_at),
            sources: self.partitions.values().map(source).collect(),
        }
    }
}

impl PartitionReach {
    fn after(before: Option<&Self>, seen: ReadPartition, lateness_ms: i64, now: TimestampMs) -> Self {
        let has_moved = before.is_none_or(|before| before.now.next != seen.next);
        let still_since = before.filter(|_| !has_moved).map_or(now, |before| before.still_since);
        let mut after = Self {
            awaited: before.and_then(|before| before.awaited),
            reached: before.and_then(|before| before.reached),
            still_since,
            now: seen,
        };
        let Some(high_watermark) = after.now.high_watermark else { return after };
        let is_behind = after.now.next < high_watermark;
        let reached_at = match after.awaited {
            _ if !is_behind => Some(now),
            Some((told_at, awaited)) if awaited <= after.now.next => Some(told_at),
            _ => None,
        };
        if let Some(at) = reached_at {
            let is_idle = !is_behind && now.0.saturating_sub(still_since.0) >= IDLE_MS;
            after.reached =
                Some(Reached { at, watermark: watermark(after.now.newest_event, lateness_ms, at, is_idle) });
        }
        if reached_at.is_some() || after.awaited.is_none() {
            after.awaited = is_behind.then_some((now, high_watermark));
        }
        after
    }
}

fn watermark(newest: Option<TimestampMs>, lateness_ms: i64, at: TimestampMs, is_idle: bool) -> Option<TimestampMs> {
    let of_events = newest.map(|newest| newest.0.saturating_sub(lateness_ms));
    let of_idleness = is_idle.then(|| at.0.saturating_sub(lateness_ms.max(IDLE_MS)));
    of_events.max(of_idleness).map(|time| TimestampMs(time.min(at.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::GapCause;

    fn partition(number: i32) -> StreamPartition {
        StreamPartition { topic: "t".into(), partition: number }
    }

    fn seen(number: i32, next: i64, high_watermark: Option<i64>, newest: Option<i64>) -> ReadPartition {
        let (next, high_watermark) = (Offset(next), high_watermark.map(Offset));
        let newest_event = newest.map(TimestampMs);
        ReadPartition { partition: partition(number), first: Offset(0), next, high_watermark, newest_event }
    }

    fn look(now: i64, lateness_ms: i64, seen: &[ReadPartition]) -> Look {
        Look { at: TimestampMs(now), lateness_ms, partitions: seen.to_vec(), gap_found_at: None, is_share: false }
    }

    /// `as_of` and `complete_until` after looks at one or two partitions, each with its moment.
    fn told(looks: &[(i64, &[ReadPartition])], lateness_ms: i64) -> (Option<i64>, Option<i64>) {
        let reach =
            looks.iter().fold(Reach::default(), |reach, (now, seen)| reach.after(look(*now, lateness_ms, seen)));
        let told = reach.completeness(&[]);
        (told.as_of.map(|time| time.0), told.complete_until.map(|time| time.0))
    }

    #[test]
    fn what_was_read_to_the_high_watermark_is_complete_up_to_the_watermark() {
        let now = 1_000_000;
        assert_eq!(told(&[(now, &[seen(0, 5, Some(5), Some(900_000))])], 0), (Some(now), Some(900_000)));
        assert_eq!(told(&[(now, &[seen(0, 5, Some(5), Some(900_000))])], 10_000), (Some(now), Some(890_000)));
        // The slowest partition counts.
        let both = [seen(0, 5, Some(5), Some(900_000)), seen(1, 5, Some(5), Some(800_000))];
        assert_eq!(told(&[(now, &both)], 0), (Some(now), Some(800_000)));
        // An event from the future says nothing of the present.
        assert_eq!(told(&[(now, &[seen(0, 5, Some(5), Some(9_000_000))])], 0), (Some(now), Some(now)));
    }

    #[test]
    fn nothing_is_said_while_a_partition_was_never_reached() {
        let behind = [seen(0, 5, Some(5), Some(900)), seen(1, 4, Some(5), Some(800))];
        assert_eq!(told(&[(1_000, &behind)], 0), (None, None));
        let unknown = [seen(0, 5, Some(5), Some(900)), seen(1, 4, None, Some(800))];
        assert_eq!(told(&[(1_000, &unknown)], 0), (None, None));
        assert_eq!(told(&[], 0), (None, None));
    }

    #[test]
    fn nothing_is_said_by_a_process_that_reads_a_share_of_the_partitions() {
        let share = Look { is_share: true, ..look(1_000, 0, &[seen(0, 5, Some(5), Some(900))]) };
        let told = Reach::default().after(share).completeness(&[]);
        assert_eq!((told.as_of, told.complete_until, told.sources.len()), (None, None, 1));
    }

    #[test]
    fn a_reader_that_keeps_up_reaches_what_it_was_told_a_moment_ago() {
        let looks: &[(i64, &[ReadPartition])] = &[
            (1_000, &[seen(0, 5, Some(9), Some(100))]),
            // Offset 9 was reached, while the broker is ahead again.
            (2_000, &[seen(0, 10, Some(20), Some(200))]),
            (3_000, &[seen(0, 15, Some(30), Some(300))]),
        ];
        assert_eq!(told(&looks[..1], 0), (None, None));
        assert_eq!(told(&looks[..2], 0), (Some(1_000), Some(200)));
        assert_eq!(told(looks, 0), (Some(1_000), Some(200)), "20 is not reached yet");
        let caught_up: &[ReadPartition] = &[seen(0, 30, Some(30), Some(400))];
        assert_eq!(told(&[looks, &[(4_000, caught_up)]].concat(), 0), (Some(4_000), Some(400)));
    }

    #[test]
    fn a_partition_that_is_still_for_a_minute_holds_nothing_back() {
        let at = |now: i64| [seen(0, 5, Some(5), Some(now - 10)), seen(1, 7, Some(7), Some(1_000))];
        let (first, early, late) = (at(100_000), at(159_999), at(160_000));
        assert_eq!(told(&[(100_000, &first), (159_999, &early)], 0), (Some(159_999), Some(1_000)));
        // Partition 0 has not moved either: both follow the moment.
        assert_eq!(told(&[(100_000, &first), (160_000, &late)], 0).1, Some(100_000));
        assert_eq!(told(&[(100_000, &first), (160_000, &late)], 90_000).1, Some(70_000));
        // One that never had a record.
        let empty = |now: i64| [seen(0, now, Some(now), Some(now - 10)), seen(1, 0, Some(0), None)];
        let (first, late) = (empty(100_000), empty(170_000));
        assert_eq!(told(&[(100_000, &first)], 0), (Some(100_000), None));
        assert_eq!(told(&[(100_000, &first), (170_000, &late)], 0), (Some(170_000), Some(110_000)));
    }

    #[test]
    fn what_a_gap_took_is_missing_before_the_moment_in_which_it_was_found() {
        let reach = Reach::default().after(look(1_000, 0, &[seen(0, 5, Some(5), Some(900))]));
        let gap = |found_at| Gap {
            partition: partition(0),
            from: Offset(1),
            to: Offset(3),
            cause: GapCause::Retention,
            found_at: TimestampMs(found_at),
        };
        let expected = Completeness {
            as_of: Some(TimestampMs(1_000)),
            complete_until: Some(TimestampMs(900)),
            complete_from: Some(TimestampMs(700)),
            sources: vec![Source {
                partition: partition(0),
                from: Offset(0),
                to: Offset(5),
                high_watermark: Some(Offset(5)),
                event_time_watermark: Some(TimestampMs(900)),
            }],
        };
        assert_eq!(reach.completeness(&[gap(700), gap(300)]), expected);
        let unpublished = Look { gap_found_at: Some(TimestampMs(800)), ..look(1_100, 0, &[]) };
        let complete_from = |reach: &Reach| reach.completeness(&[gap(700)]).complete_from;
        assert_eq!(complete_from(&reach.after(unpublished.clone())), Some(TimestampMs(800)));
        let later = reach.after(unpublished).after(look(1_200, 0, &[]));
        assert_eq!(complete_from(&later), Some(TimestampMs(800)), "it stays, published or not");
    }
}
