//! Seeded rows of every kind of column, some of them published and the others open, for tests of operators.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::execution::memory_pool::{MemoryPool, UnboundedMemoryPool};
use henge_indexing::{NumberTest, Predicate, TextTest};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::store::{Consumed, Store, StoreOptions};
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition};
use henge_segment_store::time::{Granularity, Interval, TimestampMs};
use henge_segment_store::timeline::SegmentView;
use henge_segment_store::upkeep::UpkeepPolicy;

use super::OperatorContext;
use crate::cpu_pool::QueryShare;
use crate::scan::{RowFilter, WaysTaken};
use crate::spill::SpillSpace;

const HOUR_MS: i64 = 3_600_000;
const TEXTS: [&str; 6] = ["", "a", "ab", "b", "zz", "é"];
const LONGS: [i64; 5] = [0, -1, 7, i64::MIN, i64::MAX];
const DOUBLES: [f64; 7] = [0.0, -0.0, 1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e300];

/// SplitMix64: the same rows everywhere.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % end as u64) as usize
    }

    /// One of a few values, or null.
    pub fn of<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        values.get(self.below(values.len() + 1)).copied()
    }
}

pub fn schema() -> DataSourceSchema {
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
        tenant: None,
        rollup: false,
        query_granularity: Granularity::NONE,
        segment_granularity: "1h".parse().unwrap(),
    }
}

/// Rows of a few hours, more or less in the order of time.
pub fn rows(count: usize, numbers: &mut Numbers) -> Vec<EventRow> {
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
pub struct Data {
    _directory: tempfile::TempDir,
    source: Arc<DataSource>,
}

impl Data {
    pub async fn new(published: &[EventRow], open: &[EventRow]) -> Self {
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

    pub fn segments(&self) -> Vec<SegmentView> {
        self.source.snapshot(Interval::ALL).segments
    }

    /// All rows that pass a filter, in no particular order.
    pub fn filtered(&self, filter: &RowFilter) -> RecordBatch {
        let schema = schema().arrow();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut batches = Vec::new();
        for segment in self.segments() {
            let reader = segment.open(&names).unwrap();
            let rows = filter.rows_of(&segment, &reader, false, &WaysTaken::default()).unwrap();
            batches.extend(reader.batches(schema.clone(), &rows).map(Result::unwrap));
        }
        concat_batches(&schema, &batches).unwrap()
    }
}

pub fn context() -> OperatorContext {
    with_memory(Arc::new(UnboundedMemoryPool::default()))
}

pub fn with_memory(memory: Arc<dyn MemoryPool>) -> OperatorContext {
    let threads = NonZeroUsize::new(2).unwrap();
    OperatorContext {
        share: QueryShare::of_tests(),
        threads,
        memory,
        groups_bytes_max: usize::MAX,
        spill: Arc::new(SpillSpace::new(std::env::temp_dir(), 0)),
        cancelled: Arc::default(),
        metrics: Arc::default(),
        reads: Arc::default(),
        results: None,
    }
}

pub fn everything() -> RowFilter {
    RowFilter { interval: Interval::ALL, predicate: None }
}

/// All rows, some, few, and none.
pub fn filters() -> [RowFilter; 4] {
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
