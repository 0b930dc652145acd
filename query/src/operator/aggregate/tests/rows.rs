//! A store that is filled with random rows, and the same rows as a list.

use std::path::Path;
use std::sync::Arc;

use henge_segment_store::data_source::DataSource;
use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::store::{Consumed, Store as SegmentStore, StoreOptions};
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition};
use henge_segment_store::time::{Granularity, Interval, TimestampMs};
use henge_segment_store::timeline::SegmentView;
use henge_segment_store::upkeep::UpkeepPolicy;

use super::naive::{Cell, Row};

/// 2026-03-07T00:00:00Z, two days before the clocks change in New York.
pub const START_MS: i64 = 1_772_841_600_000;
pub const DAY_MS: i64 = 86_400_000;

/// Numbers from a seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

pub fn requests() -> DataSourceName {
    DataSourceName::new("requests").unwrap()
}

pub struct Store {
    store: Arc<SegmentStore>,
    source: Option<Arc<DataSource>>,
    generation: u64,
    random: Random,
    pub rows: Vec<Row>,
    published: i64,
}

impl Store {
    pub async fn new(directory: &Path) -> Self {
        let store = SegmentStore::open(StoreOptions::local(directory)).await.unwrap();
        Self { store, source: None, generation: 0, random: Random(7), rows: Vec::new(), published: 0 }
    }

    pub fn spill_directory(&self) -> &Path {
        self.store.spill_directory()
    }

    /// The first, second or third schema: columns widen, and one is added.
    pub async fn declare(&mut self, generation: u64) {
        let schema = schema(generation);
        let policy = UpkeepPolicy::default();
        self.store.put_supervisor(&requests(), schema, serde_json::Value::Null, false, policy).await.unwrap();
        self.source = Some(self.store.data_source("requests").unwrap());
        self.generation = generation;
    }

    pub fn append(&mut self, count: usize) {
        let mut events = Vec::new();
        for _ in 0..count {
            let row = row(&mut self.random, self.generation);
            events.push(event(&row));
            self.rows.push(row);
        }
        self.source().append(&events);
    }

    pub async fn publish(&mut self) {
        let end = self.rows.len() as i64;
        let range = ConsumedRange {
            partition: StreamPartition { topic: "t".into(), partition: 0 },
            range: OffsetRange { start: Offset(self.published), end: Offset(end) },
            topic_id: None,
            leader_epoch: None,
            counts: LedgerCounts { accepted: (end - self.published) as u64, ..LedgerCounts::default() },
        };
        let consumed = Consumed { ranges: vec![range], ..Consumed::default() };
        self.store.publish(self.source(), &self.source().cut(), consumed).await.unwrap();
        self.published = end;
    }

    pub fn segments(&self) -> Vec<SegmentView> {
        self.source().snapshot(Interval::ALL).segments
    }

    fn source(&self) -> &DataSource {
        self.source.as_ref().unwrap()
    }
}

const NAMES: [&str; 11] =
    ["tenant", "path", "near", "wide", "ratio", "flag", "widened", "promoted", "added", "bytes", "cost"];
const MEASURES: usize = 2;

fn schema(generation: u64) -> DataSourceSchema {
    use DimensionType::{Boolean, Double, Long, String};
    let widened = [Long, Double, String][generation as usize];
    let promoted = if generation == 0 { Long } else { Double };
    let kinds = [String, String, Long, Long, Double, Boolean, widened, promoted, String];
    let dimensions = NAMES.iter().zip(kinds).map(|(name, kind)| Dimension { name: (*name).into(), kind });
    let added = if generation == 0 { 8 } else { 9 };
    DataSourceSchema {
        dimensions: dimensions.take(added).collect(),
        measures: vec![
            Measure { name: "bytes".into(), aggregation: Aggregation::LongSum },
            Measure { name: "cost".into(), aggregation: Aggregation::DoubleSum },
        ],
        sort: Vec::new(),
        tenant: None,
        rollup: false,
        query_granularity: Granularity::NONE,
        segment_granularity: "1d".parse().unwrap(),
    }
}

/// Two days' rows mostly; the first tenant's are many, so that sorted blocks have one tenant.
fn row(random: &mut Random, generation: u64) -> Row {
    let time = START_MS + (random.next() % (2 * DAY_MS as u64 + 5)) as i64 / 1_000 * 1_000;
    let tenants = ["acme", "acme", "acme", "acme", "beta", "", "gamma limited partners"];
    let tenant = match random.below(8) {
        7 => Cell::Null,
        place => Cell::Text(tenants[place].into()),
    };
    let path = match random.below(9) {
        0 => Cell::Null,
        _ => Cell::Text(format!("/a/longer/path/{}", random.below(700))),
    };
    let near = if random.below(10) == 0 { Cell::Null } else { Cell::Long(random.below(9) as i64 - 2) };
    let wide = match random.below(6) {
        0 => Cell::Null,
        1 => Cell::Long([i64::MAX, i64::MIN, i64::MAX - 1][random.below(3)]),
        _ => Cell::Long(random.below(50) as i64 * 1_000_000_007),
    };
    let doubles = [0.0, -0.0, 0.1, 0.2, 1e17, -1e17, 5e-324, -7.25, 3e9, 1e-5, f64::INFINITY];
    let ratio = match random.below(24) {
        0 | 1 => Cell::Null,
        2 => Cell::double(f64::NAN),
        place => Cell::double(doubles[place % doubles.len()]),
    };
    let flag = [Cell::Null, Cell::Flag(true), Cell::Flag(false)][random.below(3)].clone();
    let long = random.below(4) as i64 - 1;
    let widened = match (random.below(5), generation) {
        (0, _) => Cell::Null,
        (_, 0) => Cell::Long(long),
        (place, 1) => Cell::double([long as f64, 0.5, -0.0][place % 3]),
        (place, _) => Cell::Text(["0", "0.5", "-1", "other"][place % 4].into()),
    };
    let promoted = match (random.below(5), generation) {
        (0, _) => Cell::Null,
        (1, 0) => Cell::Long((1 << 53) + long),
        (_, 0) => Cell::Long(long),
        (place, _) => Cell::double([long as f64, 0.5, 9_007_199_254_740_992.0][place % 3]),
    };
    let added = match generation {
        0 => Cell::Null,
        _ => Cell::Text(format!("v{}", random.below(3))),
    };
    let bytes = Cell::Long(random.below(1_000_000) as i64);
    let cost = if random.below(7) == 0 { Cell::Null } else { Cell::double(random.below(1_000) as f64 / 10.0) };
    let values = [tenant, path, near, wide, ratio, flag, widened, promoted, added, bytes, cost];
    Row { time, values: NAMES.iter().map(|name| (*name).to_owned()).zip(values).collect() }
}

fn event(row: &Row) -> EventRow {
    let dimensions = NAMES.len() - MEASURES;
    let mut event = EventRow::new(dimensions, MEASURES);
    event.time = TimestampMs(row.time);
    for (place, name) in NAMES.iter().enumerate() {
        let cell = &row.values[*name];
        if place >= dimensions {
            event.set_measure(
                place - dimensions,
                match cell {
                    Cell::Long(long) => MeasureValue::Long(*long),
                    Cell::Double(bits) => MeasureValue::Double(bits.0),
                    _ => MeasureValue::Null,
                },
            );
            continue;
        }
        event.set_dimension(
            place,
            match cell {
                Cell::Null => DimensionValue::Null,
                Cell::Text(text) => DimensionValue::String(text),
                Cell::Long(long) => DimensionValue::Long(*long),
                Cell::Double(double) => DimensionValue::Double(double.0),
                Cell::Flag(flag) => DimensionValue::Boolean(*flag),
            },
        );
    }
    event
}
