use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::{SortColumn, SortOptions, concat_batches, lexsort_to_indices, take_record_batch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool, UnboundedMemoryPool};
use henge_indexing::{NumberTest, Predicate, TextTest};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::store::{Consumed, Store, StoreOptions};
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition};
use henge_segment_store::time::{Granularity, Interval, TimestampMs};
use henge_segment_store::upkeep::UpkeepPolicy;

use super::*;
use crate::error::QueryErrorKind;

const HOUR_MS: i64 = 3_600_000;
const TEXTS: [&str; 6] = ["", "a", "ab", "b", "zz", "é"];
const LONGS: [i64; 5] = [0, -1, 7, i64::MIN, i64::MAX];
const DOUBLES: [f64; 7] = [0.0, -0.0, 1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e300];

/// SplitMix64: the same rows everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % end as u64) as usize
    }

    /// One of a few values, or null.
    fn of<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        values.get(self.below(values.len() + 1)).copied()
    }
}

fn schema() -> DataSourceSchema {
    let dimension = |name: &str, kind| Dimension { name: name.into(), kind };
    DataSourceSchema {
        dimensions: vec![
            dimension("few", DimensionType::String),
            dimension("many", DimensionType::String),
            dimension("long", DimensionType::Long),
            dimension("double", DimensionType::Double),
            dimension("flag", DimensionType::Boolean),
            dimension("seq", DimensionType::Long),
        ],
        measures: vec![Measure { name: "bytes".into(), aggregation: Aggregation::LongSum }],
        sort: Vec::new(),
        rollup: false,
        query_granularity: Granularity::NONE,
        segment_granularity: "1h".parse().unwrap(),
    }
}

/// Rows of a few hours, more or less in the order of time.
fn rows(count: usize, numbers: &mut Numbers) -> Vec<EventRow> {
    let row = |seq: usize| {
        let mut row = EventRow::new(6, 1);
        row.time =
            TimestampMs((seq * 4 / count.max(1)) as i64 * HOUR_MS + numbers.below(HOUR_MS as usize / 100) as i64);
        let null = DimensionValue::Null;
        row.set_dimension(0, numbers.of(&TEXTS).map_or(null, DimensionValue::String));
        let many = format!("text {}", numbers.below(500));
        row.set_dimension(1, if numbers.below(9) == 0 { null } else { DimensionValue::String(&many) });
        row.set_dimension(2, numbers.of(&LONGS).map_or(null, DimensionValue::Long));
        row.set_dimension(3, numbers.of(&DOUBLES).map_or(null, DimensionValue::Double));
        row.set_dimension(4, numbers.of(&[true, false]).map_or(null, DimensionValue::Boolean));
        row.set_dimension(5, DimensionValue::Long(seq as i64));
        if numbers.below(5) > 0 {
            row.set_measure(0, MeasureValue::Long(numbers.below(1_000_000) as i64));
        }
        row
    };
    (0..count).map(row).collect()
}

/// A datasource of which some rows are published and the others open.
struct Data {
    _directory: tempfile::TempDir,
    source: Arc<DataSource>,
}

impl Data {
    async fn new(published: &[EventRow], open: &[EventRow]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(StoreOptions::local(directory.path())).await.unwrap();
        let name = DataSourceName::new("events").unwrap();
        store.put_supervisor(&name, schema(), serde_json::Value::Null, false, UpkeepPolicy::default()).await.unwrap();
        let source = store.data_source("events").unwrap();
        if !published.is_empty() {
            source.append(published);
            let events = published.len();
            let range = ConsumedRange {
                partition: StreamPartition { topic: "t".into(), partition: 0 },
                range: OffsetRange { start: Offset(0), end: Offset(events as i64) },
                topic_id: None,
                leader_epoch: None,
                counts: LedgerCounts { accepted: events as u64, ..LedgerCounts::default() },
            };
            let consumed = Consumed { ranges: vec![range], ..Consumed::default() };
            store.publish(&source, &source.cut(), consumed).await.unwrap();
        }
        source.append(open);
        Self { _directory: directory, source }
    }

    fn segments(&self) -> Vec<SegmentView> {
        self.source.snapshot(Interval::ALL).segments
    }

    /// All rows that pass a filter, in no particular order.
    fn filtered(&self, filter: &RowFilter) -> RecordBatch {
        let schema = schema().arrow();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut batches = Vec::new();
        for segment in self.segments() {
            let reader = segment.open(&names).unwrap();
            let rows = filter.rows_of(&segment, &reader, false).unwrap();
            batches.extend(reader.batches(schema.clone(), &rows).map(Result::unwrap));
        }
        concat_batches(&schema, &batches).unwrap()
    }
}

fn context(memory: Arc<dyn MemoryPool>) -> OperatorContext {
    let threads = NonZeroUsize::new(2).unwrap();
    OperatorContext { threads, memory, cancelled: Arc::default(), metrics: Arc::default() }
}

fn everything() -> RowFilter {
    RowFilter { interval: Interval::ALL, predicate: None }
}

fn task(data: &Data, filter: RowFilter, order: Vec<SortKey>, count: usize) -> TopRowsTask {
    TopRowsTask {
        filter: Some(filter),
        segments: data.segments(),
        order,
        count: NonZeroUsize::new(count).unwrap(),
        output: schema().arrow(),
        use_indexes: true,
    }
}

fn run(task: &TopRowsTask) -> RecordBatch {
    let batches = task.run(&context(Arc::new(UnboundedMemoryPool::default()))).unwrap();
    assert!(batches.iter().all(|batch| batch.num_rows() <= 8_192));
    concat_batches(&task.output, &batches).unwrap()
}

fn sorted(rows: &RecordBatch, order: &[SortKey], count: usize) -> RecordBatch {
    let columns = order.iter().map(|key| SortColumn {
        values: rows.column(key.column).clone(),
        options: Some(SortOptions { descending: key.order.is_descending, nulls_first: key.order.is_nulls_first }),
    });
    let indices = lexsort_to_indices(&columns.collect::<Vec<_>>(), Some(count)).unwrap();
    take_record_batch(rows, &indices).unwrap()
}

fn seqs(rows: &RecordBatch) -> Vec<i64> {
    let place = rows.schema().index_of("seq").unwrap();
    rows.column(place).as_primitive::<Int64Type>().values().to_vec()
}

/// The rows have the keys of the first ones of all, and are rows of the datasource, each once.
fn check(task: &TopRowsTask, all: &RecordBatch) {
    let (found, expected) = (run(task), sorted(all, &task.order, task.count.get()));
    let keys: Vec<usize> = task.order.iter().map(|key| key.column).collect();
    let case = format!("{:?} of {}", task.order, task.count);
    assert_eq!(found.project(&keys).unwrap(), expected.project(&keys).unwrap(), "{case}");
    let by_seq = [SortKey { column: all.schema().index_of("seq").unwrap(), order: ASCENDING }];
    let found = sorted(&found, &by_seq, usize::MAX);
    let wanted = seqs(&found);
    assert!(wanted.is_sorted_by(|left, right| left < right), "{case}: a row twice");
    let all = sorted(all, &by_seq, usize::MAX);
    let known = seqs(&all);
    let places = wanted.iter().map(|seq| known.binary_search(seq).expect("a row that passes") as u32);
    let same = take_record_batch(&all, &places.collect::<Vec<_>>().into()).unwrap();
    assert_eq!(found, same, "{case}");
}

const ASCENDING: SortOrder = SortOrder { is_descending: false, is_nulls_first: true };
const DESCENDING: SortOrder = SortOrder { is_descending: true, is_nulls_first: false };

/// `__time` is in front of the dimensions.
fn place(name: &str) -> usize {
    schema().arrow().index_of(name).unwrap()
}

fn by(name: &str, order: SortOrder) -> SortKey {
    SortKey { column: place(name), order }
}

fn filters() -> [RowFilter; 4] {
    let text = |test| Some(Predicate::Text { column: "few".into(), test });
    let long = NumberTest::In(vec![i64::MAX, -1]);
    let hours = Interval::new(TimestampMs(HOUR_MS / 200), TimestampMs(3 * HOUR_MS + 9)).unwrap();
    [
        everything(),
        RowFilter { interval: Interval::ALL, predicate: text(TextTest::equal("ab")) },
        RowFilter { interval: hours, predicate: Some(Predicate::Long { column: "long".into(), test: long }) },
        RowFilter { interval: Interval::ALL, predicate: text(TextTest::equal("no such text")) },
    ]
}

#[tokio::test]
async fn the_first_rows_are_those_of_a_full_sort() {
    let mut numbers = Numbers(5);
    for (published, open) in [(0, 0), (0, 3), (9_000, 0), (0, 9_000), (5_000, 3_000), (1_025, 1)] {
        let all = rows(published + open, &mut numbers);
        let data = Data::new(&all[..published], &all[published..]).await;
        for filter in filters() {
            let all = data.filtered(&filter);
            for _ in 0..25 {
                let order = (0..1 + numbers.below(3)).map(|_| SortKey {
                    column: numbers.below(schema().arrow().fields().len()),
                    order: SortOrder { is_descending: numbers.below(2) == 0, is_nulls_first: numbers.below(2) == 0 },
                });
                let order = order.collect();
                let count = [1, 2, 10, 100, 1_000, 3_000, 50_000][numbers.below(7)];
                check(&task(&data, filter.clone(), order, count), &all);
            }
        }
    }
}

#[tokio::test]
async fn only_the_segments_that_may_hold_such_rows_are_read() {
    let all = rows(8_000, &mut Numbers(6));
    let data = Data::new(&all[..6_000], &all[6_000..]).await;
    assert_eq!(data.segments().len(), 4);
    for (order, filter) in [(DESCENDING, everything()), (ASCENDING, everything()), (DESCENDING, filters()[1].clone())] {
        let task = task(&data, filter, vec![by("__time", order), by("seq", ASCENDING)], 100);
        let context =
            OperatorContext { threads: NonZeroUsize::MIN, ..context(Arc::new(UnboundedMemoryPool::default())) };
        task.run(&context).unwrap();
        assert_eq!(context.metrics.segments.get(), 1, "{order:?}");
    }
}

#[tokio::test]
async fn columns_that_are_not_asked_for_are_not_in_the_answer() {
    let all = rows(3_000, &mut Numbers(7));
    let data = Data::new(&all[..2_000], &all[2_000..]).await;
    let output = Arc::new(schema().arrow().project(&[place("many"), place("seq")]).unwrap());
    let task = TopRowsTask {
        output: output.clone(),
        order: vec![SortKey { column: 1, order: DESCENDING }],
        ..task(&data, everything(), Vec::new(), 3)
    };
    let found = run(&task);
    assert_eq!((found.schema(), seqs(&found)), (output, vec![2_999, 2_998, 2_997]));
    let nothing = TopRowsTask { filter: None, ..task };
    assert_eq!(nothing.run(&context(Arc::new(UnboundedMemoryPool::default()))), Ok(Vec::new()));
}

#[tokio::test]
async fn memory_is_bounded_and_a_cancelled_query_ends() {
    let all = rows(8_000, &mut Numbers(8));
    let data = Data::new(&all[..4_000], &all[4_000..]).await;
    let task = task(&data, everything(), vec![by("many", ASCENDING)], 5_000);
    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(10_000));
    let error = task.run(&context(pool.clone())).expect_err("5,000 keys take more");
    assert_eq!(error.kind, QueryErrorKind::ResourceLimit);
    assert_eq!(pool.reserved(), 0);
    let context = context(Arc::new(UnboundedMemoryPool::default()));
    context.cancelled.cancel();
    assert_eq!(task.run(&context).map_err(|error| error.kind), Err(QueryErrorKind::Cancelled));
}
