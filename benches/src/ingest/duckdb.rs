//! The peer: DuckDB's `read_json` of the same events, with every column declared, so that it guesses nothing.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::python;

const SCRIPT: &str = r#"
import resource, sys, duckdb
path = sys.argv[1]
text = ["metric", "org_id", "env_id", "cluster_id", "cluster_type", "topic", "principal", "region", "cloud"]
long = ["timestamp", "partition", "broker", "bytes_in", "bytes_out", "requests", "errors"]
columns = {name: "VARCHAR" for name in text} | {name: "BIGINT" for name in long} | {"latency_ms": "DOUBLE"}
connection = duckdb.connect(path + ".duckdb")
# It would be printed among the figures, by loads of more than two seconds.
connection.execute("SET enable_progress_bar = false")
connection.execute("DROP TABLE IF EXISTS events")
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before = cpu()
connection.execute(f"CREATE TABLE events AS SELECT * FROM read_json('{path}', format='newline_delimited', columns={columns})")
connection.execute("CHECKPOINT")
spent = cpu() - before
print(connection.execute("SELECT COUNT(*) FROM events").fetchone()[0], spent)
"#;

/// A Python that has DuckDB.
pub fn install() -> anyhow::Result<PathBuf> {
    python::environment("duckdb-venv", &["duckdb==2.0.0"], "import duckdb")
}

pub fn version(python: &Path) -> anyhow::Result<String> {
    python::run(python, &["-c", "import duckdb; print(duckdb.__version__)"])
}

/// User and system time of loading the file into a table on disk.
pub fn cpu_us(python: &Path, ndjson: &Path, events: u64) -> anyhow::Result<f64> {
    let printed = python::run(python, &["-c", SCRIPT, &ndjson.to_string_lossy()])?;
    let (found, seconds) = printed.split_once(' ').context("the script prints two numbers")?;
    ensure!(found.parse() == Ok(events), "DuckDB loaded {found} of {events} events");
    Ok(seconds.parse::<f64>()? * 1e6 / events as f64)
}
