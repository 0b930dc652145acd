//! Measures that are sketches: read from a topic with rollup, killed on the way, merged by compaction, and the same each time.

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use serde_json::{Value, json};

use crate::henge::{Henge, wait_for};

const RECORDS: u64 = 40_000;
const USERS: u64 = 5_000;
const PARTITIONS: i32 = 3;
/// An HLL of 2^12 registers and a theta sketch of 2^14 hashes are this near in all but few of many cases; these are one.
const SHARE_OFF_MAX: f64 = 0.05;

fn config(broker: &RealBroker) -> String {
    format!(
        r#"
[datasource.visits]
topic = "visits"
kafka = {{ "bootstrap.servers" = "{}" }}
time = {{ column = "t", format = "millis" }}
dimensions = ["page"]
rollup = "1m"
measures = {{ visits = "count", users = {{ hll = "user" }}, few = {{ theta = "user" }}, latency = {{ quantiles = "ms" }} }}
cut = {{ rows = 100, age = "1h" }}
compaction = {{ quiet = "1s" }}
"#,
        broker.bootstrap_servers()
    )
}

fn record(row: u64) -> String {
    let t = 1_767_268_800_000 + row * 20;
    format!(r#"{{"t":{t},"page":"p{}","user":"u{}","ms":{}}}"#, row % 7, row * 31 % USERS, row % 1_000)
}

/// How many visits, and the two estimates of how many users.
fn counts(henge: &Henge) -> Vec<Value> {
    let query =
        "SELECT SUM(visits), APPROX_COUNT_DISTINCT_DS_HLL(users), APPROX_COUNT_DISTINCT_DS_THETA(few) FROM visits";
    let [counts] = henge.sql(query).try_into().expect("one row");
    counts
}

fn assert_are_near(henge: &Henge) {
    let counts = counts(henge);
    assert_eq!(counts[0], json!(RECORDS));
    for users in &counts[1..] {
        let users = users.as_f64().expect("a number");
        assert!((users / USERS as f64 - 1.0).abs() < SHARE_OFF_MAX, "{users} users instead of {USERS}");
    }
    let [median] = henge.sql("SELECT APPROX_QUANTILE_DS(latency, 0.5) FROM visits").try_into().expect("one row");
    let median = median[0].as_f64().expect("a number");
    assert!((median - 500.0).abs() < 50.0, "{median} ms is no median of 0 to 999");
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn sketches_of_a_killed_process_are_those_of_all_its_records() {
    let broker = RealBroker::shared();
    Admin::new(&broker.properties()).create_topic("visits", PARTITIONS, &[]);
    let producer = TestProducer::new(&broker.properties(), "visits", &[]);
    for row in 0..RECORDS {
        producer.send(&TestRecord::new((row % PARTITIONS as u64) as i32, record(row).as_bytes()));
    }
    producer.flush();
    let mut henge = Henge::server(&config(&broker));
    henge.start();
    let all_are_read = |henge: &Henge| {
        wait_for("all is read", || {
            let status = henge.try_status("visits")?;
            (status["aggregateLag"] == 0 && counts(henge)[0] == json!(RECORDS)).then_some(())
        });
    };
    all_are_read(&henge);
    assert_are_near(&henge);
    let before = counts(&henge);
    henge.kill();
    henge.start_ready();
    all_are_read(&henge);
    assert_eq!(counts(&henge), before, "HLL and theta sketches depend on the values alone");
    assert!(henge.terminate().success(), "SIGTERM ends it well");
    henge.run_offline("compact");
    henge.run_offline("verify");
    henge.start_ready();
    assert_eq!(counts(&henge), before, "merged segments hold the same sketches");
    assert_are_near(&henge);
}
