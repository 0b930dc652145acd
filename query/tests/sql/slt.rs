//! Runs `query/tests/slt/*.slt`, files in the form of sqllogictest, over the events of the fixture: while they are open,
//! once they are published, and with DataFusion's operators in the place of ours.
//!
//! Read here are `query TYPES [rowsort]`, whose types say how many columns there are, and `statement error`, whose text is
//! part of the message. Columns are separated by a blank, and the empty text is `(empty)`. `SET sqlTimeZone = '..';` may
//! stand before a statement.

use std::path::Path;

use henge_query::error::QueryError;
use henge_query::request::QueryRequest;
use henge_query::settings::{SettingValue, Settings};

use crate::fixture::{Fixture, events, request};

/// One record of a file.
struct Record {
    line: usize,
    sql: String,
    expected: Expected,
}

enum Expected {
    Rows { is_sorted: bool, rows: Vec<String> },
    Error(String),
}

fn records(text: &str) -> Vec<Record> {
    let mut lines = text.lines().enumerate().peekable();
    let mut records = Vec::new();
    while let Some((at, line)) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        let expected = match (words.next(), words.next()) {
            (Some("query"), Some(_types)) => {
                Expected::Rows { is_sorted: words.next() == Some("rowsort"), rows: Vec::new() }
            }
            (Some("statement"), Some("error")) => Expected::Error(words.collect::<Vec<_>>().join(" ")),
            _ => panic!("line {}: {line}", at + 1),
        };
        let mut record = Record { line: at + 1, sql: String::new(), expected };
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.trim().is_empty() && *line != "----") {
            record.sql.push_str(line);
            record.sql.push('\n');
        }
        if let Expected::Rows { rows, .. } = &mut record.expected {
            let separator = lines.next();
            assert!(separator.is_some_and(|(_, line)| line == "----"), "line {}: rows follow `----`", at + 1);
            while let Some((_, line)) = lines.next_if(|(_, line)| !line.is_empty()) {
                rows.push(line.to_owned());
            }
        }
        records.push(record);
    }
    records
}

/// The request with the settings of its text; only the zone is one that these files use.
fn with_settings(sql: &str) -> Result<QueryRequest, QueryError> {
    let settings = Settings::read(sql)?;
    let mut asked = request(&settings.sql);
    for (key, value) in settings.values {
        match (key.as_str(), value) {
            ("sqlTimeZone", SettingValue::Text(zone)) => asked.time_zone = Some(zone),
            (key, _) => panic!("`{key}` is not read here"),
        }
    }
    Ok(asked)
}

/// What is wrong with the answer, if anything.
async fn difference(fixture: &Fixture, record: &Record, change: fn(&mut QueryRequest)) -> Option<String> {
    let answer = match with_settings(&record.sql) {
        Ok(mut asked) => {
            change(&mut asked);
            fixture.answer(asked).await
        }
        Err(error) => Err(error),
    };
    let cell = |cell: &str| if cell.is_empty() { "(empty)".to_owned() } else { cell.to_owned() };
    let shown = |row: &String| row.split('|').map(cell).collect::<Vec<_>>().join(" ");
    match (&record.expected, answer) {
        (Expected::Error(part), Err(error)) => {
            (!error.message.contains(part)).then(|| format!("error: {}", error.message))
        }
        (Expected::Error(_), Ok((_, rows))) => Some(format!("answered:\n{}", rows.join("\n"))),
        (Expected::Rows { .. }, Err(error)) => Some(format!("error: {}", error.message)),
        (Expected::Rows { is_sorted, rows: expected }, Ok((_, rows))) => {
            let mut rows: Vec<String> = rows.iter().map(shown).collect();
            if *is_sorted {
                rows.sort();
            }
            (rows != *expected).then(|| rows.join("\n"))
        }
    }
}

/// The differences of all files, told together.
async fn check(fixture: &Fixture, state: &str, change: fn(&mut QueryRequest)) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut paths: Vec<_> =
        directory.read_dir().expect("the directory is there").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let mut differences = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("the file is text");
        for record in records(&text) {
            if let Some(difference) = difference(fixture, &record, change).await {
                let file = path.file_name().unwrap_or_default().display();
                differences.push(format!("{file}:{}\n{}{difference}\n", record.line, record.sql));
            }
        }
    }
    assert!(differences.is_empty(), "{state}: {} differ\n{}", differences.len(), differences.join("\n"));
}

#[tokio::test]
async fn slt_files_hold_over_open_rows_over_segments_and_by_other_operators() {
    let fixture = Fixture::new().await;
    fixture.usage.append(&events());
    check(&fixture, "open", |_| ()).await;
    fixture.publish().await;
    check(&fixture, "published", |_| ()).await;
    check(&fixture, "without native operators", |asked| asked.use_native_operators = false).await;
    check(&fixture, "planned from their text", |asked| asked.use_plan_cache = false).await;
}
