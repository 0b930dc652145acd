//! The peer: DuckDB's `read_json` of the same events, with every column declared, so that it guesses nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

const SCRIPT: &str = r#"
import resource, sys, duckdb
path = sys.argv[1]
text = ["metric", "org_id", "env_id", "cluster_id", "cluster_type", "topic", "principal", "region", "cloud"]
long = ["timestamp", "partition", "broker", "bytes_in", "bytes_out", "requests", "errors"]
columns = {name: "VARCHAR" for name in text} | {name: "BIGINT" for name in long} | {"latency_ms": "DOUBLE"}
connection = duckdb.connect(path + ".duckdb")
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

/// A Python that has DuckDB, in an environment of its own below the target directory; made when it is not there.
pub fn install() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(2).context("cargo's binaries lie in target/PROFILE")?;
    let environment = target.join("duckdb-venv");
    let python = environment.join("bin/python");
    if !python.exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&environment).status();
        ensure!(made.is_ok_and(|status| status.success()), "DuckDB needs python3 with venv: install python3-venv");
    }
    if version(&python).is_err() {
        let installed = Command::new(&python).args(["-m", "pip", "install", "--quiet", "duckdb==2.0.0"]).status()?;
        ensure!(installed.success(), "DuckDB cannot be installed with pip");
    }
    Ok(python)
}

pub fn version(python: &Path) -> anyhow::Result<String> {
    run(python, &["-c", "import duckdb; print(duckdb.__version__)"])
}

/// User and system time of loading the file into a table on disk.
pub fn cpu_us(python: &Path, ndjson: &Path, events: u64) -> anyhow::Result<f64> {
    let printed = run(python, &["-c", SCRIPT, &ndjson.to_string_lossy()])?;
    let (found, seconds) = printed.split_once(' ').context("the script prints two numbers")?;
    ensure!(found.parse() == Ok(events), "DuckDB loaded {found} of {events} events");
    Ok(seconds.parse::<f64>()? * 1e6 / events as f64)
}

fn run(python: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(python).args(arguments).output()?;
    ensure!(output.status.success(), "python: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
