//! The peer: ClickHouse, embedded, inserts the same events as JSONEachRow from a file, every column declared, into a table
//! in the order that its makers advise.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::python;

const SCRIPT: &str = r#"
import resource, sys
from chdb import session
path = sys.argv[1]
few, text = "LowCardinality(String)", "String"
columns = {
    "timestamp": "Int64", "metric": few, "org_id": few, "env_id": text, "cluster_id": text, "cluster_type": few,
    "topic": text, "partition": "UInt32", "principal": "Nullable(String)", "broker": "UInt32", "region": few, "cloud": few,
    "bytes_in": "UInt64", "bytes_out": "UInt64", "requests": "UInt64", "errors": "UInt64", "latency_ms": "Float64",
}
declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
clickhouse = session.Session(path + ".clickhouse")
clickhouse.query("CREATE DATABASE IF NOT EXISTS bench ENGINE=Atomic")
clickhouse.query("DROP TABLE IF EXISTS bench.events SYNC")
clickhouse.query(f"CREATE TABLE bench.events ({declared}) ENGINE=MergeTree ORDER BY (cluster_id, metric, timestamp)")
def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
before = cpu()
clickhouse.query(f"INSERT INTO bench.events SELECT * FROM file('{path}', JSONEachRow, '{declared}')")
spent = cpu() - before
print(str(clickhouse.query("SELECT count() FROM bench.events", "TSV")).strip(), spent)
"#;

/// A Python that has ClickHouse.
pub fn install() -> anyhow::Result<PathBuf> {
    python::environment("clickhouse-venv", &["chdb==4.4.0"], "import chdb")
}

pub fn version(python: &Path) -> anyhow::Result<String> {
    python::run(python, &["-c", "import chdb; print(chdb.query('SELECT version()', 'TSV'), end='')"])
}

/// User and system time of inserting the file into a table on disk.
pub fn cpu_us(python: &Path, ndjson: &Path, events: u64) -> anyhow::Result<f64> {
    let printed = python::run(python, &["-c", SCRIPT, &ndjson.to_string_lossy()])?;
    let (found, seconds) = printed.split_once(' ').context("the script prints two numbers")?;
    ensure!(found.parse() == Ok(events), "ClickHouse loaded {found} of {events} events");
    Ok(seconds.parse::<f64>()? * 1e6 / events as f64)
}
