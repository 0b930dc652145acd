mod upkeep;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use henge_indexing::RowSet;

use super::*;
use crate::event::{DimensionValue, EventRow, MeasureValue};
use crate::ledger::LedgerCounts;
use crate::schema::{Aggregation, Dimension, DimensionType, Measure};
use crate::stream::{Offset, OffsetRange, StreamPartition};
use crate::time::{Interval, TimestampMs};

const HOUR_MS: i64 = 3_600_000;

fn options(root: &Path) -> StoreOptions {
    StoreOptions::local(root)
}

fn usage() -> DataSourceName {
    DataSourceName::new("usage").unwrap()
}

fn schema() -> DataSourceSchema {
    DataSourceSchema {
        dimensions: vec![Dimension { name: "org".into(), kind: DimensionType::String }],
        measures: vec![
            Measure { name: "events".into(), aggregation: Aggregation::Count },
            Measure { name: "bytes".into(), aggregation: Aggregation::LongSum },
        ],
        rollup: true,
        query_granularity: "1m".parse().unwrap(),
        segment_granularity: "1h".parse().unwrap(),
        sort: Vec::new(),
        tenant: None,
    }
}

fn event(number: i64) -> EventRow {
    let mut row = EventRow::new(1, 2);
    row.time = TimestampMs(number * 977 % (3 * HOUR_MS));
    row.set_dimension(0, DimensionValue::String(["eu", "us", "ap"][number as usize % 3]));
    row.set_measure(1, MeasureValue::Long(number));
    row
}

/// Offsets `start..end` of partition 0, all accepted.
fn consumed(start: i64, end: i64) -> Consumed {
    let range = ConsumedRange {
        partition: StreamPartition { topic: "t".into(), partition: 0 },
        range: OffsetRange { start: Offset(start), end: Offset(end) },
        topic_id: None,
        leader_epoch: None,
        counts: LedgerCounts { accepted: (end - start) as u64, ..Default::default() },
    };
    Consumed { ranges: vec![range], ..Consumed::default() }
}

async fn open(root: &Path) -> (Arc<Store>, Arc<DataSource>) {
    let store = Store::open(options(root)).await.unwrap();
    if store.data_source("usage").is_none() {
        store
            .put_supervisor(&usage(), schema(), serde_json::json!({"a": 1}), false, UpkeepPolicy::default())
            .await
            .unwrap();
    }
    let data_source = store.data_source("usage").unwrap();
    (store, data_source)
}

/// Sums of `events` and `bytes` over everything that a query sees.
fn totals(data_source: &DataSource) -> (i64, i64) {
    let snapshot = data_source.snapshot(Interval::ALL);
    let mut totals = (0, 0);
    for segment in &snapshot.segments {
        let reader = segment.open(&["events", "bytes"]).unwrap();
        let measures = Arc::new(snapshot.schema.arrow().project(&[2, 3]).unwrap());
        for batch in reader.batches(measures, &RowSet::all(reader.row_count())) {
            let batch = batch.unwrap();
            totals.0 += batch.column(0).as_primitive::<Int64Type>().values().iter().sum::<i64>();
            totals.1 += batch.column(1).as_primitive::<Int64Type>().values().iter().sum::<i64>();
        }
    }
    totals
}

fn expected(events: i64) -> (i64, i64) {
    (events, (0..events).sum())
}

#[tokio::test]
async fn lanes_are_seen_and_cut_together_and_make_a_segment_each() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = open(root.path()).await;
    let events: Vec<EventRow> = (0..1_000).map(event).collect();
    for (lane, events) in events.chunks(250).enumerate() {
        usage.append_in_lane(lane, events);
    }
    assert_eq!(totals(&usage), expected(1_000));
    let stats = usage.open_stats();
    assert_eq!((stats.time_chunks, stats.open_segments), (1, 4));
    let frozen = usage.cut();
    assert_eq!((usage.open_stats().rows, frozen.events()), (0, 1_000));
    usage.append_in_lane(3, &events[..1]);
    assert_eq!(totals(&usage), (1_001, expected(1_000).1), "event 0, which has no bytes, once more");
    assert_eq!(store.publish(&usage, &frozen, consumed(0, 1_000)).await.unwrap().len(), 4);
    assert_eq!(totals(&usage), (1_001, expected(1_000).1));
    usage.discard_unpublished();
    assert_eq!(totals(&usage), expected(1_000));
}

#[tokio::test]
async fn events_stay_visible_once_from_append_over_cut_and_publish_to_restart() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = open(root.path()).await;
    usage.append(&(0..1_000).map(event).collect::<Vec<_>>());
    assert_eq!(totals(&usage), expected(1_000));
    let frozen = usage.cut();
    assert_eq!(totals(&usage), expected(1_000));
    usage.append(&(1_000..1_500).map(event).collect::<Vec<_>>());
    assert_eq!(totals(&usage), expected(1_500));
    let published = store.publish(&usage, &frozen, consumed(0, 1_000)).await.unwrap();
    assert_eq!(published.len(), 1);
    assert_eq!(totals(&usage), expected(1_500));

    drop((store, usage));
    let (store, usage) = open(root.path()).await;
    assert_eq!(totals(&usage), expected(1_000));
    assert_eq!(store.supervisors()[0].spec, serde_json::json!({"a": 1}));
    let position = usage.progress().checkpoint.get(&StreamPartition { topic: "t".into(), partition: 0 }).unwrap();
    assert_eq!(position.next, Offset(1_000));
}

#[tokio::test]
async fn a_segment_file_reads_back_with_its_provenance() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = open(root.path()).await;
    usage.append(&(0..100).map(event).collect::<Vec<_>>());
    let published = store.publish(&usage, &usage.cut(), consumed(0, 100)).await.unwrap();
    let file = File::open(root.path().join("store").join(&published[0].path)).unwrap();
    let reader = parquet::file::serialized_reader::SerializedFileReader::new(file).unwrap();
    let metadata = parquet::file::reader::FileReader::metadata(&reader).file_metadata().clone();
    assert_eq!(metadata.num_rows() as u64, published[0].rows);
    let values = metadata.key_value_metadata().unwrap();
    let json = values.iter().find(|pair| pair.key == "henge.segment").and_then(|pair| pair.value.clone()).unwrap();
    let provenance: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(provenance["events"], 100);
    assert_eq!(provenance["consumed"][0]["range"], serde_json::json!({"start": 0, "end": 100}));
}

#[tokio::test]
async fn a_second_process_on_the_directory_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let (_store, _usage) = open(root.path()).await;
    let refused = Store::open(options(root.path())).await.unwrap_err();
    assert!(matches!(refused, StoreError::Locked(_)), "{refused}");
}

#[tokio::test]
async fn a_publish_that_does_not_follow_the_checkpoint_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = open(root.path()).await;
    usage.append(&(0..10).map(event).collect::<Vec<_>>());
    let frozen = usage.cut();
    store.publish(&usage, &frozen, consumed(0, 10)).await.unwrap();
    usage.append(&(10..20).map(event).collect::<Vec<_>>());
    let frozen = usage.cut();
    let refused = store.publish(&usage, &frozen, consumed(9, 19)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Checkpoint { .. }), "{refused}");
    assert_eq!(totals(&usage), expected(20));
    store.publish(&usage, &frozen, consumed(10, 20)).await.unwrap();
    assert_eq!(totals(&usage), expected(20));
}

/// Segments of 100 events, each of a publish of its own.
async fn segments(root: &Path, count: i64) -> (Arc<Store>, Arc<DataSource>) {
    let (store, usage) = open(root).await;
    for start in (0..count * 100).step_by(100) {
        usage.append(&(start..start + 100).map(event).collect::<Vec<_>>());
        store.publish(&usage, &usage.cut(), consumed(start, start + 100)).await.unwrap();
    }
    (store, usage)
}

fn flip_a_bit(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_serving_form_that_is_missing_damaged_or_older_is_made_again() {
    let root = tempfile::tempdir().unwrap();
    let (_store, usage) = segments(root.path(), 1).await;
    let segment = &usage.published_segments()[0];
    let path = segment.serving_path();
    let whole = std::fs::read(&path).unwrap();
    let place = segment.serving(&[]).unwrap().layout().last().unwrap().values.byte_offset as usize;
    let harms: [&dyn Fn(&Path); 3] =
        [&|path| std::fs::remove_file(path).unwrap(), &|path| flip_a_bit(path, place), &|path| {
            std::fs::write(path, b"bytes of another format version").unwrap()
        }];
    for harm in harms {
        segment.close_serving();
        harm(&path);
        assert_eq!(totals(&usage), expected(100));
        assert_eq!(std::fs::read(&path).unwrap(), whole, "made from the Parquet file as from the rows");
    }
}

#[tokio::test]
async fn a_restart_makes_missing_serving_forms_and_deletes_those_of_no_segment() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = segments(root.path(), 3).await;
    let path = usage.published_segments()[0].serving_path();
    assert_eq!(store.cache_stats().files, 3);
    let stranger = path.with_file_name("0-0_7.serving");
    std::fs::copy(&path, &stranger).unwrap();
    std::fs::remove_file(&path).unwrap();
    drop((store, usage));
    let (store, usage) = open(root.path()).await;
    assert!(!stranger.exists());
    assert_eq!((store.cache_stats().files, store.make_missing_serving_forms().await), (2, 1));
    assert!(path.exists());
    assert_eq!(totals(&usage), expected(300));
}

#[tokio::test]
async fn the_cache_keeps_what_was_used_last_and_what_a_query_holds() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = segments(root.path(), 3).await;
    let bytes = std::fs::metadata(usage.published_segments()[0].serving_path()).unwrap().len();
    drop((store, usage));
    // Room for one of the three.
    let options = StoreOptions { cache_bytes_max: bytes * 3 / 2, ..options(root.path()) };
    let store = Store::open(options).await.unwrap();
    assert_eq!(store.cache_stats().files, 1);
    let usage = store.data_source("usage").unwrap();
    let segments = usage.published_segments();
    let held = segments[0].serving(&[]).unwrap();
    segments[1].serving(&[]).unwrap();
    segments[2].serving(&[]).unwrap();
    let kept: Vec<bool> = segments.iter().map(|segment| segment.has_serving()).collect();
    assert_eq!(kept, [true, false, true]);
    drop(held);
    assert_eq!(totals(&usage), expected(300));
    assert_eq!(store.cache_stats().files, 1);
}

#[tokio::test]
async fn a_segment_without_a_whole_file_is_an_error_that_names_it_until_a_good_copy_is_back() {
    let root = tempfile::tempdir().unwrap();
    let (_store, usage) = segments(root.path(), 1).await;
    let segment = &usage.published_segments()[0];
    let path = root.path().join("store").join(&segment.meta.path);
    let good = std::fs::read(&path).unwrap();
    flip_a_bit(&path, good.len() / 2);
    assert_eq!(totals(&usage), expected(100), "the serving form is whole");
    segment.discard_serving();
    let view = &usage.snapshot(Interval::ALL).segments[0];
    let error = view.open(&["bytes"]).unwrap_err();
    let id = &segment.meta.id;
    assert_eq!(error.to_string(), format!("segment `{id}` is corrupt: its digest is not the manifest's"));
    assert_eq!(segment.damage().unwrap().detail, "its digest is not the manifest's");
    std::fs::write(&path, good).unwrap();
    assert_eq!(totals(&usage), expected(100));
    assert!(segment.damage().is_none());
}

#[tokio::test]
async fn a_column_that_came_later_is_null_in_older_segments() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = open(root.path()).await;
    usage.append(&[event(0)]);
    store.publish(&usage, &usage.cut(), consumed(0, 1)).await.unwrap();
    let mut wider = schema();
    wider.dimensions.push(Dimension { name: "topic".into(), kind: DimensionType::String });
    store.put_supervisor(usage.name(), wider, serde_json::json!({}), false, UpkeepPolicy::default()).await.unwrap();
    let snapshot = usage.snapshot(Interval::ALL);
    let reader = snapshot.segments[0].open(&["events", "topic", "org"]).unwrap();
    let projected = Arc::new(snapshot.schema.arrow().project(&[2, 1]).unwrap());
    let batch = reader.batches(projected, &RowSet::all(1)).next().unwrap().unwrap();
    assert_eq!(batch.column(0).null_count(), 1);
    assert_eq!(batch.column(1).as_string_view().value(0), "eu");
}

#[tokio::test]
async fn a_reset_forgets_what_is_not_published_and_keeps_the_rest() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = open(root.path()).await;
    usage.append(&(0..10).map(event).collect::<Vec<_>>());
    store.publish(&usage, &usage.cut(), consumed(0, 10)).await.unwrap();
    usage.append(&(10..20).map(event).collect::<Vec<_>>());
    store.reset(usage.name(), "topic recreated".into()).await.unwrap();
    assert_eq!(totals(&usage), expected(10));
    let progress = usage.progress();
    assert_eq!((progress.generation, progress.resets.len()), (1, 1));
    assert_eq!(progress.checkpoint, Default::default());
}

/// Q2: while one thread appends, cuts and publishes, readers never see a count fall or pass what was appended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_never_sees_an_event_twice_or_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let (store, usage) = open(root.path()).await;
    let reader = {
        let usage = usage.clone();
        std::thread::spawn(move || {
            let mut last = 0;
            while last < 20_000 {
                let (events, _) = totals(&usage);
                assert!(last <= events && events <= 20_000, "{events} after {last}");
                last = events;
            }
        })
    };
    for batch in 0..200 {
        let (start, end) = (batch * 100, batch * 100 + 100);
        usage.append(&(start..end).map(event).collect::<Vec<_>>());
        if batch % 20 == 19 {
            let frozen = usage.cut();
            let from = (batch / 20) * 2_000;
            store.publish(&usage, &frozen, consumed(from, from + 2_000)).await.unwrap();
        }
    }
    reader.join().unwrap();
    assert_eq!(totals(&usage), expected(20_000));
}
