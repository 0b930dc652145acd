//! One datasource reads every topic whose name matches a pattern.

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::TestProducer;
use serde_json::{Value, json};

use crate::henge::{Henge, wait_for};

fn config(broker: &RealBroker, start: &str) -> String {
    format!(
        r#"
[datasource.events]
topic_pattern = "orders-[a-z]+"
kafka = {{ "bootstrap.servers" = "{}" }}
time = "ts"
dimensions = [{{ name = "topic", from = "kafka.topic" }}, {{ name = "seq", type = "long" }}]
start = "{start}"
cut = {{ rows = 1500, age = "1h" }}
"#,
        broker.bootstrap_servers()
    )
}

fn send(broker: &RealBroker, topic: &str, partition: i32, rows: std::ops::Range<u64>) {
    let producer = TestProducer::new(&broker.properties(), topic, &[]);
    let payloads: Vec<String> =
        rows.map(|row| format!(r#"{{"ts":{},"seq":{row}}}"#, 1_767_268_800_000 + row)).collect();
    producer.send_all(partition, payloads.iter().map(String::as_bytes));
}

/// Waits until each topic has this many events, and each of them once.
fn wait_for_counts(henge: &Henge, expected: &[(&str, u64)]) {
    let expected: Vec<Vec<Value>> =
        expected.iter().map(|(topic, count)| vec![json!(topic), json!(count), json!(count)]).collect();
    let total: u64 = expected.iter().filter_map(|row| row[1].as_u64()).sum();
    wait_for(&format!("the events are {expected:?}"), || {
        let count = henge.sql("SELECT COUNT(*) FROM events")[0][0].as_u64().expect("a count is a number");
        assert!(count <= total, "{count} events, but {total} were produced");
        (count == total).then_some(())
    });
    let found = henge.sql("SELECT topic, COUNT(*), COUNT(DISTINCT seq) FROM events GROUP BY 1 ORDER BY 1");
    assert_eq!(found, expected, "each event once");
}

fn partitions(henge: &Henge) -> Vec<Vec<Value>> {
    henge.sql("SELECT topic, \"partition\", next_offset, lag_records, stopped FROM sys.partitions ORDER BY 1, 2")
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn every_matching_topic_is_read_once_also_those_that_come_later_and_across_restarts() {
    let broker = RealBroker::start();
    let admin = Admin::new(&broker.properties());
    for (topic, count) in [("orders-eu", 2), ("orders-us", 1), ("orders-asia", 1), ("orders-1", 1), ("my-orders-eu", 1)]
    {
        admin.create_topic(topic, count, &[]);
        send(&broker, topic, 0, 0..500);
    }
    let mut henge = Henge::server(&config(&broker, "earliest"));
    henge.start_ready();
    wait_for_counts(&henge, &[("orders-asia", 500), ("orders-eu", 500), ("orders-us", 500)]);

    admin.create_topic("orders-late", 2, &[]);
    send(&broker, "orders-late", 1, 0..700);
    admin.set_partitions("orders-us", 3);
    send(&broker, "orders-us", 2, 500..900);
    send(&broker, "orders-eu", 1, 500..1_000);
    let all = [("orders-asia", 500), ("orders-eu", 1_000), ("orders-late", 700), ("orders-us", 900)];
    wait_for_counts(&henge, &all);
    let row = |topic: &str, partition: i32, next: i64| {
        vec![json!(topic), json!(partition), json!(next), json!(0), json!(null)]
    };
    let read = [
        row("orders-asia", 0, 500),
        row("orders-eu", 0, 500),
        row("orders-eu", 1, 500),
        row("orders-late", 0, 0),
        row("orders-late", 1, 700),
        row("orders-us", 0, 500),
        row("orders-us", 1, 0),
        row("orders-us", 2, 400),
    ];
    wait_for("the ends of all partitions are known", || (partitions(&henge) == read).then_some(()));
    let offsets = &henge.status("events")["activeTasks"][0]["currentOffsets"];
    assert_eq!(offsets["orders-us:2"], json!(400), "as Druid names partitions of several topics: {offsets}");

    henge.kill();
    send(&broker, "orders-asia", 0, 500..600);
    henge.start_ready();
    let all = [("orders-asia", 600), ("orders-eu", 1_000), ("orders-late", 700), ("orders-us", 900)];
    wait_for_counts(&henge, &all);
    assert!(henge.terminate().success(), "SIGTERM ends it well");
    henge.run_offline("verify");
    henge.start_ready();
    wait_for_counts(&henge, &all);
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn a_topic_that_is_gone_or_made_again_stops_and_the_others_are_read_on() {
    let broker = RealBroker::start();
    let admin = Admin::new(&broker.properties());
    for topic in ["orders-eu", "orders-old", "orders-us"] {
        admin.create_topic(topic, 1, &[]);
        send(&broker, topic, 0, 0..500);
    }
    let mut henge = Henge::server(&config(&broker, "earliest"));
    henge.start_ready();
    wait_for_counts(&henge, &[("orders-eu", 500), ("orders-old", 500), ("orders-us", 500)]);

    admin.delete_topic("orders-old");
    admin.delete_topic("orders-us");
    admin.create_topic("orders-us", 1, &[]);
    // More records than before: by offsets alone, the first ones would be skipped silently.
    send(&broker, "orders-us", 0, 500..1_500);
    wait_until_stopped(&henge);
    send(&broker, "orders-eu", 0, 500..1_000);
    let all = [("orders-eu", 1_000), ("orders-old", 500), ("orders-us", 500)];
    wait_for_counts(&henge, &all);

    assert!(henge.terminate().success(), "SIGTERM ends it well");
    henge.start();
    wait_until_stopped(&henge);
    wait_for_counts(&henge, &all);
}

/// One topic is gone, which is no trouble: it was read to its end. Another one waits for an operator.
fn wait_until_stopped(henge: &Henge) {
    wait_for("a topic made again and one that is gone are visible", || {
        let status = henge.try_status("events")?;
        let (stopped, detail) = (&status["stoppedPartitions"], status["detail"].as_str()?.to_owned());
        let gone = "topic `orders-old` does not exist";
        let is_shown = stopped["orders-old:0"] == gone && stopped["orders-us:0"] == detail.as_str();
        let is_said = detail.starts_with("topic `orders-us` was deleted and created again");
        (is_shown && is_said && status["detailedState"] == "DEGRADED").then_some(())
    });
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn the_latest_records_of_known_topics_and_all_of_new_ones_are_read() {
    let broker = RealBroker::start();
    let admin = Admin::new(&broker.properties());
    admin.create_topic("orders-eu", 1, &[]);
    send(&broker, "orders-eu", 0, 0..500);
    let mut henge = Henge::server(&config(&broker, "latest"));
    henge.start_ready();
    wait_for("the end of the topic is where reading begins", || (partitions(&henge).len() == 1).then_some(()));
    admin.create_topic("orders-late", 1, &[]);
    send(&broker, "orders-late", 0, 0..300);
    wait_for_counts(&henge, &[("orders-late", 300)]);
    henge.kill();
    send(&broker, "orders-eu", 0, 500..600);
    henge.start_ready();
    wait_for_counts(&henge, &[("orders-eu", 100), ("orders-late", 300)]);
}
