//! An independent reader of the published Parquet files.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::canonical::Row;

/// A change of version may change answers, so it is a change of this file.
const VERSION: &str = "2.0.0";
const SCRIPT: &str = include_str!("duckdb.py");

/// Each query's rows, or why there are none. `tables`: the Parquet files of each.
pub fn ask(tables: &BTreeMap<&str, Vec<PathBuf>>, queries: &[&str]) -> Vec<Result<Vec<Row>, String>> {
    let asked = json!({ "tables": tables, "queries": queries }).to_string();
    let mut python = Command::new(python())
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the environment has a Python");
    python.stdin.take().expect("it is piped").write_all(asked.as_bytes()).expect("the script reads all of it");
    let output = python.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "the script failed, see above");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    text.lines().map(answer).collect()
}

fn answer(line: &str) -> Result<Vec<Row>, String> {
    let mut answer: Value = serde_json::from_str(line).expect("the script writes JSON");
    match answer["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok(serde_json::from_value(answer["rows"].take()).expect("rows of texts")),
    }
}

/// In an environment of its own below the target directory, made when it is not there.
fn python() -> PathBuf {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("duckdb-{VERSION}"));
    let python = environment.join("bin/python");
    let has_duckdb = || Command::new(&python).args(["-c", "import duckdb"]).stderr(Stdio::null()).status();
    if !has_duckdb().is_ok_and(|status| status.success()) {
        run(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", &format!("duckdb=={VERSION}")]));
    }
    python
}

fn run(command: &mut Command) {
    let status = command.status().expect("DuckDB needs python3 with venv: install python3-venv");
    assert!(status.success(), "{command:?} failed");
}
