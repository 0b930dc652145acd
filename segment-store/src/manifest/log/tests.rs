mod golden;
mod lost_answers;
mod upkeep;

use std::path::Path;

use super::*;
use crate::ledger::{Gap, GapCause, LedgerCounts};
use crate::manifest::{ConsumedRange, Publish};
use crate::schema::{DataSourceName, DataSourceSchema};
use crate::segment::{SegmentId, SegmentMeta};
use crate::stream::{Offset, OffsetRange, StreamPartition};
use crate::time::{Granularity, Interval};
use crate::upkeep::UpkeepPolicy;

const NOW: TimestampMs = TimestampMs(1_000);

fn usage() -> DataSourceName {
    DataSourceName::new("usage").unwrap()
}

fn put_supervisor() -> Change {
    let schema = DataSourceSchema {
        dimensions: vec![],
        measures: vec![],
        rollup: false,
        query_granularity: Granularity::NONE,
        segment_granularity: "1h".parse().unwrap(),
        sort: Vec::new(),
        tenant: None,
    };
    Change::PutSupervisor {
        data_source: usage(),
        schema: Box::new(schema),
        spec: serde_json::json!({}),
        suspended: false,
        upkeep: UpkeepPolicy::default(),
    }
}

/// Publishes offsets `start..end` of partition 0 as one segment.
fn publish(version: &str, start: i64, end: i64) -> Change {
    let chunk = Interval::new(TimestampMs(0), TimestampMs(3_600_000)).unwrap();
    let events = (end - start) as u64;
    let id = SegmentId { data_source: usage(), chunk, version: version.into(), shard: 0 };
    let added = SegmentMeta { path: id.path(), id, rows: events, events, ..SegmentMeta::sample() };
    let consumed = ConsumedRange {
        partition: StreamPartition { topic: "t".into(), partition: 0 },
        range: OffsetRange { start: Offset(start), end: Offset(end) },
        topic_id: None,
        leader_epoch: None,
        counts: LedgerCounts { accepted: events, ..Default::default() },
    };
    Change::Publish(Publish {
        data_source: usage(),
        generation: 0,
        added: vec![added],
        retired: vec![],
        consumed: vec![consumed],
        refused: Default::default(),
        gaps: vec![],
    })
}

async fn open(root: &Path) -> ManifestLog {
    ManifestLog::open(Objects::Local(root.to_owned())).await.unwrap()
}

async fn writer(root: &Path) -> ManifestLog {
    let mut log = open(root).await;
    log.claim_epoch(NOW).await.unwrap();
    log
}

async fn commit(log: &mut ManifestLog, change: Change) -> Result<(), StoreError> {
    let commit_id = log.next_commit_id();
    log.commit(commit_id, change, NOW).await
}

#[tokio::test]
async fn a_replayed_manifest_says_what_the_writer_said() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    for number in 0..200 {
        commit(&mut log, publish(&format!("v{number}"), number * 10, number * 10 + 10)).await.unwrap();
    }
    assert_eq!(open(root.path()).await.state(), log.state());
    // Without its snapshots it only takes longer.
    std::fs::remove_dir_all(root.path().join(SNAPSHOTS)).unwrap();
    assert_eq!(open(root.path()).await.state(), log.state());
}

#[tokio::test]
async fn a_damaged_snapshot_is_passed_over() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    for number in 0..150 {
        commit(&mut log, publish(&format!("v{number}"), number, number + 1)).await.unwrap();
    }
    std::fs::write(root.path().join(snapshot_path(128)), b"{}\n").unwrap();
    assert_eq!(open(root.path()).await.state(), log.state());
}

#[tokio::test]
async fn an_older_writer_is_fenced_and_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut old = writer(root.path()).await;
    commit(&mut old, put_supervisor()).await.unwrap();
    let mut new = writer(root.path()).await;
    commit(&mut new, publish("new", 0, 10)).await.unwrap();
    let refused = commit(&mut old, publish("old", 0, 10)).await;
    assert!(matches!(refused, Err(StoreError::Fenced { ours: 1, newer: 2 })), "{refused:?}");
    assert_eq!(open(root.path()).await.state(), new.state());
}

#[tokio::test]
async fn ranges_that_were_published_before_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    commit(&mut log, publish("a", 0, 10)).await.unwrap();
    for (start, end) in [(0, 10), (9, 12), (11, 12)] {
        let refused = commit(&mut log, publish("b", start, end)).await;
        assert!(matches!(refused, Err(StoreError::Checkpoint { .. })), "{refused:?}");
    }
    commit(&mut log, publish("b", 10, 12)).await.unwrap();
}

#[tokio::test]
async fn a_ledger_that_does_not_balance_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    let Change::Publish(mut lost) = publish("a", 0, 10) else { unreachable!() };
    lost.added[0].events = 9;
    let refused = commit(&mut log, Change::Publish(lost)).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "datasource `usage`: the ledger does not balance: 10 events were accepted, the segments hold 9"
    );
    let Change::Publish(mut doubled) = publish("a", 0, 10) else { unreachable!() };
    doubled.consumed[0].counts.accepted = 11;
    let refused = commit(&mut log, Change::Publish(doubled)).await.unwrap_err();
    assert_eq!(refused.to_string(), "datasource `usage`: the ledger does not balance: t[0]: 11 records in 10 offsets");
}

#[tokio::test]
async fn a_publish_that_names_a_range_or_a_segment_twice_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    let Change::Publish(one) = publish("a", 0, 10) else { unreachable!() };
    let Change::Publish(other) = publish("b", 0, 10) else { unreachable!() };
    let consumed = [one.consumed.clone(), one.consumed.clone()].concat();
    let added = [one.added.clone(), other.added].concat();
    let refused = commit(&mut log, Change::Publish(Publish { added, consumed, ..one.clone() })).await;
    assert!(matches!(refused, Err(StoreError::Checkpoint { .. })), "{refused:?}");
    let mut twice = one.clone();
    twice.added[0].events = 5;
    twice.added.push(twice.added[0].clone());
    let refused = commit(&mut log, Change::Publish(twice)).await;
    assert!(matches!(refused, Err(StoreError::Ledger { .. })), "{refused:?}");
    commit(&mut log, Change::Publish(one)).await.unwrap();
}

#[tokio::test]
async fn what_was_read_before_a_reset_is_not_published_after_it() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    commit(&mut log, publish("a", 0, 10)).await.unwrap();
    commit(&mut log, Change::Reset { data_source: usage(), reason: "topic recreated".into() }).await.unwrap();
    let refused = commit(&mut log, publish("b", 10, 20)).await;
    assert!(matches!(refused, Err(StoreError::Ledger { .. })), "{refused:?}");
    let Change::Publish(mut anew) = publish("b", 0, 5) else { unreachable!() };
    anew.generation = 1;
    commit(&mut log, Change::Publish(anew)).await.unwrap();
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_is_recognised_as_ours() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    let change = publish("a", 0, 10);
    let record = log.record(log.epoch, "1-lost".into(), change.clone(), NOW);
    log.objects.put_if_absent(&record_path(record.number), record.encode().0.into()).await.unwrap();
    log.commit("1-lost".into(), change, NOW).await.unwrap();
    assert_eq!(open(root.path()).await.state(), log.state());
    assert_eq!(log.state().data_sources[&usage()].segments.len(), 1);
}

#[tokio::test]
async fn a_damaged_or_missing_record_stops_the_start() {
    for (damage, message) in [
        (
            b"{}\n".as_slice(),
            "manifest record 1 cannot be used: its header: missing field `format` at line 1 column 2; restore it from a backup, records are never skipped",
        ),
        (
            b"".as_slice(),
            "manifest record 1 cannot be used: its header is missing; restore it from a backup, records are never skipped",
        ),
    ] {
        let root = tempfile::tempdir().unwrap();
        let mut log = writer(root.path()).await;
        commit(&mut log, put_supervisor()).await.unwrap();
        std::fs::write(root.path().join(record_path(1)), damage).unwrap();
        let error = ManifestLog::open(Objects::Local(root.path().to_owned())).await.unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    commit(&mut log, publish("a", 0, 10)).await.unwrap();
    std::fs::remove_file(root.path().join(record_path(1))).unwrap();
    let error = ManifestLog::open(Objects::Local(root.path().to_owned())).await.unwrap_err();
    assert!(error.to_string().contains("it is missing, but record 2 exists"), "{error}");
}

#[tokio::test]
async fn a_record_under_another_number_stops_the_start() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    std::fs::copy(root.path().join(record_path(1)), root.path().join(record_path(2))).unwrap();
    let error = ManifestLog::open(Objects::Local(root.path().to_owned())).await.unwrap_err();
    assert!(error.to_string().contains("it calls itself record 1"), "{error}");
}

#[tokio::test]
async fn a_reader_sees_what_was_written_since_once_it_is_refreshed() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    let mut reader = open(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    assert_eq!(reader.state().data_sources.len(), 0);
    reader.refresh().await.unwrap();
    assert_eq!(reader.state(), log.state());
    assert_eq!(&ManifestLog::read(Objects::Local(root.path().to_owned())).await.unwrap(), log.state());
}

#[tokio::test]
async fn a_snapshot_stands_for_the_records_before_it_and_the_newest_four_stay() {
    let objects = Objects::Remote(std::sync::Arc::new(object_store::memory::InMemory::new()));
    let mut log = ManifestLog::open(objects.clone()).await.unwrap();
    log.claim_epoch(NOW).await.unwrap();
    commit(&mut log, put_supervisor()).await.unwrap();
    while log.state().next_number < 5 * SNAPSHOT_EVERY + 2 {
        commit(&mut log, Change::SetSuspended { data_source: usage(), suspended: true }).await.unwrap();
    }
    let snapshots = objects.list(SNAPSHOTS).await.unwrap();
    assert_eq!(snapshots, [128, 192, 256, 320].map(|number| format!("{number:020}")));
    for number in 0..5 * SNAPSHOT_EVERY {
        objects.delete(&record_path(number)).await.unwrap();
    }
    assert_eq!(&ManifestLog::read(objects).await.unwrap(), log.state());
}

#[tokio::test]
async fn a_gap_of_another_partition_moves_no_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let mut log = writer(root.path()).await;
    commit(&mut log, put_supervisor()).await.unwrap();
    commit(&mut log, publish("a", 0, 10)).await.unwrap();
    let Change::Publish(mut next) = publish("b", 12, 20) else { panic!("a publish") };
    let gap = |partition, from, to| Gap {
        partition: StreamPartition { topic: "t".into(), partition },
        from: Offset(from),
        to: Offset(to),
        cause: GapCause::Retention,
        found_at: NOW,
    };
    next.gaps = vec![gap(1, 3, 12), gap(0, 10, 12)];
    commit(&mut log, Change::Publish(next)).await.unwrap();
    let checkpoint = &log.state().data_sources[&usage()].checkpoint;
    let next = |partition| checkpoint.get(&StreamPartition { topic: "t".into(), partition }).map(|at| at.next);
    assert_eq!((next(0), next(1)), (Some(Offset(20)), None));
}

#[tokio::test]
async fn a_remote_store_with_conditional_put_works() {
    let memory = Objects::Remote(std::sync::Arc::new(object_store::memory::InMemory::new()));
    let mut log = ManifestLog::open(memory.clone()).await.unwrap();
    log.claim_epoch(NOW).await.unwrap();
    commit(&mut log, put_supervisor()).await.unwrap();
    commit(&mut log, publish("a", 0, 10)).await.unwrap();
    assert_eq!(ManifestLog::open(memory).await.unwrap().state(), log.state());
}

#[test]
fn the_newest_thousand_resets_are_remembered_one_by_one() {
    let mut state = ManifestState::default();
    let mut apply = |number: u64, change| {
        let (previous, commit_id) = (String::new(), String::new());
        let record =
            ManifestRecord { number, previous, epoch: 1, commit_id, written_at: TimestampMs(number as i64), change };
        state.apply(&record, String::new()).unwrap();
    };
    apply(0, put_supervisor());
    (1..=1_003).for_each(|number| apply(number, Change::Reset { data_source: usage(), reason: String::new() }));
    let remembered: Vec<i64> = state.data_sources[&usage()].resets.iter().map(|reset| reset.at.0).collect();
    assert_eq!(remembered, (4..=1_003).collect::<Vec<i64>>());
}
