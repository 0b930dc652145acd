//! The events as they are before they are published: read from Kafka, in open segments, all of them.

use std::path::Path;

use anyhow::Context;
use henge_ingest::fleet::mock_kafka::MockKafka;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use serde_json::Value;

use super::henge::{LIMITS, TABLE};
use super::store::Options;
use crate::cmu::fleet::Fleet;
use crate::cmu::json;
use crate::server::Server;

const TOPIC: &str = "events";
pub const PARTITIONS: i32 = 8;
/// Nothing is cut within the bench.
const NO_CUT: &str = "{ age = \"24h\", rows = 1000000000, bytes = 68719476736 }";
/// Produced, but not read yet: the cluster in this process keeps 5 MiB of each partition.
const AHEAD: u64 = 20_000;

/// A server that has read all events of the fleet and published none, and the cluster that it reads from.
pub fn serve(fleet: &Fleet, folder: &Path, options: &Options) -> anyhow::Result<(Server, MockKafka)> {
    let kafka = MockKafka::start()?;
    kafka.create_topic(TOPIC, PARTITIONS)?;
    let properties = [("bootstrap.servers".to_owned(), kafka.bootstrap_servers().to_owned())];
    let mut server = Server::start(folder, &format!("{}cut = {NO_CUT}\n", config(&kafka, TOPIC, options)))?;
    let producer = TestProducer::new(&properties, TOPIC, &[("compression.type", "lz4")]);
    let mut event = Vec::new();
    for start in (0..fleet.rows).step_by(AHEAD as usize) {
        let end = (start + AHEAD).min(fleet.rows);
        for row in start..end {
            event.clear();
            json::write_event(fleet, row, &mut event);
            producer.send(&TestRecord::new((row % PARTITIONS as u64) as i32, &event));
        }
        producer.flush();
        server.wait_for("the events are read", |server| Ok((rows(server)? == end).then_some(())))?;
    }
    Ok((server, kafka))
}

fn rows(server: &Server) -> anyhow::Result<u64> {
    let found = server.sql(&format!("SELECT COUNT(*) FROM {TABLE}"))?;
    found.first().and_then(|row| row.first()).and_then(Value::as_u64).context("a count is a number")
}

/// Of a server that reads events from a topic into the table, and cuts as it does by default.
pub fn config(kafka: &MockKafka, topic: &str, options: &Options) -> String {
    let Options { segment, sort } = options;
    format!(
        r#"{LIMITS}
[datasource.{TABLE}]
topic = "{topic}"
kafka = {{ "bootstrap.servers" = "{}" }}
time = {{ column = "timestamp", format = "millis" }}
dimensions = [
    "metric", "org_id", "env_id", "cluster_id", "cluster_type", "pkc", "tenant", "topic",
    {{ name = "partition", type = "long" }}, "principal", {{ name = "broker", type = "long" }}, "az", "region", "cloud",
]
measures = {{ bytes_in = "long_sum", bytes_out = "long_sum", requests = "long_sum", errors = "long_sum", latency_ms = "sum" }}
sort = {sort:?}
segment = "{segment}"
"#,
        kafka.bootstrap_servers()
    )
}
