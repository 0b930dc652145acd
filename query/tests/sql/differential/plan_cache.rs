//! A statement whose shape was asked before answers like one that is planned from its text: the same plan, the same
//! rows, and the same error in the same words.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use futures::{StreamExt, TryStreamExt, stream};
use henge_query::error::{QueryError, QueryErrorKind};
use henge_query::request::QueryRequest;

use super::canonical::{self, Row};
use super::data::{self, Numbers};
use super::queries::Query;
use super::stages::Stage;
use super::{SHOWN_MAX, queries, random_filters};
use crate::fixture;

/// Asked in the place of a query's own values: of every kind, some that change what is computed, some that no column
/// holds, and some that cannot be read.
const VALUES: [&str; 14] = [
    "NULL",
    "''",
    "'acme'",
    "'it''s'",
    "'2026-01-01'",
    "0",
    "-0.0",
    "1",
    "-7",
    "2.5",
    "1e300",
    "9223372036854775807",
    "9223372036854775808",
    "TIMESTAMP '2026-01-01 05:00:00'",
];

/// The place of a statement that is in no file.
const VARIED: &str = "varied";

/// Other statements of the same shape, or nearly.
const VARIATIONS: usize = 3;

/// Where several values test one column, the rules find out what that comes to. Kept plans test one after the other: the
/// answer is the same, the plan is not.
///
/// The values that are put in the place of others come to such tests by chance, so there only operators are compared.
const SEVERAL_VALUES_FOR_A_COLUMN: [&str; 4] = [
    "WHERE tenant = 'acme' AND tenant <> '' AND tenant IS NOT NULL",
    "WHERE tenant = 'acme' AND tenant = 'beta'",
    "WHERE code >= 500 AND code <= 500",
    "IN (404, 0, 404)",
];

#[derive(Debug)]
struct Outcome {
    plan: Result<String, QueryError>,
    /// Which of several rows fails first is up to the threads, so that only the kind of an error is the same.
    rows: Result<Vec<Row>, QueryErrorKind>,
}

impl Outcome {
    fn is_like(&self, other: &Self, query: &Query) -> bool {
        let is_same_answer = match (&self.rows, &other.rows) {
            (Ok(rows), Ok(other)) => canonical::difference(query, other, rows).is_none(),
            (rows, other) => rows == other,
        };
        let is_same_plan =
            if query.place == VARIED || SEVERAL_VALUES_FOR_A_COLUMN.iter().any(|tests| query.sql.contains(tests)) {
                self.plan.as_deref().map(operators) == other.plan.as_deref().map(operators)
            } else {
                self.plan.as_deref().map(normal) == other.plan.as_deref().map(normal)
            };
        is_same_answer && is_same_plan
    }
}

/// The names of the operators.
fn operators(plan: &str) -> Vec<&str> {
    plan.lines().map(|line| line.split(':').next().unwrap_or(line)).collect()
}

/// Without the order of what is joined by AND, and the numbers of names that DataFusion makes up.
fn normal(plan: &str) -> Vec<String> {
    let line = |line: &str| {
        let (before, filter) = line.split_once("filter=[").unwrap_or((line, ""));
        let mut tests: Vec<&str> = filter.split(" AND ").flat_map(|tests| tests.split(']')).collect();
        tests.sort_unstable();
        let pieces = before.split("__common_expr_");
        let unnumbered = pieces.map(|piece| piece.trim_start_matches(|letter: char| letter.is_ascii_digit()));
        format!("{} {}", unnumbered.collect::<String>(), tests.join(" "))
    };
    plan.lines().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_a_known_shape_are_planned_and_answered_as_from_their_text() {
    let stage = stage().await;
    let mut numbers = Numbers::new(0x5eed_0040);
    let mut queries = queries::all();
    queries.extend((0..60).map(|_| random_filters::filter(&mut numbers, 3)).map(|filter| {
        let since = "__time >= TIMESTAMP '2026-01-01 03:00:00'";
        Query::new("random", format!("SELECT seq, tenant FROM requests WHERE {filter} AND {since}"))
    }));
    let groups = queries.into_iter().map(|query| {
        let mut group = vec![query.clone()];
        let varied = (0..VARIATIONS).filter_map(|_| varied(&query.sql, &mut numbers));
        group.extend(varied.map(|sql| Query { sql, place: VARIED.to_owned(), ..query.clone() }));
        group.push(query);
        group
    });
    let groups: Vec<Vec<Query>> = groups.collect();
    let stage = Arc::new(stage);
    let differences = stream::iter(groups).map(|group| differences(stage.clone(), group)).buffer_unordered(2);
    let differences: Vec<String> = differences.collect::<Vec<_>>().await.concat();
    let shown = differences.iter().take(SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} statements differ:\n{shown}", differences.len());
    let figures = stage.engine().plan_cache();
    // What cannot be planned, and some of what was varied, is never found.
    assert!(figures.hits * 2 > figures.misses, "{figures:?}");
}

async fn stage() -> Stage {
    let stage = Stage::in_chunks().await;
    let events = data::events();
    stage.append(&events[..300]);
    stage.publish().await;
    stage.append(&events[300..500]);
    stage
}

/// In order, so that each warms the cache for the next.
async fn differences(stage: Arc<Stage>, group: Vec<Query>) -> Vec<String> {
    let mut found = Vec::new();
    for query in group {
        let sql = &query.sql;
        let (cached, anew) = (outcome(&stage, sql, true).await, outcome(&stage, sql, false).await);
        if !cached.is_like(&anew, &query) {
            found.push(format!("{sql}\n  from the cache: {cached:?}\n  from its text:  {anew:?}"));
        }
    }
    found
}

async fn outcome(stage: &Stage, sql: &str, use_plan_cache: bool) -> Outcome {
    let plan = batches(stage, &format!("EXPLAIN {sql}"), use_plan_cache).await;
    let plan = plan.map(|batches| batches[0].column(0).as_string_view().value(0).to_owned());
    let rows = batches(stage, sql, use_plan_cache).await;
    Outcome { plan, rows: rows.map(|batches| canonical::rows(&batches)).map_err(|error| error.kind) }
}

async fn batches(stage: &Stage, sql: &str, use_plan_cache: bool) -> Result<Vec<RecordBatch>, QueryError> {
    let request = QueryRequest { use_plan_cache, ..fixture::request(sql) };
    stage.engine().execute(request).await?.batches.try_collect().await
}

/// The statement with another value in the place of one of its own; `None` where it has none.
fn varied(sql: &str, numbers: &mut Numbers) -> Option<String> {
    let places = literals(sql);
    let place = places.get(numbers.below(places.len().max(1) as u64) as usize)?.clone();
    let value = numbers.of(&VALUES);
    Some(format!("{}{value}{}", &sql[..place.start], &sql[place.end..]))
}

/// Where quoted texts and numbers stand.
fn literals(sql: &str) -> Vec<std::ops::Range<usize>> {
    let bytes = sql.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let is_in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'_' | b'$'));
        let end = match bytes[at] {
            b'\'' => sql[at + 1..].find('\'').map_or(bytes.len(), |length| at + length + 2),
            b'"' => sql[at + 1..].find('"').map_or(bytes.len(), |length| at + length + 2),
            byte if byte.is_ascii_digit() && !is_in_word => {
                let is_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
                at + bytes[at..].iter().take_while(|byte| is_number(byte)).count()
            }
            _ => at + 1,
        };
        // DataFusion's top groups overflow where they are to hold nearly 2^63.
        let is_limit = sql[..at].ends_with("LIMIT ");
        if !is_limit && (bytes[at] == b'\'' || bytes[at].is_ascii_digit() && !is_in_word) {
            found.push(at..end);
        }
        at = end;
    }
    found
}
