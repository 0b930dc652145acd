//! A fixed set of queries answers alike whatever has become of the events: open, in one segment or in many, compacted,
//! rolled up further, with indexes or without, and as DuckDB reads the published files (invariants Q1, R1 and S4).

pub mod canonical;
pub mod data;
pub mod duckdb;
mod plan_cache;
pub mod queries;
pub mod random_filters;
pub mod result_cache;
pub mod stages;

use henge_segment_store::clock;
use henge_segment_store::time::TimestampMs;
use henge_segment_store::upkeep::{RollupTier, UpkeepPolicy};
use tokio::sync::OnceCell;

use self::canonical::Row;
use self::data::{Event, Numbers};
use self::duckdb::DuckDb;
use self::queries::Query;
use self::stages::{Stage, Way};
use crate::fixture;

/// More than a person reads; the first few tell enough.
const SHOWN_MAX: usize = 10;

/// The answers over open rows, all of which are read for each.
async fn expected() -> &'static [Vec<Row>] {
    static EXPECTED: OnceCell<Vec<Vec<Row>>> = OnceCell::const_new();
    EXPECTED
        .get_or_init(|| async {
            let stage = Stage::in_chunks().await;
            stage.append(&data::events());
            let queries = queries::all();
            let answers = stage.answers(&queries, Way::REFERENCE).await;
            queries.iter().zip(answers).map(|(query, answer)| rows_of(query, answer)).collect()
        })
        .await
}

fn rows_of(query: &Query, answer: Result<Vec<Row>, String>) -> Vec<Row> {
    answer.unwrap_or_else(|error| panic!("{}: {}: {error}", query.place, query.sql))
}

async fn check(stage: &Stage) {
    for way in [Way::NATIVE, Way::BY_DATAFUSION] {
        check_one_way(stage, way).await;
    }
}

async fn check_one_way(stage: &Stage, way: Way) {
    let queries = queries::all();
    let answers = stage.answers(&queries, way).await;
    check_answers(way, queries.iter().zip(expected().await).zip(answers));
}

fn check_answers<'a>(way: Way, answers: impl Iterator<Item = ((&'a Query, &'a Vec<Row>), Result<Vec<Row>, String>)>) {
    let differences: Vec<String> = answers
        .filter_map(|((query, expected), found)| match found {
            Ok(found) => canonical::difference(query, expected, &found),
            Err(error) => Some(format!("{}: {}\n  {error}", query.place, query.sql)),
        })
        .collect();
    let shown = differences.iter().take(SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{way:?}: {} queries answer differently:\n{shown}", differences.len());
}

/// Publishes after each quarter of the events; late ones make second segments of earlier time chunks.
async fn publish_in_quarters(stage: &Stage, events: &[Event]) {
    for quarter in events.chunks(events.len().div_ceil(4)) {
        stage.append(quarter);
        stage.publish().await;
    }
}

#[tokio::test]
async fn the_set_has_two_hundred_queries_that_find_something() {
    let queries = queries::all();
    assert!(queries.len() >= 200, "{} queries", queries.len());

    let empty: Vec<&str> = queries
        .iter()
        .zip(expected().await)
        .filter(|(query, rows)| rows.is_empty() && !query.place.starts_with("nothing"))
        .map(|(query, _)| query.place.as_str())
        .collect();
    assert!(empty.is_empty(), "these compare nothing with nothing: {empty:?}");
}

#[tokio::test]
async fn open_rows_answer_alike_by_their_indexes() {
    let stage = Stage::in_chunks().await;
    stage.append(&data::events());
    check(&stage).await;
}

#[tokio::test]
async fn one_segment_answers_like_open_rows_and_again_with_its_serving_form_made_anew() {
    let stage = Stage::new(data::raw_schema("all"), data::rollup_schema("all")).await;
    stage.append(&data::events());
    stage.publish().await;
    assert_eq!(stage.published(), [1, 1]);
    check(&stage).await;
    stage.delete_serving_forms();
    check(&stage).await;
}

#[tokio::test]
async fn published_rows_answer_alike_without_indexes() {
    let stage = Stage::in_chunks().await;
    stage.append(&data::events());
    stage.publish().await;
    for way in [Way::NATIVE_BY_ROW, Way::REFERENCE] {
        check_one_way(&stage, way).await;
    }
}

#[tokio::test]
async fn rows_sorted_by_time_first_answer_like_open_rows() {
    let sorted = |mut schema: henge_segment_store::schema::DataSourceSchema| {
        schema.sort = vec!["__time".into(), "code".into()];
        schema
    };
    let stage = Stage::new(sorted(data::raw_schema("1w")), sorted(data::rollup_schema("1w"))).await;
    stage.append(&data::events());
    stage.publish().await;
    check(&stage).await;
}

#[tokio::test]
async fn many_segments_answer_like_open_rows() {
    let stage = Stage::in_chunks().await;
    publish_in_quarters(&stage, &data::events()).await;
    assert!(stage.published().iter().all(|segments| *segments > 20), "{:?}", stage.published());
    check(&stage).await;
}

#[tokio::test]
async fn compacted_segments_answer_like_open_rows() {
    let stage = Stage::in_chunks().await;
    let events = data::events();
    publish_in_quarters(&stage, &events[..3_000]).await;
    let many = stage.published();
    stage.compact(clock::now()).await;
    let compacted = stage.published();
    assert!(compacted[0] * 2 < many[0] && compacted[1] * 2 < many[1], "{many:?} became {compacted:?}");
    // Late events make second segments of some time chunks; one more merge takes what was merged before.
    stage.append(&events[3_000..]);
    stage.publish().await;
    check(&stage).await;
    stage.compact(clock::now()).await;
    check(&stage).await;
}

#[tokio::test]
async fn rows_rolled_up_further_answer_alike_where_no_hours_are_asked_for() {
    let tier = RollupTier { after: "1d".parse().expect("a period"), granularity: "6h".parse().expect("a granularity") };
    let upkeep = UpkeepPolicy { rollup_after: vec![tier], ..UpkeepPolicy::default() };
    let stage = Stage::with_upkeep(data::raw_schema("6h"), data::rollup_schema("6h"), upkeep).await;
    publish_in_quarters(&stage, &data::events()).await;
    let before = stage.rolled_up_rows();
    // All time chunks are older than a day but those of the far future.
    stage.compact(TimestampMs(fixture::NEW_YEAR_MS + 30 * 86_400_000)).await;
    assert!(stage.rolled_up_rows() * 2 < before, "{before} rows became {}", stage.rolled_up_rows());
    let (queries, expected): (Vec<Query>, Vec<&Vec<Row>>) =
        queries::all().into_iter().zip(expected().await).filter(|(query, _)| !query.is_by_the_hour).unzip();
    for way in [Way::NATIVE, Way::BY_DATAFUSION] {
        let answers = stage.answers(&queries, way).await;
        check_answers(way, queries.iter().zip(expected.clone()).zip(answers));
    }
}

#[tokio::test]
async fn events_in_every_state_at_once_answer_like_open_rows() {
    let stage = Stage::in_chunks().await;
    let events = data::events();
    stage.append(&events[..1_500]);
    stage.publish().await;
    stage.append(&events[1_500..3_000]);
    stage.freeze();
    stage.append(&events[3_000..]);
    check(&stage).await;
}

#[tokio::test]
async fn any_filter_finds_the_same_rows_with_indexes_and_without() {
    const FILTERS: usize = 250;
    let stage = Stage::in_chunks().await;
    let events = data::events();
    stage.append(&events[..2_500]);
    stage.publish().await;
    stage.append(&events[2_500..]);
    let mut numbers = Numbers::new(0x5eed_0005);
    let filters = (0..FILTERS).map(|_| random_filters::filter(&mut numbers, 3));
    let queries: Vec<Query> =
        filters.map(|filter| Query::new("random", format!("SELECT seq FROM requests WHERE {filter}"))).collect();
    let (by_index, by_row) =
        tokio::join!(stage.answers(&queries, Way::NATIVE), stage.answers(&queries, Way::REFERENCE));
    let by_row: Vec<Vec<Row>> = queries.iter().zip(by_row).map(|(query, answer)| rows_of(query, answer)).collect();
    let found: usize = by_row.iter().filter(|rows| (1..4_000).contains(&rows.len())).count();
    assert!(found > FILTERS / 2, "only {found} filters find some of the rows");
    check_answers(Way::NATIVE, queries.iter().zip(&by_row).zip(by_index));
}

#[tokio::test]
#[ignore = "needs DuckDB: run with --include-ignored (needs python3 with venv, and pip to reach an index)"]
async fn duckdb_answers_alike_over_the_published_files() {
    let stage = Stage::in_chunks().await;
    publish_in_quarters(&stage, &data::events()).await;
    let queries = queries::all();
    let asked: Vec<(&Query, &str, &Vec<Row>)> = queries
        .iter()
        .zip(expected().await)
        .filter_map(|(query, rows)| Some((query, query.duckdb.as_deref()?, rows)))
        .collect();
    assert!(asked.len() >= 200, "{} queries", asked.len());
    let texts: Vec<&str> = asked.iter().map(|(_, sql, _)| *sql).collect();
    let answers = DuckDb::start(&duckdb::tables_of_files(&stage.parquet_files())).ask(&texts);
    check_answers(Way::REFERENCE, asked.iter().map(|(query, _, rows)| (*query, *rows)).zip(answers));
}
