//! An independent engine, in a process of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::canonical::Row;
use crate::python;

/// A change of version may change answers, so it is a change of this file.
const VERSION: &str = "2.0.0";
const SCRIPT: &str = include_str!("duckdb.py");

pub struct DuckDb {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Reads published Parquet files of each table.
pub fn tables_of_files(files: &BTreeMap<&str, Vec<PathBuf>>) -> Vec<String> {
    let quoted = |path: &PathBuf| format!("'{}'", path.display().to_string().replace('\'', "''"));
    let table = |(name, paths): (&&str, &Vec<PathBuf>)| {
        let listed = paths.iter().map(quoted).collect::<Vec<_>>().join(", ");
        // A table, not a view: over the files DuckDB skips row groups by their statistics, in which NaN has no place.
        format!(
            "CREATE TABLE {name} AS SELECT * REPLACE (__time AT TIME ZONE 'UTC' AS __time) FROM read_parquet([{listed}])"
        )
    };
    files.iter().map(table).collect()
}

impl DuckDb {
    /// `tables`: the statements that make them.
    pub fn start(tables: &[String]) -> Self {
        let mut process = Command::new(python::with_package("duckdb", VERSION))
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the environment has a Python");
        let questions = process.stdin.take().expect("it is piped");
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut duckdb = Self { process, questions, answers };
        duckdb.write(&json!(tables));
        duckdb
    }

    /// Each query's rows, or why there are none.
    pub fn ask(&mut self, queries: &[&str]) -> Vec<Result<Vec<Row>, String>> {
        self.write(&json!(queries));
        queries.iter().map(|_| self.answer()).collect()
    }

    fn write(&mut self, line: &Value) {
        writeln!(self.questions, "{line}").and_then(|()| self.questions.flush()).expect("the script reads all of it");
    }

    fn answer(&mut self) -> Result<Vec<Row>, String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("JSON is UTF-8");
        assert!(!line.is_empty(), "the script failed, see above");
        let mut answer: Value = serde_json::from_str(&line).expect("the script writes JSON");
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(serde_json::from_value(answer["rows"].take()).expect("rows of texts")),
        }
    }
}

impl Drop for DuckDb {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
