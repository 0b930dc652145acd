use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::physical_plan::execution_plan::execute_stream_partitioned;
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt;
use henge_indexing::{NumberTest, Predicate};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::event::{DimensionValue, EventRow};
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::schema::{DataSourceSchema, Dimension, DimensionType};
use henge_segment_store::store::{Consumed, Store, StoreOptions};
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition};
use henge_segment_store::time::Granularity;
use henge_segment_store::upkeep::UpkeepPolicy;

use super::*;

const ROWS: i64 = 10_000;

/// One column of longs, `0..ROWS`, all in one segment, a second apart.
async fn with_rows(directory: &std::path::Path) -> (Arc<Store>, Arc<DataSource>) {
    let schema = DataSourceSchema {
        dimensions: vec![Dimension { name: "n".into(), kind: DimensionType::Long }],
        measures: Vec::new(),
        sort: Vec::new(),
        tenant: None,
        rollup: false,
        query_granularity: Granularity::NONE,
        segment_granularity: "1d".parse().unwrap(),
    };
    let store = Store::open(StoreOptions::local(directory)).await.unwrap();
    let name = DataSourceName::new("numbers").unwrap();
    store.put_supervisor(&name, schema, serde_json::Value::Null, false, UpkeepPolicy::default()).await.unwrap();
    let numbers = store.data_source("numbers").unwrap();
    let row = |number: i64| {
        let mut row = EventRow::new(1, 0);
        row.time = TimestampMs(number * 1_000);
        row.set_dimension(0, DimensionValue::Long(number));
        row
    };
    numbers.append(&(0..ROWS).map(row).collect::<Vec<_>>());
    (store, numbers)
}

async fn publish(store: &Store, numbers: &DataSource) {
    let range = ConsumedRange {
        partition: StreamPartition { topic: "t".into(), partition: 0 },
        range: OffsetRange { start: Offset(0), end: Offset(ROWS) },
        topic_id: None,
        leader_epoch: None,
        counts: LedgerCounts { accepted: ROWS as u64, ..LedgerCounts::default() },
    };
    let consumed = Consumed { ranges: vec![range], ..Consumed::default() };
    store.publish(numbers, &numbers.cut(), consumed).await.unwrap();
}

fn scan(numbers: &DataSource, filter: RowFilter, limit: Option<u64>, partitions: usize) -> Arc<dyn ExecutionPlan> {
    let snapshot = numbers.snapshot(Interval::ALL);
    let scan = SegmentScanExec::new(numbers.name(), &snapshot, Some(filter), &[1], limit, partitions);
    Arc::new(scan.unwrap())
}

fn context() -> Arc<TaskContext> {
    let config =
        SessionConfig::new().with_extension(QueryShare::of_tests()).with_extension(Arc::<SegmentReads>::default());
    Arc::new(TaskContext::default().with_session_config(config))
}

/// What each partition yields.
async fn read_all(scan: &Arc<dyn ExecutionPlan>) -> Vec<Vec<i64>> {
    let mut partitions = Vec::new();
    for stream in execute_stream_partitioned(scan.clone(), context()).unwrap() {
        let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
        let numbers = |batch: &RecordBatch| batch.column(0).as_primitive::<Int64Type>().values().to_vec();
        partitions.push(batches.iter().flat_map(numbers).collect());
    }
    partitions
}

fn everything() -> RowFilter {
    RowFilter { interval: Interval::ALL, predicate: None }
}

fn among(range: std::ops::Range<i64>) -> RowFilter {
    let test = NumberTest::In(range.collect());
    RowFilter { predicate: Some(Predicate::Long { column: "n".into(), test }), ..everything() }
}

#[tokio::test]
async fn the_matches_of_one_large_segment_are_shared_by_all_partitions() {
    let directory = tempfile::tempdir().unwrap();
    let (store, numbers) = with_rows(directory.path()).await;
    for is_published in [false, true] {
        if is_published {
            publish(&store, &numbers).await;
        }
        for (filter, expected) in [(everything(), 0..ROWS), (among(100..6_000), 100..6_000)] {
            let scan = scan(&numbers, filter, None, 4);
            // A plan may be run again.
            for _ in 0..2 {
                let partitions = read_all(&scan).await;
                let matches = (expected.end - expected.start) as usize;
                assert_eq!(partitions.len(), 4);
                assert!(partitions.iter().all(|rows| rows.len().abs_diff(matches / 4) <= 1_024), "{expected:?}");
                let mut all: Vec<i64> = partitions.concat();
                all.sort_unstable();
                assert!(all.into_iter().eq(expected.clone()));
            }
        }
    }
}

#[tokio::test]
async fn each_partition_stops_at_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let (_store, numbers) = with_rows(directory.path()).await;
    for (limit, expected) in [(0, 0), (7, 7), (1_500, 1_500), (ROWS as u64, ROWS as usize)] {
        let partitions = read_all(&scan(&numbers, everything(), Some(limit), 1)).await;
        assert_eq!(partitions.concat(), (0..expected as i64).collect::<Vec<_>>());
        let partitions = read_all(&scan(&numbers, among(2_000..2_003), Some(limit), 1)).await;
        assert_eq!(partitions.concat(), (2_000..2_003).take(expected).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn an_interval_that_cuts_a_segment_is_tested_row_by_row() {
    let directory = tempfile::tempdir().unwrap();
    let (_store, numbers) = with_rows(directory.path()).await;
    let interval = Interval::new(TimestampMs(1_500), TimestampMs(4_000)).unwrap();
    let filter = RowFilter { interval, ..among(3..9) };
    assert_eq!(read_all(&scan(&numbers, filter, None, 2)).await.concat(), [3]);
    let later = Interval::new(TimestampMs(1_000 * ROWS), TimestampMs::MAX).unwrap();
    let scan = scan(&numbers, RowFilter { interval: later, ..everything() }, None, 2);
    assert_eq!(read_all(&scan).await, [Vec::<i64>::new()]);
}

#[tokio::test]
async fn only_a_count_of_whole_segments_is_exact() {
    let directory = tempfile::tempdir().unwrap();
    let (_store, numbers) = with_rows(directory.path()).await;
    let rows = |filter, limit| {
        let scan = scan(&numbers, filter, limit, 4);
        scan.statistics_from_inputs(&[], &StatisticsArgs::new()).unwrap().num_rows
    };
    let cut = Interval::new(TimestampMs(1_500), TimestampMs::MAX).unwrap();
    assert_eq!(rows(everything(), None), Precision::Exact(ROWS as usize));
    assert_eq!(rows(everything(), Some(5)), Precision::Inexact(5));
    assert_eq!(rows(among(0..9), None), Precision::Inexact(ROWS as usize));
    assert_eq!(rows(RowFilter { interval: cut, ..everything() }, None), Precision::Inexact(ROWS as usize));
}
