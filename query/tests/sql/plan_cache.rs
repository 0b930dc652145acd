//! Statements of a shape that was asked before.

use std::time::{Duration, Instant};

use futures::future::join_all;
use henge_query::request::{Parameter, QueryRequest};
use henge_segment_store::clock;
use henge_segment_store::schema::{DataSourceName, Dimension, DimensionType};
use henge_segment_store::time::TimestampMs;
use henge_segment_store::upkeep::UpkeepPolicy;

use crate::fixture::{Fixture, event, request, with_parameters};

fn hits_and_misses(fixture: &Fixture) -> (u64, u64) {
    let figures = fixture.engine.plan_cache();
    (figures.hits, figures.misses)
}

#[tokio::test]
async fn one_plan_serves_statements_with_other_values_over_rows_that_came_since() {
    let fixture = Fixture::with_events().await;
    let ask = |org: &str, bytes: i64| {
        format!(
            "SELECT COUNT(*) FROM usage WHERE org = '{org}' AND bytes > {bytes} AND __time >= TIMESTAMP '2026-01-01'"
        )
    };
    assert_eq!(fixture.rows(&ask("acme", 100)).await, ["1"]);
    assert_eq!(hits_and_misses(&fixture), (0, 1));
    assert_eq!(fixture.rows(&ask("acme", 99)).await, ["2"]);
    assert_eq!(fixture.rows(&ask("beta", -1)).await, ["1"]);
    fixture.usage.append(&[event(70, Some("beta"), "t", 0, Some(3), 0.0)]);
    assert_eq!(fixture.rows(&ask("beta", -1)).await, ["2"]);
    fixture.publish().await;
    assert_eq!(fixture.rows(&ask("beta", -1)).await, ["2"]);
    assert_eq!(hits_and_misses(&fixture), (4, 1));
}

#[tokio::test]
async fn values_outside_of_filters_belong_to_the_plan() {
    let fixture = Fixture::with_events().await;
    let ask = |unit: &str, limit: usize| {
        format!("SELECT TIME_FLOOR(__time, '{unit}'), SUM(bytes) AS s FROM usage GROUP BY 1 ORDER BY 1 LIMIT {limit}")
    };
    let hours = ["2026-01-01T00:00:00|300", "2026-01-01T01:00:00|57", "2026-01-01T02:00:00|-7"];
    for _ in 0..2 {
        assert_eq!(fixture.rows(&ask("PT1H", 3)).await, hours);
        assert_eq!(fixture.rows(&ask("PT1H", 2)).await, hours[..2]);
        assert_eq!(fixture.rows(&ask("P1D", 3)).await, ["2026-01-01T00:00:00|350"]);
        assert_eq!(fixture.rows("SELECT 1, 'a'").await, ["1|a"]);
        assert_eq!(fixture.rows("SELECT 2, 'b'").await, ["2|b"]);
        // Folded: which branch is left is decided by the value.
        assert_eq!(fixture.rows("SELECT COUNT(*) FROM usage WHERE 1 = 1").await, ["6"]);
        assert_eq!(fixture.rows("SELECT COUNT(*) FROM usage WHERE 1 = 2").await, ["0"]);
    }
    assert_eq!(hits_and_misses(&fixture), (7, 7));
}

#[tokio::test]
async fn a_null_an_empty_text_and_a_number_too_large_are_what_they_are() {
    let fixture = Fixture::with_events().await;
    let ask = |value: &str| format!("SELECT COUNT(*) FROM usage WHERE org = {value}");
    assert_eq!(fixture.rows(&ask("'acme'")).await, ["2"]);
    assert_eq!(fixture.rows(&ask("''")).await, ["1"]);
    assert_eq!(fixture.rows(&ask("NULL")).await, ["0"]);
    let ask = |value: &str| format!("SELECT COUNT(*) FROM usage WHERE \"partition\" < {value}");
    assert_eq!(fixture.rows(&ask("1")).await, ["3"]);
    assert_eq!(fixture.rows(&ask("-1")).await, ["0"]);
    assert_eq!(fixture.rows(&ask("0")).await, ["0"]);
    assert_eq!(fixture.rows(&ask("1.5")).await, ["5"]);
    assert_eq!(fixture.rows(&ask("9223372036854775807")).await, ["6"]);
    assert_eq!(fixture.rows(&ask("9223372036854775808")).await, ["6"]);
}

#[tokio::test]
async fn lists_that_test_one_column_are_compared_by_their_values() {
    let fixture = Fixture::with_events().await;
    for statement in [
        "SELECT COUNT(*) FROM usage WHERE org IN ('acme', 'beta', 'c', 'd') AND org IN ('?', 'x', 'y', 'z')",
        "SELECT COUNT(*) FROM (SELECT org AS o FROM usage WHERE org IN ('acme', 'beta', 'c', 'd')) WHERE o IN ('?', 'x', 'y', 'z')",
        "SELECT COUNT(*) FROM (SELECT org AS a, org AS b FROM usage) WHERE a IN ('acme', 'b', 'c', 'd') AND b IN ('?', 'x', 'y', 'z')",
        "SELECT COUNT(DISTINCT a.__time) FROM usage a JOIN usage b ON a.org = b.org WHERE a.org IN ('acme', 'b', 'c', 'd') \
         AND b.org IN ('?', 'x', 'y', 'z')",
        "SELECT COUNT(*) FROM usage WHERE org IN ('acme', 'beta', 'c', 'd') AND org NOT IN ('?', 'beta', 'y', 'z')",
    ] {
        let is_without = statement.contains("NOT IN");
        for _ in 0..2 {
            for (org, count) in [("none", 0), ("acme", 2)] {
                let count = if is_without { 2 - count } else { count };
                assert_eq!(fixture.rows(&statement.replace('?', org)).await, [count.to_string()], "{statement} {org}");
            }
        }
    }
    let different =
        "SELECT COUNT(*) FROM usage WHERE org IN ('acme', '1', '2', '3') AND Topic IN ('orders', '1', '2', '3')";
    let (hits, misses) = hits_and_misses(&fixture);
    assert_eq!(fixture.rows(different).await, ["2"]);
    assert_eq!(fixture.rows(&different.replace("acme", "beta")).await, ["1"]);
    assert_eq!(hits_and_misses(&fixture), (hits + 1, misses + 1));
}

#[tokio::test]
async fn errors_name_the_same_place_again_and_again() {
    let fixture = Fixture::with_events().await;
    fixture.rows("SELECT COUNT(*) FROM usage WHERE org = 'a'").await;
    for sql in [
        "SELECT COUNT(*) FROM usage WHERE orgg = 'a'",
        "SELECT COUNT(*) FROM usage a, usage b WHERE org = 'a'",
        "SELECT COUNT(*) FROM usage WHERE __time = 'a'",
        "SELECT COUNT(*) FROM usage WHERE __time = TIMESTAMP 'a'",
        "SELECT COUNT(*) FROM nothing WHERE org = 'a'",
        "SELECT 1 / 0 FROM usage WHERE org = 'acme'",
    ] {
        let anew = QueryRequest { use_plan_cache: false, ..request(sql) };
        let expected = fixture.answer(anew).await.expect_err("it cannot be answered");
        for _ in 0..3 {
            assert_eq!(fixture.error(sql).await, expected, "{sql}");
        }
    }
    let error = fixture.error("SELECT COUNT(*) FROM usage WHERE orgg = 'a'").await;
    assert!(error.message.contains("(line [1], column [34])"), "{error}");
}

#[tokio::test]
async fn parameters_are_values_like_those_in_the_text() {
    let fixture = Fixture::with_events().await;
    assert_eq!(fixture.rows("SELECT COUNT(*) FROM usage WHERE org = 'beta' AND cost > -1.5").await, ["2"]);
    let sql = "SELECT COUNT(*) FROM usage WHERE org = ? AND cost > ?";
    let ask = async |org: Parameter, cost: f64| {
        let request = with_parameters(sql, vec![org, Parameter::Double(cost)]);
        fixture.answer(request).await.map(|(_, rows)| rows)
    };
    assert_eq!(ask(Parameter::String("acme".into()), 0.25).await, Ok(vec!["1".into()]));
    assert_eq!(hits_and_misses(&fixture), (1, 1));
    assert_eq!(ask(Parameter::String("acme".into()), -0.25).await, Ok(vec!["2".into()]));
    assert_eq!(ask(Parameter::Null, 0.25).await, Ok(vec!["0".into()]));
    let time = Parameter::Timestamp(TimestampMs(1_767_225_660_000));
    let request = with_parameters("SELECT COUNT(*) FROM usage WHERE __time <= ?", vec![time]);
    for _ in 0..2 {
        assert_eq!(fixture.answer(request.clone()).await.expect("an answer").1, ["2"]);
    }
}

#[tokio::test]
async fn the_same_text_means_something_else_in_another_zone() {
    let fixture = Fixture::with_events().await;
    let sql =
        "SELECT COUNT(*), MIN(TIME_FLOOR(__time, 'P1D')) FROM usage WHERE __time >= TIMESTAMP '2026-01-01 02:00:00'";
    for _ in 0..2 {
        assert_eq!(fixture.rows(sql).await, ["1|2026-01-01T00:00:00"]);
        let berlin = QueryRequest { time_zone: Some("Europe/Berlin".into()), ..request(sql) };
        assert_eq!(fixture.answer(berlin).await.expect("an answer").1, ["3|2025-12-31T23:00:00"]);
    }
}

#[tokio::test]
async fn the_current_time_moves_with_every_query() {
    let fixture = Fixture::with_events().await;
    let mut soon = event(0, Some("soon"), "t", 0, None, 0.0);
    soon.time = TimestampMs(clock::now().0 + 200);
    fixture.usage.append(&[soon]);
    let sql = "SELECT COUNT(*) FROM usage WHERE org = 'soon' AND __time < CURRENT_TIMESTAMP AND \
               __time > CURRENT_TIMESTAMP - INTERVAL '1' HOUR";
    assert_eq!(fixture.rows(sql).await, ["0"]);
    let started = Instant::now();
    while fixture.rows(sql).await == ["0"] {
        assert!(started.elapsed() < Duration::from_secs(30), "the time stands still");
    }
    let (hits, misses) = hits_and_misses(&fixture);
    assert!(hits > 0 && misses == 1, "{hits} hits, {misses} misses");
    // Elsewhere it is part of what is computed.
    let first = fixture.rows("SELECT TIMESTAMP_TO_MILLIS(NOW())").await;
    while fixture.rows("SELECT TIMESTAMP_TO_MILLIS(NOW())").await == first {
        assert!(started.elapsed() < Duration::from_secs(60), "the time stands still");
    }
}

#[tokio::test]
async fn a_table_with_other_columns_is_planned_anew() {
    let fixture = Fixture::with_events().await;
    let sql = "SELECT * FROM usage WHERE \"partition\" = 2";
    for _ in 0..2 {
        assert_eq!(fixture.rows(sql).await, ["2026-01-01T01:00:00|beta|_audit|2|true|1|50|2.0"]);
    }
    // A schema changes where nothing is open.
    fixture.publish().await;
    let mut schema = fixture.usage.schema().as_ref().clone();
    schema.dimensions.insert(1, Dimension { name: "region".into(), kind: DimensionType::String });
    let name = DataSourceName::new("usage").expect("a valid name");
    let changed = fixture.store.put_supervisor(&name, schema, serde_json::Value::Null, false, UpkeepPolicy::default());
    changed.await.expect("a new dimension");
    for _ in 0..2 {
        assert_eq!(fixture.rows(sql).await, ["2026-01-01T01:00:00|beta|NULL|_audit|2|true|1|50|2.0"]);
    }
    assert_eq!(hits_and_misses(&fixture), (2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_one_shape_do_not_take_each_others_values() {
    let fixture = Fixture::with_events().await;
    let counts = [("acme", 2), ("beta", 2), ("", 1), ("nobody", 0)];
    let asked = (0..200).map(|at| counts[at % counts.len()]).map(async |(org, count)| {
        let rows = fixture.rows(&format!("SELECT COUNT(*) FROM usage WHERE org IN ('{org}', 'none')")).await;
        (rows, vec![count.to_string()])
    });
    for (rows, expected) in join_all(asked).await {
        assert_eq!(rows, expected);
    }
}

#[tokio::test]
async fn an_explanation_shows_the_plan_that_runs() {
    let fixture = Fixture::with_events().await;
    fixture.rows("SELECT COUNT(*) FROM usage WHERE org = 'acme'").await;
    let plan = fixture.rows("EXPLAIN PLAN FOR SELECT COUNT(*) FROM usage WHERE org = 'beta'").await.concat();
    assert!(plan.contains("filter=[org = 'beta']"), "{plan}");
    assert_eq!(hits_and_misses(&fixture), (1, 1));
}
