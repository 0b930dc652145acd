//! The peer that reads the same topic: a supervisor of a real Druid, with one task and its default tuning.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use henge_ingest::test_support::broker::RealBroker;
use serde_json::{Value, json};

use super::load::TOPIC;
use crate::druid_process::{BROKER, COORDINATOR, DruidProcesses};
use crate::server::Client;

const TABLE: &str = "events";
/// A hundred microseconds of CPU time for each event, on two busy cores, and a minute of starting.
const LOADING_MAX: Duration = Duration::from_secs(1_800);

/// User and system time per event of all its processes, from the supervisor's start until every event is published, in us;
/// and its version.
pub fn cpu_us(script: &Path, folder: &Path, broker: &RealBroker, events: u64) -> anyhow::Result<(f64, String)> {
    let druid = DruidProcesses::start(script, folder.join("druid"))?;
    let (asked, told) = (Client::new(BROKER.into())?, Client::new(COORDINATOR.into())?);
    let before = druid.cpu_seconds()?;
    told.post("/druid/indexer/v1/supervisor", &supervisor(broker.bootstrap_servers()))?;
    wait_for("every event is read", || Ok(found(&asked).is_some_and(|found| found >= events)))?;
    let found = found(&asked);
    ensure!(found == Some(events), "Druid found {found:?} of {events} events");
    // Its task publishes, and ends.
    told.post(&format!("/druid/indexer/v1/supervisor/{TABLE}/terminate"), &json!({}))?;
    wait_for("its task has published", || {
        let tasks = told.get("/druid/indexer/v1/tasks?state=running")?;
        Ok(tasks.as_deref().map(str::trim) == Some("[]"))
    })?;
    Ok(((druid.cpu_seconds()? - before) * 1e6 / events as f64, version(&told)?))
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let started = Instant::now();
    while !is_so()? {
        ensure!(started.elapsed() < LOADING_MAX, "waited {LOADING_MAX:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

/// `None` while there is no table.
fn found(broker: &Client) -> Option<u64> {
    let request = json!({
        "query": format!("SELECT COUNT(*) FROM {TABLE}"), "resultFormat": "array",
        "context": { "useCache": false, "populateCache": false },
    });
    let answer: Value = serde_json::from_slice(&broker.ask(&request).ok()?).ok()?;
    answer[0][0].as_u64()
}

/// The columns of [`super::load::config`], without rollup.
fn supervisor(bootstrap_servers: &str) -> Value {
    let long = |name: &str| json!({ "type": "long", "name": name });
    let text = |name: &str| json!(name);
    let dimensions = [
        text("metric"),
        text("org_id"),
        text("env_id"),
        text("cluster_id"),
        text("cluster_type"),
        text("topic"),
        long("partition"),
        text("principal"),
        long("broker"),
        text("region"),
        text("cloud"),
    ];
    let sum = |kind: &str, name: &str| json!({ "type": kind, "name": name, "fieldName": name });
    let measures = [
        json!({ "type": "count", "name": "events" }),
        sum("longSum", "bytes_in"),
        sum("longSum", "bytes_out"),
        sum("longSum", "requests"),
        sum("longSum", "errors"),
        sum("doubleSum", "latency_ms"),
    ];
    json!({ "type": "kafka", "spec": {
        "dataSchema": {
            "dataSource": TABLE,
            "timestampSpec": { "column": "timestamp", "format": "millis" },
            "dimensionsSpec": { "dimensions": dimensions },
            "metricsSpec": measures,
            "granularitySpec": { "segmentGranularity": "HOUR", "queryGranularity": "NONE", "rollup": false },
        },
        "ioConfig": {
            "topic": TOPIC, "inputFormat": { "type": "json" }, "useEarliestOffset": true, "taskCount": 1, "replicas": 1,
            "taskDuration": "PT1H", "startDelay": "PT1S", "period": "PT5S",
            "consumerProperties": { "bootstrap.servers": bootstrap_servers },
        },
        "tuningConfig": { "type": "kafka" },
    } })
}

fn version(coordinator: &Client) -> anyhow::Result<String> {
    let status = coordinator.get("/status")?.context("the coordinator answers")?;
    let status: Value = serde_json::from_str(&status)?;
    Ok(status["version"].as_str().context("Druid has a version")?.to_owned())
}
