//! The peers that live in Python: one child process, asked by lines of JSON.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Asked, workload};
use crate::python;

const SCRIPT: &str = include_str!("child.py");
/// One version of each, so that figures of two runs can be compared.
const PACKAGES: [&str; 4] = ["duckdb==2.0.0", "chdb==4.4.0", "datafusion==55.0.0", "pyarrow==26.0.1"];

/// Killed when dropped.
pub struct Peers {
    child: Child,
    requests: BufWriter<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A system that holds the events.
#[derive(Debug, Deserialize)]
pub struct Loaded {
    pub version: String,
    pub bytes: u64,
    /// Of loading, or of finding that the rows are there.
    pub seconds: f64,
    pub cpu_seconds: f64,
}

impl Peers {
    /// Starts them with their tables in `folder`.
    pub fn start(folder: &Path, threads: usize, workload: workload::Name) -> anyhow::Result<Self> {
        let python = python::environment("peers-venv", &PACKAGES, "import chdb, datafusion, duckdb, pyarrow")?;
        let mut child = Command::new(python)
            .args(["-u", "-c", SCRIPT])
            .arg(folder)
            .arg(threads.to_string())
            .arg(if workload == workload::Name::Tsbs { "tsbs" } else { "cmu" })
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let requests = BufWriter::new(child.stdin.take().context("stdin is piped")?);
        let answers = BufReader::new(child.stdout.take().context("stdout is piped")?);
        Ok(Self { child, requests, answers })
    }

    /// Loads the events into a system, unless it has them from an earlier run.
    pub fn load(&mut self, system: &str, parquet: &Path, rows: u64) -> anyhow::Result<Loaded> {
        self.request(&json!({ "do": "load", "system": system, "parquet": parquet, "rows": rows }))
    }

    /// One turn.
    pub fn ask(&mut self, system: &str, sql: &str, turn_ms: f64) -> anyhow::Result<Asked> {
        self.request(&json!({ "do": "ask", "system": system, "sql": sql, "turn_ms": turn_ms }))
    }

    /// Writes the answer to a Parquet file.
    pub fn answer(&mut self, system: &str, sql: &str, path: &Path) -> anyhow::Result<()> {
        let _rows: Value = self.request(&json!({ "do": "answer", "system": system, "sql": sql, "path": path }))?;
        Ok(())
    }

    /// How long each answer took, statement by statement, of clients that ask one after the other.
    pub fn mix(&mut self, system: &str, sql: &[String], clients: usize, seconds: f64) -> anyhow::Result<Vec<Vec<f64>>> {
        #[derive(Deserialize)]
        struct Mixed {
            latencies_ms: Vec<Vec<f64>>,
        }
        let mixed: Mixed = self.request(
            &json!({ "do": "mix", "system": system, "statements": sql, "clients": clients, "seconds": seconds }),
        )?;
        Ok(mixed.latencies_ms)
    }

    fn request<T: DeserializeOwned>(&mut self, request: &Value) -> anyhow::Result<T> {
        serde_json::to_writer(&mut self.requests, request)?;
        self.requests.write_all(b"\n")?;
        self.requests.flush()?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the peers have ended: {}", self.child.wait()?);
        let answer: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        if let Some(error) = answer["error"].as_str() {
            bail!("{error}");
        }
        Ok(serde_json::from_value(answer)?)
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it must stay.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
