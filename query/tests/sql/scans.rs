use henge_query::error::QueryErrorKind;
use henge_query::request::QueryRequest;

use crate::fixture::{Fixture, request};

/// The plan's line about what reads the segments, and whether rows are filtered above it.
async fn scan(fixture: &Fixture, sql: &str) -> (String, bool) {
    let (_, rows) = fixture.answer(request(&format!("EXPLAIN {sql}"))).await.expect("a plan");
    let line = rows[0].lines().map(str::trim).find(|line| line.starts_with("Segment"));
    let line = line.unwrap_or_else(|| panic!("{sql} is planned without a scan: {}", rows[0]));
    (line.to_owned(), rows[0].contains("FilterExec"))
}

#[tokio::test]
async fn explain_shows_what_a_scan_finds_by_itself() {
    let fixture = Fixture::with_events().await;
    let cases = [
        ("org = 'acme'", "filter=[org = 'acme']"),
        ("org <> 'acme' AND bytes > 5", "filter=[NOT (org = 'acme') AND bytes > 5]"),
        ("org IN ('a', 'b') OR org = 'c'", "filter=[org IN ('a', 'b', 'c')]"),
        ("org IN ('a', 'b', 'c', 'd', 'e')", "filter=[org IN ('a', 'b', 'c', and 2 more)]"),
        ("org BETWEEN 'a' AND 'c'", "filter=[org >= 'a' AND org <= 'c']"),
        ("org NOT LIKE 'a%'", "filter=[NOT (org LIKE 'a%')]"),
        ("Topic ILIKE '%click%'", "filter=[Topic ILIKE '%click%']"),
        ("Topic ~ '^c.*s$'", "filter=[REGEXP_LIKE(Topic, '^c.*s$')]"),
        ("org IS NULL OR internal", "filter=[org IS NULL OR internal]"),
        ("NOT internal", "filter=[NOT (internal)]"),
        ("org = Topic", "filter=[org = Topic]"),
        ("bytes < cost", "filter=[bytes < cost]"),
        ("bytes < 40.5", "filter=[bytes < 40.5]"),
        ("bytes = '50'", "filter=[bytes = 50]"),
        ("CAST(bytes AS VARCHAR) LIKE '5%'", "filter=[bytes LIKE '5%']"),
        ("CAST(partition AS DOUBLE) >= 1", "filter=[partition >= 1.0]"),
        (
            "__time >= TIMESTAMP '2026-01-01 01:00:00' AND org = 'beta'",
            "interval=2026-01-01T01:00:00.000Z/.. filter=[org = 'beta'] segments=2/3",
        ),
        (
            "NOT (__time >= TIMESTAMP '2026-01-01 01:00:00' AND internal)",
            "filter=[__time <= '2026-01-01T00:59:59.999Z' OR NOT (internal)]",
        ),
    ];
    for (filter, expected) in cases {
        let (line, is_filtered_again) = scan(&fixture, &format!("SELECT bytes FROM usage WHERE {filter}")).await;
        assert!(line.contains(expected) && !is_filtered_again, "{filter}: {line}");
    }
    let in_part = "org = 'acme' AND (bytes > 5 AND LENGTH(Topic) = 6 OR internal AND bytes % 2 = 0)";
    let (line, is_filtered_again) = scan(&fixture, &format!("SELECT bytes FROM usage WHERE {in_part}")).await;
    assert!(line.contains("filter=[org = 'acme' AND (bytes > 5 OR internal)]") && is_filtered_again, "{line}");
}

#[tokio::test]
async fn without_indexes_every_row_is_read_and_filtered_above_the_scan() {
    let fixture = Fixture::with_events().await;
    let sql = "SELECT COUNT(*) FROM usage WHERE org = 'acme' AND __time < TIMESTAMP '2026-01-01 01:00:00'";
    let plain = |sql: &str| QueryRequest { use_indexes: false, use_native_operators: false, ..request(sql) };
    let (_, plan) = fixture.answer(plain(&format!("EXPLAIN {sql}"))).await.expect("a plan");
    assert!(plan[0].contains("FilterExec") && plan[0].contains("SegmentScan: usage segments=3/3"), "{}", plan[0]);
    let (_, rows) = fixture.answer(plain(sql)).await.expect("an answer");
    assert_eq!(rows, ["2"]);
}

#[tokio::test]
async fn a_limit_reaches_the_scan_where_all_of_the_filter_does() {
    let fixture = Fixture::with_events().await;
    let (line, _) = scan(&fixture, "SELECT org FROM usage WHERE partition = 0 LIMIT 2").await;
    assert!(line.contains(" limit=2 "), "{line}");
    assert_eq!(fixture.rows("SELECT org FROM usage WHERE partition = 0 LIMIT 2").await.len(), 2);
    let partly = "SELECT bytes FROM usage WHERE partition < 2 AND bytes % 50 = 7 LIMIT 1";
    let (line, is_filtered_again) = scan(&fixture, partly).await;
    assert!(!line.contains("limit=") && is_filtered_again, "{line}");
    assert_eq!(fixture.rows(partly).await, ["7"]);
}

#[tokio::test]
async fn a_count_of_whole_segments_reads_none_of_them() {
    let fixture = Fixture::with_events().await;
    fixture.publish().await;
    let counts = "SELECT COUNT(*) FROM usage WHERE __time ";
    let whole = ">= TIMESTAMP '2026-01-01 01:00:00' AND __time < TIMESTAMP '2026-01-02 00:00:00'";
    let (_, plan) = fixture.answer(request(&format!("EXPLAIN {counts}{whole}"))).await.expect("a plan");
    assert!(!plan[0].contains("Segment"), "{}", plan[0]);
    assert_eq!(fixture.rows(&format!("{counts}{whole}")).await, ["3"]);
    let cut = "> TIMESTAMP '2026-01-01 01:00:00'";
    let (line, _) = scan(&fixture, &format!("{counts}{cut}")).await;
    assert!(line.contains("segments=2/3"), "{line}");
    assert_eq!(fixture.rows(&format!("{counts}{cut}")).await, ["2"]);
}

#[tokio::test]
async fn a_damaged_segment_fails_only_the_queries_that_need_it_and_they_name_it() {
    let fixture = Fixture::with_events().await;
    fixture.publish().await;
    let segments = fixture.usage.published_segments();
    let damaged = &segments[0];
    damaged.discard_serving();
    let path = fixture.directory().join("store").join(&damaged.meta.path);
    let mut bytes = std::fs::read(&path).expect("the segment's file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("a file that can be written");

    let error = fixture.error("SELECT SUM(bytes) FROM usage WHERE org = 'acme'").await;
    assert_eq!(error.kind, QueryErrorKind::Internal);
    assert!(error.message.contains(&damaged.meta.id.to_string()), "{}", error.message);
    let elsewhere = "SELECT SUM(bytes) FROM usage WHERE __time >= TIMESTAMP '2026-01-01 01:00:00'";
    assert_eq!(fixture.rows(elsewhere).await, ["50"]);
}
