//! Each limit of [`QueryLimits`] lets pass what reaches it, and names itself to what goes one beyond.

use std::time::Duration;

use henge_query::error::QueryErrorKind;
use henge_query::guard::StatementLimits;
use henge_query::limits::QueryLimits;
use henge_query::request::{AskedLimits, QueryRequest};

use crate::fixture::{Fixture, events, request};

/// A limit and a statement that needs so much of it.
struct Case {
    name: &'static str,
    set: fn(&mut QueryLimits, u64),
    needs: u64,
    sql: String,
}

fn case(name: &'static str, set: fn(&mut QueryLimits, u64), needs: u64, sql: impl Into<String>) -> Case {
    Case { name, set, needs, sql: sql.into() }
}

/// What the three segments of [`events`] take in memory.
fn open_bytes(fixture: &Fixture) -> u64 {
    let segments = fixture.usage.snapshot(henge_segment_store::time::Interval::ALL).segments;
    segments.iter().map(|segment| segment.bytes()).sum()
}

async fn cases() -> Vec<Case> {
    let bytes = open_bytes(&Fixture::with_events().await);
    vec![
        case("statement_size", |limits, most| limits.statement.text_bytes = most as usize, 15, "SELECT 'abcdef'"),
        case("statement_tokens", |limits, most| limits.statement.tokens = most as usize, 4, "SELECT 1, 2"),
        case("expression_operators", |limits, most| limits.statement.operators = most as usize, 2, "SELECT 1 + 2 + 3"),
        case("set_arms", |limits, most| limits.statement.set_arms = most as usize, 2, "SELECT 1 UNION ALL SELECT 2"),
        case("nesting", |limits, most| limits.statement.nesting = most as usize, 2, "SELECT ((1))"),
        case("list_items", |limits, most| limits.statement.list_items = most as usize, 3, "SELECT 1 IN (1, 2, 3)"),
        case("result_rows", |limits, most| limits.result_rows_max = most, 6, "SELECT org FROM usage"),
        case("result_size", |limits, most| limits.result_bytes_max = most, 16, "SELECT 1, 2"),
        // Three hours, by each of the operators.
        case("scanned_segments", |limits, most| limits.scanned_segments_max = most, 3, "SELECT org FROM usage"),
        case("scanned_segments", |limits, most| limits.scanned_segments_max = most, 3, "SELECT SUM(bytes) FROM usage"),
        case(
            "scanned_segments",
            |limits, most| limits.scanned_segments_max = most,
            3,
            "SELECT DISTINCT org FROM usage",
        ),
        case(
            "scanned_segments",
            |limits, most| limits.scanned_segments_max = most,
            3,
            "SELECT org FROM usage ORDER BY bytes LIMIT 5",
        ),
        case(
            "scanned_segments",
            |limits, most| limits.scanned_segments_max = most,
            1,
            "SELECT SUM(bytes) FROM usage WHERE __time < TIMESTAMP '2026-01-01 01:00:00'",
        ),
        case("scanned_size", |limits, most| limits.scanned_bytes_max = most, bytes, "SELECT org FROM usage"),
        case("scanned_size", |limits, most| limits.scanned_bytes_max = most, bytes, "SELECT SUM(bytes) FROM usage"),
    ]
}

async fn with_limits(set: impl FnOnce(&mut QueryLimits)) -> Fixture {
    let mut limits = QueryLimits::default();
    set(&mut limits);
    let fixture = Fixture::with_limits(limits).await;
    fixture.usage.append(&events());
    fixture
}

#[tokio::test]
async fn each_limit_lets_pass_what_reaches_it_and_names_itself_to_what_goes_beyond() {
    for Case { name, set, needs, sql } in cases().await {
        let at_limit = with_limits(|limits| set(limits, needs)).await;
        assert!(!at_limit.rows(&sql).await.is_empty(), "{name}: {sql}");
        let beyond = with_limits(|limits| set(limits, needs - 1)).await.error(&sql).await;
        assert_eq!(beyond.kind, QueryErrorKind::ResourceLimit, "{name}: {beyond}");
        assert!(beyond.message.contains(&format!("(`{name}`)")), "{name}: {beyond}");
    }
}

#[tokio::test]
async fn a_query_may_ask_for_less_and_not_for_more() {
    let less = |limits| QueryRequest { limits, ..request("SELECT org FROM usage") };
    let asked = [
        ("result_rows", AskedLimits { result_rows: Some(5), ..AskedLimits::default() }),
        ("result_size", AskedLimits { result_bytes: Some(5), ..AskedLimits::default() }),
        ("scanned_segments", AskedLimits { scanned_segments: Some(2), ..AskedLimits::default() }),
        ("scanned_size", AskedLimits { scanned_bytes: Some(2), ..AskedLimits::default() }),
        ("query_memory", AskedLimits { query_memory_bytes: Some(10), ..AskedLimits::default() }),
    ];
    let fixture = Fixture::with_events().await;
    for (name, limits) in asked {
        // A plan that is known need not be made.
        let error = fixture.answer(QueryRequest { use_plan_cache: false, ..less(limits) }).await.expect_err(name);
        assert!(error.message.contains(&format!("(`{name}`)")), "{name}: {error}");
    }
    // No machine plans so many joins at once.
    let joins: String = (0..40).map(|at| format!(" JOIN usage t{at} ON t{at}.org = u.org")).collect();
    let slow = format!("SELECT COUNT(*) FROM usage u{joins}");
    let limits = AskedLimits { plan_time: Some(Duration::from_millis(1)), ..AskedLimits::default() };
    let error = fixture.answer(QueryRequest { limits, ..request(&slow) }).await.expect_err("it is planned too long");
    assert!(error.message.contains("longer than 1 ms to plan (`plan_timeout`)"), "{error}");
    let fixture = with_limits(|limits| limits.result_rows_max = 5).await;
    let more = AskedLimits { result_rows: Some(100), ..AskedLimits::default() };
    assert!(fixture.answer(less(more)).await.is_err());
}

/// A change of a default is a change of what users may do.
#[test]
fn the_defaults_of_a_statement_are_those_of_the_reference() {
    let expected = StatementLimits {
        text_bytes: 262_144,
        tokens: 20_000,
        operators: 500,
        set_arms: 100,
        nesting: 50,
        list_items: 10_000,
    };
    assert_eq!(StatementLimits::default(), expected);
}

#[tokio::test]
async fn a_running_query_tells_how_far_it_has_come() {
    let fixture = Fixture::with_events().await;
    let answer = fixture.engine.execute(request("SELECT SUM(bytes) FROM usage")).await.expect("it runs");
    let queries = fixture.engine.queries();
    let [progress] = queries.as_slice() else { panic!("{queries:?}") };
    assert_eq!((progress.query_id.as_str(), progress.sql.as_str()), ("q", "SELECT SUM(bytes) FROM usage"));
    assert_eq!((progress.segments, progress.rows_total, progress.rows_done), (3, 6, 6));
    drop(answer);
    assert_eq!(fixture.engine.queries(), []);
}
