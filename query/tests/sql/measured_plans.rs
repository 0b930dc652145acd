//! `EXPLAIN ANALYZE` says which way was taken to the rows that pass each test.

use henge_segment_store::event::EventRow;

use crate::fixture::{Fixture, event};

#[track_caller]
fn assert_says(plan: &str, expected: &[&str]) {
    for part in expected {
        assert!(plan.contains(part), "{part} is not in {plan}");
    }
}

#[tokio::test]
async fn tests_of_filters_are_counted_by_column_and_way() {
    let fixture = Fixture::new().await;
    let org = |at: i64| format!("org {}", at % 500);
    let rows: Vec<EventRow> = (0..5_000).map(|at| event(0, Some(&org(at)), "t", at % 7, Some(at), 0.5)).collect();
    fixture.usage.append(&rows);
    let aggregation = "EXPLAIN ANALYZE SELECT \"partition\", SUM(bytes) FROM usage WHERE org = 'org 7' AND bytes > 600 \
                       GROUP BY 1";
    let scan = "EXPLAIN ANALYZE SELECT org, bytes FROM usage WHERE org = 'org 7' AND bytes > 600";
    let first_rows =
        "EXPLAIN ANALYZE SELECT org, bytes FROM usage WHERE org = 'org 7' AND bytes > 600 ORDER BY cost LIMIT 3";
    let values = "EXPLAIN ANALYZE SELECT DISTINCT Topic FROM usage WHERE org = 'org 7' AND bytes > 600";
    for statement in [aggregation, scan, first_rows, values] {
        let plan = fixture.rows(statement).await.concat();
        assert_says(&plan, &["code_scan(org)=1", "number_scan(bytes)=1", "segments=1/1 (open=1)"]);
    }
    fixture.publish().await;
    for statement in [aggregation, scan, first_rows, values] {
        let plan = fixture.rows(statement).await.concat();
        assert_says(&plan, &["index(org)=1", "number_scan(bytes)=1", "segments=1/1 (open=0)"]);
        assert!(!plan.contains("code_scan"), "{plan}");
    }
    // Of 10 rows with that text 8 have more bytes.
    assert_says(&fixture.rows(first_rows).await.concat(), &["rows=8", "segments=1", "filter=", "scan="]);
    let filtered = "EXPLAIN ANALYZE SELECT \"partition\", SUM(bytes) FILTER (WHERE org = 'org 3') FROM usage WHERE bytes > 9 \
                    GROUP BY 1";
    assert_says(&fixture.rows(filtered).await.concat(), &["index(org)=1", "number_scan(bytes)=1", "rows=4.99 K"]);
}
