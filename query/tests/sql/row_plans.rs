//! Which rows in an order, and which values of a column, are found by operators of ours.

use std::num::NonZeroUsize;

use henge_query::limits::QueryLimits;
use henge_query::request::QueryRequest;

use crate::fixture::{Fixture, events, request};

/// Plans have one shape on all machines.
async fn fixture() -> Fixture {
    let threads = NonZeroUsize::new(2).expect("two is not zero");
    let fixture = Fixture::with_limits(QueryLimits { threads, ..QueryLimits::default() }).await;
    fixture.usage.append(&events());
    fixture
}

async fn plan(fixture: &Fixture, sql: &str) -> String {
    fixture.rows(&format!("EXPLAIN {sql}")).await.remove(0).trim_end().to_owned()
}

#[tokio::test]
async fn plans_of_the_first_rows() {
    let fixture = fixture().await;
    let cases = [
        (
            "SELECT * FROM usage ORDER BY __time DESC LIMIT 3",
            "SegmentTopRows: usage order=[__time DESC NULLS LAST] fetch=3 segments=3/3 (open=3) \
             projection=[__time, org, Topic, partition, internal, events, bytes, cost]",
        ),
        (
            "SELECT Topic AS t, bytes FROM usage u WHERE u.org = 'acme' AND __time >= TIMESTAMP '2026-01-01 01:00:00' \
             ORDER BY u.bytes NULLS LAST, t LIMIT 2 OFFSET 5",
            "GlobalLimitExec: skip=5, fetch=2\n  \
             ProjectionExec: expr=[Topic@0 as t, bytes@1 as bytes]\n    \
             SegmentTopRows: usage order=[bytes NULLS LAST, Topic NULLS FIRST] fetch=7 \
             interval=2026-01-01T01:00:00.000Z/.. filter=[org = 'acme'] segments=2/3 (open=2) projection=[Topic, bytes]",
        ),
        (
            "SELECT UPPER(Topic) FROM (SELECT Topic, cost * 2 AS double_cost, bytes FROM usage) ORDER BY bytes LIMIT 1",
            "ProjectionExec: expr=[EXPR$0@0 as EXPR$0]\n  \
             ProjectionExec: expr=[upper(Topic@0) as EXPR$0, bytes@1 as bytes]\n    \
             SegmentTopRows: usage order=[bytes NULLS FIRST] fetch=1 segments=3/3 (open=3) projection=[Topic, bytes]",
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(plan(&fixture, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn plans_of_values() {
    let fixture = fixture().await;
    let cases = [
        (
            "SELECT DISTINCT Topic FROM usage WHERE Topic LIKE 'o%' ORDER BY Topic LIMIT 100",
            "SegmentValues: usage order=[Topic NULLS FIRST] fetch=100 filter=[Topic LIKE 'o%'] segments=3/3 (open=3) \
             projection=[Topic]",
        ),
        (
            "SELECT Topic AS t FROM usage GROUP BY 1 ORDER BY t DESC NULLS FIRST",
            "ProjectionExec: expr=[Topic@0 as t]\n  SegmentValues: usage order=[Topic DESC NULLS FIRST] \
             segments=3/3 (open=3) projection=[Topic]",
        ),
        (
            "SELECT DISTINCT org FROM usage WHERE __time < TIMESTAMP '2026-01-01 01:00:00' LIMIT 3 OFFSET 1",
            "GlobalLimitExec: skip=1, fetch=3\n  SegmentValues: usage order=[org NULLS FIRST] fetch=4 \
             interval=../2026-01-01T01:00:00.000Z segments=1/3 (open=1) projection=[org]",
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(plan(&fixture, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn what_is_not_ours_in_full_stays_with_datafusion() {
    let fixture = fixture().await;
    let kept = [
        "SELECT org FROM usage ORDER BY bytes",
        "SELECT org FROM usage ORDER BY bytes + partition LIMIT 3",
        "SELECT org FROM usage ORDER BY LENGTH(org) LIMIT 3",
        "SELECT org FROM usage WHERE LENGTH(Topic) = 6 ORDER BY bytes LIMIT 3",
        "SELECT org FROM usage ORDER BY bytes LIMIT 100001",
        "SELECT a.org FROM usage a JOIN usage b ON a.bytes = b.bytes ORDER BY a.bytes LIMIT 3",
        "SELECT org FROM (SELECT org, bytes FROM usage LIMIT 4) ORDER BY bytes LIMIT 3",
        "SELECT org, SUM(bytes) OVER () FROM usage ORDER BY bytes LIMIT 3",
    ];
    for sql in kept {
        let plan = plan(&fixture, sql).await;
        assert!(plan.contains("SegmentScan: usage"), "{sql}: {plan}");
        assert!(!plan.contains("SegmentTopRows") && !plan.contains("SegmentValues"), "{sql}: {plan}");
    }
    let grouped = ["SELECT DISTINCT UPPER(org) FROM usage", "SELECT DISTINCT org FROM usage WHERE LENGTH(Topic) = 6"];
    for sql in grouped {
        let plan = plan(&fixture, sql).await;
        assert!(plan.contains("SegmentAggregate: usage") && !plan.contains("SegmentValues"), "{sql}: {plan}");
    }
    let off = |sql: &str| QueryRequest { use_native_operators: false, ..request(&format!("EXPLAIN {sql}")) };
    for sql in ["SELECT org FROM usage ORDER BY bytes LIMIT 3", "SELECT DISTINCT org FROM usage LIMIT 3"] {
        let (_, rows) = fixture.answer(off(sql)).await.expect("a plan");
        assert!(rows[0].contains("SegmentScan: usage"), "{sql}: {}", rows[0]);
    }
}

#[tokio::test]
async fn a_limit_without_an_order_reads_no_more_rows_than_it_keeps() {
    let fixture = fixture().await;
    let plan = plan(&fixture, "SELECT org FROM usage WHERE org = 'acme' LIMIT 4").await;
    assert!(plan.contains("SegmentScan: usage filter=[org = 'acme'] limit=4 "), "{plan}");
}

/// What the fixture's events answer; each is asked open, published, and in between.
const ANSWERS: &[(&str, &[&str])] = &[
    ("SELECT bytes, org FROM usage ORDER BY bytes DESC LIMIT 3", &["200|acme", "100|acme", "50|beta"]),
    ("SELECT bytes, org FROM usage ORDER BY bytes LIMIT 2", &["NULL|beta", "-7|"]),
    ("SELECT bytes FROM usage ORDER BY bytes NULLS LAST LIMIT 10 OFFSET 4", &["200", "NULL"]),
    (
        "SELECT org, Topic, partition FROM usage ORDER BY org DESC, Topic, partition DESC LIMIT 3",
        &["beta|_audit|2", "beta|orders|0", "acme|orders|1"],
    ),
    ("SELECT cost FROM usage WHERE internal OR Topic = 'clicks' ORDER BY __time DESC LIMIT 2", &["8.0", "4.0"]),
    ("SELECT internal, cost FROM usage ORDER BY internal DESC, cost DESC LIMIT 2", &["true|2.0", "false|8.0"]),
    ("SELECT Topic || '!' FROM usage WHERE bytes > 0 ORDER BY cost DESC LIMIT 2", &["clicks!", "_audit!"]),
    ("SELECT org FROM usage WHERE org = 'nobody' ORDER BY cost LIMIT 5", &[]),
    (
        "SELECT a.org, b.n FROM (SELECT org, bytes FROM usage ORDER BY bytes DESC LIMIT 1) a \
         JOIN (SELECT org, COUNT(*) AS n FROM usage GROUP BY org) b ON a.org = b.org",
        &["acme|2"],
    ),
    ("SELECT DISTINCT org FROM usage ORDER BY org", &["NULL", "", "acme", "beta"]),
    ("SELECT DISTINCT org FROM usage ORDER BY org DESC LIMIT 2", &["beta", "acme"]),
    ("SELECT org FROM usage GROUP BY org ORDER BY org NULLS LAST LIMIT 2 OFFSET 2", &["beta", "NULL"]),
    ("SELECT DISTINCT Topic FROM usage WHERE Topic LIKE '%c%' ORDER BY 1 LIMIT 5", &["clicks"]),
    (
        "SELECT DISTINCT Topic FROM usage WHERE __time > TIMESTAMP '2026-01-01 00:59:00' ORDER BY Topic",
        &["_audit", "clicks"],
    ),
    ("SELECT DISTINCT Topic FROM usage WHERE org = 'beta' ORDER BY Topic DESC", &["orders", "_audit"]),
    ("SELECT COUNT(*), COUNT(org) FROM (SELECT DISTINCT org FROM usage LIMIT 3)", &["3|2"]),
];

async fn check_all(fixture: &Fixture, state: &str) {
    for (sql, expected) in ANSWERS {
        assert_eq!(fixture.rows(sql).await, *expected, "{state}: {sql}");
        let by_datafusion = QueryRequest { use_native_operators: false, ..request(sql) };
        let (_, rows) = fixture.answer(by_datafusion).await.expect("an answer");
        assert!(rows == *expected || sql.contains("LIMIT 3)"), "{state}, by DataFusion: {sql}: {rows:?}");
    }
}

#[tokio::test]
async fn answers_do_not_depend_on_how_far_events_are_published() {
    let first = fixture().await;
    check_all(&first, "open").await;
    first.publish().await;
    check_all(&first, "published").await;
    let mixed = Fixture::new().await;
    let events = events();
    mixed.usage.append(&events[..2]);
    mixed.publish().await;
    mixed.usage.append(&events[2..5]);
    let frozen = mixed.usage.cut();
    mixed.usage.append(&events[5..]);
    check_all(&mixed, "one part each published, frozen and open").await;
    drop(frozen);
}
