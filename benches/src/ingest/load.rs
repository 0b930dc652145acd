//! CPU per event of loading a full topic, publishing included.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use henge_ingest::fleet::event::Fleet;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use henge_segment_store::time::TimestampMs;
use serde_json::Value;

use super::PARTITIONS;
use crate::server::Server;

pub const TOPIC: &str = "load";

/// 2026-01-01T00:00:00Z.
const START_MS: i64 = 1_767_225_600_000;
/// Of event time, per event: a million events are a quarter of an hour.
const EVENTS_PER_MS: u64 = 1;

/// Every field of the fleet's events, each event kept.
pub fn config(broker: &RealBroker, topic: &str, cut_age: &str) -> String {
    format!(
        r#"
[datasource.events]
topic = "{topic}"
kafka = {{ "bootstrap.servers" = "{}" }}
time = {{ column = "timestamp", format = "millis" }}
dimensions = [
    "metric", "org_id", "env_id", "cluster_id", "cluster_type", "topic", {{ name = "partition", type = "long" }},
    "principal", {{ name = "broker", type = "long" }}, "region", "cloud",
]
measures = {{ bytes_in = "long_sum", bytes_out = "long_sum", requests = "long_sum", errors = "long_sum", latency_ms = "sum" }}
segment = "1h"
cut = {{ age = "{cut_age}" }}
"#,
        broker.bootstrap_servers()
    )
}

/// Produces the events and writes the same bytes as lines to `ndjson`; returns how many bytes of events that are.
pub fn produce(broker: &RealBroker, ndjson: &Path, events: u64) -> anyhow::Result<u64> {
    let fleet = Fleet::new(1, 10_000);
    let producer = TestProducer::new(&broker.properties(), TOPIC, &[("compression.type", "lz4"), ("linger.ms", "20")]);
    let mut file = BufWriter::new(File::create(ndjson)?);
    let mut json = Vec::new();
    let mut bytes = 0;
    for row in 0..events {
        json.clear();
        let now = START_MS + (row / EVENTS_PER_MS) as i64;
        fleet.event(row).write_json(TimestampMs(now), &mut json);
        producer.send(&TestRecord::new((row % PARTITIONS as u64) as i32, &json));
        bytes += json.len() as u64;
        json.push(b'\n');
        file.write_all(&json)?;
    }
    producer.flush();
    file.flush()?;
    Ok(bytes)
}

/// User and system time of a new process from its start until every event is published.
pub fn henge_cpu_us(broker: &RealBroker, events: u64) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir()?;
    let mut server = Server::start(dir.path(), &config(broker, TOPIC, "2s"))?;
    server.wait_for("every event is published", |server| Ok((published(server)? == Some(events)).then_some(())))?;
    let found = server.sql("SELECT COUNT(*) FROM events")?;
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
