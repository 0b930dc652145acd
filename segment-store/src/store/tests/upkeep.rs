//! Merges, retention and the sweep beside everything else that happens to a store.

use std::time::Duration;

use tokio::runtime::Handle;

use super::*;
use crate::compaction::{self, Cancelled, Compacted, CompactionError, CompactionTask, Urgency};
use crate::retention::Rule;
use crate::timeline::SegmentView;
use crate::upkeep::CompactionTarget;

const NOW: TimestampMs = TimestampMs(1_000 * HOUR_MS);

/// Pieces of 20 rows, so that a merge has several.
async fn open_small(root: &Path) -> (Arc<Store>, Arc<DataSource>) {
    let store = Store::open(options(root)).await.unwrap();
    if store.data_source("usage").is_none() {
        let compaction = CompactionTarget { rows: 20, ..CompactionTarget::default() };
        let upkeep = UpkeepPolicy { compaction, ..UpkeepPolicy::default() };
        store.put_supervisor(&usage(), schema(), serde_json::json!({}), false, upkeep).await.unwrap();
    }
    let data_source = store.data_source("usage").unwrap();
    (store, data_source)
}

/// Spread over three hours, so that every publish has events of each.
fn spread(number: i64) -> EventRow {
    let mut row = event(number);
    row.time = TimestampMs(number * 97_777 % (3 * HOUR_MS));
    row
}

/// Publishes events `start..end`.
async fn publish(store: &Store, usage: &DataSource, start: i64, end: i64) {
    usage.append(&(start..end).map(spread).collect::<Vec<_>>());
    store.publish(usage, &usage.cut(), consumed(start, end)).await.unwrap();
}

/// 400 events in four publishes, twelve segments.
async fn four_publishes(root: &Path) -> (Arc<Store>, Arc<DataSource>) {
    let (store, usage) = open_small(root).await;
    for start in [0, 100, 200, 300] {
        publish(&store, &usage, start, start + 100).await;
    }
    (store, usage)
}

async fn planned(store: &Store) -> Vec<CompactionTask> {
    let tasks = store.plan_compaction(Urgency::Now, NOW).await;
    tasks.into_iter().map(|(_, task)| task).collect()
}

/// On a thread where waiting for the runtime is allowed.
async fn run(
    store: &Arc<Store>,
    usage: &Arc<DataSource>,
    task: CompactionTask,
    mut pace: impl FnMut() -> Result<(), Cancelled> + Send + 'static,
) -> Result<Compacted, CompactionError> {
    let (store, usage, runtime) = (store.clone(), usage.clone(), Handle::current());
    let work = move || compaction::run(&store, &runtime, &usage, &task, &mut pace);
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn compact_all(store: &Arc<Store>, usage: &Arc<DataSource>) -> Vec<Compacted> {
    let mut done = Vec::new();
    for task in planned(store).await {
        done.push(run(store, usage, task, || Ok(())).await.unwrap());
    }
    done
}

/// Every row that a query sees, with equal keys merged: time, org, events, bytes.
fn answers(data_source: &DataSource) -> BTreeMap<(i64, String), (i64, i64)> {
    let snapshot = data_source.snapshot(Interval::ALL);
    let mut answers: BTreeMap<(i64, String), (i64, i64)> = BTreeMap::new();
    for segment in &snapshot.segments {
        let reader = segment.open(&["__time", "org", "events", "bytes"]).unwrap();
        for batch in reader.batches(snapshot.schema.arrow(), &RowSet::all(reader.row_count())) {
            let batch = batch.unwrap();
            let longs = |column: usize| batch.column(column).as_primitive::<Int64Type>();
            let times = batch.column(0).as_primitive::<arrow::datatypes::TimestampMillisecondType>();
            let orgs = batch.column(1).as_string_view();
            for row in 0..batch.num_rows() {
                let sums = answers.entry((times.value(row), orgs.value(row).to_owned())).or_default();
                sums.0 += longs(2).value(row);
                sums.1 += longs(3).value(row);
            }
        }
    }
    answers
}

fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("store/segments")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root.join("store")).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

fn live_files(usage: &DataSource) -> Vec<String> {
    let mut paths: Vec<String> = usage.published().into_iter().map(|meta| meta.path).collect();
    paths.sort();
    paths
}

#[tokio::test]
async fn a_merge_leaves_answers_and_books_as_they_were_and_one_row_for_each_key() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = four_publishes(root.path()).await;
    let (before, progress) = (answers(&usage), usage.progress());
    let done = compact_all(&store, &usage).await;
    assert_eq!(done.len(), 3, "one for each hour");
    assert_eq!(answers(&usage), before);
    assert_eq!(usage.published().iter().map(|meta| meta.rows).sum::<u64>(), before.len() as u64);
    assert_eq!(usage.published().iter().map(|meta| meta.events).sum::<u64>(), 400);
    assert_eq!((&usage.progress().checkpoint, &usage.progress().ledger), (&progress.checkpoint, &progress.ledger));
    for compacted in &done {
        assert_eq!(compacted.retired.len(), 4);
        assert!(compacted.added.iter().all(|meta| meta.rows <= 20));
        let written: u64 = compacted.added.iter().map(|meta| meta.merged.unwrap().written_bytes).sum();
        assert_eq!(written, compacted.bytes_read + compacted.bytes_written);
        let cut: u64 = compacted.added.iter().map(|meta| meta.merged.unwrap().cut_bytes).sum();
        assert_eq!(cut, compacted.bytes_read);
    }
    assert_eq!(planned(&store).await, []);

    drop((store, usage));
    let (store, usage) = open_small(root.path()).await;
    assert_eq!(answers(&usage), before);
    assert_eq!(planned(&store).await, []);
}

/// Q3
#[tokio::test]
async fn what_is_published_while_a_merge_runs_stays() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = four_publishes(root.path()).await;
    let task = planned(&store).await.remove(0);
    let (other_store, other_usage, runtime) = (store.clone(), usage.clone(), Handle::current());
    let mut next = 400;
    // A publish into each hour, and a reader, between any two steps.
    let publish_between = move || {
        runtime.block_on(publish(&other_store, &other_usage, next, next + 10));
        next += 10;
        assert_eq!(totals(&other_usage), expected(next));
        Ok(())
    };
    let compacted = run(&store, &usage, task.clone(), publish_between).await.unwrap();
    let (events, _) = totals(&usage);
    assert!(events > 440, "a merge of four segments has more steps: {events} events");
    assert_eq!(totals(&usage), expected(events));
    assert_eq!(compacted.retired, task.inputs);
    let in_chunk = |meta: &&SegmentMeta| meta.id.chunk == task.chunk && meta.merged.is_none();
    let cuts = usage.published().iter().filter(in_chunk).count();
    let touches_chunk = |start: &i64| (*start..start + 10).any(|number| task.chunk.contains(spread(number).time));
    let expected = (400..events).step_by(10).filter(touches_chunk).count();
    assert_eq!(cuts, expected, "each later publish has its segment");
}

#[tokio::test]
async fn a_merge_whose_input_was_retired_meanwhile_is_discarded() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = four_publishes(root.path()).await;
    let task = planned(&store).await.remove(0);
    let rule = format!(r#"{{"type":"dropByInterval","interval":"{}"}}"#, task.chunk);
    let rule: Rule = serde_json::from_str(&rule).unwrap();
    store.set_rules(usage.name(), vec![rule]).await.unwrap();
    let (other, runtime) = (store.clone(), Handle::current());
    let retire = move || {
        runtime.block_on(other.apply_retention(NOW)).unwrap();
        Ok(())
    };
    let refused = run(&store, &usage, task.clone(), retire).await.unwrap_err();
    assert!(matches!(&refused, CompactionError::Store(StoreError::NotLive { .. })), "{refused}");
    assert!(usage.published().iter().all(|meta| meta.id.chunk != task.chunk));
    // What the merge wrote is gone; what retention retired waits for the sweep.
    let left: Vec<_> = files(root.path()).into_iter().filter(|path| !live_files(&usage).contains(path)).collect();
    assert_eq!(left, task.inputs.iter().map(SegmentId::path).collect::<Vec<_>>());
    let kept = totals(&usage);
    drop((store, usage));
    assert_eq!(totals(&open_small(root.path()).await.1), kept);
}

#[tokio::test]
async fn a_cancelled_merge_leaves_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = four_publishes(root.path()).await;
    let before = files(root.path());
    let mut steps = 0;
    loop {
        let task = planned(&store).await.remove(0);
        let mut left = steps;
        let cancel = move || {
            left -= 1;
            if left < 0 { Err(Cancelled) } else { Ok(()) }
        };
        match run(&store, &usage, task, cancel).await {
            Ok(_) => break,
            Err(error) => assert!(matches!(error, CompactionError::Cancelled(_)), "{error}"),
        }
        assert_eq!((files(root.path()), totals(&usage)), (before.clone(), expected(400)));
        steps += 1;
    }
    assert!(steps > 8, "there are steps between its pieces: {steps}");
}

/// M1, Q3: at any step a copy of the directory is what a killed process would leave behind.
#[tokio::test]
async fn a_process_that_is_killed_during_a_merge_has_done_all_of_it_or_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = four_publishes(root.path()).await;
    let copies = tempfile::tempdir().unwrap();
    let (from, to) = (root.path().to_owned(), copies.path().to_owned());
    let mut steps = 0;
    let copy = move || {
        copy_all(&from, &to.join(steps.to_string()));
        steps += 1;
        Ok(())
    };
    let task = planned(&store).await.remove(0);
    run(&store, &usage, task, copy).await.unwrap();
    copy_all(root.path(), &copies.path().join("done"));
    let copies: Vec<_> = std::fs::read_dir(copies.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(copies.len() > 8, "{}", copies.len());
    let mut orphans = 0;
    for copy in copies {
        let (store, usage) = open_small(&copy).await;
        assert_eq!(totals(&usage), expected(400));
        orphans += files(&copy).len() - usage.published().len();
        store.sweep(Duration::ZERO).await.unwrap();
        assert_eq!(files(&copy), live_files(&usage));
        assert_eq!(totals(&usage), expected(400));
    }
    assert!(orphans > 0, "some were killed between a file and its record");
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy_all(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[tokio::test]
async fn retention_retires_by_the_rules_and_says_what() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = four_publishes(root.path()).await;
    assert_eq!(store.apply_retention(NOW).await.unwrap(), []);
    let rules = r#"[{"type":"loadByInterval","interval":"1970-01-01T01:00/PT1H"},{"type":"dropForever"}]"#;
    store.set_rules(usage.name(), serde_json::from_str(rules).unwrap()).await.unwrap();
    let retired = store.apply_retention(NOW).await.unwrap();
    assert_eq!(retired.len(), 1);
    assert_eq!((retired[0].rule.clone(), retired[0].segments.len()), (Rule::DropForever, 8));
    let (events, _) = totals(&usage);
    assert_eq!(events as u64 + retired[0].events, 400);
    assert_eq!(usage.published().len(), 4);
    drop((store, usage));
    assert_eq!(totals(&open_small(root.path()).await.1).0, events);
}

/// G1
#[tokio::test]
async fn the_sweep_deletes_what_nothing_names_and_never_what_a_query_holds() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = four_publishes(root.path()).await;
    let orphan = root.path().join("store/segments/usage/hour/00000000-00000007_0.parquet");
    std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    std::fs::write(&orphan, b"of a process that was killed").unwrap();
    let unfinished = root.path().join("store/manifest/records/.7.99.0.tmp");
    std::fs::write(&unfinished, b"never finished").unwrap();

    let snapshot = usage.snapshot(Interval::ALL);
    let before = files(root.path());
    compact_all(&store, &usage).await;
    assert_eq!(store.sweep(Duration::from_secs(3_600)).await.unwrap(), Swept::default());
    let swept = store.sweep(Duration::ZERO).await.unwrap();
    assert_eq!((swept.files, swept.bytes), (2, 28 + 14));
    assert!(!orphan.exists() && !unfinished.exists());
    // The query that began before the merge reads the files that it began with, also anew.
    assert!(before.iter().filter(|path| !path.contains("/hour/")).all(|path| files(root.path()).contains(path)));
    let mut events = 0;
    for segment in &snapshot.segments {
        if let SegmentView::Published(segment) = segment {
            segment.discard_serving();
        }
        let reader = segment.open(&["events"]).unwrap();
        let measure = Arc::new(snapshot.schema.arrow().project(&[2]).unwrap());
        for batch in reader.batches(measure, &RowSet::all(reader.row_count())) {
            events += batch.unwrap().column(0).as_primitive::<Int64Type>().values().iter().sum::<i64>();
        }
    }
    assert_eq!(events, 400);

    drop(snapshot);
    let swept = store.sweep(Duration::ZERO).await.unwrap();
    assert_eq!(swept.files, 12);
    assert_eq!(files(root.path()), live_files(&usage));
    assert_eq!(totals(&usage), expected(400));
    let serving = store.cache_stats().files;
    assert_eq!(serving, usage.published().len(), "serving forms of retired segments are gone");
}

#[tokio::test]
async fn the_sweep_leaves_the_files_of_a_publish_in_flight() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = four_publishes(root.path()).await;
    let task = planned(&store).await.remove(0);
    let (other, runtime) = (store.clone(), Handle::current());
    let sweep = move || {
        let swept = runtime.block_on(other.sweep(Duration::ZERO)).unwrap();
        assert_eq!(swept, Swept::default());
        Ok(())
    };
    run(&store, &usage, task, sweep).await.unwrap();
    assert_eq!(totals(&usage), expected(400));
}

#[tokio::test]
async fn a_fenced_process_neither_merges_nor_sweeps() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = four_publishes(root.path()).await;
    // Another process that shares only the objects takes over.
    let objects = store.files.objects.clone();
    let mut newer = ManifestLog::open(objects).await.unwrap();
    newer.claim_epoch(Slot::WHOLE, NOW).await.unwrap();
    let task = planned(&store).await.remove(0);
    let refused = run(&store, &usage, task, || Ok(())).await.unwrap_err();
    assert!(matches!(refused, CompactionError::Store(StoreError::Fenced { .. })), "{refused}");
    for refused in [store.sweep(Duration::ZERO).await.unwrap_err(), store.reconcile().await.unwrap_err()] {
        assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_timeline_that_fell_behind_the_manifest_catches_up() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = four_publishes(root.path()).await;
    assert_eq!(store.reconcile().await.unwrap(), 0);
    let before = usage.published_segments();
    compact_all(&store, &usage).await;
    let after = live_files(&usage);
    // As if the answer to the last commit had been lost.
    let merged: Vec<SegmentId> = usage.published().into_iter().map(|meta| meta.id).collect();
    usage.replace(&before, &merged);
    assert_eq!(totals(&usage), expected(400));
    assert_eq!(store.reconcile().await.unwrap(), 1);
    assert_eq!((live_files(&usage), totals(&usage)), (after, expected(400)));
}

/// Q2, R1: merges, a reader and publishes at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_sees_every_event_once_while_segments_are_merged() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = open_small(root.path()).await;
    let reader = {
        let usage = usage.clone();
        std::thread::spawn(move || {
            let (mut last, mut polls) = (0, 0);
            while last < 1_000 {
                let (events, bytes) = totals(&usage);
                assert!(last <= events && events <= 1_000, "{events} after {last}");
                assert_eq!((events, bytes), expected(events));
                (last, polls) = (events, polls + 1);
            }
            polls
        })
    };
    for start in (0..1_000).step_by(100) {
        publish(&store, &usage, start, start + 100).await;
        compact_all(&store, &usage).await;
        store.sweep(Duration::ZERO).await.unwrap();
    }
    assert!(reader.join().unwrap() > 10);
    assert_eq!(files(root.path()), live_files(&usage));
}
