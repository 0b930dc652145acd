//! The records that the proofs produce. Each is a pure function of the seed and its number, so that what was produced can
//! be said again without keeping it.

use std::io::Write;

/// 2026-01-01T12:00:00Z: the hour in which events happen, but for the late ones.
pub const HOUR_START_MS: i64 = 1_767_268_800_000;
pub const HOUR_MS: i64 = 3_600_000;

const SEED: u64 = 20_260_101;
const REGIONS: [&str; 6] = ["eu-west", "eu-north", "us-east", "us-west", "ap-south", "sa-east"];

/// A well mixed hash of a number.
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(SEED);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A text dimension's value: what may be null, and what may be empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Org {
    Null,
    Empty,
    Number(u64),
}

/// A good event, as its producer knows it.
#[derive(Debug, Clone)]
pub struct Event {
    pub row: u64,
    pub time_ms: i64,
    /// Of the topic.
    pub partition: i32,
    pub org: Org,
    pub region: &'static str,
    pub shard: i64,
    pub is_billable: bool,
    /// Never negative, so its sum never decreases.
    pub x: i64,
    /// A multiple of a quarter, so that every order of addition gives the same sum.
    pub latency: f64,
}

impl Event {
    /// The event numbered `row` of `rows` that happen within an hour. One in twenty is late: up to five hours older.
    pub fn numbered(row: u64, rows: u64, partitions: i32) -> Self {
        let bits = mix(row);
        let on_time_ms = HOUR_START_MS + (row * HOUR_MS as u64 / rows) as i64;
        let hours_late = if (bits >> 8).is_multiple_of(20) { 1 + (bits >> 16) as i64 % 5 } else { 0 };
        Self {
            row,
            time_ms: on_time_ms - hours_late * HOUR_MS,
            partition: (bits % partitions as u64) as i32,
            org: match (bits >> 20) % 200 {
                0 => Org::Null,
                1 => Org::Empty,
                number => Org::Number(number % 20),
            },
            region: REGIONS[(bits >> 28) as usize % REGIONS.len()],
            shard: (bits >> 32) as i64 % 4,
            is_billable: (bits >> 36).is_multiple_of(3),
            x: (bits >> 40) as i64 % 1_000_000,
            latency: ((bits >> 44) % 4_000) as f64 / 4.0,
        }
    }

    pub fn write_json(&self, out: &mut Vec<u8>) {
        let Self { row, time_ms, region, shard, is_billable, x, latency, .. } = self;
        let org = match &self.org {
            Org::Null => "null".to_owned(),
            Org::Empty => "\"\"".to_owned(),
            Org::Number(number) => format!("\"org-{number}\""),
        };
        write!(
            out,
            r#"{{"ts":{time_ms},"seq":{row},"org":{org},"region":"{region}","shard":{shard},"is_billable":{is_billable},"x":{x},"neg_x":{},"latency":{latency}}}"#,
            -x
        )
        .expect("writing to memory cannot fail");
    }
}

/// Records that must not become rows: the payload, and the reason that the ledger gives.
pub const MALFORMED: [(&[u8], &str); 8] = [
    (br#"{"ts":1767268800000,"seq":1"#, "malformed"),
    (b"{\"ts\":1767268800000,\"org\":\"\xff\xfe\"}", "malformed"),
    (br#"{"ts":1767268800000} and more"#, "malformed"),
    (br#"[{"ts":1767268800000}]"#, "not_an_object"),
    (br#"{"seq":1,"org":"org-1","x":5}"#, "time_missing"),
    (br#"{"ts":"soon","seq":1,"x":5}"#, "time_unreadable"),
    (br#"{"ts":1767268800000,"seq":1,"shard":{"a":1}}"#, "dimension_unreadable"),
    (br#"{"ts":1767268800000,"seq":1,"x":"twelve"}"#, "measure_unreadable"),
];

/// The ledger's reason for a record without a value.
pub const TOMBSTONE: &str = "tombstone";

/// `henge.toml` for two datasources over the same topic: `usage` rolls up, `events` keeps every event. They cut often, so
/// that publishing happens all the time.
pub fn config(bootstrap_servers: &str, topic: &str) -> String {
    format!(
        r#"
[datasource.usage]
topic = "{topic}"
kafka = {{ "bootstrap.servers" = "{bootstrap_servers}" }}
time = {{ column = "ts", format = "millis" }}
dimensions = [
    "org", "region", {{ name = "shard", type = "long" }}, {{ name = "is_billable", type = "boolean" }},
]
rollup = "1m"
segment = "1h"
cut = {{ rows = 60000, age = "1s" }}

[datasource.usage.measures]
events = "count"
x = "long_sum"
neg_x = "long_sum"
x_min = {{ long_min = "x" }}
x_max = {{ long_max = "x" }}
latency = "double_sum"
latency_max = {{ max = "latency" }}

[datasource.events]
topic = "{topic}"
kafka = {{ "bootstrap.servers" = "{bootstrap_servers}" }}
time = {{ column = "ts", format = "millis" }}
dimensions = [
    "org", "region", {{ name = "shard", type = "long" }}, {{ name = "is_billable", type = "boolean" }},
    {{ name = "seq", type = "long" }}, {{ name = "kafka_partition", type = "long", from = "kafka.partition" }},
]
measures = {{ x = "long_sum", neg_x = "long_sum", latency = "double_sum" }}
segment = "1h"
cut = {{ rows = 150000, age = "2s" }}
"#
    )
}
