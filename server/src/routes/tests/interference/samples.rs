//! Samples of two organisations, in the same steps whoever is left out: clusters and topics of their own, and some that
//! both call alike. Doubles are sums of powers of two, so that their order does not matter.

use henge_segment_store::completeness::{Look, ReadPartition};
use henge_segment_store::dataset::Dataset;

use super::requests::Random;
use super::*;

pub const MINUTE_MS: i64 = 60_000;
/// Samples are of the minutes from then on before now, and up to then.
const MINUTES: std::ops::Range<i64> = 10..50;
const SAMPLES: usize = 1_200;
const SEED: u64 = 7;

fn spec(data_source: &str, tenant: Option<&str>) -> Value {
    let mut spec = json!({
        "datasource": data_source,
        "topic": data_source,
        "kafka": { "bootstrap.servers": "127.0.0.1:1" },
        "time": { "column": "t", "format": "millis" },
        "dimensions": ["org", "cluster", "environment", "topic", { "name": "partition", "type": "long" }],
        "measures": { "bytes": "long_sum", "lag": { "long_max": "lag" }, "load": { "double_max": "load" } },
        "segment": "1h",
        "suspended": true,
    });
    if let Some(tenant) = tenant {
        spec["tenant"] = tenant.into();
    }
    spec
}

/// `internal` is about a datasource without organisations.
pub fn dataset() -> Dataset {
    let metric = |data_source: &str, measure: &str, kind: &str, agg: &str| {
        json!({
            "datasource": data_source, "measure": measure, "kind": kind, "unit": "1", "agg": agg,
            "resources": ["kafka"], "labels": {
                "topic": "topic", "partition": { "dimension": "partition", "exportable": false },
            },
        })
    };
    let definition = json!({
        "resources": { "kafka": { "id": "cluster", "labels": { "environment": "environment" } } },
        "metrics": {
            "server/bytes": metric("fleet", "bytes", "counter", "sum"),
            "server/lag": metric("fleet", "lag", "gauge", "sum"),
            "server/load": metric("fleet", "load", "gauge", "max"),
            "internal/bytes": metric("internal", "bytes", "counter", "sum"),
        },
    });
    Dataset::from_json(&definition).unwrap()
}

/// With sums of the other organisation that overflow, were they added.
fn sample(random: &mut Random, now: TimestampMs) -> (&'static str, EventRow) {
    let mut row = EventRow::new(5, 3);
    let minutes = MINUTES.start + random.below((MINUTES.end - MINUTES.start) as u64) as i64;
    // Some are too old to be discovered.
    let age_ms = if random.is_one_of(20) { 30 * 60 * MINUTE_MS } else { minutes * MINUTE_MS };
    row.time = TimestampMs(now.0 - age_ms + random.below(MINUTE_MS as u64) as i64);
    let organisation = random.of([ASKING, OTHER, OTHER]);
    let is_own = organisation == ASKING;
    row.set_dimension(0, DimensionValue::String(organisation));
    let clusters = if is_own { requests::CLUSTERS_OWN } else { requests::CLUSTERS_OTHER };
    row.set_dimension(1, DimensionValue::String(random.of(clusters)));
    if !random.is_one_of(5) {
        row.set_dimension(2, DimensionValue::String(random.of(if is_own { ["dev", ""] } else { ["prod", "dev"] })));
    }
    if !random.is_one_of(5) {
        row.set_dimension(
            3,
            DimensionValue::String(random.of(if is_own { ["a", "b\"c", "a"] } else { ["a", "b", "z"] })),
        );
    }
    row.set_dimension(4, DimensionValue::Long(random.below(3) as i64));
    let bytes = random.below(1_000_000) as i64;
    row.set_measure(0, MeasureValue::Long(if is_own { bytes } else { i64::MAX - bytes }));
    if !random.is_one_of(8) {
        row.set_measure(1, MeasureValue::Long(random.below(1_000) as i64 - 500));
    }
    row.set_measure(2, MeasureValue::Double(random.below(1 << 20) as f64 / 1024.0));
    (organisation, row)
}

/// Two steps are published, and what comes last is open.
pub async fn store(store: &Arc<Store>, now: TimestampMs, is_kept: impl Fn(&str) -> bool) {
    for (data_source, tenant) in [("fleet", Some("org")), ("internal", None)] {
        let spec = SupervisorSpec::from_json(&spec(data_source, tenant)).unwrap().spec;
        let name = &spec.data_source;
        store.put_supervisor(name, spec.schema.clone(), spec.to_json(), true, spec.upkeep.clone()).await.unwrap();
        let mut random = Random(SEED);
        let samples: Vec<_> = (0..SAMPLES).map(|_| sample(&mut random, now)).collect();
        let data_source = store.data_source(data_source).unwrap();
        for (step, part) in samples.chunks(SAMPLES.div_ceil(3)).enumerate() {
            let kept: Vec<EventRow> =
                part.iter().filter(|(organisation, _)| is_kept(organisation)).map(|(_, row)| row.clone()).collect();
            data_source.append(&kept);
            if step < 2 {
                let consumed = consumed(name, step * part.len(), part.len(), kept.len());
                store.publish(&data_source, &data_source.cut(), consumed).await.unwrap();
            }
        }
    }
}

/// Whoever is left out, the same records were read.
fn consumed(name: &DataSourceName, start: usize, records: usize, kept: usize) -> Consumed {
    let mut counts = LedgerCounts { accepted: kept as u64, ..LedgerCounts::default() };
    (kept..records).for_each(|_| counts.refuse(Reason::Filtered));
    let range = ConsumedRange {
        partition: StreamPartition { topic: name.as_str().into(), partition: 0 },
        range: OffsetRange { start: Offset(start as i64), end: Offset((start + records) as i64) },
        topic_id: None,
        leader_epoch: None,
        counts,
    };
    Consumed { ranges: vec![range], ..Consumed::default() }
}

/// Everything is there up to the middle of the samples.
pub fn complete(store: &Store, now: TimestampMs) {
    for name in ["fleet", "internal"] {
        let partition = StreamPartition { topic: name.into(), partition: 0 };
        let newest = TimestampMs(now.0 - 30 * MINUTE_MS);
        let end = Offset(7);
        let (first, high_watermark) = (Offset(0), Some(end));
        let read = ReadPartition { partition, first, next: end, high_watermark, newest_event: Some(newest) };
        let look = Look { at: now, lateness_ms: 0, partitions: vec![read], gap_found_at: None, is_share: false };
        store.data_source(name).unwrap().look(look);
    }
}
