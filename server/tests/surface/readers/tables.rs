use std::path::Path;

use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::schema::{
    Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure, TIME_COLUMN,
};
use henge_segment_store::segment::SegmentMeta;
use henge_segment_store::store::{Consumed, Store, StoreOptions};
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition, TopicId};
use henge_segment_store::time::TimestampMs;
use serde_json::{Value, json};

/// Each is published in so many parts.
const PUBLISHES: i64 = 3;

/// A datasource and what was published of it.
pub struct Table {
    pub name: &'static str,
    pub schema: DataSourceSchema,
    pub segments: Vec<(SegmentMeta, Vec<ConsumedRange>)>,
    /// What was appended, in the order of the columns; `None` where events were folded.
    pub rows: Option<Vec<Value>>,
}

impl Table {
    pub fn columns(&self) -> Vec<&str> {
        let dimensions = self.schema.dimensions.iter().map(|dimension| dimension.name.as_str());
        let measures = self.schema.measures.iter().map(|measure| measure.name.as_str());
        std::iter::once(TIME_COLUMN).chain(dimensions).chain(measures).collect()
    }

    /// Dimensions, then time.
    pub fn sort(&self) -> Vec<&str> {
        let dimensions = self.schema.dimensions.iter().map(|dimension| dimension.name.as_str());
        dimensions.chain([TIME_COLUMN]).collect()
    }
}

/// One event with a value, or none, for everything that either table has.
struct Event {
    time: i64,
    text: Option<String>,
    id: String,
    size: Option<i64>,
    ratio: Option<f64>,
    flag: Option<bool>,
    bytes: Option<i64>,
    extreme: Option<i64>,
    load: Option<f64>,
    peak: Option<f64>,
}

fn pick<T: Clone>(pool: &[T], number: i64) -> Option<T> {
    pool.get(number as usize % (pool.len() + 1)).cloned()
}

impl Event {
    /// Pools of lengths without a common divisor meet in every combination.
    fn plain(number: i64) -> Self {
        const TIMES: [i64; 7] = [-62_135_596_800_000, -86_400_001, -1, 0, 1, 1_700_000_000_123, 253_402_214_399_999];
        let texts = [
            "",
            " ",
            "a",
            "A",
            "a'b",
            "\u{e9}",
            "e\u{301}",
            "日本語",
            "🦀",
            "line\nbreak",
            "\"",
            "\\",
            "NULL",
            "null",
            "%_",
            "a\0b",
            "\u{10ffff}",
            "true",
            "0",
        ];
        let texts = texts.map(str::to_owned).into_iter().chain(["long ".repeat(2_000)]).collect::<Vec<_>>();
        Self {
            time: TIMES[number as usize % TIMES.len()],
            text: pick(&texts, number),
            id: format!("id-{number}"),
            size: pick(&[i64::MIN, i64::MAX, -1, 0, 1, i64::from(i32::MAX) + 1], number / 2),
            ratio: pick(
                &[-0.5, 0.1, -0.0, 0.0, f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 1e15, 1.0 / 3.0],
                number / 3,
            ),
            flag: pick(&[true, false], number / 5),
            bytes: pick(&[0, 1, -1_000_000_007, 1 << 40], number),
            extreme: pick(&[i64::MIN, i64::MAX, 0], number / 7),
            load: pick(&[0.25, -1.75, 1e6], number / 2),
            peak: pick(&[f64::MAX, f64::MIN, 2.5, -7.25], number / 11),
        }
    }

    /// Few keys, so that many events fold into a row.
    fn rolled(number: i64) -> Self {
        let texts = ["", "east", "west", "s\u{fc}d"].map(str::to_owned);
        Self {
            time: number * 7_919 % 7_200_000,
            text: pick(&texts, number / 3),
            size: pick(&[1, 2, -3], number / 2),
            ..Self::plain(number)
        }
    }

    fn row(&self, schema: &DataSourceSchema) -> EventRow {
        let mut row = EventRow::new(schema.dimensions.len(), schema.measures.len());
        row.time = TimestampMs(self.time);
        for (at, dimension) in schema.dimensions.iter().enumerate() {
            let value = match dimension.name.as_str() {
                "text" => self.text.as_deref().map(DimensionValue::String),
                "id" => Some(DimensionValue::String(&self.id)),
                "size" => self.size.map(DimensionValue::Long),
                "ratio" => self.ratio.map(DimensionValue::Double),
                _ => self.flag.map(DimensionValue::Boolean),
            };
            row.set_dimension(at, value.unwrap_or(DimensionValue::Null));
        }
        let measures = [
            self.bytes.map(MeasureValue::Long),
            self.extreme.map(MeasureValue::Long),
            self.extreme.map(MeasureValue::Long),
            self.load.map(MeasureValue::Double),
            self.peak.map(MeasureValue::Double),
        ];
        for (at, value) in measures.into_iter().enumerate() {
            row.set_measure(at + 1, value.unwrap_or(MeasureValue::Null));
        }
        row
    }

    /// The row that this event is where nothing folds.
    fn as_values(&self) -> Value {
        let Self { time, text, id, size, ratio, flag, bytes, extreme, load, peak } = self;
        json!([time, text, id, size, ratio, flag, 1, bytes, extreme, extreme, load, peak])
    }
}

fn schema(dimensions: &[(&str, DimensionType)], rollup: bool) -> DataSourceSchema {
    let dimension = |&(name, kind): &(&str, DimensionType)| Dimension { name: name.into(), kind };
    let measures = [
        ("events", Aggregation::Count),
        ("bytes", Aggregation::LongSum),
        ("least", Aggregation::LongMin),
        ("most", Aggregation::LongMax),
        ("load", Aggregation::DoubleSum),
        ("peak", Aggregation::DoubleMax),
    ];
    DataSourceSchema {
        dimensions: dimensions.iter().map(dimension).collect(),
        measures: measures.map(|(name, aggregation)| Measure { name: name.into(), aggregation }).into(),
        sort: Vec::new(),
        tenant: None,
        rollup,
        query_granularity: if rollup { "1m" } else { "none" }.parse().unwrap(),
        segment_granularity: if rollup { "1h" } else { "1d" }.parse().unwrap(),
    }
}

/// Publishes both tables into a data directory that a server may then be started on.
pub fn publish(data_dir: &Path) -> Vec<Table> {
    use DimensionType::{Boolean, Double, Long, String};
    let plain = [("text", String), ("id", String), ("size", Long), ("ratio", Double), ("flag", Boolean)];
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let options = StoreOptions::local(data_dir);
        let store = Store::open(options).await.unwrap();
        let plain = publish_events(&store, "plain", schema(&plain, false), 840, Event::plain).await;
        let rolled = [("text", String), ("size", Long)];
        let rolled = publish_events(&store, "rolled", schema(&rolled, true), 6_000, Event::rolled).await;
        vec![plain, Table { rows: None, ..rolled }]
    })
}

async fn publish_events(
    store: &Store,
    name: &'static str,
    schema: DataSourceSchema,
    events: i64,
    event: fn(i64) -> Event,
) -> Table {
    let data_source = DataSourceName::new(name).unwrap();
    store.put_supervisor(&data_source, schema.clone(), json!({}), true, Default::default()).await.unwrap();
    let open = store.data_source(name).unwrap();
    let events_each = events / PUBLISHES;
    let mut table = Table { name, schema, segments: Vec::new(), rows: Some(Vec::new()) };
    for start in (0..events).step_by(events_each as usize) {
        let appended: Vec<Event> = (start..start + events_each).map(event).collect();
        open.append(&appended.iter().map(|event| event.row(&table.schema)).collect::<Vec<_>>());
        table.rows.get_or_insert_default().extend(appended.iter().map(Event::as_values));
        let range = ConsumedRange {
            partition: StreamPartition { topic: name.into(), partition: 0 },
            range: OffsetRange { start: Offset(start), end: Offset(start + events_each) },
            topic_id: Some(TopicId(7)),
            leader_epoch: None,
            counts: LedgerCounts { accepted: events_each as u64, ..LedgerCounts::default() },
        };
        let consumed = Consumed { ranges: vec![range.clone()], ..Consumed::default() };
        let published = store.publish(&open, &open.cut(), consumed).await.unwrap();
        table.segments.extend(published.into_iter().map(|meta| (meta, vec![range.clone()])));
    }
    // Its data stays, and a server that is started here has nothing to read.
    store.terminate_supervisor(&data_source).await.unwrap();
    table
}
