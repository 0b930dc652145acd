//! Metrics of random samples, each answer computed once more by a reference of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use henge_segment_store::data_source::DataSource;
use henge_segment_store::dataset::{Dataset, DatasetName};
use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::store::{Store, StoreOptions};
use henge_segment_store::time::TimestampMs;
use serde_json::json;
use tempfile::TempDir;

use crate::directory::publish_open;
use crate::process::Serving;

const SEED: u64 = 20_260_101;
/// 2026-01-01T00:00:00Z.
const NEW_YEAR_MS: i64 = 1_767_225_600_000;
/// In which there are samples.
const DAYS: u64 = 3;

/// Splitmix64: the samples are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn is_one_of(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

fn schema() -> DataSourceSchema {
    let dimension = |(name, kind): (&str, DimensionType)| Dimension { name: name.into(), kind };
    let measure = |(name, aggregation): (&str, Aggregation)| Measure { name: name.into(), aggregation };
    let dimensions = [
        ("org", DimensionType::String),
        ("cluster", DimensionType::String),
        ("environment", DimensionType::String),
        ("topic", DimensionType::String),
        ("partition", DimensionType::Long),
        ("internal", DimensionType::Boolean),
        ("noise", DimensionType::Long),
    ];
    let measures = [
        ("bytes", Aggregation::LongSum),
        ("load", Aggregation::LongMax),
        ("free", Aggregation::LongMin),
        ("cost", Aggregation::DoubleSum),
        ("heat", Aggregation::DoubleMax),
    ];
    DataSourceSchema {
        dimensions: dimensions.map(dimension).into(),
        measures: measures.map(measure).into(),
        rollup: true,
        query_granularity: "10s".parse().unwrap(),
        segment_granularity: "6h".parse().unwrap(),
        sort: Vec::new(),
        tenant: Some("org".into()),
    }
}

fn dataset() -> Dataset {
    let metric = |measure: &str, kind: &str, agg: &str| {
        let labels = json!({ "topic": "topic", "partition": "partition", "internal": "internal" });
        json!({
            "datasource": "samples", "measure": measure, "kind": kind, "unit": "1", "agg": agg, "resources": ["kafka"],
            "labels": labels,
        })
    };
    let definition = json!({
        "resources": { "kafka": { "id": "cluster", "labels": { "environment": "environment" } } },
        "metrics": {
            "server/bytes": metric("bytes", "counter", "sum"),
            "server/load": metric("load", "gauge", "max"),
            "server/free": metric("free", "gauge", "sum"),
            "server/cost": metric("cost", "counter", "sum"),
            "server/heat": metric("heat", "gauge", "sum"),
        },
    });
    Dataset::from_json(&definition).unwrap()
}

fn sample(random: &mut Random) -> EventRow {
    let mut row = EventRow::new(7, 5);
    // Half of them in two hours, so that there are series of many samples.
    let span_ms = if random.is_one_of(2) { 2 * 3_600_000 } else { DAYS * 86_400_000 };
    row.time = TimestampMs(NEW_YEAR_MS + random.below(span_ms) as i64);
    let cluster = random.below(4);
    row.set_dimension(0, DimensionValue::String(["acme", "beta"][cluster as usize % 2]));
    row.set_dimension(1, DimensionValue::String(&format!("lkc-{cluster}")));
    if !random.is_one_of(5) {
        row.set_dimension(2, DimensionValue::String(["env-a", "", "env-é"][random.below(3) as usize]));
    }
    if !random.is_one_of(5) {
        row.set_dimension(3, DimensionValue::String(["a", "b", "b.c"][random.below(3) as usize]));
    }
    row.set_dimension(4, DimensionValue::Long([-1, 0, 2, 10][random.below(4) as usize]));
    row.set_dimension(5, DimensionValue::Boolean(random.is_one_of(2)));
    row.set_dimension(6, DimensionValue::Long(random.below(3) as i64));
    let long = |random: &mut Random| random.below(1 << 50) as i64 - (1 << 45);
    let double = |random: &mut Random| long(random) as f64 / 1024.0 * 10_f64.powi(random.below(9) as i32 - 4);
    for measure in 0..5 {
        if random.is_one_of(8) {
            row.set_measure(measure, MeasureValue::Null);
        } else if measure < 3 {
            row.set_measure(measure, MeasureValue::Long(long(random)));
        } else {
            row.set_measure(measure, MeasureValue::Double(double(random)));
        }
    }
    row
}

/// Published in several steps, so that samples of one minute are in several segments.
fn published_samples(data_dir: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(StoreOptions::local(data_dir)).await.unwrap();
        let name = DataSourceName::new("samples").unwrap();
        store.put_supervisor(&name, schema(), json!({}), true, Default::default()).await.unwrap();
        store.put_dataset(DatasetName::new("cloud").unwrap(), dataset()).await.unwrap();
        let samples: std::sync::Arc<DataSource> = store.data_source("samples").unwrap();
        let mut random = Random(SEED);
        for step in 0..3 {
            samples.append(&(0..500).map(|_| sample(&mut random)).collect::<Vec<_>>());
            publish_open(&store, &samples, step * 502).await;
        }
        // Its data stays, and a server that is started here has nothing to read.
        store.terminate_supervisor(&name).await.unwrap();
    });
}

fn ask_random_questions(questions: u32) {
    let directory = TempDir::new().unwrap();
    published_samples(&directory.path().join("data"));
    let config = directory.path().join("henge.toml");
    std::fs::write(&config, "[limits]\nmetrics_requests = 1000000\n").unwrap();
    let server = Serving::server(&directory.path().join("data"), &["--config", config.to_str().unwrap()]);
    let mut reference = Command::new("python3");
    reference.args(["-c", include_str!("../clients/metrics_reference.py")]).stdin(Stdio::piped());
    let mut child = reference.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("this needs python3");
    let wanted = json!({ "url": server.url, "questions": questions, "seed": SEED });
    serde_json::to_writer(child.stdin.take().unwrap(), &wanted).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains(&format!("{questions} answers")), "{said}");
    println!("{said}");
}

#[test]
fn answers_are_those_of_an_independent_reference() {
    ask_random_questions(150);
}

#[test]
#[ignore = "takes a minute: run with --include-ignored"]
fn two_thousand_answers_are_those_of_an_independent_reference() {
    ask_random_questions(2_000);
}
