//! What operators do to topics and groups while Henge reads them.

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::TestProducer;
use serde_json::{Value, json};

use crate::henge::{Henge, wait_for};

const COUNT: &str = "SELECT COUNT(*), COUNT(DISTINCT seq) FROM events";

fn config(broker: &RealBroker, topic: &str) -> String {
    format!(
        r#"
[datasource.events]
topic = "{topic}"
kafka = {{ "bootstrap.servers" = "{}" }}
time = "ts"
dimensions = [{{ name = "seq", type = "long" }}]
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

fn wait_for_count(henge: &Henge, expected: u64) {
    wait_for(&format!("there are {expected} events"), || {
        let count = henge.sql(COUNT)[0][0].as_u64().expect("a count is a number");
        assert!(count <= expected, "{count} events, but {expected} were produced");
        (count == expected).then_some(())
    });
    assert_eq!(henge.sql(COUNT), [[json!(expected), json!(expected)]], "each event once");
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn partitions_that_are_added_are_read_from_their_beginning() {
    let broker = RealBroker::shared();
    Admin::new(&broker.properties()).create_topic("growing", 2, &[]);
    let mut henge = Henge::server(&config(&broker, "growing"));
    henge.start_ready();
    for partition in 0..2 {
        let first = u64::try_from(partition).expect("not negative") * 1_000;
        send(&broker, "growing", partition, first..first + 1_000);
    }
    wait_for_count(&henge, 2_000);
    Admin::new(&broker.properties()).set_partitions("growing", 5);
    for partition in 0..5 {
        let first = 2_000 + u64::try_from(partition).expect("not negative") * 1_000;
        send(&broker, "growing", partition, first..first + 1_000);
    }
    wait_for_count(&henge, 7_000);
    henge.kill();
    henge.start_ready();
    wait_for_count(&henge, 7_000);
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn a_topic_made_again_under_its_name_waits_for_a_reset() {
    let broker = RealBroker::shared();
    let admin = Admin::new(&broker.properties());
    admin.create_topic("reborn", 2, &[]);
    let mut henge = Henge::server(&config(&broker, "reborn"));
    henge.start_ready();
    send(&broker, "reborn", 0, 0..500);
    send(&broker, "reborn", 1, 500..1_000);
    wait_for_count(&henge, 1_000);

    admin.delete_topic("reborn");
    admin.create_topic("reborn", 2, &[]);
    // More records than before: by offsets alone, the first thousand would be skipped silently.
    send(&broker, "reborn", 0, 1_000..2_500);
    send(&broker, "reborn", 1, 2_500..4_000);
    wait_until_it_waits_for_a_reset(&henge);
    wait_for_count(&henge, 1_000);

    assert!(henge.terminate().success(), "SIGTERM ends it well");
    henge.start();
    wait_until_it_waits_for_a_reset(&henge);
    wait_for_count(&henge, 1_000);

    let reset = henge.post("/druid/indexer/v1/supervisor/events/reset", &Value::Null);
    assert_eq!(reset.status, 200, "{}", reset.body);
    wait_for_count(&henge, 4_000);
    let status = henge.status("events");
    assert_eq!((&status["healthy"], &status["state"]), (&json!(true), &json!("RUNNING")), "{status}");
}

fn wait_until_it_waits_for_a_reset(henge: &Henge) {
    wait_for("the recreated topic is a visible state", || {
        let status = henge.try_status("events")?;
        let is_said = status["recentErrors"].to_string().contains("reset");
        (status["healthy"] == json!(false) && is_said).then_some(())
    });
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn group_offsets_moved_by_hand_change_nothing() {
    let broker = RealBroker::shared();
    let admin = Admin::new(&broker.properties());
    admin.create_topic("moved", 2, &[]);
    let mut henge = Henge::server(&config(&broker, "moved"));
    henge.start_ready();
    send(&broker, "moved", 0, 0..1_000);
    send(&broker, "moved", 1, 1_000..2_000);
    wait_for_count(&henge, 2_000);
    assert!(henge.terminate().success(), "SIGTERM ends it well");
    let group = "henge-events";
    assert_eq!(admin.group_offsets(group, "moved", 2), [Some(1_000), Some(1_000)], "for lag monitors");

    admin.set_group_offsets(group, "moved", &[(0, 0), (1, 1_500)]);
    send(&broker, "moved", 1, 2_000..4_000);
    henge.start_ready();
    wait_for_count(&henge, 4_000);
}
