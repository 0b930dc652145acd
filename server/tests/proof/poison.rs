//! A million good records with ten thousand poison records among them, each of those another one and of every reason that
//! there is: all good ones count, all others are in the ledger by their reason.

use std::collections::BTreeMap;

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use serde_json::{Value, json};

use crate::henge::{Henge, wait_while_it_gets_on};

const GOOD: u64 = 1_000_000;
const POISON: u64 = 10_000;
const PARTITIONS: u64 = 8;
/// 2026-01-01T12:00:00Z
const START_MS: u64 = 1_767_268_800_000;

/// A record that is refused for a reason, another one for each number; `None` is a record without a value.
type Poison = (&'static str, fn(u64) -> Option<Vec<u8>>);

fn with(fields: &str) -> Option<Vec<u8>> {
    Some(format!("{{\"t\":{START_MS},{fields}}}").into_bytes())
}

const KINDS: [Poison; 22] = [
    ("tombstone", |_| None),
    ("too_late", |n| Some(format!("{{\"t\":{n},\"org\":\"a\",\"n\":1}}").into_bytes())),
    ("too_early", |n| Some(format!("{{\"t\":{},\"org\":\"a\",\"n\":1}}", 32_503_680_000_000 + n).into_bytes())),
    ("filtered", |n| with(&format!("\"org\":\"debug {n}\",\"n\":1"))),
    ("record_too_large", |n| with(&format!("\"n\":1,\"much\":\"{}\"", format!("{n:06} ").repeat(30_000)))),
    ("malformed", |n| Some(format!("{{\"t\":{START_MS},\"org\":\"cut off {n}").into_bytes())),
    ("malformed", |n| Some(format!("{{\"t\":{START_MS},\"n\":1}} and {n}").into_bytes())),
    ("malformed", |n| Some([format!("{{\"t\":{START_MS},\"org\":\"{n} ").as_bytes(), b"\xc3\x28\"}"].concat())),
    ("malformed", |n| with(&format!("\"org\":\"\\u{n:04x}\\ud800\",\"n\":1"))),
    ("malformed", |n| with(&format!("\"n\":0{n}"))),
    ("not_an_object", |n| Some(format!("[{n}]").into_bytes())),
    ("nested_too_deep", |n| with(&format!("\"deep\":{}{n}{}", "[".repeat(80), "]".repeat(80)))),
    ("too_many_fields", |n| with(&(0..2_100).map(|f| format!("\"{n}-{f}\":0")).collect::<Vec<_>>().join(","))),
    ("string_too_long", |n| with(&format!("\"org\":\"{}\"", format!("{n:08}").repeat(9_000)))),
    ("time_missing", |n| Some(format!("{{\"org\":\"a\",\"n\":{n}}}").into_bytes())),
    ("time_unreadable", |n| Some(format!("{{\"t\":\"soon {n}\",\"n\":1}}").into_bytes())),
    ("time_out_of_range", |n| Some(format!("{{\"t\":9{n:018},\"n\":1}}").into_bytes())),
    ("dimension_unreadable", |n| with(&format!("\"org\":{{\"id\":{n}}}"))),
    ("measure_unreadable", |n| with(&format!("\"org\":\"a\",\"n\":\"twelve {n}\""))),
    ("number_out_of_range", |n| with(&format!("\"org\":\"a\",\"n\":1{n:020}"))),
    ("number_out_of_range", |n| with(&format!("\"org\":\"a\",\"load\":1e{}", 400 + n))),
    ("expression_failed", |n| with(&format!("\"org\":\"a {n}\",\"calls\":0"))),
];

/// Where in the stream a poison record stands: before every hundredth good one.
fn poison_before(row: u64) -> Option<u64> {
    row.is_multiple_of(GOOD / POISON).then_some(row / (GOOD / POISON))
}

fn kind(number: u64) -> &'static Poison {
    &KINDS[(number % KINDS.len() as u64) as usize]
}

fn good(row: u64) -> String {
    format!(r#"{{"t":{},"org":"org-{}","n":{row},"load":{}.5,"calls":2}}"#, START_MS + row / 100, row % 40, row % 10)
}

fn config(broker: &RealBroker, topic: &str) -> String {
    format!(
        r#"
[datasource.events]
topic = "{topic}"
kafka = {{ "bootstrap.servers" = "{}" }}
time = {{ column = "t", format = "millis" }}
late = "P3650D"
early = "P3650D"
record_bytes_max = 100000
where = "COALESCE(org, '') NOT LIKE 'debug%'"
dimensions = [
    "org", {{ name = "load", type = "double" }},
    {{ name = "each", type = "double", from = {{ expression = "100.0 / CAST(calls AS BIGINT)" }} }},
]
measures = {{ n = "long_sum" }}
cut = {{ rows = 150000, age = "1h" }}
"#,
        broker.bootstrap_servers()
    )
}

fn produce(broker: &RealBroker, topic: &str) {
    Admin::new(&broker.properties()).create_topic(topic, PARTITIONS as i32, &[]);
    let producer = TestProducer::new(&broker.properties(), topic, &[("compression.type", "lz4")]);
    for row in 0..GOOD {
        let partition = (row % PARTITIONS) as i32;
        if let Some(number) = poison_before(row) {
            let payload = kind(number).1(number);
            producer.send(&TestRecord { partition, payload: payload.as_deref(), ..TestRecord::default() });
        }
        producer.send(&TestRecord::new(partition, good(row).as_bytes()));
    }
    producer.flush();
}

fn expected() -> Value {
    let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
    for number in 0..POISON {
        *refused.entry(kind(number).0).or_default() += 1;
    }
    let filtered: u64 = ["tombstone", "too_late", "too_early", "filtered"].iter().map(|reason| refused[reason]).sum();
    json!({
        "seen": GOOD + POISON,
        "accepted": GOOD,
        "rejected": POISON - filtered,
        "filtered": filtered,
        "refusedByReason": refused,
    })
}

fn assert_is_exact(henge: &Henge) {
    assert_eq!(henge.status("events")["records"], expected());
    let sums = henge.sql("SELECT COUNT(*), SUM(n), SUM(load), COUNT(DISTINCT org), SUM(\"each\") FROM events");
    let load: f64 = (0..GOOD).map(|row| (row % 10) as f64 + 0.5).sum();
    let n = GOOD * (GOOD - 1) / 2;
    assert_eq!(sums, [[json!(GOOD), json!(n), json!(load), json!(40), json!(GOOD as f64 * 50.0)]]);
    let samples = henge.sql("SELECT COUNT(DISTINCT reason) FROM sys.refused_records");
    let reasons = KINDS.iter().map(|(reason, _)| reason).collect::<std::collections::BTreeSet<_>>().len();
    // What the row filter leaves out is counted and not kept.
    assert_eq!(samples, [[json!(reasons - 1)]], "no reason pushes out another");
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn ten_thousand_poison_records_touch_none_of_a_million_good_ones() {
    let broker = RealBroker::shared();
    produce(&broker, "poison");
    let mut henge = Henge::server(&config(&broker, "poison"));
    henge.start();
    wait_while_it_gets_on("all is read", || {
        let seen = henge.try_status("events").map(|status| status["records"]["seen"].as_u64());
        if seen == Some(Some(GOOD + POISON)) { Ok(()) } else { Err(seen) }
    });
    assert_is_exact(&henge);
    assert!(henge.terminate().success(), "SIGTERM ends it well");
    henge.start_ready();
    assert_is_exact(&henge);
}
