use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use henge_query::error::QueryErrorKind;
use henge_query::limits::QueryLimits;
use henge_query::reader::Reader;
use henge_query::request::QueryRequest;

use crate::fixture::{Fixture, event, request};

/// More pairs than any machine can count before the test ends: 1,000 events to the fifth power.
const ENDLESS: &str = "SELECT COUNT(*) FROM usage a, usage b, usage c, usage d, usage e \
                       WHERE a.bytes + b.bytes + c.bytes + d.bytes + e.bytes = 1";

async fn with_thousand_events(limits: QueryLimits) -> Fixture {
    let fixture = Fixture::with_limits(limits).await;
    let orgs: Vec<String> = (0..1_000).map(|org| format!("organisation {org}")).collect();
    let events: Vec<_> =
        (0..1_000).map(|at| event(at % 60, Some(&orgs[at as usize]), "t", at, Some(at), 0.0)).collect();
    fixture.usage.append(&events);
    fixture
}

#[tokio::test]
async fn a_query_ends_at_its_deadline() {
    let fixture = with_thousand_events(QueryLimits::default()).await;
    let timeout = Some(Duration::from_millis(200));
    let error = fixture.answer(QueryRequest { timeout, ..request(ENDLESS) }).await.expect_err("it has no end");
    assert_eq!(error.kind, QueryErrorKind::Timeout);
    assert!(error.message.starts_with("the query took longer than 200 ms"), "{}", error.message);
    assert_eq!(fixture.engine.running(), 0);
}

#[tokio::test]
async fn the_limit_on_timeouts_holds_for_those_who_ask_for_more() {
    let limits = QueryLimits { timeout_max: Duration::from_millis(200), ..QueryLimits::default() };
    let fixture = with_thousand_events(limits).await;
    let error = fixture.answer(request(ENDLESS)).await.expect_err("it has no end");
    assert_eq!(error.kind, QueryErrorKind::Timeout);
}

#[tokio::test]
async fn a_query_is_cancelled_by_its_id_and_others_go_on() {
    let fixture = Arc::new(with_thousand_events(QueryLimits::default()).await);
    assert!(!fixture.engine.cancel("endless", &Reader::Everything), "nothing of that id runs yet");
    let asking = fixture.clone();
    let endless = QueryRequest { query_id: "endless".into(), ..request(ENDLESS) };
    let asked = tokio::spawn(async move { asking.answer(endless).await });
    while fixture.engine.running() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.rows("SELECT COUNT(*) FROM usage WHERE bytes < 10").await, ["10"]);
    assert!(fixture.engine.cancel("endless", &Reader::Everything));
    let error = asked.await.expect("the task ends").expect_err("it was cancelled");
    assert_eq!(error.kind, QueryErrorKind::Cancelled);
    assert_eq!(fixture.engine.running(), 0);
}

/// Joins of a million pairs and more, none of which gives a row to notice the end by.
const JOINS: [&str; 4] = [
    ENDLESS,
    "SELECT COUNT(*) FROM usage a JOIN usage b ON a.events = b.events JOIN usage c ON b.events = c.events \
     JOIN usage d ON c.events = d.events AND a.bytes + b.bytes + c.bytes + d.bytes < 0",
    "SELECT COUNT(DISTINCT a.org || b.org || c.org || d.org) FROM usage a, usage b, usage c, usage d",
    "SELECT SUM(a.bytes) OVER (PARTITION BY a.org ORDER BY b.bytes) FROM usage a, usage b, usage c, usage d",
];

#[tokio::test]
async fn a_query_that_is_over_gives_its_threads_back() {
    let fixture = with_thousand_events(QueryLimits::default()).await;
    for sql in JOINS {
        let timeout = Some(Duration::from_millis(100));
        let error = fixture.answer(QueryRequest { timeout, ..request(sql) }).await.expect_err("it has no end");
        assert_eq!(error.kind, QueryErrorKind::Timeout, "{sql}: {}", error.message);
        while fixture.engine.tasks() > 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_join_on_the_only_thread_lets_other_queries_through() {
    let limits = QueryLimits { threads: NonZeroUsize::MIN, ..QueryLimits::default() };
    let fixture = Arc::new(with_thousand_events(limits).await);
    // The last one keeps its rows and may reach its memory limit before the others are done.
    for sql in &JOINS[..3] {
        let asking = fixture.clone();
        let asked = tokio::spawn(async move { asking.answer(request(sql)).await });
        while fixture.engine.running() == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..20 {
            assert_eq!(fixture.rows("SELECT SUM(bytes) FROM usage WHERE bytes < 10").await, ["45"], "beside {sql}");
        }
        asked.abort();
        assert!(asked.await.is_err_and(|ended| ended.is_cancelled()), "{sql} was still running");
    }
}

#[tokio::test]
async fn a_dropped_answer_leaves_the_list_of_running_queries() {
    let fixture = with_thousand_events(QueryLimits::default()).await;
    let sql = "SELECT a.org FROM usage a, usage b, usage c";
    let mut answer = fixture.engine.execute(request(sql)).await.expect("the first rows");
    let first = answer.batches.next().await.expect("a batch").expect("no error");
    assert!(first.num_rows() > 0);
    assert_eq!(fixture.engine.running(), 1);
    drop(answer);
    assert_eq!(fixture.engine.running(), 0);
}

#[tokio::test]
async fn a_result_beyond_its_limit_fails_and_is_never_cut_short() {
    let limits = QueryLimits { result_rows_max: 999, ..QueryLimits::default() };
    let fixture = with_thousand_events(limits).await;
    assert_eq!(fixture.rows("SELECT org FROM usage LIMIT 999").await.len(), 999);
    let error = fixture.error("SELECT org FROM usage").await;
    assert_eq!(error.kind, QueryErrorKind::ResourceLimit);
    assert_eq!(error.message, "the result has more than 999 rows (`result_rows`): aggregate, or add a LIMIT");

    let limits = QueryLimits { result_bytes_max: 1 << 20, ..QueryLimits::default() };
    let fixture = with_thousand_events(limits).await;
    let answer =
        fixture.engine.execute(request("SELECT a.org, b.org FROM usage a, usage b")).await.expect("first rows");
    let error = answer.batches.try_collect::<Vec<_>>().await.expect_err("a million rows are more than 1 MiB");
    assert_eq!(error.kind, QueryErrorKind::ResourceLimit);
}

#[tokio::test]
async fn a_query_that_needs_more_memory_than_it_may_have_fails() {
    let limits = QueryLimits { query_memory_bytes: 4 << 20, spill_bytes: 1, ..QueryLimits::default() };
    let fixture = with_thousand_events(limits).await;
    let many_groups = "SELECT COUNT(*) FROM (SELECT a.org, b.org FROM usage a, usage b GROUP BY a.org, b.org)";
    let error = fixture.error(many_groups).await;
    assert_eq!(error.kind, QueryErrorKind::ResourceLimit, "{}", error.message);
    assert!(error.message.contains("ask for a shorter time range, fewer groups"), "{}", error.message);
    assert_eq!(fixture.rows("SELECT COUNT(DISTINCT org) FROM usage").await, ["1000"]);
}
