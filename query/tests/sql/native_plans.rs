//! Which aggregations run on dictionary codes, and which DataFusion keeps.

use henge_query::request::QueryRequest;

use crate::fixture::{Fixture, request};

/// The lines of the plan about operators of ours, without what they say of segments; of others than aggregations the
/// name alone.
async fn operators(fixture: &Fixture, sql: &str) -> Vec<String> {
    let plan = plan(fixture, request(sql)).await;
    let ours = plan.lines().map(str::trim).filter(|line| line.starts_with("Segment"));
    let told = ours.map(|line| match line.strip_prefix("SegmentAggregate: usage ") {
        Some(told) => told.split(" segments=").next().unwrap_or_default().to_owned(),
        None => line.split(':').next().unwrap_or_default().to_owned(),
    });
    told.collect()
}

async fn plan(fixture: &Fixture, mut request: QueryRequest) -> String {
    request.sql = format!("EXPLAIN {}", request.sql);
    let sql = request.sql.clone();
    let (_, rows) = fixture.answer(request).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    rows[0].clone()
}

async fn check(cases: &[(&str, &[&str])]) {
    let fixture = Fixture::with_events().await;
    for (sql, expected) in cases {
        assert_eq!(operators(&fixture, sql).await, *expected, "{sql}");
    }
}

#[tokio::test]
async fn keys_and_functions_over_columns_are_taken() {
    check(&[
        ("SELECT org, COUNT(*) FROM usage GROUP BY org", &["keys=[org] aggregates=[COUNT(*)]"]),
        ("SELECT COUNT(1) AS n FROM usage WHERE bytes > 5", &["keys=[] aggregates=[COUNT(*)] filter=[bytes > 5]"]),
        (
            "SELECT Topic, internal, partition, COUNT(org), SUM(bytes), SUM(cost), MIN(partition), MAX(__time) FROM usage \
             GROUP BY 1, 2, 3",
            &[
                "keys=[Topic, internal, partition] aggregates=[COUNT(org), SUM(bytes), SUM(cost), MIN(partition), MAX(__time)]",
            ],
        ),
        ("SELECT AVG(bytes), AVG(cost), MIN(DISTINCT bytes) FROM usage", &[
            "keys=[] aggregates=[AVG(bytes), AVG(cost), MIN(bytes)]",
        ]),
        ("SELECT __time, cost FROM usage GROUP BY 1, 2", &["keys=[__time, cost] aggregates=[]"]),
        ("SELECT org, SUM(cost), SUM(CAST(cost AS DOUBLE)) FROM usage GROUP BY CAST(org AS VARCHAR), org", &[
            "keys=[org] aggregates=[SUM(cost), SUM(cost)]",
        ]),
        ("SELECT DISTINCT org, Topic FROM usage", &["keys=[org, Topic] aggregates=[]"]),
        (
            "SELECT TIME_FLOOR(__time, 'PT1H') AS t, FLOOR(__time TO DAY), SUM(bytes) FROM usage GROUP BY 1, 2",
            &["keys=[TIME_FLOOR(__time, 'PT1H'), TIME_FLOOR(__time, 'P1D')] aggregates=[SUM(bytes)]"],
        ),
        (
            "SELECT TIME_FLOOR(__time, 'P1M', TIMESTAMP '2026-01-05 00:00:00', 'Europe/Berlin'), COUNT(*) FROM usage GROUP BY 1",
            &["keys=[TIME_FLOOR(__time, 'P1M', '2026-01-05T00:00:00.000Z', 'Europe/Berlin')] aggregates=[COUNT(*)]"],
        ),
        (
            "SELECT org, SUM(bytes) FILTER (WHERE Topic LIKE 'o%' AND __time >= TIMESTAMP '2026-01-01 01:00:00') AS s, \
             COUNT(*) FILTER (WHERE internal) FROM usage GROUP BY org",
            &["keys=[org] aggregates=[SUM(bytes) FILTER (interval=2026-01-01T01:00:00.000Z/.. AND Topic LIKE 'o%'), \
               COUNT(*) FILTER (internal)]"],
        ),
        (
            "SELECT org, LATEST(bytes), EARLIEST_BY(cost, __time), LATEST(__time), EARLIEST(Topic) FROM usage GROUP BY org",
            &["keys=[org] aggregates=[LATEST(bytes), EARLIEST(cost), LATEST(__time), EARLIEST(Topic)]"],
        ),
        (
            "SELECT COUNT(DISTINCT Topic), COUNT(DISTINCT bytes) FILTER (WHERE internal), MIN(org), ANY_VALUE(Topic) FROM usage",
            &["keys=[] aggregates=[COUNT(DISTINCT Topic), COUNT(DISTINCT bytes) FILTER (internal), MIN(org), MAX(Topic)]"],
        ),
        ("SELECT org, COUNT(DISTINCT Topic) FROM usage GROUP BY org", &["keys=[org] aggregates=[COUNT(DISTINCT Topic)]"]),
        (
            "SELECT APPROX_COUNT_DISTINCT(Topic), APPROX_COUNT_DISTINCT_DS_THETA(bytes, 1000), APPROX_QUANTILE_DS(bytes, 0.5), \
             DS_QUANTILES_SKETCH(cost, 32) FILTER (WHERE internal), DS_HLL(org, 10), DS_THETA(cost) FROM usage",
            &["keys=[] aggregates=[APPROX_COUNT_DISTINCT_DS_HLL(Topic, 12), APPROX_COUNT_DISTINCT_DS_THETA(bytes, 1024), \
               APPROX_QUANTILE_DS(bytes, 0.5, 200), DS_QUANTILES_SKETCH(cost, 32) FILTER (internal), DS_HLL(org, 10), \
               DS_THETA(cost, 16384)]"],
        ),
        (
            "SELECT SUM(CASE WHEN internal THEN bytes END), COUNT(CASE WHEN bytes > 5 THEN 1 ELSE NULL END), \
             AVG(CASE WHEN org = 'a' THEN bytes END) FILTER (WHERE bytes > 5) FROM usage",
            &["keys=[] aggregates=[SUM(bytes) FILTER (internal), COUNT(*) FILTER (bytes > 5), \
               AVG(bytes) FILTER (bytes > 5 AND org = 'a')]"],
        ),
        (
            "SELECT COUNT(*) FILTER (WHERE __time < TIMESTAMP '0001-01-01 00:00:00') FROM usage",
            &["keys=[] aggregates=[COUNT(*) FILTER (FALSE)]"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_is_computed_row_by_row_is_aggregated_on_codes_too() {
    check(&[
        (
            "SELECT org, SUM(bytes * partition + 1), AVG(bytes - partition) FROM usage WHERE bytes > 5 GROUP BY org",
            &["keys=[org] aggregates=[SUM(checked $0 $1 * $2 +(bytes, partition, Int64(1))), \
               AVG(checked $0 $1 -(bytes, partition))] filter=[bytes > 5]"],
        ),
        (
            "SELECT SUM(CASE WHEN internal THEN bytes ELSE 0 END) FROM usage",
            &["keys=[] aggregates=[SUM(CASE WHEN internal THEN bytes ELSE Int64(0) END)]"],
        ),
        (
            "SELECT SUM(CASE WHEN internal THEN bytes WHEN org = 'a' THEN partition END) FILTER (WHERE bytes > 5) FROM usage",
            &["keys=[] aggregates=[SUM(CASE WHEN internal THEN bytes WHEN org = Utf8View(\"a\") THEN partition END) \
               FILTER (bytes > 5)]"],
        ),
        (
            "SELECT MIN(cost / 2), MAX(internal AND bytes > 5), COUNT(NULLIF(bytes, 7)), SUM(LENGTH(org)) FROM usage",
            &["keys=[] aggregates=[MIN(cost / Float64(2)), MAX(internal AND bytes > Int64(5)), \
               COUNT(nullif(bytes, Int64(7))), SUM(length(org))]"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_stands_around_an_aggregation_does_not_matter() {
    check(&[
        (
            "SELECT org, CASE WHEN SUM(bytes) > 10 THEN 'many' ELSE 'few' END FROM usage GROUP BY org HAVING COUNT(*) > 1 \
             ORDER BY MAX(cost) DESC",
            &["keys=[org] aggregates=[SUM(bytes), COUNT(*), MAX(cost)]"],
        ),
        (
            "SELECT org FROM usage GROUP BY org HAVING org <> 'beta' AND SUM(bytes) > 1",
            &["keys=[org] aggregates=[SUM(bytes)] filter=[NOT (org = 'beta')]"],
        ),
        (
            "WITH hours AS (SELECT TIME_FLOOR(__time, 'PT1H') AS t, org AS o, bytes AS b FROM usage WHERE org LIKE 'a%') \
             SELECT t, o, SUM(b) FROM hours WHERE b > 7 GROUP BY t, o",
            &["keys=[TIME_FLOOR(__time, 'PT1H'), org] aggregates=[SUM(bytes)] filter=[bytes > 7 AND org LIKE 'a%']"],
        ),
        (
            "SELECT COUNT(*) FROM (SELECT org, SUM(bytes) FROM usage GROUP BY org)",
            &["SegmentValues"],
        ),
        // Grouped by the values on codes, then added.
        ("SELECT org, SUM(DISTINCT bytes) FROM usage GROUP BY org", &["keys=[org, bytes] aggregates=[]"]),
        (
            "SELECT MAX(s) FROM (SELECT org, SUM(bytes) AS s FROM usage GROUP BY org)",
            &["keys=[org] aggregates=[SUM(bytes)]"],
        ),
        (
            "SELECT org, COUNT(*) FROM usage GROUP BY org UNION ALL SELECT Topic, SUM(bytes) FROM usage GROUP BY Topic",
            &["keys=[org] aggregates=[COUNT(*)]", "keys=[Topic] aggregates=[SUM(bytes)]"],
        ),
        (
            "SELECT a.org, s, n FROM (SELECT org, SUM(bytes) AS s FROM usage GROUP BY org) a \
             JOIN (SELECT org, COUNT(*) AS n FROM usage WHERE internal GROUP BY org) b ON a.org = b.org",
            &["keys=[org] aggregates=[SUM(bytes)]", "keys=[org] aggregates=[COUNT(*)] filter=[internal]"],
        ),
        (
            "SELECT org, SUM(bytes) FROM usage WHERE bytes > (SELECT AVG(cost) FROM usage) GROUP BY org",
            &["SegmentScan", "keys=[] aggregates=[AVG(cost)]"],
        ),
        ("SELECT org, Topic FROM usage WHERE partition IN (SELECT MAX(partition) FROM usage)", &[
            "keys=[] aggregates=[MAX(partition)]",
            "SegmentScan",
        ]),
    ])
    .await;
}

#[tokio::test]
async fn expressions_over_few_values_are_evaluated_for_each_group_on_codes() {
    check(&[
        ("SELECT UPPER(org), COUNT(*) FROM usage GROUP BY 1", &["keys=[org] aggregates=[COUNT(*)]"]),
        (
            "SELECT CASE WHEN Topic LIKE '\\_%' THEN 'internal' ELSE 'other' END, org, SUM(bytes), AVG(cost) FROM usage \
             WHERE bytes > 5 GROUP BY 1, 2",
            &["keys=[Topic, org] aggregates=[SUM(bytes), SUM(cost), COUNT(cost)] filter=[bytes > 5]"],
        ),
        (
            "SELECT EXTRACT(HOUR FROM __time), CAST(__time AS DATE), NOT internal, MAX(bytes) FROM usage GROUP BY 1, 2, 3",
            &["keys=[TIME_FLOOR(__time, 'PT1H'), TIME_FLOOR(__time, 'P1D'), internal] aggregates=[MAX(bytes)]"],
        ),
        (
            "SELECT SUM(bytes), COUNT(*) FROM usage WHERE LENGTH(Topic) = 6 AND org = 'acme'",
            &["keys=[Topic] aggregates=[SUM(bytes), COUNT(*)] filter=[org = 'acme']"],
        ),
        ("SELECT org, COUNT(DISTINCT UPPER(Topic)) FROM usage GROUP BY org", &["keys=[org, Topic] aggregates=[]"]),
        (
            "SELECT partition % 2, COUNT(bytes) FILTER (WHERE internal) FROM usage GROUP BY 1",
            &["keys=[partition] aggregates=[COUNT(bytes) FILTER (internal)]"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_is_not_ours_in_full_stays_with_datafusion() {
    let fixture = Fixture::with_events().await;
    let kept = [
        "SELECT UPPER(org) || Topic, COUNT(*) FROM usage GROUP BY 1",
        "SELECT LENGTH(org), COUNT(*) FROM usage WHERE LENGTH(Topic) = 6 GROUP BY 1",
        "SELECT EXTRACT(SECOND FROM __time), COUNT(*) FROM usage GROUP BY 1",
        "SELECT TIME_CEIL(__time, 'PT1H'), COUNT(*) FROM usage GROUP BY 1",
        "SELECT bytes % 10, COUNT(*) FROM usage GROUP BY 1",
        "SELECT LENGTH(org), COUNT(*) FROM usage GROUP BY ROLLUP (LENGTH(org))",
        "SELECT LENGTH(org), LATEST(bytes) FROM usage GROUP BY 1",
        "SELECT org, COUNT(*) FROM usage GROUP BY ROLLUP (org)",
        "SELECT org, Topic, COUNT(*) FROM usage GROUP BY GROUPING SETS ((org), (Topic))",
        "SELECT SUM(CAST(bytes AS DECIMAL(38, 0))) FROM usage",
        "SELECT SUM(DISTINCT bytes), COUNT(*) FROM usage",
        "SELECT LATEST_BY(bytes, MILLIS_TO_TIMESTAMP(partition)) FROM usage",
        "SELECT LATEST(CASE WHEN internal THEN bytes END) FROM usage",
        "SELECT MIN(org || Topic) FROM usage",
        "SELECT COUNT(DISTINCT bytes + 1) FROM usage",
        "SELECT SUM(2) FROM usage",
        "SELECT org, STDDEV(bytes), SUM(bytes) FROM usage GROUP BY org",
        "SELECT SUM(bytes) FILTER (WHERE LENGTH(Topic) = 6) FROM usage",
        "SELECT SUM(bytes) FROM usage WHERE bytes % 10 = 7 AND org = 'acme'",
        "SELECT SUM(bytes) FROM (SELECT bytes FROM usage LIMIT 3)",
        "SELECT COUNT(bytes) FROM (SELECT bytes, ROW_NUMBER() OVER (ORDER BY __time) AS n FROM usage) WHERE n < 3",
        "SELECT FIRST_VALUE(bytes ORDER BY cost) FROM usage",
        "SELECT SUM(a.bytes) FROM usage a JOIN usage b ON a.__time = b.__time",
    ];
    for sql in kept {
        let operators = operators(&fixture, sql).await;
        assert!(operators.iter().all(|operator| operator == "SegmentScan"), "{sql}: {operators:?}");
        assert!(!operators.is_empty(), "{sql}");
    }
}

#[tokio::test]
async fn a_sort_that_keeps_few_groups_says_so_below() {
    let grouped = "keys=[org] aggregates=[SUM(bytes), COUNT(*)]";
    let query = "SELECT org AS o, SUM(bytes) AS s, COUNT(*) AS n FROM usage GROUP BY org ORDER BY ";
    let fixture = Fixture::with_events().await;
    let cases = [
        ("s DESC LIMIT 2", " top=[2 by SUM(bytes) DESC NULLS LAST]"),
        ("s LIMIT 2", " top=[2 by SUM(bytes) ASC NULLS FIRST]"),
        ("s NULLS LAST, n DESC LIMIT 3 OFFSET 2", " top=[5 by SUM(bytes) ASC NULLS LAST]"),
        ("o DESC LIMIT 1", " top=[1 by org DESC NULLS LAST]"),
        ("s", ""),
        ("s + 1 LIMIT 2", ""),
        ("-s LIMIT 2", ""),
        ("o LIMIT 0", ""),
    ];
    for (order, top) in cases {
        let operators = operators(&fixture, &format!("{query}{order}")).await;
        if order.ends_with("LIMIT 0") {
            assert!(operators.is_empty(), "{operators:?}");
        } else {
            assert_eq!(operators, [format!("{grouped}{top}")], "{order}");
        }
    }
    let having = "SELECT org, SUM(bytes) AS s FROM usage GROUP BY org HAVING COUNT(*) > 1 ORDER BY s LIMIT 1";
    assert_eq!(operators(&fixture, having).await, [grouped], "a filter above takes groups away");
    let nested = "SELECT * FROM (SELECT org, SUM(bytes) AS s, COUNT(*) AS n FROM usage GROUP BY org) x ORDER BY x.s DESC LIMIT 2";
    assert_eq!(operators(&fixture, nested).await, [format!("{grouped} top=[2 by SUM(bytes) DESC NULLS LAST]")]);
}

#[tokio::test]
async fn native_operators_and_indexes_can_be_turned_off_apart() {
    let fixture = Fixture::with_events().await;
    let sql =
        "SELECT org, COUNT(*) FROM usage WHERE org = 'acme' AND __time < TIMESTAMP '2026-01-01 01:00:00' GROUP BY org";
    let asked = |use_indexes, use_native_operators| QueryRequest { use_indexes, use_native_operators, ..request(sql) };
    let plain = plan(&fixture, asked(true, false)).await;
    assert!(plain.contains("SegmentScan: usage interval=") && plain.contains("AggregateExec"), "{plain}");
    let by_row = plan(&fixture, asked(false, true)).await;
    assert!(by_row.contains("filter=[org = 'acme'] segments=3/3") && !by_row.contains("FilterExec"), "{by_row}");
    let neither = plan(&fixture, asked(false, false)).await;
    assert!(neither.contains("SegmentScan: usage segments=3/3") && neither.contains("FilterExec"), "{neither}");
}

#[tokio::test]
async fn explain_analyze_tells_what_the_operators_did() {
    let fixture = Fixture::with_events().await;
    let analyzed = |sql: &str| request(&format!("EXPLAIN ANALYZE {sql}"));
    let grouped = "SELECT org, SUM(bytes) FROM usage WHERE Topic <> '_audit' AND __time < TIMESTAMP '2026-01-01 02:00:00' \
                   GROUP BY org";
    let (columns, rows) = fixture.answer(analyzed(grouped)).await.expect("a plan");
    assert_eq!(columns[0].name, "PLAN");
    let plan = &rows[0];
    assert!(plan.starts_with("rows=3 elapsed="), "{plan}");
    for part in
        [" segments=2/3 (open=2), metrics=[", "code_scan(Topic)=2, groups=3, kept_segments=0, rows=4, segments=2, "]
    {
        assert!(plan.contains(part), "{part} is not in {plan}");
    }
    let (_, rows) = fixture.answer(analyzed("SELECT org FROM usage WHERE bytes > 7")).await.expect("a plan");
    assert!(rows[0].contains("metrics=[output_rows=3"), "{}", rows[0]);
    let failed = fixture.answer(analyzed("SELECT bytes / 0 FROM usage")).await.expect_err("no answer");
    assert!(failed.message.contains("division by zero"), "{}", failed.message);
}
