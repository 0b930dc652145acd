//! Queries that do not fit into their memory go to disk, and answer the same.

use std::num::NonZeroUsize;
use std::time::Duration;

use henge_query::engine::QueryEngine;
use henge_query::error::{QueryError, QueryErrorKind};
use henge_query::limits::QueryLimits;
use henge_query::request::QueryRequest;
use henge_query::spill::SpillFigures;

use crate::fixture::{Fixture, event, request};

const EVENTS: i64 = 60_000;

/// What takes several times as much as [`few_bytes`], on our operators and on DataFusion's.
const QUERIES: [(&str, bool); 3] = [
    ("SELECT org, SUM(bytes), SUM(cost), MIN(bytes), MAX(cost), COUNT(*), AVG(cost) FROM usage GROUP BY org", true),
    ("SELECT org, \"partition\", COUNT(DISTINCT Topic), EARLIEST(org, 64), SUM(bytes) FROM usage GROUP BY 1, 2", true),
    ("SELECT org, SUM(bytes), MAX(cost), COUNT(*) FROM usage GROUP BY org", false),
];

/// What is on disk after so long was forgotten.
const OVER_MAX: Duration = Duration::from_secs(20);

fn few_bytes() -> QueryLimits {
    let threads = NonZeroUsize::new(2).expect("two is not zero");
    QueryLimits { query_memory_bytes: 14 << 20, threads, ..QueryLimits::default() }
}

async fn with_many_events(limits: QueryLimits) -> Fixture {
    let fixture = Fixture::with_limits(limits).await;
    let orgs: Vec<String> =
        (0..EVENTS).map(|org| format!("an organisation with a name of some length, {org}")).collect();
    let events: Vec<_> = (0..EVENTS)
        .map(|at| event(at % 60, Some(&orgs[at as usize]), "t", at % 7, Some(at), 0.5 * (at % 1_000) as f64))
        .collect();
    fixture.usage.append(&events);
    fixture
}

fn asked(sql: &str, use_native_operators: bool) -> QueryRequest {
    QueryRequest { use_native_operators, ..request(sql) }
}

async fn answer(fixture: &Fixture, sql: &str, is_native: bool) -> Result<Vec<String>, QueryError> {
    let (_, mut rows) = fixture.answer(asked(sql, is_native)).await?;
    rows.sort();
    Ok(rows)
}

/// What is on disk once a query is over. Its tasks end after its answer, and are not counted any more just before they let
/// go of their files.
async fn left(engine: &QueryEngine) -> SpillFigures {
    let is_over = async {
        while engine.tasks() > 0 || engine.spilled().bytes > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(OVER_MAX, is_over).await.ok();
    engine.spilled()
}

#[tokio::test]
async fn queries_beyond_their_memory_answer_the_same_from_disk() {
    let mut fixture = with_many_events(QueryLimits::default()).await;
    let mut expected = Vec::new();
    for (sql, is_native) in QUERIES {
        expected.push(answer(&fixture, sql, is_native).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")));
    }
    assert_eq!(fixture.engine.spilled(), SpillFigures { bytes: 0, written_bytes: 0 });

    fixture.engine = QueryEngine::new(fixture.store.clone(), few_bytes());
    let mut written = 0;
    for ((sql, is_native), expected) in QUERIES.into_iter().zip(expected) {
        let found = answer(&fixture, sql, is_native).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert!(found == expected, "{sql}: {} rows are not {}", found.len(), expected.len());
        let left = left(&fixture.engine).await;
        assert!(left.bytes == 0 && left.written_bytes > written, "{sql}: {left:?}");
        written = left.written_bytes;
    }
    let files = std::fs::read_dir(fixture.store.spill_directory());
    assert_eq!(files.map_or(0, Iterator::count), 0);

    let (sql, is_native) = QUERIES[0];
    let (_, plan) = fixture.answer(asked(&format!("EXPLAIN ANALYZE {sql}"), is_native)).await.expect("it runs");
    assert!(plan[0].contains("spilled_bytes=") && !plan[0].contains("spilled_bytes=0"), "{}", plan[0]);
}

#[tokio::test]
async fn what_does_not_fit_on_disk_either_is_refused_with_the_limit_to_raise() {
    let limits = QueryLimits { spill_bytes: 100 << 10, ..few_bytes() };
    let fixture = with_many_events(limits).await;
    for (sql, is_native) in QUERIES {
        let error = answer(&fixture, sql, is_native).await.expect_err(sql);
        assert_eq!(error.kind, QueryErrorKind::ResourceLimit, "{sql}: {error}");
        assert!(error.message.contains("on disk") && error.message.contains("`spill_size`"), "{sql}: {error}");
        assert_eq!(left(&fixture.engine).await.bytes, 0, "{sql}");
    }
}

#[tokio::test]
async fn a_sort_beyond_its_memory_keeps_its_order() {
    let sql = "SELECT org, bytes, cost FROM usage ORDER BY cost DESC, org";
    let org = |at: i64| format!("an organisation with a name of some length, {at}");
    let mut rows: Vec<(f64, String, i64)> = (0..EVENTS).map(|at| (0.5 * (at % 1_000) as f64, org(at), at)).collect();
    rows.sort_by(|(cost, org, _), (other_cost, other_org, _)| {
        other_cost.total_cmp(cost).then_with(|| org.cmp(other_org))
    });
    let expected: Vec<String> = rows.iter().map(|(cost, org, bytes)| format!("{org}|{bytes}|{cost:?}")).collect();

    let fixture = with_many_events(few_bytes()).await;
    let found = fixture.rows(sql).await;
    let differs = found.iter().zip(&expected).find(|(found, expected)| found != expected);
    assert_eq!((found.len(), differs), (expected.len(), None));
    let left = left(&fixture.engine).await;
    assert!(left.bytes == 0 && left.written_bytes > 0, "{left:?}");
}

#[tokio::test]
async fn a_join_holds_one_side_in_memory_or_is_refused_with_the_limit_that_it_reached() {
    let sql = "SELECT COUNT(*), SUM(a.bytes) FROM usage a JOIN usage b ON a.org = b.org AND a.bytes = b.bytes";
    let mut fixture = with_many_events(QueryLimits { query_memory_bytes: 32 << 20, ..few_bytes() }).await;
    assert_eq!(fixture.rows(sql).await, [format!("{EVENTS}|{}", EVENTS * (EVENTS - 1) / 2)]);

    fixture.engine =
        QueryEngine::new(fixture.store.clone(), QueryLimits { query_memory_bytes: 6 << 20, ..few_bytes() });
    let error = fixture.error(sql).await;
    assert_eq!(error.kind, QueryErrorKind::ResourceLimit, "{error}");
    assert!(error.message.starts_with("this query needs more than 6291456 bytes (`query_memory`)"), "{error}");
    assert_eq!(left(&fixture.engine).await.bytes, 0);
}
