use henge_query::error::QueryErrorKind::{self, Parse, Plan, ResourceLimit, Unsupported};

use crate::fixture::Fixture;

#[tokio::test]
async fn a_statement_that_cannot_run_says_what_to_change() {
    let only_select = "only SELECT and EXPLAIN of a SELECT can be run";
    let cases: &[(&str, QueryErrorKind, &str)] = &[
        ("", Parse, "the statement is empty"),
        ("SELEC 1", Parse, "found: SELEC at Line: 1, Column: 1"),
        ("SELECT 1 FROM", Parse, "Expected: identifier, found: EOF"),
        ("SELECT 1; SELECT 2", Parse, "expected the end of the statement, found: SELECT at Line: 1, Column: 11"),
        ("SELECT 'a", Parse, "Unterminated string literal"),
        ("SELECT $1", Parse, "`$1` is not a parameter: parameters are written `?`"),
        ("SET x = 1", Unsupported, only_select),
        ("SHOW TABLES", Unsupported, only_select),
        ("CREATE TABLE x AS SELECT 1", Unsupported, only_select),
        ("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'", Unsupported, only_select),
        ("COPY usage TO '/tmp/x'", Unsupported, only_select),
        ("EXPLAIN COPY usage TO '/tmp/x'", Unsupported, only_select),
        ("INSERT INTO usage SELECT * FROM usage", Unsupported, only_select),
        ("DROP TABLE usage", Unsupported, only_select),
        ("SELECT * INTO x FROM usage", Unsupported, only_select),
        ("SELECT * FROM '/etc/passwd'", Plan, "Object '/etc/passwd' not found"),
        ("SELECT * FROM information_schema.tables", Plan, "schema 'information_schema' not found"),
        ("SELECT * FROM usgae", Plan, "Object 'usgae' not found; did you mean 'usage'? Datasources: usage"),
        ("SELECT * FROM Usage", Plan, "Object 'Usage' not found; did you mean 'usage'?"),
        (
            "SELECT topic FROM usage",
            Plan,
            "Column 'topic' not found in any table; did you mean 'Topic'? (line [1], column [8])",
        ),
        ("SELECT\n u.x FROM usage u", Plan, "Column 'x' not found in table 'u' (line [2], column [4])"),
        ("SELECT org FROM usage a JOIN usage b ON a.org = b.org", Plan, "'org' is ambiguous"),
        ("SELECT uper(org) FROM usage", Plan, "Invalid function 'uper'. Did you mean 'upper'?"),
        ("SELECT SUM(org) FROM usage", Plan, "SUM adds numbers, not Utf8View"),
        ("SELECT Topic FROM usage GROUP BY org", Plan, "Topic"),
        ("SELECT bytes FROM usage WHERE bytes = 'x'", Plan, "Cannot cast string 'x' to value of Int64 type"),
        ("SELECT TIMESTAMP 'nonsense'", Plan, "'nonsense' is not a timestamp: write it like"),
        ("SELECT TIME_FLOOR(__time) FROM usage", Plan, "TIME_FLOOR takes a time and a constant ISO-8601 period"),
        ("SELECT TIME_FLOOR(__time, org) FROM usage", Plan, "TIME_FLOOR takes a time and a constant ISO-8601 period"),
        ("SELECT TIME_FLOOR(__time, 'P1X') FROM usage", Plan, "`P1X` is not a granularity"),
        ("SELECT TIME_FLOOR(__time, 'P1D', NULL, 'Mars') FROM usage", Plan, "`Mars` is not a time zone"),
        ("SELECT TIME_FLOOR(MILLIS_TO_TIMESTAMP(9223372036854775807), 'P1M')", Plan, "outside the years 1 to 9999"),
        ("SELECT FLOOR(__time TO DECADE) FROM usage", Plan, "'DECADE' is not a unit of time"),
        ("SELECT INTERVAL '1' DAY", Unsupported, "column 'EXPR$0' is of type Interval"),
        ("SELECT * FROM generate_series(1, 1000000000)", Unsupported, "table functions cannot be used"),
        ("SELECT repeat('x', 1500000000)", ResourceLimit, "REPEAT would make more than 64 MiB of text"),
        ("SELECT lpad('x', 1500000000)", ResourceLimit, "LPAD would make more than 64 MiB of text"),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r", Unsupported, "ecursive"),
        // Arithmetic that leaves its type.
        ("SELECT 9223372036854775807 + 1", Plan, "integer arithmetic leaves 64 bits"),
        ("SELECT -(-9223372036854775807 - 1)", Plan, "integer arithmetic leaves 64 bits"),
        ("SELECT bytes - 9223372036854775807 FROM usage", Plan, "integer arithmetic leaves 64 bits"),
        ("SELECT bytes * 9223372036854775807 FROM usage", Plan, "integer arithmetic leaves 64 bits"),
        ("SELECT ABS(-9223372036854775807 - 1)", Plan, "overflow"),
        ("SELECT bytes / (bytes - bytes) FROM usage", Plan, "division by zero: guard the divisor with NULLIF"),
        ("SELECT bytes % 0 FROM usage", Plan, "division by zero"),
        ("SELECT CAST(1e300 AS BIGINT)", Plan, "1e300"),
        ("SELECT SUM(bytes + 9223372036854775000) FROM usage", Plan, "SUM overflow: a total does not fit"),
        (
            "SELECT org, SUM(9223372036854775807 + 0 * bytes) FROM usage GROUP BY org",
            Plan,
            "SUM overflow: a total does not fit",
        ),
        (
            "SELECT SUM(9223372036854775807 + 0 * bytes) OVER (ORDER BY __time) FROM usage WHERE org = 'acme'",
            Plan,
            "SUM overflow: a total does not fit",
        ),
        ("SELECT SUM(DISTINCT 9223372036854775800 + bytes / 50) FROM usage WHERE bytes > 50", Plan, "SUM overflow"),
    ];
    let fixture = Fixture::with_events().await;
    for (sql, kind, message) in cases {
        let error = fixture.error(sql).await;
        assert!(error.kind == *kind && error.message.contains(message), "{sql}: {error:?}");
    }
}

#[tokio::test]
async fn text_that_doubles_again_and_again_is_stopped() {
    let fixture = Fixture::with_events().await;
    // Sixteen times as long after each level. An aggregate keeps the levels apart, so that nothing is refused for its
    // expression alone.
    let joined = vec!["s"; 16].join(", ");
    let growths = [
        joined.replace(", ", " || "),
        format!("CONCAT({joined})"),
        format!("CONCAT_WS({joined})"),
        format!("REPLACE(s, 'o', '{}')", "o".repeat(16)),
        format!("REPLACE(s, SUBSTRING(s, 1, 1), {})", joined.replace(", ", " || ")),
    ];
    for growth in growths {
        let levels = |count| {
            (0..count).fold("SELECT Topic AS s FROM usage".to_owned(), |below, _| {
                format!("SELECT MAX({growth}) AS s FROM ({below})")
            })
        };
        assert_eq!(fixture.rows(&format!("SELECT LENGTH(s) > 50 FROM ({})", levels(2))).await, ["true"], "{growth}");
        let error = fixture.error(&levels(10)).await;
        assert!(error.message.contains("more than 64 MiB of text"), "{growth}: {error:?}");
        assert_eq!(error.kind, ResourceLimit, "{growth}");
    }
}
