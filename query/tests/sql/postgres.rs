//! What PostgreSQL's clients write.

use henge_query::answer::ResultColumn;
use henge_query::description::Description;
use henge_query::reader::{Reader, Tenant};
use henge_query::request::{Parameter, QueryRequest, Spelling};
use henge_segment_store::time::TimestampMs;

use crate::fixture::{Fixture, NEW_YEAR_MS, request};

fn spelled(sql: &str) -> QueryRequest {
    QueryRequest { spelling: Spelling::Postgres, ..request(sql) }
}

/// Statements and their rows over the events of the fixture.
const ANSWERS: &[(&str, &[&str])] = &[
    ("SELECT '5'::int8 + 1::int4, 2::float8, 'x'::text, true::bool, 7::\"char\"", &["6|2.0|x|true|7"]),
    ("SELECT COUNT(*) FROM usage WHERE __time BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-01T00:01:00.5Z'", &["2"]),
    ("SELECT COUNT(*) FROM public.usage u WHERE u.__time >= '2026-01-01 00:01:00+00'::timestamptz", &["5"]),
    (
        "SELECT floor(extract(epoch from __time)/3600)*3600 AS \"time\", COUNT(*) FROM usage GROUP BY 1 ORDER BY 1 LIMIT 1",
        &["1767225600|3"],
    ),
    ("SELECT COUNT(*) FROM usage WHERE org = ANY ('{acme,\"beta\"}')", &["4"]),
    ("SELECT COUNT(*) FROM usage WHERE org <> ALL (ARRAY['acme'])", &["3"]),
    ("SELECT COUNT(*) FROM usage WHERE org = ANY ('{}')", &["0"]),
    ("SELECT COUNT(*) FROM usage WHERE org OPERATOR(pg_catalog.~) '^(acme)$' COLLATE pg_catalog.default", &["2"]),
    ("SELECT COUNT(*) FROM usage WHERE org !~* '^A'", &["3"]),
    ("SELECT (ARRAY['a', 'b'])[2], (parse_ident('x.y'))[1], array_length(parse_ident('x.y'), 1)", &["b|x|2"]),
    (
        "SELECT quote_ident('plain'), quote_ident('Not \"plain\"'), quote_literal('it''s')",
        &["plain|\"Not \"\"plain\"\"\"|'it''s'"],
    ),
    (
        "SELECT current_setting('server_version_num')::int/100, current_database(), current_schema(), user",
        &["1500|henge|public|henge"],
    ),
    ("SELECT pg_catalog.pg_table_is_visible(5), pg_get_userbyid(10), obj_description(5, 'x')", &["true|henge|NULL"]),
    ("SELECT format_type(20, -1), pg_catalog.format_type(1009, NULL), 'int8'::regtype", &["bigint|text[]|20"]),
    (
        "SELECT 'public' IN (SELECT trim(s[i]) FROM generate_series(1, array_upper(string_to_array(\
         current_setting('search_path'),','),1)) AS i, string_to_array(current_setting('search_path'),',') s)",
        &["true"],
    ),
    (
        "SELECT c.relname, c.relkind, n.nspname, (SELECT d.description FROM pg_description d WHERE d.objoid = c.oid) \
         FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = 'usage'::regclass AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid)",
        &["usage|r|public|NULL"],
    ),
    (
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
         (SELECT nspname FROM pg_namespace n WHERE n.oid = t.typnamespace) \
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = 'public.usage'::regclass \
         AND a.attnum <= 3 ORDER BY a.attnum",
        &[
            "__time|timestamp with time zone|true|pg_catalog",
            "org|text|false|pg_catalog",
            "Topic|text|false|pg_catalog",
        ],
    ),
    (
        "SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema = 'public'",
        &["public|usage|BASE TABLE"],
    ),
    (
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = 'usage' \
         AND udt_name = 'float8'",
        &["cost|double precision|YES"],
    ),
    ("SELECT datname, extversion FROM pg_database LEFT JOIN pg_extension ON extname = 'timescaledb'", &["henge|NULL"]),
];

#[tokio::test]
async fn postgres_spellings_mean_what_they_do_there() {
    let fixture = Fixture::with_events().await;
    for (sql, expected) in ANSWERS {
        let (_, rows) = fixture.answer(spelled(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(rows, *expected, "{sql}");
    }
}

#[tokio::test]
async fn the_catalogue_is_for_postgres_spelling_alone() {
    let fixture = Fixture::with_events().await;
    let error = fixture.error("SELECT 1 FROM pg_catalog.pg_class").await;
    assert!(error.message.starts_with("schema 'pg_catalog' not found"), "{}", error.message);
    assert_eq!(
        fixture.rows("SELECT SCHEMA_NAME FROM INFORMATION_SCHEMA.SCHEMATA WHERE SCHEMA_NAME LIKE 'pg%'").await,
        [""; 0]
    );
}

#[tokio::test]
async fn a_tenant_finds_no_table_that_it_may_not_see() {
    let fixture = Fixture::with_events().await;
    let reader = Reader::Tenant(Tenant::new("acme").unwrap());
    for table in ["pg_class", "pg_attribute", "pg_tables", "information_schema.columns", "information_schema.tables"] {
        let asked = QueryRequest { reader: reader.clone(), ..spelled(&format!("SELECT * FROM {table}")) };
        assert_eq!(fixture.answer(asked).await.expect("an answer").1, [""; 0], "{table}");
    }
}

#[tokio::test]
async fn parameters_are_bound_by_their_numbers() {
    let fixture = Fixture::with_events().await;
    let ask =
        async |sql: &str, parameters: Vec<Parameter>| fixture.answer(QueryRequest { parameters, ..spelled(sql) }).await;
    let text = |text: &str| Parameter::String(text.into());
    let sql = "SELECT $2::text, COUNT(*) FROM usage WHERE org = $1 AND __time >= $3 AND org <> $2";
    let values = vec![text("acme"), text("x' OR '1' = '1"), Parameter::Timestamp(TimestampMs(NEW_YEAR_MS + 1))];
    assert_eq!(ask(sql, values).await.unwrap().1, ["x' OR '1' = '1|1"]);
    let list = Parameter::Array(vec![text("acme"), text("beta")]);
    assert_eq!(ask("SELECT COUNT(*) FROM usage WHERE org = ANY($1)", vec![list]).await.unwrap().1, ["4"]);
    let error = ask("SELECT $2", vec![Parameter::Null]).await.expect_err("there is one parameter");
    assert_eq!(error.message, "there is no parameter $2: 1 came with the statement (line [1], column [8])");
}

#[tokio::test]
async fn a_statement_is_described_without_being_run() {
    let fixture = Fixture::with_events().await;
    let column = |name: &str, druid: &str, sql: &str| ResultColumn {
        name: name.into(),
        druid_type: druid.into(),
        sql_type: sql.into(),
    };
    let sql = "SELECT org, SUM(bytes) AS bytes FROM usage WHERE __time >= $2 AND org = $1 AND bytes IN ($4, $5) GROUP BY org LIMIT 3";
    let parameter = |number: usize, druid: &str, sql: &str| Some(column(&format!("${number}"), druid, sql));
    let expected = Description {
        columns: vec![column("org", "STRING", "VARCHAR"), column("bytes", "LONG", "BIGINT")],
        parameters: vec![
            parameter(1, "STRING", "VARCHAR"),
            parameter(2, "LONG", "TIMESTAMP"),
            None,
            parameter(4, "LONG", "BIGINT"),
            parameter(5, "LONG", "BIGINT"),
        ],
    };
    assert_eq!(fixture.engine.describe(spelled(sql)).await, Ok(expected));
    let error = fixture.engine.describe(spelled("SELECT nothing FROM usage")).await.expect_err("no such column");
    assert_eq!(error.message, "Column 'nothing' not found in any table (line [1], column [8])");
}
