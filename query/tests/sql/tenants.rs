//! A tenant sees its own rows, and nothing that it is told depends on the rows of others.

mod interference;

use henge_query::error::QueryErrorKind;
use henge_query::limits::QueryLimits;
use henge_query::reader::{Reader, Tenant};
use henge_query::request::QueryRequest;

use crate::fixture::{Fixture, events, request, schema};

pub fn tenant(name: &str) -> Reader {
    Reader::Tenant(Tenant::new(name).expect("a name for an organisation"))
}

async fn fixture() -> Fixture {
    let schema = henge_segment_store::schema::DataSourceSchema { tenant: Some("org".into()), ..schema() };
    let fixture = Fixture::with_schema(schema, QueryLimits::default()).await;
    fixture.usage.append(&events()[..3]);
    fixture.publish().await;
    fixture.usage.append(&events()[3..]);
    fixture
}

fn asked(reader: &Reader, sql: &str) -> QueryRequest {
    QueryRequest { reader: reader.clone(), ..request(sql) }
}

#[tokio::test]
async fn each_way_of_reading_finds_the_tenants_rows_alone() {
    let fixture = fixture().await;
    let beta = tenant("beta");
    let cases: [(&str, &[&str]); 12] = [
        ("SELECT COUNT(*), SUM(bytes) FROM usage", &["2|50"]),
        ("SELECT COUNT(*) FROM usage WHERE org = 'acme' OR org <> 'acme' OR org IS NULL", &["2"]),
        ("SELECT MIN(__time), MAX(__time) FROM usage", &["2026-01-01T00:59:00|2026-01-01T01:00:00"]),
        ("SELECT DISTINCT Topic FROM usage ORDER BY 1", &["_audit", "orders"]),
        ("SELECT org, Topic, bytes FROM usage ORDER BY __time LIMIT 5", &["beta|orders|NULL", "beta|_audit|50"]),
        ("SELECT * FROM (SELECT Topic, SUM(cost) AS c FROM usage GROUP BY 1) ORDER BY c DESC LIMIT 1", &["_audit|2.0"]),
        ("SELECT COUNT(*) FROM usage AS a JOIN usage AS b ON a.Topic = b.Topic", &["2"]),
        ("SELECT COUNT(*) FROM usage WHERE Topic IN (SELECT Topic FROM usage WHERE org = 'acme')", &["0"]),
        ("SELECT LENGTH(org), COUNT(*) FROM usage GROUP BY 1", &["4|2"]),
        ("SELECT COUNT(*) FROM (SELECT org FROM usage UNION ALL SELECT org FROM usage) AS t", &["4"]),
        ("SELECT APPROX_COUNT_DISTINCT(org) FROM usage", &["1"]),
        ("WITH w AS (SELECT org, ROW_NUMBER() OVER (ORDER BY __time) AS n FROM usage) SELECT MAX(n) FROM w", &["2"]),
    ];
    for (sql, expected) in cases {
        for (use_indexes, use_native_operators) in [(true, true), (false, true), (true, false), (false, false)] {
            let request = QueryRequest { use_indexes, use_native_operators, ..asked(&beta, sql) };
            // The second time a plan, and what was found of published segments, may be there.
            for _ in 0..2 {
                let (_, rows) = fixture.answer(request.clone()).await.expect(sql);
                assert_eq!(rows, expected, "{sql} {use_indexes} {use_native_operators}");
            }
        }
    }
}

#[tokio::test]
async fn what_one_reader_has_asked_is_not_answered_to_another() {
    let fixture = fixture().await;
    let sql = "SELECT SUM(cost), COUNT(*) FROM usage WHERE cost > 0";
    let readers = [
        (Reader::Everything, "15.75|6"),
        (tenant("acme"), "0.75|2"),
        (tenant("beta"), "3.0|2"),
        (tenant("nobody"), "NULL|0"),
    ];
    for _ in 0..2 {
        for (reader, expected) in &readers {
            let (_, rows) = fixture.answer(asked(reader, sql)).await.expect(sql);
            assert_eq!(rows, [*expected], "{reader:?}");
        }
    }
    let figures = fixture.engine.result_cache();
    assert!(figures.hits > 0, "{figures:?}");
}

#[tokio::test]
async fn an_expression_meets_no_row_of_others() {
    let fixture = fixture().await;
    // Only a row of acme has 200 bytes, and only one of nobody -7.
    for sql in ["SELECT SUM(1000 / (bytes - 200)) FROM usage", "SELECT 1 / (bytes + 7) FROM usage ORDER BY bytes"] {
        let all = fixture.answer(asked(&Reader::Everything, sql)).await.expect_err("a division by zero");
        assert_eq!(all.kind, QueryErrorKind::Plan, "{all}");
        for use_native_operators in [true, false] {
            let request = QueryRequest { use_native_operators, ..asked(&tenant("beta"), sql) };
            assert!(fixture.answer(request).await.is_ok(), "{sql}");
        }
    }
}

#[tokio::test]
async fn a_datasource_without_tenants_is_as_absent_as_one_that_is_not_there() {
    let fixture = Fixture::with_events().await;
    let beta = tenant("beta");
    let error = |name: &str| {
        let request = asked(&beta, &format!("SELECT COUNT(*) FROM {name}"));
        async { fixture.answer(request).await.expect_err("nothing to be seen").message }
    };
    assert_eq!(error("usage").await, "Object 'usage' not found; there are no datasources yet");
    assert_eq!(error("usag").await, "Object 'usag' not found; there are no datasources yet");
    let names = "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'druid'";
    let (_, rows) = fixture.answer(asked(&beta, names)).await.expect("an answer");
    assert_eq!(rows, Vec::<String>::new());
}

#[tokio::test]
async fn how_rows_are_stored_is_not_told_to_tenants() {
    let fixture = fixture().await;
    let beta = tenant("beta");
    let cases = [
        ("SELECT * FROM sys.segments", QueryErrorKind::Plan, "schema 'sys' not found"),
        ("SELECT * FROM sys.queries", QueryErrorKind::Plan, "schema 'sys' not found"),
        ("EXPLAIN PLAN FOR SELECT COUNT(*) FROM usage", QueryErrorKind::Unsupported, "EXPLAIN tells"),
        ("EXPLAIN ANALYZE SELECT COUNT(*) FROM usage", QueryErrorKind::Unsupported, "EXPLAIN tells"),
    ];
    for (sql, kind, message) in cases {
        let error = fixture.answer(asked(&beta, sql)).await.expect_err(sql);
        assert_eq!(error.kind, kind, "{sql}");
        assert!(error.message.starts_with(message), "{sql}: {error}");
    }
    let schemas = asked(&beta, "SELECT SCHEMA_NAME FROM INFORMATION_SCHEMA.SCHEMATA");
    assert_eq!(fixture.answer(schemas).await.expect("an answer").1, ["druid", "INFORMATION_SCHEMA"]);
    let counts = fixture.engine.execute(asked(&beta, "SELECT SUM(bytes) FROM usage")).await.expect("an answer");
    assert_eq!(counts.result_cache, Default::default(), "the counts tell of segments");
}

#[tokio::test]
async fn a_damaged_segment_is_not_named_to_tenants() {
    let fixture = fixture().await;
    for segment in fixture.usage.published_segments() {
        segment.discard_serving();
        let path = fixture.directory().join("store").join(&segment.meta.path);
        std::fs::write(path, b"no Parquet").expect("the file is there");
    }
    let sql = "SELECT SUM(bytes) FROM usage";
    let operator = fixture.answer(asked(&Reader::Everything, sql)).await.expect_err("it is damaged").message;
    assert!(operator.contains("usage_"), "{operator}");
    let told = fixture.answer(asked(&tenant("beta"), sql)).await.expect_err("it is damaged").message;
    assert_eq!(told, "the query failed for a reason that lies in henge: its operator's log tells it");
}
