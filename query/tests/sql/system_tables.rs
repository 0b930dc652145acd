//! `INFORMATION_SCHEMA` and `sys`, by the statements that clients send.

use henge_query::engine::{QueryEngine, Surroundings};
use henge_query::error::QueryErrorKind;
use henge_query::limits::QueryLimits;
use henge_query::system_tables::ServerInfo;
use henge_segment_store::time::TimestampMs;

use crate::fixture::{Fixture, event};

#[tokio::test]
async fn schemas_tables_and_columns_are_told_as_pydruid_and_superset_ask_for_them() {
    let fixture = Fixture::with_events().await;
    let cases: [(&str, &[&str]); 7] = [
        (
            "SELECT SCHEMA_NAME FROM INFORMATION_SCHEMA.SCHEMATA WHERE CATALOG_NAME = 'druid' ORDER BY 1",
            &["INFORMATION_SCHEMA", "druid", "sys"],
        ),
        ("SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'druid'", &["usage"]),
        ("SELECT COUNT(*) > 0 AS exists_ FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'usage'", &["true"]),
        ("SELECT COUNT(*) > 0 AS exists_ FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'Usage'", &["false"]),
        ("SELECT DISTINCT TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA <> 'druid'", &["SYSTEM_TABLE"]),
        (
            "SELECT COLUMN_NAME, JDBC_TYPE, IS_NULLABLE, COLUMN_DEFAULT FROM INFORMATION_SCHEMA.COLUMNS \
             WHERE TABLE_NAME = 'usage' AND TABLE_SCHEMA = 'druid'",
            &[
                "__time|93|NO|",
                "org|12|YES|",
                "Topic|12|YES|",
                "partition|-5|YES|",
                "internal|16|YES|",
                "events|-5|YES|",
                "bytes|-5|YES|",
                "cost|8|YES|",
            ],
        ),
        (
            "SELECT ORDINAL_POSITION, DATA_TYPE, NUMERIC_PRECISION, NUMERIC_PRECISION_RADIX, NUMERIC_SCALE, \
             DATETIME_PRECISION, CHARACTER_SET_NAME, COLLATION_NAME FROM INFORMATION_SCHEMA.COLUMNS \
             WHERE TABLE_NAME = 'usage' AND COLUMN_NAME IN ('__time', 'org', 'bytes', 'cost')",
            &[
                "0|TIMESTAMP|NULL|NULL|NULL|3|NULL|NULL",
                "1|VARCHAR|NULL|NULL|NULL|NULL|UTF-8|binary",
                "6|BIGINT|19|10|0|NULL|NULL|NULL",
                "7|DOUBLE|15|10|NULL|NULL|NULL|NULL",
            ],
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(fixture.rows(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn every_listed_table_can_be_read_and_has_the_columns_that_are_listed() {
    let fixture = Fixture::with_events().await;
    fixture.publish().await;
    for table in fixture.rows("SELECT TABLE_SCHEMA, TABLE_NAME FROM INFORMATION_SCHEMA.TABLES").await {
        let (schema, name) = table.split_once('|').expect("two columns");
        let request = crate::fixture::request(&format!("SELECT * FROM {schema}.{name}"));
        let (columns, rows) = fixture.answer(request).await.expect("it can be read");
        assert!(rows.len() >= usize::from(!name.starts_with("server") && name != "queries"), "{table} is empty");
        let found: Vec<String> = columns.iter().map(|column| format!("{}|{}", column.name, column.sql_type)).collect();
        let listed = format!(
            "SELECT COLUMN_NAME, DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS \
             WHERE TABLE_SCHEMA = '{schema}' AND TABLE_NAME = '{name}' ORDER BY ORDINAL_POSITION"
        );
        assert_eq!(fixture.rows(&listed).await, found, "{table}");
    }
}

#[tokio::test]
async fn every_listed_function_is_one_that_sql_knows() {
    let fixture = Fixture::new().await;
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let files = tests.read_dir().expect("the directory is there").map(|entry| entry.expect("an entry").path());
    let texts: Vec<String> = files.map(|path| std::fs::read_to_string(path).expect("a text")).collect();
    let tested = texts.concat().to_uppercase();
    let routines = fixture.rows("SELECT ROUTINE_NAME FROM INFORMATION_SCHEMA.ROUTINES").await;
    assert!(routines.len() > 150 && routines.is_sorted(), "{routines:?}");
    for name in routines {
        // Those that are rewritten by their arguments are known by the tests of what they answer.
        if tested.contains(&format!("{name}(")) || tested.contains(&format!("{name} (")) {
            continue;
        }
        let is_unknown = async |call: &str| {
            let error = fixture.answer(crate::fixture::request(call)).await.err();
            error.is_some_and(|error| error.message.contains("Invalid function"))
        };
        let (plain, windowed) = (format!("SELECT {name}()"), format!("SELECT {name}() OVER () FROM usage"));
        assert!(!is_unknown(&plain).await || !is_unknown(&windowed).await, "{name}");
    }
    let kinds = "SELECT ROUTINE_NAME, IS_AGGREGATOR FROM INFORMATION_SCHEMA.ROUTINES \
                 WHERE ROUTINE_NAME IN ('SUM', 'TIME_FLOOR', 'LATEST', 'TEXTCAT') ORDER BY 1";
    assert_eq!(fixture.rows(kinds).await, ["LATEST|YES", "SUM|YES", "TEXTCAT|NO", "TIME_FLOOR|NO"]);
}

#[tokio::test]
async fn segments_are_told_from_their_first_row_to_their_publish() {
    let fixture = Fixture::with_events().await;
    let sql = "SELECT \"start\", num_rows, is_published, is_realtime, is_active, is_available, is_overshadowed, \
               dimensions, metrics FROM sys.segments WHERE datasource = 'usage' ORDER BY 1, 3 DESC";
    let row = |hour: u32, rows: u32, is_published: bool| {
        format!(
            "2026-01-01T0{hour}:00:00.000Z|{rows}|{}|{}|1|1|0|[\"org\",\"Topic\",\"partition\",\"internal\"]|\
             [\"events\",\"bytes\",\"cost\"]",
            i32::from(is_published),
            i32::from(!is_published)
        )
    };
    assert_eq!(fixture.rows(sql).await, [row(0, 3, false), row(1, 2, false), row(2, 1, false)]);
    fixture.publish().await;
    fixture.usage.append(&[event(5, None, "late", 0, None, 0.0)]);
    assert_eq!(fixture.rows(sql).await, [row(0, 3, true), row(0, 1, false), row(1, 2, true), row(2, 1, true)]);

    let ids: Vec<String> = fixture.usage.published().iter().map(|meta| meta.id.to_string()).collect();
    let published = "SELECT segment_id FROM sys.segments WHERE is_published = 1 ORDER BY \"start\"";
    assert_eq!(fixture.rows(published).await, ids);
    let total = format!("{}", fixture.usage.published().iter().map(|meta| meta.bytes).sum::<u64>());
    assert_eq!(fixture.rows("SELECT SUM(\"size\") FROM sys.segments WHERE is_published = 1").await, [total]);
    let open = "SELECT segment_id, version FROM sys.segments WHERE is_published = 0";
    let expected = "usage_2026-01-01T00:00:00.000Z_2026-01-01T01:00:00.000Z_unpublished_0|unpublished";
    assert_eq!(fixture.rows(open).await, [expected]);

    fixture.usage.published_segments()[0].quarantine("damaged".into());
    let damaged = "SELECT segment_id FROM sys.segments WHERE is_available = 0";
    assert_eq!(fixture.rows(damaged).await, [ids[0].clone()]);
}

#[tokio::test]
async fn the_server_and_its_tasks_are_told_by_druids_roles() {
    let mut fixture = Fixture::with_events().await;
    assert!(fixture.rows("SELECT server FROM sys.servers").await.is_empty(), "nobody can reach it");
    let server = ServerInfo {
        host: "127.0.0.1".to_owned(),
        port: 8888,
        version: "0.0.0",
        started_at: TimestampMs(1_767_225_600_000),
    };
    fixture.engine = QueryEngine::of_server(
        fixture.store.clone(),
        QueryLimits::default(),
        Surroundings { server: Some(server), ..Surroundings::default() },
    );
    let roles = "SELECT server, server_type, is_leader, tier, start_time FROM sys.servers ORDER BY 2";
    let row =
        |role: &str, leads: &str, tier: &str| format!("127.0.0.1:8888|{role}|{leads}|{tier}|2026-01-01T00:00:00.000Z");
    let expected = [
        row("broker", "NULL", "NULL"),
        row("coordinator", "1", "NULL"),
        row("historical", "NULL", "_default_tier"),
        row("indexer", "NULL", "NULL"),
        row("overlord", "1", "NULL"),
    ];
    assert_eq!(fixture.rows(roles).await, expected);
    let tasks = "SELECT task_id, \"type\", datasource, status, location FROM sys.tasks";
    assert_eq!(fixture.rows(tasks).await, ["usage|index_kafka|usage|RUNNING|127.0.0.1:8888"]);
    let joined = "SELECT COUNT(*) FROM sys.server_segments s JOIN sys.segments g ON s.segment_id = g.segment_id \
                  WHERE s.server = '127.0.0.1:8888'";
    assert_eq!(fixture.rows(joined).await, ["3"]);
    fixture.store.set_suspended(fixture.usage.name(), true).await.expect("it can be suspended");
    assert!(fixture.rows(tasks).await.is_empty(), "a suspended supervisor does not read");
}

#[tokio::test]
async fn running_queries_are_listed_with_their_texts() {
    let fixture = Fixture::new().await;
    let sql = "SELECT query_id, sql FROM sys.queries WHERE elapsed_ms >= 0 AND created_time > '2026'";
    assert_eq!(fixture.rows(sql).await, [format!("q|{sql}")], "only the one that asks");
}

/// The second time the plan is one that was kept.
#[tokio::test]
async fn a_kept_plan_reads_the_rows_of_this_moment() {
    let fixture = Fixture::new().await;
    let sql = "SELECT COUNT(*) FROM sys.segments WHERE datasource = 'usage'";
    assert_eq!(fixture.rows(sql).await, ["0"]);
    fixture.usage.append(&[event(5, None, "late", 0, None, 0.0)]);
    assert_eq!(fixture.rows(sql).await, ["1"]);
    assert_eq!(fixture.engine.plan_cache().hits, 1);
    // The same name in another schema is another table.
    assert_eq!(fixture.error("SELECT COUNT(*) FROM segments").await.kind, QueryErrorKind::Plan);
}

#[tokio::test]
async fn an_unknown_system_table_is_named_with_what_may_be_meant() {
    let fixture = Fixture::new().await;
    let cases = [
        ("SELECT * FROM sys.segment", "Object 'segment' not found within 'sys'; did you mean 'segments'? Its tables: "),
        ("SELECT * FROM INFORMATION_SCHEMA.tables", "not found within 'INFORMATION_SCHEMA'; did you mean 'TABLES'?"),
        (
            "SELECT * FROM information_schema.tables",
            "'information_schema' not found; did you mean 'INFORMATION_SCHEMA'?",
        ),
        ("SELECT * FROM other.sys.segments", "schema 'sys' not found"),
        ("INSERT INTO sys.tasks SELECT * FROM sys.tasks", "only SELECT and EXPLAIN of a SELECT can be run"),
    ];
    for (sql, message) in cases {
        let error = fixture.error(sql).await;
        assert!(error.message.contains(message), "{sql}: {}", error.message);
    }
}
