//! A row filter and computed columns: each record is kept, filtered or refused, and every count says so (invariant M3).

use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;
use henge_ingest::test_support::producer::{TestProducer, TestRecord};
use serde_json::{Value, json};

use crate::henge::{Henge, wait_for};

const RECORDS: u64 = 30_000;
const PARTITIONS: i32 = 3;

fn config(broker: &RealBroker) -> String {
    format!(
        r#"
[datasource.calls]
topic = "calls"
kafka = {{ "bootstrap.servers" = "{}" }}
time = {{ column = "t", format = "millis" }}
where = "kind <> 'debug' AND LOWER(org) LIKE 'org-%'"
dimensions = [
    "org",
    {{ name = "class", from = {{ expression = "CASE WHEN CAST(status AS BIGINT) >= 500 THEN 'failed' ELSE 'ok' END" }} }},
    {{ name = "share", type = "double", from = {{ expression = "100.0 * bytes / CAST(calls AS BIGINT)" }} }},
]
measures = {{ bytes = "long_sum", failures = {{ long_sum = {{ expression = "CASE WHEN status LIKE '5__' THEN 1 ELSE 0 END" }} }} }}
cut = {{ rows = 4000, age = "1h" }}
"#,
        broker.bootstrap_servers()
    )
}

/// Of ten records two are filtered, one divides by zero, one cannot be read at all, and six are kept, of which two failed.
fn record(row: u64) -> String {
    let (kind, calls) = match row % 10 {
        0 => ("debug", "4"),
        1 => ("call", "0"),
        _ => ("call", "4"),
    };
    let org = if row % 10 == 2 { "test" } else { "ORG-1" };
    let status = if row % 10 < 6 { 503 } else { 200 };
    let end = if row % 10 == 3 { "" } else { "}" };
    let t = 1_767_268_800_000 + row;
    format!(r#"{{"t":{t},"kind":"{kind}","org":"{org}","status":{status},"calls":{calls},"bytes":{row}{end}"#)
}

fn assert_is_all(henge: &Henge) {
    let kept = || (0..RECORDS).filter(|row| row % 10 >= 4);
    let (kept_count, bytes) = (kept().count(), kept().sum::<u64>());
    let share: f64 = kept().map(|row| 25.0 * row as f64).sum();
    assert_eq!(
        henge.sql("SELECT COUNT(*), SUM(bytes), SUM(failures), SUM(share) FROM calls"),
        [[json!(kept_count), json!(bytes), json!(RECORDS / 5), json!(share)]]
    );
    assert_eq!(
        henge.sql("SELECT org, class, COUNT(*) FROM calls GROUP BY 1, 2 ORDER BY 2"),
        [["ORG-1".into(), "failed".into(), json!(RECORDS / 5)], ["ORG-1".into(), "ok".into(), json!(RECORDS / 5 * 2)]]
    );
    let reasons = json!({ "filtered": RECORDS / 5, "malformed": RECORDS / 10, "expression_failed": RECORDS / 10 });
    let expected = json!({
        "seen": RECORDS,
        "accepted": kept_count,
        "rejected": RECORDS / 5,
        "filtered": RECORDS / 5,
        "refusedByReason": reasons,
    });
    assert_eq!(henge.status("calls")["records"], expected);
}

#[test]
#[ignore = "needs a real Kafka broker: run with --include-ignored (needs Java 17 and Maven)"]
fn filtered_and_failed_records_are_counted_and_the_rest_is_exact() {
    let broker = RealBroker::shared();
    Admin::new(&broker.properties()).create_topic("calls", PARTITIONS, &[]);
    let producer = TestProducer::new(&broker.properties(), "calls", &[]);
    for row in 0..RECORDS {
        let record = record(row);
        producer.send(&TestRecord::new((row % PARTITIONS as u64) as i32, record.as_bytes()));
    }
    producer.flush();
    let mut henge = Henge::server(&config(&broker));
    henge.start();
    wait_for("all is read", || {
        let status = henge.try_status("calls")?;
        (status["records"]["seen"] == RECORDS && status["aggregateLag"] == 0).then_some(())
    });
    assert_is_all(&henge);
    let errors = henge.get("/druid/indexer/v1/supervisor/calls/parseErrors").json();
    let failed = errors.as_array().expect("a list").iter().filter(|error| error["errorType"] == "expression_failed");
    for error in failed {
        let row = error["offset"].as_u64().expect("an offset") * PARTITIONS as u64
            + error["partition"].as_u64().expect("a number");
        let detail = "`share`: division by zero in `100.0 * bytes / CAST(calls AS BIGINT)`";
        assert_eq!((&error["topic"], &error["details"]), (&json!("calls"), &json!([detail])));
        assert_eq!(error["input"], Value::from(record(row)), "the record that failed");
    }
    assert!(henge.terminate().success(), "SIGTERM ends it well");
    henge.run_offline("verify");
    henge.start_ready();
    assert_is_all(&henge);
}
