//! Segments are plain Parquet, and answers Arrow streams: DuckDB and pyarrow read the same rows from them as Henge.

mod tables;

use serde_json::{Value, json};
use tempfile::TempDir;

use self::tables::{Table, publish};
use crate::process::{Serving, run};
use crate::python::Python;

const READERS: Python = Python { name: "readers", requirements: include_str!("readers/requirements.txt") };

/// SQL that means the same to DuckDB and to Henge. Sums of doubles are of quarters, so no order of adding matters.
const QUESTIONS: [&str; 16] = [
    r#"SELECT TIMESTAMP_TO_MILLIS(__time) AS t, "text", "id", "size", "ratio", "flag", "events", "bytes", "least", "most",
       "load", "peak" FROM plain"#,
    r#"SELECT TIMESTAMP_TO_MILLIS(__time) AS t, "text", "size", "events", "bytes", "least", "most", "load", "peak"
       FROM rolled WHERE __time >= TIMESTAMP '1970-01-01 00:30:00'"#,
    r#"SELECT "text", SUM("events") AS e, SUM("bytes") AS b, MIN("least") AS l, MAX("most") AS m FROM plain GROUP BY 1"#,
    r#"SELECT "text", SUM("events") AS e, SUM("bytes") AS b, SUM("load") AS l, MAX("peak") AS p FROM rolled GROUP BY 1"#,
    r#"SELECT "size", COUNT(*) AS n, COUNT("text") AS t, COUNT(DISTINCT "text") AS d FROM plain GROUP BY 1"#,
    r#"SELECT COUNT(*) AS n, COUNT("size") AS s, COUNT("flag") AS f, MIN("ratio") AS r, MAX("ratio") AS x FROM plain"#,
    r#"SELECT COUNT(*) AS n FROM plain WHERE "text" = ''"#,
    r#"SELECT COUNT(*) AS n FROM plain WHERE "text" <> ''"#,
    r#"SELECT COUNT(*) AS n FROM plain WHERE "text" IS NULL AND "flag" IS NOT NULL"#,
    r#"SELECT "id" FROM plain WHERE "text" IN ('🦀', 'NULL', '日本語', 'a''b', '%_') OR "id" LIKE 'id-1%7'"#,
    r#"SELECT "id" FROM plain WHERE "text" > 'a' AND "text" < 'é' AND NOT ("flag" AND "size" > 0)"#,
    r#"SELECT "id", "size" FROM plain WHERE "size" = 9223372036854775807 OR "size" BETWEEN -9223372036854775807 AND -1"#,
    r#"SELECT "id", "ratio" FROM plain WHERE "ratio" >= 1e300 OR "ratio" < -0.5"#,
    r#"SELECT "flag", COUNT(*) AS n FROM plain WHERE __time < TIMESTAMP '1970-01-01 00:00:00' GROUP BY 1"#,
    r#"SELECT COUNT(*) AS n, MIN(TIMESTAMP_TO_MILLIS(__time)) AS a, MAX(TIMESTAMP_TO_MILLIS(__time)) AS b FROM plain"#,
    r#"SELECT "size", SUM("events") AS e, MIN("least") AS l FROM rolled WHERE "text" LIKE '%e%' GROUP BY 1
       HAVING SUM("events") > 2"#,
];

/// The rows that Henge answers, as JSON objects, one a line.
fn ask(server: &Serving, sql: &str) -> String {
    let (code, stdout, stderr) = run(&["sql", "--url", &server.url, "--format", "jsonl", "-c", sql]);
    assert_eq!(code, 0, "{sql}: {stderr}");
    stdout
}

fn described(table: &Table, data_dir: &TempDir) -> Value {
    let root = data_dir.path().join("store");
    json!({
        "columns": table.columns(),
        "sort": table.sort(),
        "rows": table.rows,
        "files": table.segments.iter().map(|(meta, _)| root.join(&meta.path)).collect::<Vec<_>>(),
        "segments": table.segments.iter().map(|(meta, consumed)| json!({
            "id": meta.id, "rows": meta.rows, "events": meta.events, "consumed": consumed,
        })).collect::<Vec<_>>(),
    })
}

#[test]
#[ignore = "needs DuckDB and pyarrow: run with --include-ignored (needs python3 with venv, and PyPI once)"]
fn duckdb_and_pyarrow_read_what_henge_answers() {
    let directory = TempDir::new().unwrap();
    let tables = publish(directory.path());
    assert!(tables.iter().all(|table| table.segments.len() > 2), "each table has several segments");
    let server = Serving::server(directory.path(), &[]);
    let questions = QUESTIONS.map(|sql| json!({"sql": sql, "answer": ask(&server, sql)}));
    let tables: serde_json::Map<String, Value> =
        tables.iter().map(|table| (table.name.to_owned(), described(table, &directory))).collect();
    let request = json!({"url": server.url, "tables": tables, "questions": questions});
    let (succeeded, output) = READERS.run(include_str!("readers/readers.py"), &request.to_string());
    assert!(succeeded, "{output}");
    assert!(output.contains("rows are equal"), "{output}");
}
