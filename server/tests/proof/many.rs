//! Many datasources at once: one topic goes into fifty of them, a heavy one reads beside them, and one that fails touches
//! none of the others.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use serde_json::json;

use crate::henge::{Henge, wait_for};

const DATA_SOURCES: u64 = 50;
const SMALL_RECORDS: u64 = 5_000;
const HEAVY_RECORDS: u64 = 300_000;
const PARTITIONS: i32 = 4;

/// Datasource number `n` keeps what belongs to it; the last one reads a topic that is not there.
fn config(broker: &RealBroker) -> String {
    let kafka = format!(r#"kafka = {{ "bootstrap.servers" = "{}" }}"#, broker.bootstrap_servers());
    let columns =
        "time = { column = \"t\", format = \"millis\" }\ndimensions = [\"id\"]\nmeasures = { n = \"long_sum\" }";
    let mut config = "[limits]\ningest_memory = \"64MiB\"\n".to_owned();
    let mut put = |name: &str, topic: &str, more: &str| {
        writeln!(config, "[datasource.{name}]\ntopic = \"{topic}\"\n{kafka}\n{columns}\n{more}")
            .expect("text is written");
    };
    for number in 0..DATA_SOURCES {
        put(&format!("small{number}"), "shared", &format!("where = \"n % {DATA_SOURCES} = {number}\""));
    }
    put("heavy", "heavy", "cut = { rows = 50000, age = \"1h\" }");
    put("broken", "missing", "");
    config
}

fn produce(broker: &RealBroker, topic: &str, records: u64) {
    Admin::new(&broker.properties()).create_topic(topic, PARTITIONS, &[]);
    let producer = TestProducer::new(&broker.properties(), topic, &[("compression.type", "lz4")]);
    for row in 0..records {
        let record = format!("{{\"t\":{},\"id\":\"id {row:09}\",\"n\":{row}}}", 1_767_268_800_000 + row);
        producer.send(&TestRecord::new((row % PARTITIONS as u64) as i32, record.as_bytes()));
    }
    producer.flush();
}

fn wait_until_read(henge: &Henge, data_source: &str, records: u64) {
    wait_for(&format!("{data_source} has read all"), || {
        let status = henge.try_status(data_source)?;
        (status["records"]["seen"] == records && status["aggregateLag"] == 0).then_some(())
    });
}

fn assert_is_all(henge: &Henge) {
    for number in 0..DATA_SOURCES {
        let own: Vec<u64> = (number..SMALL_RECORDS).step_by(DATA_SOURCES as usize).collect();
        let totals = henge.sql(&format!("SELECT COUNT(*), SUM(n) FROM small{number}"));
        assert_eq!(totals, [[json!(own.len()), json!(own.iter().sum::<u64>())]], "small{number}");
    }
    let totals = henge.sql("SELECT COUNT(*), SUM(n), COUNT(DISTINCT id) FROM heavy");
    assert_eq!(totals, [[json!(HEAVY_RECORDS), json!(HEAVY_RECORDS * (HEAVY_RECORDS - 1) / 2), json!(HEAVY_RECORDS)]]);
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn fifty_datasources_of_one_topic_get_on_beside_a_heavy_and_a_broken_one() {
    let broker = RealBroker::shared();
    produce(&broker, "heavy", HEAVY_RECORDS);
    produce(&broker, "shared", SMALL_RECORDS);
    let mut henge = Henge::server(&config(&broker));
    henge.start();
    for number in 0..DATA_SOURCES {
        wait_until_read(&henge, &format!("small{number}"), SMALL_RECORDS);
    }
    wait_until_read(&henge, "heavy", HEAVY_RECORDS);
    assert_is_all(&henge);
    let states = henge.sql("SELECT detailed_state, COUNT(*) FROM sys.supervisors GROUP BY 1 ORDER BY 2");
    assert_eq!(states, [[json!("CONNECTING_TO_STREAM"), json!(1)], [json!("RUNNING"), json!(DATA_SOURCES + 1)]]);
    let read = henge.sql(
        "SELECT SUM(next_offset), SUM(lag_records), MIN(caught_up) FROM sys.partitions WHERE datasource LIKE 'small%'",
    );
    assert_eq!(read, [[json!(DATA_SOURCES * SMALL_RECORDS), json!(0), json!(1)]]);
    assert!(henge.terminate().success(), "SIGTERM ends it well");
    henge.start();
    for number in 0..DATA_SOURCES {
        wait_until_read(&henge, &format!("small{number}"), SMALL_RECORDS);
    }
    wait_until_read(&henge, "heavy", HEAVY_RECORDS);
    assert_is_all(&henge);
}

const ROUNDS: u64 = 5;
const ROUND_RECORDS: u64 = 500;

/// Adds to the topic that all small datasources read.
fn add_round(broker: &RealBroker, topic: &str, round: u64) {
    let producer = TestProducer::new(&broker.properties(), topic, &[]);
    for row in round * ROUND_RECORDS..(round + 1) * ROUND_RECORDS {
        let record = format!("{{\"t\":{},\"id\":\"id {row:09}\",\"n\":{row}}}", 1_767_268_800_000 + row);
        producer.send(&TestRecord::new((row % PARTITIONS as u64) as i32, record.as_bytes()));
    }
    producer.flush();
}

/// Adds to a topic as fast as it can, until it is told to end.
fn flood(broker: &RealBroker, topic: &str, is_over: &AtomicBool) {
    let producer = TestProducer::new(&broker.properties(), topic, &[("compression.type", "lz4")]);
    let mut row = 0;
    while !is_over.load(Ordering::Relaxed) {
        let record = format!("{{\"t\":{},\"id\":\"hot {row:09}\",\"n\":1}}", 1_767_268_800_000_u64 + row % 3_600_000);
        producer.send(&TestRecord::new((row % PARTITIONS as u64) as i32, record.as_bytes()));
        row += 1;
    }
    producer.flush();
}

/// Ends the flood, also when the test fails.
struct EndOfFlood<'a>(&'a AtomicBool);

impl Drop for EndOfFlood<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn seen(henge: &Henge, data_source: &str) -> u64 {
    henge.status(data_source)["records"]["seen"].as_u64().expect("a number")
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn beside_a_hot_datasource_each_of_fifty_gets_its_turn_in_every_round_and_so_does_the_hot_one() {
    let broker = RealBroker::start();
    let admin = Admin::new(&broker.properties());
    admin.create_topic("shared", PARTITIONS, &[]);
    admin.create_topic("heavy", PARTITIONS, &[]);
    let mut henge = Henge::server(&config(&broker));
    henge.start();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _end = EndOfFlood(&is_over);
        scope.spawn(|| flood(&broker, "heavy", &is_over));
        let mut hot = 0;
        for round in 0..ROUNDS {
            wait_for("the hot one has read more", || {
                let now = henge.try_status("heavy")?["records"]["seen"].as_u64()?;
                (now > hot).then_some(())
            });
            hot = seen(&henge, "heavy");
            add_round(&broker, "shared", round);
            for number in 0..DATA_SOURCES {
                wait_until_read(&henge, &format!("small{number}"), (round + 1) * ROUND_RECORDS);
            }
        }
    });
    let read =
        henge.sql("SELECT MIN(records_seen), MAX(records_seen) FROM sys.supervisors WHERE datasource LIKE 'small%'");
    assert_eq!(read, [[json!(ROUNDS * ROUND_RECORDS), json!(ROUNDS * ROUND_RECORDS)]]);
}
