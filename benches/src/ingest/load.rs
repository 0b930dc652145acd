//! CPU per event of loading a full topic, publishing included.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use henge_ingest::fleet::event::Fleet;
use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use henge_segment_store::time::TimestampMs;
use serde_json::Value;

use super::{CLUSTERS, PARTITIONS};
use crate::server::Server;

pub const TOPIC: &str = "load";

/// 2026-01-01T00:00:00Z.
const START_MS: i64 = 1_767_225_600_000;
/// Of event time, per event: a million events are a quarter of an hour.
const EVENTS_PER_MS: u64 = 1;

/// What becomes of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    OfEvents,
    /// Events that are alike within a minute become one row.
    OfMinutes,
    /// A filter lets all of them pass, and computes a dimension and a measure from them.
    Computed,
}

/// The time at which the event of a row was produced.
pub fn time_of(row: u64) -> i64 {
    START_MS + (row / EVENTS_PER_MS) as i64
}

/// Every field of the fleet's events, and how many events a row stands for.
pub fn config(bootstrap_servers: &str, topic: &str, cut_age: &str, rows: Rows) -> String {
    const COMPUTED_DIMENSION: &str =
        r#"{ name = "size", from = { expression = "CASE WHEN bytes_in > 4096 THEN 'large' ELSE 'small' END" } },"#;
    const COMPUTED_MEASURE: &str =
        r#"failed = { long_sum = { expression = "CASE WHEN errors > 0 THEN 1 ELSE 0 END" } },"#;
    let (dimension, measure, more) = match rows {
        Rows::OfEvents => ("", "", ""),
        Rows::OfMinutes => ("", "", "rollup = \"1m\""),
        Rows::Computed => (COMPUTED_DIMENSION, COMPUTED_MEASURE, "where = \"requests >= 0 AND region <> 'nowhere'\""),
    };
    format!(
        r#"
[datasource.events]
topic = "{topic}"
kafka = {{ "bootstrap.servers" = "{bootstrap_servers}" }}
time = {{ column = "timestamp", format = "millis" }}
dimensions = [
    "metric", "org_id", "env_id", "cluster_id", "cluster_type", "topic", {{ name = "partition", type = "long" }},
    "principal", {{ name = "broker", type = "long" }}, "region", "cloud", {dimension}
]
measures = {{ events = "count", {measure} bytes_in = "long_sum", bytes_out = "long_sum", requests = "long_sum", errors = "long_sum", latency_ms = "sum" }}
segment = "1h"
cut = {{ age = "{cut_age}" }}
{more}
"#
    )
}

/// A broker that holds the events in a topic.
pub fn filled_broker(events: u64) -> RealBroker {
    let broker = RealBroker::start();
    Admin::new(&broker.properties()).create_topic(TOPIC, PARTITIONS, &[]);
    let producer = TestProducer::new(&broker.properties(), TOPIC, &[("compression.type", "lz4"), ("linger.ms", "20")]);
    for_each_event(events, |row, json| producer.send(&TestRecord::new((row % PARTITIONS as u64) as i32, json)));
    producer.flush();
    broker
}

/// Writes the events as lines; returns how many bytes of events that are.
pub fn write_lines(path: &Path, events: u64) -> anyhow::Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    let (mut bytes, mut written) = (0, Ok(()));
    for_each_event(events, |_, json| {
        bytes += json.len() as u64;
        if written.is_ok() {
            written = file.write_all(json).and_then(|()| file.write_all(b"\n"));
        }
    });
    written?;
    file.flush()?;
    Ok(bytes)
}

fn for_each_event(events: u64, mut each: impl FnMut(u64, &[u8])) {
    let fleet = Fleet::new(1, CLUSTERS);
    let mut json = Vec::new();
    for row in 0..events {
        json.clear();
        fleet.event(row).write_json(TimestampMs(time_of(row)), &mut json);
        each(row, &json);
    }
}

/// User and system time of a new process from its start until every event is published.
pub fn henge_cpu_us(broker: &RealBroker, events: u64, rows: Rows) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir()?;
    let mut server = Server::start(dir.path(), &config(broker.bootstrap_servers(), TOPIC, "2s", rows))?;
    server.wait_for("every event is published", |server| Ok((published(server)? == Some(events)).then_some(())))?;
    let found = server.sql("SELECT SUM(events) FROM events")?;
    anyhow::ensure!(found == [[Value::from(events)]], "{events} events were produced, but found are {found:?}");
    Ok(server.cpu_seconds()? * 1e6 / events as f64)
}

/// The sum of the checkpoint's offsets: the topic has no transactions, so that every offset is an event.
fn published(server: &Server) -> anyhow::Result<Option<u64>> {
    let Some(answer) = server.get("/druid/indexer/v1/supervisor/events/status")? else { return Ok(None) };
    let answer: Value = serde_json::from_str(&answer)?;
    let checkpoint = answer["payload"]["activeTasks"][0]["startingOffsets"].as_object();
    Ok(checkpoint.map(|offsets| offsets.values().filter_map(Value::as_u64).sum()))
}
