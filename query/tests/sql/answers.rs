use henge_query::error::QueryErrorKind;
use henge_query::request::{Parameter, QueryRequest};
use henge_segment_store::time::TimestampMs;

use crate::fixture::{Fixture, NEW_YEAR_MS, events, request, with_parameters};

/// Statements and their rows over the events of the fixture.
const ANSWERS: &[(&str, &[&str])] = &[
    (
        "SELECT * FROM usage ORDER BY __time LIMIT 2",
        &["2026-01-01T00:00:00|acme|orders|0|false|1|100|0.5", "2026-01-01T00:01:00|acme|orders|1|false|1|200|0.25"],
    ),
    // Null is a group of its own, not the empty text, and comes first.
    (
        r#"SELECT org, SUM("events"), COUNT(bytes), SUM(bytes) FROM druid.usage GROUP BY org ORDER BY org"#,
        &["NULL|1|1|7", "|1|1|-7", "acme|2|2|300", "beta|2|1|50"],
    ),
    ("SELECT org FROM usage GROUP BY org ORDER BY org DESC", &["beta", "acme", "", "NULL"]),
    (
        "SELECT COUNT(*), COUNT(org), COUNT(DISTINCT org), MIN(__time), MAX(__time) FROM usage",
        &["6|5|3|2026-01-01T00:00:00|2026-01-01T02:30:00"],
    ),
    ("SELECT SUM(DISTINCT bytes), AVG(bytes), SUM(bytes) FILTER (WHERE org = 'acme') FROM usage", &["350|70.0|300"]),
    ("SELECT SUM(bytes), MAX(Topic), COUNT(*) FROM usage WHERE org = 'nobody'", &["NULL|NULL|0"]),
    (
        "SELECT Topic FROM usage WHERE internal OR partition IN (2, 3) OR Topic LIKE 'cl%' ORDER BY __time",
        &["_audit", "clicks", "clicks"],
    ),
    (
        "SELECT TIME_FLOOR(__time, 'PT1H'), SUM(cost) FROM usage GROUP BY TIME_FLOOR(__time, 'PT1H') ORDER BY 1",
        &["2026-01-01T00:00:00|1.75", "2026-01-01T01:00:00|6.0", "2026-01-01T02:00:00|8.0"],
    ),
    (
        "SELECT FLOOR(__time TO DAY), CEIL(__time TO HOUR), date_trunc('MONTH', __time) FROM usage WHERE bytes IN (50, 7) \
         ORDER BY __time",
        &[
            "2026-01-01T00:00:00|2026-01-01T01:00:00|2026-01-01T00:00:00",
            "2026-01-01T00:00:00|2026-01-01T02:00:00|2026-01-01T00:00:00",
        ],
    ),
    (
        "SELECT org, EARLIEST(bytes), LATEST(bytes), ANY_VALUE(Topic) FROM usage GROUP BY org ORDER BY org",
        &["NULL|7|7|clicks", "|-7|-7|clicks", "acme|100|200|orders", "beta|NULL|50|orders"],
    ),
    (
        "SELECT LATEST(org), EARLIEST(Topic, 128), LATEST_BY(cost, __time) FILTER (WHERE internal), \
         EARLIEST_BY(partition, MILLIS_TO_TIMESTAMP(bytes), 8), LATEST(internal), ANY_VALUE(org, 10) FROM usage",
        &["|orders|2.0|1|false|beta"],
    ),
    (
        "SELECT COALESCE(UPPER(org), 'NOBODY'), COUNT(*), COUNT(bytes), SUM(bytes), AVG(bytes), MIN(cost), MAX(__time) \
         FROM usage GROUP BY 1 ORDER BY 1",
        &[
            "|1|1|-7|-7.0|8.0|2026-01-01T02:30:00",
            "ACME|2|2|300|150.0|0.25|2026-01-01T00:01:00",
            "BETA|2|1|50|50.0|1.0|2026-01-01T01:00:00",
            "NOBODY|1|1|7|7.0|4.0|2026-01-01T01:30:00",
        ],
    ),
    ("SELECT EXTRACT(HOUR FROM __time), SUM(bytes) FROM usage GROUP BY 1 ORDER BY 1", &["0|300", "1|57", "2|-7"]),
    ("SELECT COUNT(*), SUM(bytes), COUNT(bytes) FROM usage WHERE LENGTH(Topic) = 6 AND org <> ''", &["4|350|3"]),
    ("SELECT COUNT(*), SUM(bytes), AVG(bytes) FROM usage WHERE LENGTH(Topic) = 60", &["0|NULL|NULL"]),
    ("SELECT LATEST(bytes), EARLIEST(org) FROM usage WHERE org = 'nobody'", &["NULL|NULL"]),
    ("SELECT TIME_FLOOR(TIMESTAMP '1969-12-31 23:59:59', 'PT1H')", &["1969-12-31T23:00:00"]),
    (
        "SELECT TIME_FLOOR(TIMESTAMP '2026-01-01 10:00:00', 'PT12H', TIMESTAMP '2026-01-01 03:00:00')",
        &["2026-01-01T03:00:00"],
    ),
    (
        "SELECT TIME_FLOOR(TIMESTAMP '2026-01-01 10:00:00', 'P1D', NULL, 'America/Los_Angeles')",
        &["2026-01-01T08:00:00"],
    ),
    (
        "SELECT TIMESTAMP_TO_MILLIS(MILLIS_TO_TIMESTAMP(1767225600123)), MILLIS_TO_TIMESTAMP(-1)",
        &["1767225600123|1969-12-31T23:59:59.999"],
    ),
    (
        "SELECT COUNT(*) FROM usage WHERE __time >= TIMESTAMP '2026-01-01 02:00:00' - INTERVAL '1' HOUR AND \
         __time < DATE '2026-01-02'",
        &["3"],
    ),
    ("SELECT COUNT(*) FROM usage WHERE FLOOR(__time TO HOUR) = TIMESTAMP '2026-01-01 01:00:00'", &["2"]),
    ("SELECT COUNT(*) FROM usage WHERE CAST(__time AS DATE) > DATE '2026-01-01'", &["0"]),
    ("SELECT COUNT(*) FROM usage WHERE __time > CURRENT_TIMESTAMP OR __time > TIMESTAMP '9998-01-01 00:00:00'", &["0"]),
    (
        "SELECT SUM(bytes) OVER (ORDER BY __time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), \
         LAG(bytes) OVER (ORDER BY __time) FROM usage ORDER BY __time",
        &["100|NULL", "300|100", "200|200", "50|NULL", "57|50", "0|7"],
    ),
    ("SELECT a.org, b.org FROM usage a JOIN usage b ON a.__time = b.__time WHERE a.bytes = 50", &["beta|beta"]),
    ("WITH big AS (SELECT org FROM usage WHERE bytes >= 100) SELECT COUNT(*) FROM big a, big b", &["4"]),
    (
        "SELECT org || ':' || Topic, CONCAT(org, '-', partition) FROM usage WHERE cost >= 4 ORDER BY cost",
        &["NULL|NULL", ":clicks|-1"],
    ),
    ("SELECT REPLACE('aaa', 'a', 'bc'), UPPER('x'), 7 / 2, 7 % 2, 1.0 / 0, -(-3)", &["bcbcbc|X|3|1|inf|3"]),
    (
        "SELECT 9223372036854775806 + 1, CAST(9223372036854775807 AS DECIMAL(38, 0)) + 1",
        &["9223372036854775807|9223372036854775808"],
    ),
    ("SELECT SUM(CAST(bytes AS DECIMAL(38, 0)) + 9223372036854775000) FROM usage", &["46116860184273875350"]),
    (
        "SELECT x + x AS x FROM (SELECT x + x AS x FROM (SELECT bytes AS x FROM usage WHERE org = 'beta'))",
        &["NULL", "200"],
    ),
    ("SELECT partition + 1 - 2 * (partition - 3), -(partition * 2) FROM usage WHERE internal", &["5|-4"]),
    ("SELECT SUM(bytes + 1) - SUM(bytes - 1), SUM(2 * bytes) FROM usage", &["10|700"]),
    ("SELECT COUNT(*) FROM usage UNION ALL SELECT 1", &["6", "1"]),
    // A pattern without anything special but an escaped backslash.
    (
        r"SELECT 'a\b' ~ 'a\\b', 'a%' ~ 'a\\', 'A\B' ~* 'a\\b', 'a\b' !~ '\\', 'A\' !~* 'a\\$'",
        &["true|false|true|false|false"],
    ),
    (
        r"SELECT Topic FROM usage WHERE REGEXP_LIKE(REPLACE(Topic, 'o', '\'), '^\\') OR Topic !~ '[^a-z]' AND org ~ '^$'",
        &["clicks", "orders", "orders", "orders"],
    ),
];

async fn check_all(fixture: &Fixture, state: &str) {
    for (sql, expected) in ANSWERS {
        let mut rows = fixture.rows(sql).await;
        let mut expected = expected.to_vec();
        if !sql.contains("ORDER BY") {
            rows.sort();
            expected.sort();
        }
        assert_eq!(rows, expected, "{state}: {sql}");
    }
}

#[tokio::test]
async fn answers_do_not_depend_on_how_far_events_are_published() {
    let fixture = Fixture::new().await;
    let events = events();
    fixture.usage.append(&events[..4]);
    fixture.usage.append(&events[4..]);
    check_all(&fixture, "open").await;
    fixture.publish().await;
    check_all(&fixture, "published").await;

    let fixture = Fixture::new().await;
    fixture.usage.append(&events[..2]);
    fixture.publish().await;
    fixture.usage.append(&events[2..5]);
    let frozen = fixture.usage.cut();
    fixture.usage.append(&events[5..]);
    check_all(&fixture, "one part each published, frozen and open").await;
    drop(frozen);
}

#[tokio::test]
async fn columns_carry_druids_names_and_types() {
    let fixture = Fixture::with_events().await;
    let sql = "SELECT __time, Topic, COUNT(*), bytes, cost, internal, u.Topic, CAST(__time AS DATE), bytes AS b, NULL, \
               CAST(1 AS DECIMAL(10, 2)) FROM usage u GROUP BY __time, Topic, bytes, cost, internal";
    let (columns, _) = fixture.answer(request(sql)).await.expect("an answer");
    let columns: Vec<String> =
        columns.iter().map(|column| format!("{} {} {}", column.name, column.druid_type, column.sql_type)).collect();
    let expected = [
        "__time LONG TIMESTAMP",
        "Topic STRING VARCHAR",
        "EXPR$2 LONG BIGINT",
        "bytes LONG BIGINT",
        "cost DOUBLE DOUBLE",
        "internal LONG BOOLEAN",
        "Topic0 STRING VARCHAR",
        "EXPR$7 LONG DATE",
        "b LONG BIGINT",
        "EXPR$9 STRING VARCHAR",
        "EXPR$10 DOUBLE DECIMAL",
    ];
    assert_eq!(columns, expected);
}

#[tokio::test]
async fn an_answer_without_rows_still_has_columns() {
    let fixture = Fixture::with_events().await;
    let (columns, rows) = fixture.answer(request("SELECT org FROM usage WHERE FALSE")).await.expect("an answer");
    assert_eq!((columns[0].name.as_str(), rows), ("org", Vec::new()));
}

#[tokio::test]
async fn parameters_are_bound_in_the_order_of_the_text() {
    let fixture = Fixture::with_events().await;
    let sql = "SELECT ?, ?, ?, ?, CAST(? AS DATE), COUNT(*) FROM usage WHERE org = ? AND bytes > ? AND __time >= ?";
    let parameters = vec![
        Parameter::Double(-1e300),
        Parameter::Boolean(true),
        Parameter::Null,
        Parameter::Long(i64::MIN),
        Parameter::Date(-1),
        Parameter::String("ac'; --".into()),
        Parameter::Long(-5),
        Parameter::Timestamp(TimestampMs(NEW_YEAR_MS)),
    ];
    let (_, rows) = fixture.answer(with_parameters(sql, parameters)).await.expect("an answer");
    assert_eq!(rows, ["-1e300|true|NULL|-9223372036854775808|1969-12-31|0"]);

    let two = "SELECT COUNT(*) FROM usage WHERE org = ? AND bytes = ? -- ?";
    for given in [0, 1, 3] {
        let error = fixture.answer(with_parameters(two, vec![Parameter::Long(1); given])).await.expect_err("an error");
        let expected = format!("the statement has 2 `?` and {given} parameters came with it: send one for each");
        assert_eq!(error.message, expected);
    }
}

#[tokio::test]
async fn the_time_zone_moves_buckets_and_literals_but_not_instants() {
    let fixture = Fixture::with_events().await;
    let zoned = |sql: &str| QueryRequest { time_zone: Some("America/Los_Angeles".into()), ..request(sql) };
    let cases = [
        // Midnight in UTC is still the old year on the Pacific coast.
        ("SELECT FLOOR(__time TO DAY), COUNT(*) FROM usage GROUP BY 1", "2025-12-31T08:00:00|6"),
        ("SELECT TIME_FLOOR(__time, 'P1Y'), COUNT(*) FROM usage GROUP BY 1", "2025-01-01T08:00:00|6"),
        ("SELECT COUNT(*) FROM usage WHERE __time < TIMESTAMP '2025-12-31 17:00:00'", "3"),
        ("SELECT COUNT(*) FROM usage WHERE __time < TIMESTAMP '2026-01-01T01:00:00Z'", "3"),
        ("SELECT TIME_FLOOR(__time, 'P1D', NULL, 'UTC'), COUNT(*) FROM usage GROUP BY 1", "2026-01-01T00:00:00|6"),
    ];
    for (sql, expected) in cases {
        let (_, rows) = fixture.answer(zoned(sql)).await.expect("an answer");
        assert_eq!(rows, [expected], "{sql}");
    }
    let unknown = QueryRequest { time_zone: Some("Mars/Olympus".into()), ..request("SELECT 1") };
    let error = fixture.answer(unknown).await.expect_err("no such zone");
    assert!(error.message.contains("`Mars/Olympus` is not a time zone"), "{}", error.message);
}

#[tokio::test]
async fn explain_shows_what_the_time_filter_leaves_to_read() {
    let fixture = Fixture::with_events().await;
    let events = "SELECT bytes FROM usage WHERE ";
    let cases = [
        ("org = 'acme'", "SegmentScan: usage filter=[org = 'acme'] segments=3/3 (open=3) "),
        (
            "__time >= TIMESTAMP '2026-01-01 01:00:00'",
            "SegmentScan: usage interval=2026-01-01T01:00:00.000Z/.. segments=2/3 (open=2) ",
        ),
        ("__time >= CURRENT_TIMESTAMP - INTERVAL '1' HOUR", "segments=0/3 "),
        ("FLOOR(__time TO HOUR) = TIMESTAMP '2026-01-01 01:00:00'", "segments=1/3 "),
        ("TIME_FLOOR(__time, 'PT1H') >= TIMESTAMP '2026-01-01 01:00:00'", "segments=2/3 "),
        ("__time BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-01 00:30:00'", "segments=1/3 "),
        ("__time < DATE '2026-01-01' OR __time >= TIMESTAMP '2026-01-01 02:00:00'", "segments=3/3 "),
        ("TIMESTAMP_TO_MILLIS(__time) < 1767229200000", "segments=1/3 "),
        ("CAST(__time AS DATE) = DATE '2026-01-02'", "segments=0/3 "),
        ("TIME_IN_INTERVAL(__time, '2026-01-01T01:00:00/PT1H')", "segments=1/3 "),
        ("__time >= TIME_SHIFT(TIME_PARSE('2026-01-01'), 'PT1H', 2)", "segments=1/3 "),
        ("org = 'acme' AND (__time < '2026-01-01 00:30:00' AND bytes > 1)", "segments=1/3 "),
    ];
    for (filter, expected) in cases {
        for explain in ["EXPLAIN ", "explain plan for "] {
            let (columns, rows) = fixture.answer(request(&format!("{explain}{events}{filter}"))).await.expect("a plan");
            assert_eq!(columns[0].name, "PLAN");
            assert!(rows[0].contains(expected), "{filter}: {}", rows[0]);
        }
    }
    let (_, rows) = fixture.answer(request("EXPLAIN SELECT COUNT(*), MAX(__time) FROM usage")).await.expect("a plan");
    assert!(!rows[0].contains("SegmentScan"), "counts and bounds are known without reading: {}", rows[0]);
}

#[tokio::test]
async fn an_array_is_bound_as_one_parameter_and_is_no_longer_than_a_list() {
    let fixture = Fixture::with_events().await;
    let sql = "SELECT COUNT(*) FROM usage WHERE SCALAR_IN_ARRAY(bytes, ?) AND events = ?";
    let array = |items: Vec<i64>| Parameter::Array(items.into_iter().map(Parameter::Long).collect());
    let ask = async |items| fixture.answer(with_parameters(sql, vec![array(items), Parameter::Long(1)])).await;
    assert_eq!(ask(vec![100, -7, 8]).await.expect("an answer").1, ["2"]);
    let error = ask((0..20_000).collect()).await.expect_err("it is too long");
    assert_eq!(error.kind, QueryErrorKind::ResourceLimit, "{}", error.message);
}
