//! Statements made to end the process: each is answered or refused, none overflows a stack.

use henge_query::error::QueryErrorKind::{self, Parse, Plan, ResourceLimit};

use crate::fixture::Fixture;

fn chain(first: &str, link: &str, links: usize) -> String {
    format!("SELECT {first}{}", link.repeat(links))
}

#[tokio::test]
async fn statements_beyond_a_limit_are_refused() {
    let cases: Vec<(String, QueryErrorKind, &str)> = vec![
        (chain("1", " + 1", 2_000), ResourceLimit, "more than 500 operators"),
        (chain("TRUE", " OR TRUE", 5_000), ResourceLimit, "more than 500 operators"),
        (chain("1", "::BIGINT", 5_000), ResourceLimit, "more than 500 operators"),
        (chain("x", " IS NULL", 5_000), ResourceLimit, "more than 500 operators"),
        (chain("1", " UNION ALL SELECT 1", 2_000), ResourceLimit, "more than 100 queries"),
        (chain("1 FROM usage t", ", usage t", 2_000), ResourceLimit, "more than 100 tables"),
        (chain("1 FROM usage t", " CROSS JOIN usage t", 2_000), ResourceLimit, "more than 100 tables"),
        (format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)), ResourceLimit, "nested deeper than 50"),
        (format!("SELECT {}1{}", "ABS(".repeat(5_000), ")".repeat(5_000)), ResourceLimit, "nested deeper than 50"),
        (
            format!("SELECT {}1{}", "CASE WHEN TRUE THEN ".repeat(500), " END".repeat(500)),
            ResourceLimit,
            "nested deeper",
        ),
        (format!("SELECT {}1{}", "(SELECT ".repeat(500), ")".repeat(500)), ResourceLimit, "nested deeper than 50"),
        (format!("SELECT {}1{}", "(SELECT ".repeat(12), ")".repeat(12)), ResourceLimit, "nested deeper than 12"),
        (nested(13, |below| format!("SELECT s FROM ({below})")), ResourceLimit, "nested deeper than 12"),
        (format!("SELECT {} 1", "- ".repeat(5_000)), ResourceLimit, "more than 500 operators"),
        (format!("SELECT 1 IN (1{})", ", 1".repeat(9_999 + 1)), ResourceLimit, "20,000"),
        (format!("SELECT '{}'", "x".repeat(300 << 10)), ResourceLimit, "at most 262144 are read"),
        ("(".repeat(100_000), ResourceLimit, "at most 20000 are read"),
        (")".repeat(1_000), Parse, "found: )"),
    ];
    let fixture = Fixture::with_events().await;
    for (sql, kind, message) in cases {
        let error = fixture.error(&sql).await;
        let shown = &sql[..sql.len().min(60)];
        assert!(error.kind == kind, "{shown}: {error:?}");
        assert!(error.message.contains(message) || message == "20,000", "{shown}: {error:?}");
    }
}

#[tokio::test]
async fn a_with_query_that_doubles_itself_is_refused() {
    let mut sql = "WITH c0 AS (SELECT org FROM usage)".to_owned();
    for level in 1..40 {
        let below = level - 1;
        sql.push_str(&format!(", c{level} AS (SELECT * FROM c{below} UNION ALL SELECT * FROM c{below})"));
    }
    let error = Fixture::with_events().await.error(&format!("{sql} SELECT COUNT(*) FROM c39")).await;
    assert!(error.message.contains("the statement reads more than 100 tables"), "{error:?}");
    assert_eq!(error.kind, ResourceLimit);
}

#[tokio::test]
async fn as_many_sets_of_keys_as_the_limit_are_grouped_by_and_not_one_more() {
    let columns: Vec<String> = (0..9).map(|at| format!("cost + {at} AS c{at}")).collect();
    let keys = |count: usize| (0..count).map(|at| format!("c{at}")).collect::<Vec<_>>().join(", ");
    let grouped =
        |by: &str| format!("SELECT COUNT(*) AS n FROM (SELECT {} FROM usage) GROUP BY {by}", columns.join(", "));
    let fixture = Fixture::with_events().await;
    let cube = grouped(&format!("CUBE ({})", keys(8)));
    assert!(fixture.rows(&cube).await.len() >= 256);
    let beyond = [
        grouped(&format!("CUBE ({})", keys(9))),
        grouped(&format!("GROUPING SETS ({})", vec!["(c0)"; 257].join(", "))),
        grouped(&format!("ROLLUP (c8), CUBE ({})", keys(8))),
        format!("{cube} UNION ALL {cube}"),
        format!("WITH c AS ({cube}) SELECT COUNT(*) FROM c"),
    ];
    for sql in beyond {
        let error = fixture.error(&sql).await;
        assert!(error.message.contains("groups by more than 256 sets of keys"), "{sql}: {error:?}");
        assert_eq!(error.kind, ResourceLimit);
    }
}

/// `levels` queries around one table, each made from the one below it.
fn nested(levels: usize, level: impl Fn(&str) -> String) -> String {
    (1..levels).fold("SELECT cost AS s, cost AS t FROM usage".to_owned(), |below, _| level(&below))
}

#[tokio::test]
async fn expressions_that_double_with_each_query_around_them_are_refused() {
    let growths: [fn(&str) -> String; 4] = [
        |below| format!("SELECT s + s * s - s + s AS s FROM ({below})"),
        |below| format!("SELECT s + t + t AS s, s - t - s AS t FROM ({below}) WHERE s > 1"),
        |below| format!("SELECT CASE WHEN s > 1 THEN s ELSE s + s END AS s FROM ({below}) LIMIT 5"),
        |below| format!("SELECT s + s * s + s AS s FROM (SELECT s, s AS t FROM ({below}) UNION ALL SELECT 1.0, 1.0)"),
    ];
    let fixture = Fixture::with_events().await;
    for growth in growths {
        let error = fixture.error(&nested(10, growth)).await;
        assert_eq!(error.kind, ResourceLimit, "{}", error.message);
        let is_known =
            ["more than 5000 parts", "nested deeper than 12"].iter().any(|part| error.message.contains(part));
        assert!(is_known, "{}", error.message);
        assert_eq!(fixture.rows(&format!("SELECT COUNT(*) > 0 FROM ({})", nested(3, growth))).await, ["true"]);
    }
    // An aggregate is computed once; nothing is put through it.
    let sums = nested(10, |below| format!("SELECT MAX(s) / 2 + MIN(s) / 4 + MAX(s) / 4 AS s FROM ({below})"));
    assert_eq!(fixture.rows(&sums).await, ["6.0625"]);
}

/// What the guards let through is the most that parser, planner and optimizer have to stand.
#[tokio::test]
async fn statements_at_the_limits_come_back() {
    let mut sum_of_sums = "1".to_owned();
    for _ in 0..45 {
        sum_of_sums = format!("({sum_of_sums}{})", " + 1".repeat(10));
    }
    let nested_selects = format!("SELECT {}1{}", "(SELECT ".repeat(11), ")".repeat(11));
    let cases = [
        (chain("1", " + 1", 500), "501"),
        (chain("TRUE", " OR TRUE", 500), "true"),
        (chain("COUNT(*) FROM usage WHERE bytes = 1", " OR bytes = 1", 249), "0"),
        (format!("SELECT SUM(bytes{}) FROM usage", " + bytes".repeat(450)), "157850"),
        (format!("SELECT {sum_of_sums}"), "451"),
        (format!("SELECT COUNT(*) FROM ({})", chain("1", " UNION ALL SELECT 1", 99)), "100"),
        (format!("SELECT COUNT(*) FROM usage WHERE partition IN (0{})", ",0".repeat(9_900)), "3"),
        (format!("SELECT {}1{}", "(".repeat(50), ")".repeat(50)), "1"),
        (format!("SELECT {}-1{}", "ABS(".repeat(50), ")".repeat(50)), "1"),
        (nested_selects, "1"),
        (format!("SELECT {} TRUE", "NOT ".repeat(200)), "true"),
    ];
    let fixture = Fixture::with_events().await;
    for (sql, expected) in cases {
        assert_eq!(fixture.rows(&sql).await, [expected], "{}", &sql[..sql.len().min(80)]);
    }
}

#[tokio::test]
async fn a_chain_without_parentheses_or_operators_is_refused_too() {
    let joins: String = (0..99).map(|at| format!(" JOIN usage t{at} ON t{at}.__time = u.__time")).collect();
    let fixture = Fixture::with_events().await;
    assert_eq!(fixture.rows(&format!("SELECT COUNT(*) FROM usage u{joins}")).await, ["6"]);
    let error = fixture.error("SELECT when FROM usage").await;
    assert_eq!(error.kind, Plan);
}
