//! What is kept of published segments, and what is not.

use std::time::Duration;

use henge_query::limits::QueryLimits;
use henge_query::request::QueryRequest;
use henge_query::result_cache::ResultCacheCounts;
use henge_segment_store::clock;
use henge_segment_store::compaction::{self, Urgency};
use henge_segment_store::event::EventRow;
use tokio::runtime::Handle;

use crate::fixture::{Fixture, event, events, request};

const BY_ORG: &str = "SELECT org, COUNT(*), SUM(bytes), MAX(Topic) FROM usage GROUP BY org";

/// The sorted rows, with the segments whose part of them was kept and those that were read.
async fn ask(fixture: &Fixture, request: QueryRequest) -> (Vec<String>, (u64, u64)) {
    let answer = fixture.engine.execute(request.clone()).await.expect("it is planned");
    let ResultCacheCounts { hits, misses } = answer.result_cache;
    drop(answer);
    let anew = QueryRequest { use_result_cache: false, populate_result_cache: false, ..request.clone() };
    let mut rows = fixture.answer(request).await.expect("it is answered").1;
    let mut expected = fixture.answer(anew).await.expect("it is answered").1;
    rows.sort();
    expected.sort();
    assert_eq!(rows, expected);
    (rows, (hits, misses))
}

async fn counts(fixture: &Fixture, sql: &str) -> (u64, u64) {
    ask(fixture, request(sql)).await.1
}

/// A segment for each of some hours.
async fn with_hours(hours: i64) -> Fixture {
    let fixture = Fixture::new().await;
    let rows: Vec<EventRow> =
        (0..hours * 6).map(|at| event(at * 10, Some("acme"), "t", at % 7, Some(at), 0.5)).collect();
    fixture.usage.append(&rows);
    fixture.publish().await;
    fixture
}

#[tokio::test]
async fn a_second_query_reads_no_published_segment_and_every_open_one() {
    let fixture = Fixture::with_events().await;
    assert_eq!(counts(&fixture, BY_ORG).await, (0, 0), "open segments are never looked for");
    assert_eq!(fixture.engine.result_cache().entries, 0);
    fixture.publish().await;
    assert_eq!(counts(&fixture, BY_ORG).await, (0, 3));
    assert_eq!(counts(&fixture, BY_ORG).await, (3, 0));
    fixture.usage.append(&[event(1, Some("beta"), "late", 0, Some(1), 0.0)]);
    let (rows, counted) = ask(&fixture, request(BY_ORG)).await;
    assert_eq!(counted, (3, 0));
    assert_eq!(rows, ["NULL|1|7|clicks", "acme|2|300|orders", "beta|3|51|orders", "|1|-7|clicks"]);
    fixture.usage.append(&[event(1, Some("beta"), "z", 0, Some(1), 0.0)]);
    assert!(ask(&fixture, request(BY_ORG)).await.0.contains(&"beta|4|52|z".to_owned()));
    fixture.publish().await;
    assert_eq!(counts(&fixture, BY_ORG).await, (3, 1));
}

#[tokio::test]
async fn distinct_counts_by_sketches_are_kept_and_ranks_are_not() {
    let fixture = with_hours(3).await;
    let kept =
        "SELECT Topic, APPROX_COUNT_DISTINCT(org), DS_HLL(bytes), DS_THETA(Topic), MAX(org) FROM usage GROUP BY Topic";
    assert_eq!(counts(&fixture, kept).await, (0, 3));
    assert_eq!(counts(&fixture, kept).await, (3, 0));
    fixture.usage.append(&[event(1, Some("beta"), "t", 0, Some(1_000), 0.0)]);
    let (rows, counted) = ask(&fixture, request("SELECT APPROX_COUNT_DISTINCT(org) FROM usage")).await;
    assert_eq!((rows, counted), (vec!["2".to_owned()], (0, 3)));
    let (rows, counted) = ask(&fixture, request("SELECT APPROX_COUNT_DISTINCT(org) FROM usage")).await;
    assert_eq!((rows, counted), (vec!["2".to_owned()], (3, 0)));
    for _ in 0..2 {
        assert_eq!(counts(&fixture, "SELECT APPROX_QUANTILE_DS(bytes, 0.5) FROM usage").await, (0, 0));
    }
}

#[tokio::test]
async fn of_a_moving_window_only_what_its_edges_cut_and_what_is_new_is_read() {
    let fixture = with_hours(10).await;
    let window = |start: &str, end: &str| {
        format!(
            "SELECT TIME_FLOOR(__time, 'PT1H'), COUNT(*), SUM(bytes) FROM usage WHERE __time >= TIMESTAMP '2026-01-01 \
             {start}' AND __time < TIMESTAMP '2026-01-01 {end}' GROUP BY 1"
        )
    };
    // Six hours whole, and half an hour before and after them.
    assert_eq!(counts(&fixture, &window("00:30:00", "07:30:00")).await, (0, 8));
    assert_eq!(counts(&fixture, &window("00:30:00", "07:30:00")).await, (8, 0));
    assert_eq!(counts(&fixture, &window("00:35:00", "07:40:00")).await, (6, 2), "other parts of the first and last");
    assert_eq!(counts(&fixture, &window("01:30:00", "08:30:00")).await, (5, 3), "the edges, and the hour that was cut");
    assert_eq!(counts(&fixture, &window("01:30:00", "08:30:00")).await, (8, 0));
    // An hour that is whole to each of several windows is the same to all.
    assert_eq!(counts(&fixture, &window("02:00:00", "07:00:00")).await, (5, 0));
    assert_eq!(counts(&fixture, &window("01:59:00", "07:00:00")).await, (5, 0), "no row lies in that minute");
}

#[tokio::test]
async fn what_differs_in_anything_is_computed_by_itself() {
    let fixture = with_hours(2).await;
    let zoned = |zone: &str, sql: &str| QueryRequest { time_zone: Some(zone.to_owned()), ..request(sql) };
    let bucketed = "SELECT TIME_FLOOR(__time, 'P1D'), COUNT(*) FROM usage GROUP BY 1";
    for asked in [
        request("SELECT \"partition\", COUNT(*) FROM usage GROUP BY 1"),
        request("SELECT \"partition\", SUM(bytes) FROM usage GROUP BY 1"),
        request("SELECT \"partition\", SUM(events) FROM usage GROUP BY 1"),
        request("SELECT \"partition\", AVG(bytes) FROM usage GROUP BY 1"),
        request("SELECT Topic, SUM(bytes) FROM usage GROUP BY 1"),
        request("SELECT \"partition\", SUM(bytes) FROM usage WHERE bytes > 3 GROUP BY 1"),
        request("SELECT \"partition\", SUM(bytes) FROM usage WHERE bytes > 4 GROUP BY 1"),
        request("SELECT \"partition\", SUM(bytes) FROM usage WHERE NOT bytes > 4 GROUP BY 1"),
        request("SELECT \"partition\", SUM(bytes) FILTER (WHERE bytes > 4) FROM usage GROUP BY 1"),
        request("SELECT \"partition\", SUM(bytes) FROM usage WHERE org = 'acme' AND Topic = 't' GROUP BY 1"),
        request("SELECT \"partition\", SUM(bytes) FROM usage WHERE org = 'acme' OR Topic = 'u' GROUP BY 1"),
        request("SELECT \"partition\", SUM(bytes) FROM usage WHERE cost = 0.5 GROUP BY 1"),
        request(bucketed),
        request(&bucketed.replace("P1D", "PT1H")),
        zoned("Asia/Tokyo", bucketed),
        zoned("America/New_York", bucketed),
    ] {
        assert_eq!(ask(&fixture, asked.clone()).await.1, (0, 2), "{asked:?}");
        assert_eq!(ask(&fixture, asked.clone()).await.1, (2, 0), "{asked:?}");
    }
    // The order and number of groups that are wanted do not change what a segment has.
    let sorted = "SELECT \"partition\", SUM(bytes) FROM usage GROUP BY 1 ORDER BY 2 DESC LIMIT 2";
    assert_eq!(counts(&fixture, sorted).await, (2, 0));
}

#[tokio::test]
async fn reading_and_filling_are_switched_off_each_by_itself() {
    let fixture = with_hours(3).await;
    let with = |use_result_cache, populate_result_cache| QueryRequest {
        use_result_cache,
        populate_result_cache,
        ..request(BY_ORG)
    };
    assert_eq!(ask(&fixture, with(true, false)).await.1, (0, 3));
    assert_eq!(ask(&fixture, with(true, false)).await.1, (0, 3));
    assert_eq!(ask(&fixture, with(false, true)).await.1, (0, 0));
    assert_eq!(ask(&fixture, with(false, false)).await.1, (0, 0));
    assert_eq!(ask(&fixture, with(true, false)).await.1, (3, 0));
    let by_row = QueryRequest { use_indexes: false, ..with(true, true) };
    assert_eq!(ask(&fixture, by_row).await.1, (0, 0), "without indexes everything is read");
    let by_datafusion = QueryRequest { use_native_operators: false, ..with(true, true) };
    assert_eq!(ask(&fixture, by_datafusion).await.1, (0, 0));
}

#[tokio::test]
async fn what_is_kept_stays_within_its_bound() {
    let limits = QueryLimits { result_cache_bytes: 64 << 10, ..QueryLimits::default() };
    let fixture = Fixture::with_limits(limits).await;
    fixture.usage.append(&events());
    fixture.publish().await;
    let ask = |at: usize| format!("SELECT org, COUNT(*) FROM usage WHERE bytes <> {} GROUP BY org", at + 1_000);
    for at in 0..200 {
        fixture.rows(&ask(at)).await;
        let figures = fixture.engine.result_cache();
        assert!(figures.bytes <= 64 << 10, "{figures:?}");
    }
    let figures = fixture.engine.result_cache();
    assert!(figures.evictions > 100 && figures.bytes > 32 << 10, "{figures:?}");
    assert_eq!(figures.evictions as usize + figures.entries, 3 * 200);
    // The last ones are there still, the first ones are not.
    assert_eq!(counts(&fixture, &ask(199)).await, (3, 0));
    assert_eq!(counts(&fixture, &ask(0)).await, (0, 3));
}

#[tokio::test]
async fn what_is_larger_than_it_pays_is_not_kept() {
    let fixture = Fixture::new().await;
    let rows: Vec<EventRow> = (0..3_000).map(|at| event(at / 100, Some("acme"), "t", at, Some(at), 0.5)).collect();
    fixture.usage.append(&rows);
    fixture.publish().await;
    let by_row = "SELECT \"partition\", COUNT(*) FROM usage GROUP BY 1";
    fixture.rows(by_row).await;
    assert_eq!(fixture.engine.result_cache().entries, 0, "as many groups as rows");
    fixture.rows("SELECT \"partition\" / 2, COUNT(*) FROM usage WHERE \"partition\" < 900 GROUP BY 1").await;
    assert_eq!(fixture.engine.result_cache().entries, 1, "few groups are kept in any case");
}

#[tokio::test]
async fn what_was_found_of_retired_segments_goes() {
    let fixture = with_hours(1).await;
    fixture.usage.append(&[event(30, Some("beta"), "t", 1, Some(9), 0.5)]);
    fixture.publish().await;
    assert_eq!(counts(&fixture, BY_ORG).await, (0, 2));
    assert_eq!(fixture.engine.result_cache().entries, 2);
    let task = fixture.store.plan_compaction(Urgency::Now, clock::now()).await;
    let (_, task) = task.into_iter().next().expect("two segments of an hour are one too many");
    let (store, usage, runtime) = (fixture.store.clone(), fixture.usage.clone(), Handle::current());
    let merge = move || compaction::run(&store, &runtime, &usage, &task, &mut || Ok(()));
    tokio::task::spawn_blocking(merge).await.expect("no panic").expect("the merge succeeds");
    // The store lets go of them with the next round of its upkeep.
    fixture.store.sweep(Duration::ZERO).await.expect("nobody else writes");
    let figures = fixture.engine.result_cache();
    assert_eq!((figures.entries, figures.bytes), (0, 0));
    assert_eq!(counts(&fixture, BY_ORG).await, (0, 1), "what was merged is another segment");
    assert_eq!(counts(&fixture, BY_ORG).await, (1, 0));
}

#[tokio::test]
async fn the_measured_plan_says_how_many_segments_were_not_read() {
    let fixture = with_hours(4).await;
    let analyze = format!("EXPLAIN ANALYZE {BY_ORG}");
    let plan = fixture.rows(&analyze).await.concat();
    assert!(plan.contains("kept_segments=0, rows=24, segments=4"), "{plan}");
    let plan = fixture.rows(&analyze).await.concat();
    assert!(plan.contains("kept_segments=4, rows=0, segments=0"), "{plan}");
}
