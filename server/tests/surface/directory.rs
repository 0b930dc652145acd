use std::path::Path;

use henge_segment_store::data_source::DataSource;
use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::ledger::{LedgerCounts, Reason};
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::segment::SegmentMeta;
use henge_segment_store::store::{Consumed, Store, StoreOptions};
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition, TopicId};
use henge_segment_store::time::TimestampMs;

fn schema() -> DataSourceSchema {
    DataSourceSchema {
        dimensions: vec![
            Dimension { name: "org".into(), kind: DimensionType::String },
            Dimension { name: "shard".into(), kind: DimensionType::Long },
        ],
        measures: vec![
            Measure { name: "events".into(), aggregation: Aggregation::Count },
            Measure { name: "load".into(), aggregation: Aggregation::DoubleMax },
        ],
        sort: Vec::new(),
        tenant: None,
        rollup: true,
        query_granularity: "1m".parse().unwrap(),
        segment_granularity: "1h".parse().unwrap(),
    }
}

/// `(minute, org, load)`: two events of one minute that roll up, one with `""` and one with nulls in the next hour.
const EVENTS: [(i64, Option<&str>, Option<f64>); 4] = [
    (0, Some("eu, \"west\""), Some(0.5)),
    (0, Some("eu, \"west\""), Some(2.25)),
    (5, Some(""), None),
    (61, None, None),
];

fn event((minute, org, load): (i64, Option<&str>, Option<f64>)) -> EventRow {
    let mut row = EventRow::new(2, 2);
    row.time = TimestampMs(minute * 60_000 + 7);
    if let Some(org) = org {
        row.set_dimension(0, DimensionValue::String(org));
        row.set_dimension(1, DimensionValue::Long(-3));
    }
    row.set_measure(1, load.map_or(MeasureValue::Null, MeasureValue::Double));
    row
}

/// A data directory as a server left it: datasource `usage` with a segment in each of two hours of 1970, from offsets
/// `[0, 6)` of which one was refused.
pub fn published(data_dir: &Path) -> Vec<SegmentMeta> {
    publish(data_dir, 0)
}

/// The same events once more, from offsets `[6, 12)`, in segments of their own.
pub fn republished(data_dir: &Path) -> Vec<SegmentMeta> {
    publish(data_dir, 6)
}

/// Rows of as many organisations, in minutes one after the other; a thousand shards.
pub fn published_many(data_dir: &Path, rows: i64) {
    let row = |at: i64| {
        let org = format!("organisation {at}");
        let mut row = event((at % 120, Some(&org), Some(at as f64 / 7.0)));
        row.set_dimension(1, DimensionValue::Long(at % 1_000));
        row
    };
    publish_rows(data_dir, 0, &(0..rows).map(row).collect::<Vec<_>>());
}

fn publish(data_dir: &Path, start: i64) -> Vec<SegmentMeta> {
    publish_rows(data_dir, start, &EVENTS.map(event))
}

fn publish_rows(data_dir: &Path, start: i64, rows: &[EventRow]) -> Vec<SegmentMeta> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(StoreOptions::local(data_dir)).await.unwrap();
        let name = DataSourceName::new("usage").unwrap();
        store.put_supervisor(&name, schema(), serde_json::json!({}), true, Default::default()).await.unwrap();
        let usage = store.data_source("usage").unwrap();
        usage.append(rows);
        let published = publish_open(&store, &usage, start).await;
        // Its data stays, and a server that is started here has nothing to read.
        store.terminate_supervisor(&name).await.unwrap();
        published
    })
}

/// Publishes what is open as if it came from the offsets behind `start`, with one record that was refused.
pub async fn publish_open(store: &Store, data_source: &DataSource, start: i64) -> Vec<SegmentMeta> {
    let frozen = data_source.cut();
    let mut counts = LedgerCounts { accepted: frozen.events(), ..LedgerCounts::default() };
    counts.refuse(Reason::Malformed);
    let range = ConsumedRange {
        partition: StreamPartition { topic: "requests".into(), partition: 2 },
        range: OffsetRange { start: Offset(start), end: Offset(start + frozen.events() as i64 + 2) },
        topic_id: Some(TopicId(0xab)),
        leader_epoch: None,
        counts,
    };
    let consumed = Consumed { ranges: vec![range], ..Consumed::default() };
    store.publish(data_source, &frozen, consumed).await.unwrap()
}
