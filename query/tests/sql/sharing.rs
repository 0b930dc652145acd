//! What queries that run at once have in common: threads, places, memory.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use henge_query::answer::QueryAnswer;
use henge_query::error::{QueryError, QueryErrorKind};
use henge_query::limits::QueryLimits;
use henge_query::reader::Reader;
use henge_query::request::QueryRequest;
use tokio::task::JoinHandle;

use crate::fixture::{Fixture, event, request};

/// More rows than wait anywhere for a reader.
const EVENTS: i64 = 200_000;

async fn with_events(limits: QueryLimits) -> Arc<Fixture> {
    let fixture = Fixture::with_limits(limits).await;
    let events: Vec<_> = (0..EVENTS).map(|at| event(at % 60, Some("acme"), "t", at, Some(at), 0.0)).collect();
    fixture.usage.append(&events);
    Arc::new(fixture)
}

/// A query whose answer nobody reads.
async fn unread(fixture: &Fixture) -> QueryAnswer {
    let mut answer = fixture.engine.execute(request("SELECT bytes FROM usage")).await.expect("the first rows");
    answer.batches.next().await.expect("a batch").expect("no error");
    answer
}

fn ask(fixture: &Arc<Fixture>, request: QueryRequest) -> JoinHandle<Result<Vec<String>, QueryError>> {
    let fixture = fixture.clone();
    tokio::spawn(async move { fixture.answer(request).await.map(|(_, rows)| rows) })
}

fn count() -> QueryRequest {
    request("SELECT COUNT(*) FROM usage WHERE bytes < 10")
}

async fn until_waiting(fixture: &Fixture, queries: usize) {
    while fixture.engine.waiting() < queries {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn answers_that_nobody_reads_hold_memory_and_no_thread() {
    let fixture = with_events(QueryLimits { threads: NonZeroUsize::MIN, ..QueryLimits::default() }).await;
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(unread(&fixture).await);
    }
    assert_eq!(fixture.rows("SELECT COUNT(*), SUM(bytes) FROM usage WHERE bytes < 10").await, ["10|45"]);
    assert!(fixture.engine.memory_bytes() > 0);
    drop(answers);
    while fixture.engine.memory_bytes() > 0 || fixture.engine.tasks() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.engine.running(), 0);
}

#[tokio::test]
async fn a_query_beyond_the_limit_waits_and_one_beyond_the_line_is_refused() {
    let limits = QueryLimits { queries_max: 2, queries_waiting_max: 1, ..QueryLimits::default() };
    let fixture = with_events(limits).await;
    let (first, _second) = (unread(&fixture).await, unread(&fixture).await);
    let third = ask(&fixture, count());
    until_waiting(&fixture, 1).await;
    let refused = fixture.answer(count()).await.expect_err("the line is full");
    assert_eq!(refused.kind, QueryErrorKind::Capacity);
    assert_eq!(refused.message, "too many queries at once: 2 run and 1 wait, ask again later");
    assert_eq!(fixture.engine.running(), 3, "the refused one is not among them");
    drop(first);
    assert_eq!(third.await.unwrap(), Ok(vec!["10".to_owned()]));
    assert_eq!(fixture.engine.waiting(), 0);
}

#[tokio::test]
async fn a_query_that_waits_can_be_cancelled_and_has_its_deadline() {
    let limits = QueryLimits { queries_max: 1, ..QueryLimits::default() };
    let fixture = with_events(limits).await;
    let running = unread(&fixture).await;
    let cancelled = ask(&fixture, QueryRequest { query_id: "waits".into(), ..count() });
    until_waiting(&fixture, 1).await;
    assert!(fixture.engine.cancel("waits", &Reader::Everything));
    assert_eq!(cancelled.await.unwrap().unwrap_err().kind, QueryErrorKind::Cancelled);
    let late = fixture.answer(QueryRequest { timeout: Some(Duration::from_millis(1)), ..count() }).await;
    assert_eq!(late.unwrap_err().kind, QueryErrorKind::Timeout);
    drop(running);
    assert_eq!(fixture.rows(&count().sql).await, ["10"]);
    while fixture.engine.waiting() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_query_that_waits_too_long_for_its_turn_is_refused() {
    let limits = QueryLimits { queries_max: 1, wait_max: Duration::from_millis(20), ..QueryLimits::default() };
    let fixture = with_events(limits).await;
    let running = unread(&fixture).await;
    let refused = fixture.answer(count()).await.expect_err("the first one does not end");
    assert_eq!(refused.kind, QueryErrorKind::Capacity);
    let message = "too many queries at once: 1 run, and this one waited 20 ms (`queue_timeout`), ask again later";
    assert_eq!(refused.message, message);
    drop(running);
    assert_eq!(fixture.rows(&count().sql).await, ["10"]);
}

#[tokio::test]
async fn short_queries_end_while_long_ones_go_on_on_the_only_thread() {
    let fixture = with_events(QueryLimits { threads: NonZeroUsize::MIN, ..QueryLimits::default() }).await;
    let long = |number: usize| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            loop {
                let sql = format!("SELECT COUNT(DISTINCT bytes + {number}) FROM usage");
                assert_eq!(fixture.rows(&sql).await, [EVENTS.to_string()]);
            }
        })
    };
    let long: Vec<_> = (0..4).map(long).collect();
    for _ in 0..20 {
        assert_eq!(fixture.rows(&count().sql).await, ["10"]);
    }
    for task in long {
        task.abort();
        assert!(task.await.is_err_and(|ended| ended.is_cancelled()));
    }
}

#[tokio::test]
async fn the_memory_of_batches_on_their_way_is_limited_too() {
    let limits = QueryLimits { query_memory_bytes: 1 << 10, ..QueryLimits::default() };
    let fixture = with_events(limits).await;
    let error = fixture.error("SELECT bytes FROM usage").await;
    assert_eq!(error.kind, QueryErrorKind::ResourceLimit);
    assert!(error.message.contains("(in SegmentScan)"), "{}", error.message);
}
