//! What is kept of published segments answers like reading them again, whatever became of the segments since.

use henge_segment_store::clock;

use super::canonical;
use super::queries::{self, Query};
use super::stages::{Stage, Way};
use super::{SHOWN_MAX, check_one_way, data};

/// Each query twice, so that the second time finds what the first has kept, and once without.
pub async fn compare(stage: &Stage, queries: &[Query]) {
    let anew = stage.answers(queries, Way::NATIVE_ANEW).await;
    for _ in 0..2 {
        let found = stage.answers(queries, Way::NATIVE).await;
        let differences = queries.iter().zip(anew.iter().zip(&found)).filter_map(|(query, pair)| match pair {
            (Ok(expected), Ok(found)) => canonical::difference(query, expected, found),
            (Err(expected), Err(found)) if is_same_error(expected, found) => None,
            (expected, found) => Some(format!("{}: {expected:?} is not {found:?}", query.sql)),
        });
        let differences: Vec<String> = differences.collect();
        let shown = differences.iter().take(SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join("\n");
        assert!(differences.is_empty(), "{} queries answer differently:\n{shown}", differences.len());
    }
}

/// Which of several groups fails first, and so is named, is up to the threads.
fn is_same_error(left: &str, right: &str) -> bool {
    left.split(':').next() == right.split(':').next()
}

/// Windows of which each begins and ends a little after the one before, and cuts other segments.
fn moving_windows() -> Vec<Query> {
    let window = |step: u64| {
        let (day, hour) = (1 + step / 24, step % 24);
        let start = format!("TIMESTAMP '2026-01-0{day} {hour:02}:17:00'");
        let sql = format!(
            "SELECT tenant, TIME_FLOOR(__time, 'PT6H') AS t, COUNT(*) AS c, SUM(bytes) AS b, COUNT(DISTINCT code) AS d, \
             COUNT(*) FILTER (WHERE __time >= {start} + INTERVAL '7' HOUR) AS late FROM requests \
             WHERE __time >= {start} AND __time < {start} + INTERVAL '2' DAY GROUP BY 1, 2"
        );
        Query::new("window", sql)
    };
    (0..30).step_by(2).map(window).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_results_answer_like_segments_while_those_are_added_merged_and_retired() {
    let stage = Stage::in_chunks().await;
    let events = data::events();
    let mut queries = queries::all();
    queries.extend(moving_windows());
    let half = events.len() / 2;
    stage.append(&events[..half]);
    stage.publish().await;
    // Some open rows beside the published ones, then late segments of the same time chunks.
    stage.append(&events[half..]);
    compare(&stage, &queries).await;
    stage.publish().await;
    compare(&stage, &queries).await;
    let before = stage.engine().result_cache();
    assert!(before.hits > 2_000 && before.entries > 1_000, "{before:?}");
    stage.compact(clock::now()).await;
    compare(&stage, &queries).await;
    check_one_way(&stage, Way::NATIVE).await;
    // Serving forms are no part of what is kept.
    stage.delete_serving_forms();
    compare(&stage, &moving_windows()).await;
}
