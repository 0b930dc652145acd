//! What does not fit stays in Kafka: a disk that takes nothing and too little memory pause reading, and lose nothing.

use std::fs::{self, File};

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use serde_json::{Value, json};

use crate::henge::{Henge, wait_for};

const EVENTS: u64 = 300_000;
const PARTITIONS: i32 = 4;

/// An id of its own for each event, so that dictionaries grow as fast as rows do.
fn config(broker: &RealBroker, topic: &str, memory: &str, cut_rows: u64) -> String {
    format!(
        r#"
[limits]
ingest_memory = "{memory}"

[datasource.events]
topic = "{topic}"
kafka = {{ "bootstrap.servers" = "{}" }}
time = {{ column = "t", format = "millis" }}
dimensions = ["id"]
measures = {{ n = "long_sum" }}
cut = {{ rows = {cut_rows}, age = "1h" }}
"#,
        broker.bootstrap_servers()
    )
}

fn produce(broker: &RealBroker, topic: &str) {
    let admin = Admin::new(&broker.properties());
    admin.create_topic(topic, PARTITIONS, &[]);
    let producer = TestProducer::new(&broker.properties(), topic, &[("compression.type", "lz4")]);
    for row in 0..EVENTS {
        let record =
            format!("{{\"t\":{},\"id\":\"an identifier of its own: {row:09}\",\"n\":{row}}}", 1_767_268_800_000 + row);
        producer.send(&TestRecord::new((row % PARTITIONS as u64) as i32, record.as_bytes()));
    }
    producer.flush();
}

fn totals(henge: &Henge) -> Vec<Vec<Value>> {
    henge.sql("SELECT COUNT(*), SUM(n), COUNT(DISTINCT id) FROM events")
}

fn wait_until_all_is_read(henge: &Henge) {
    wait_for("all is read", || {
        let status = henge.try_status("events")?;
        (status["records"]["seen"] == EVENTS && status["aggregateLag"] == 0).then_some(())
    });
    assert_eq!(totals(henge), [[json!(EVENTS), json!(EVENTS * (EVENTS - 1) / 2), json!(EVENTS)]]);
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn a_disk_that_takes_nothing_pauses_reading_until_it_does() {
    let broker = RealBroker::shared();
    produce(&broker, "full");
    let mut henge = Henge::server(&config(&broker, "full", "1GiB", 20_000));
    // Nothing can be made below a file; a full disk fails in the same place.
    let segments = henge.data_dir().join("store/segments");
    fs::create_dir_all(henge.data_dir().join("store")).expect("a directory can be made");
    File::create(&segments).expect("a file can be made");
    henge.start();
    let status = wait_for("reading waits for the disk", || {
        let status = henge.try_status("events")?;
        (status["paused"] == "reading waits for a publish" && status["healthy"] == false).then_some(status)
    });
    let seen = status["records"]["seen"].as_u64().expect("a number");
    assert!((60_000..EVENTS).contains(&seen), "one cut and two cuts' worth are read, and not all: {seen}");
    let detail = status["detail"].as_str().expect("it says why");
    assert!(detail.starts_with("reading waits for a publish: failed to"), "{detail}");
    fs::remove_file(&segments).expect("the file can be removed");
    wait_until_all_is_read(&henge);
    assert!(henge.terminate().success(), "SIGTERM ends it well");
    henge.start_ready();
    wait_until_all_is_read(&henge);
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn too_little_memory_cuts_early_and_nothing_is_lost() {
    const LIMIT_BYTES: f64 = 5.0 * 1024.0 * 1024.0;
    // A batch is taken whole: rows and dictionary of 4,096 records may come on top.
    const BATCH_BYTES: f64 = 2.0 * 1024.0 * 1024.0;
    let broker = RealBroker::shared();
    produce(&broker, "memory");
    let mut henge = Henge::server(&config(&broker, "memory", "5MiB", 10_000_000));
    henge.start();
    let mut most = 0.0_f64;
    wait_for("all is read", || {
        let taken = henge.try_metrics("henge_ingest_memory_bytes")?;
        most = taken.first().map_or(most, |(_, bytes)| most.max(*bytes));
        (henge.try_status("events")?["records"]["seen"] == EVENTS).then_some(())
    });
    assert!(most <= LIMIT_BYTES + BATCH_BYTES, "{most} bytes were taken");
    wait_until_all_is_read(&henge);
    let publishes = henge.status("events")["publishes"].as_u64().expect("a number");
    assert!(publishes >= 3, "{publishes} publishes; all events need more than three times the limit");
}
