//! Two processes on one manifest, each with a data directory and a slot of its own.

use std::time::Duration;

use tokio::runtime::Handle;

use super::*;
use crate::compaction::{self, Urgency};
use crate::manifest::{ManifestRecord, record_path};
use crate::retention::Rule;

const NOW: TimestampMs = TimestampMs(1_000 * HOUR_MS);

/// The process of a slot, below `root`.
async fn open_slot(root: &Path, slot: &str) -> Arc<Store> {
    static STARTS: AtomicU64 = AtomicU64::new(0);
    let start = STARTS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let shared = format!("file://{}", root.join("shared").display());
    let data_dir = root.join(format!("process{start}"));
    let options =
        StoreOptions { object_store: Some(shared), slot: slot.parse().unwrap(), ..StoreOptions::local(data_dir) };
    Store::open(options).await.unwrap()
}

/// The processes of both slots, which know the datasource.
async fn pair(root: &Path) -> [Arc<Store>; 2] {
    let even = open_slot(root, "0/2").await;
    even.put_supervisor(&usage(), schema(), serde_json::json!({}), false, UpkeepPolicy::default()).await.unwrap();
    [even, open_slot(root, "1/2").await]
}

fn usage_of(store: &Store) -> Arc<DataSource> {
    store.data_source("usage").unwrap()
}

fn consumed_of(partition: i32, start: i64, end: i64) -> Consumed {
    let mut consumed = consumed(start, end);
    consumed.ranges[0].partition.partition = partition;
    consumed
}

/// Events `start..end` become open in the process and are then published as those offsets of a partition.
async fn publish(store: &Store, partition: i32, start: i64, end: i64) {
    let usage = usage_of(store);
    usage.append(&(start..end).map(event).collect::<Vec<_>>());
    store.publish(&usage, &usage.cut(), consumed_of(partition, start, end)).await.unwrap();
}

fn published(store: &Store) -> Vec<SegmentId> {
    usage_of(store).published().into_iter().map(|meta| meta.id).collect()
}

async fn compact(store: &Arc<Store>) {
    for (_, task) in store.plan_compaction(Urgency::Now, NOW).await {
        let (store, runtime) = (store.clone(), Handle::current());
        let run = move || compaction::run(&store, &runtime, &usage_of(&store), &task, &mut || Ok(()));
        tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn each_answers_over_what_both_published_and_over_its_own_open_rows() {
    let root = tempfile::tempdir().unwrap();
    let [even, odd] = pair(root.path()).await;
    publish(&even, 0, 0, 100).await;
    usage_of(&even).append(&[event(100)]);
    publish(&odd, 1, 0, 50).await;
    // Its own publish had to read the other's record first.
    assert_eq!(totals(&usage_of(&odd)), (150, expected(100).1 + expected(50).1));
    assert_eq!(totals(&usage_of(&even)), expected(101));
    even.refresh().await.unwrap();
    assert_eq!(totals(&usage_of(&even)), (151, expected(101).1 + expected(50).1));
    assert_eq!(usage_of(&even).progress().checkpoint, usage_of(&odd).progress().checkpoint);
    let changes = even.changes_followed();
    even.refresh().await.unwrap();
    assert_eq!(even.changes_followed(), changes, "there was nothing new");
}

#[tokio::test]
async fn a_datasource_that_another_process_creates_is_known_after_a_refresh() {
    let root = tempfile::tempdir().unwrap();
    let [even, odd] = [open_slot(root.path(), "0/2").await, open_slot(root.path(), "1/2").await];
    even.put_supervisor(&usage(), schema(), serde_json::json!({"a": 1}), true, UpkeepPolicy::default()).await.unwrap();
    assert_eq!((odd.data_sources(), odd.supervisors()), (vec![], vec![]));
    odd.refresh().await.unwrap();
    assert_eq!((odd.data_sources(), odd.supervisors()), (vec![usage()], even.supervisors()));
    odd.set_suspended(&usage(), false).await.unwrap();
    even.refresh().await.unwrap();
    assert!(!even.supervisors()[0].suspended);
}

/// Q3, G1
#[tokio::test]
async fn one_merges_what_both_published_and_each_sweeps_what_it_made() {
    let root = tempfile::tempdir().unwrap();
    let [even, odd] = pair(root.path()).await;
    for start in [0, 100] {
        publish(&even, 0, start, start + 100).await;
        publish(&odd, 1, start, start + 100).await;
    }
    let both = (400, 2 * expected(200).1);
    even.refresh().await.unwrap();
    compact(&even).await;
    assert_eq!((totals(&usage_of(&even)), published(&even).len()), (both, 1));
    assert_eq!(published(&odd).len(), 4, "it has not looked yet, and its queries go on over what was");
    assert_eq!(totals(&usage_of(&odd)), both);
    assert_eq!(even.sweep(Duration::ZERO).await.unwrap().files, 2, "its own two; the others' may be in use there");
    odd.refresh().await.unwrap();
    assert_eq!((totals(&usage_of(&odd)), published(&odd)), (both, published(&even)));
    assert_eq!(odd.sweep(Duration::ZERO).await.unwrap().files, 2);
    assert_eq!(even.sweep(Duration::ZERO).await.unwrap(), Swept::default());
    assert_eq!(totals(&usage_of(&even)), both);
}

/// G1: a file that is written and not yet named by a record belongs to a process that may still name it, until that one is
/// fenced off.
#[tokio::test]
async fn files_that_another_process_has_not_committed_yet_stay_until_it_can_not() {
    let root = tempfile::tempdir().unwrap();
    let [even, odd] = pair(root.path()).await;
    let (usage, commit) = (usage_of(&odd), odd.begin_commit().await);
    usage.append(&(0..10).map(event).collect::<Vec<_>>());
    let rows = usage.cut().rows[0].clone();
    let version = commit.as_str().to_owned();
    let id = SegmentId { data_source: usage.name().clone(), chunk: rows.chunk(), version, shard: 0 };
    let written = odd.write_segment(id, rows, consumed_of(1, 0, 10).ranges).await.unwrap();
    let file = root.path().join("shared").join(&written.path);
    assert_eq!(even.sweep(Duration::ZERO).await.unwrap(), Swept::default());
    assert!(file.exists());
    drop(commit);
    let odd_again = open_slot(root.path(), "1/2").await;
    assert_eq!(even.sweep(Duration::ZERO).await.unwrap().files, 1);
    assert!(!file.exists());
    drop(odd_again);
}

/// M5: the rows of a process that was replaced are the successor's now.
#[tokio::test]
async fn who_is_fenced_off_forgets_what_is_open_takes_nothing_more_and_still_answers() {
    let root = tempfile::tempdir().unwrap();
    let [even, odd] = pair(root.path()).await;
    publish(&odd, 1, 0, 100).await;
    let usage = usage_of(&odd);
    usage.append(&(100..150).map(event).collect::<Vec<_>>());
    let frozen = usage.cut();
    usage.append(&(150..160).map(event).collect::<Vec<_>>());
    let successor = open_slot(root.path(), "1/2").await;
    publish(&successor, 1, 100, 150).await;
    let refused = odd.publish(&usage, &frozen, consumed_of(1, 100, 150)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Fenced { ours: 2, newer: 3 }), "{refused}");
    assert!(usage.is_fenced());
    usage.append(&(160..170).map(event).collect::<Vec<_>>());
    assert_eq!(totals(&usage), expected(150), "once, as the successor published it");
    assert!(matches!(odd.refresh().await, Err(StoreError::Fenced { .. })));
    publish(&even, 0, 0, 10).await;
    assert!(matches!(odd.refresh().await, Err(StoreError::Fenced { .. })));
    assert_eq!(totals(&usage), (160, expected(150).1 + expected(10).1));
    assert!(!usage_of(&even).is_fenced());
}

/// A cut whose record took effect without an answer is found by the next look, shown once, and its publisher told so, also
/// when another process has merged it already.
#[tokio::test]
async fn an_own_cut_that_is_found_in_the_manifest_is_not_shown_twice() {
    for is_merged in [false, true] {
        let root = tempfile::tempdir().unwrap();
        let [even, odd] = pair(root.path()).await;
        publish(&odd, 1, 0, 100).await;
        let usage = usage_of(&odd);
        usage.append(&(100..150).map(event).collect::<Vec<_>>());
        let frozen = usage.cut();
        put_without_an_answer(&odd, &frozen, consumed_of(1, 100, 150)).await;
        if is_merged {
            even.refresh().await.unwrap();
            compact(&even).await;
        }
        assert_eq!(totals(&usage), expected(150));
        assert_eq!(odd.publish(&usage, &frozen, consumed_of(1, 100, 150)).await.unwrap(), []);
        assert_eq!(totals(&usage), expected(150));
        assert_eq!(usage.open_stats(), Default::default());
        publish(&odd, 1, 150, 160).await;
        assert_eq!(totals(&usage), expected(160));
    }
}

/// What a publish does, up to a put that takes effect and is taken for failed.
async fn put_without_an_answer(store: &Store, frozen: &Frozen, consumed: Consumed) {
    let commit_id = store.begin_commit().await.as_str().to_owned();
    let id = SegmentId { data_source: usage(), chunk: frozen.rows[0].chunk(), version: commit_id.clone(), shard: 0 };
    let added = store.write_segment(id, frozen.rows[0].clone(), consumed.ranges.clone()).await.unwrap();
    let publish = Publish {
        data_source: usage(),
        generation: 0,
        added: vec![added],
        retired: vec![],
        consumed: consumed.ranges,
        refused: RefusedSample::default(),
        gaps: vec![],
    };
    frozen.attempts.lock().unwrap().push(commit_id.clone());
    let manifest = store.manifest.lock().await;
    let (number, previous) = (manifest.state().next_number, manifest.state().last_digest.clone());
    let (change, epoch) = (Change::Publish(publish), manifest.writer().1);
    let record = ManifestRecord { number, previous, epoch, commit_id, written_at: NOW, change };
    let bytes = record.encode().0.into();
    assert!(store.files.objects.put_if_absent(&record_path(number), bytes).await.unwrap());
}

#[tokio::test]
async fn a_wider_schema_is_taken_over_once_nothing_is_open() {
    let root = tempfile::tempdir().unwrap();
    let [even, odd] = pair(root.path()).await;
    let mut wider = schema();
    wider.dimensions.push(Dimension { name: "topic".into(), kind: DimensionType::String });
    even.put_supervisor(&usage(), wider.clone(), serde_json::json!({}), false, UpkeepPolicy::default()).await.unwrap();
    let mut row = EventRow::new(2, 2);
    row.time = TimestampMs(0);
    row.set_measure(1, MeasureValue::Long(7));
    usage_of(&even).append(&[row]);
    even.publish(&usage_of(&even), &usage_of(&even).cut(), consumed_of(0, 0, 1)).await.unwrap();
    // With the narrower one events go on, and what is written by the wider one waits.
    publish(&odd, 1, 0, 10).await;
    assert_eq!(totals(&usage_of(&odd)), expected(10));
    assert_eq!(odd.supervisors()[0].schema, wider);
    odd.adopt_schema(&usage()).await.unwrap();
    assert_eq!(*usage_of(&odd).schema(), wider);
    even.refresh().await.unwrap();
    assert_eq!(published(&odd), published(&even));
}

#[tokio::test]
async fn what_another_process_retires_leaves_the_timeline() {
    let root = tempfile::tempdir().unwrap();
    let [even, odd] = pair(root.path()).await;
    publish(&odd, 1, 0, 100).await;
    even.set_rules(&usage(), vec![Rule::DropForever]).await.unwrap();
    assert_eq!(even.apply_retention(NOW).await.unwrap().len(), 1);
    assert_eq!(published(&odd).len(), 1);
    odd.refresh().await.unwrap();
    assert_eq!(published(&odd), []);
    assert_eq!(odd.rules(&usage()).await.unwrap(), [Rule::DropForever]);
}

#[tokio::test]
async fn one_data_directory_is_not_shared_by_two_slots() {
    let root = tempfile::tempdir().unwrap();
    let of = |slot: &str| StoreOptions { slot: slot.parse().unwrap(), ..StoreOptions::local(root.path()) };
    let _even = Store::open(of("0/2")).await.unwrap();
    let refused = Store::open(of("1/2")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Locked(_)), "{refused}");
}
