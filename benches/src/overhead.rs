//! What does a query cost apart from what its operators do?
//!
//! One client asks the same again and again over one connection. `SELECT 1` has no operators of ours. A dashboard of a
//! cluster that nobody has seen is planned like every other one and reads no row.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use crate::cmu;
use crate::cmu::fleet::Fleet;
use crate::peers::{Henge, StoreOptions};
use crate::percentile;
use crate::server::Server;

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    /// Events of the day.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Clusters that they come from.
    #[arg(long, default_value_t = 20_000)]
    clusters: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where events and segments are kept for the next run; without it they are made anew and removed.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Times that each is asked.
    #[arg(long, default_value_t = 2_000)]
    times: usize,
    #[command(flatten)]
    store: StoreOptions,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = options.data.as_deref().unwrap_or(temporary.path()).to_owned();
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let fleet = Fleet::new(options.seed, options.rows, options.clusters);
    let mut parameters = cmu::generate(&fleet, &folder)?;
    let henge = Henge::of_segments(&fleet, &folder, &options.store)?;
    println!("\n| asked | p50, us | p99, us | CPU of the server, us | bound |\n|---|---|---|---|---|");
    let ask = |name: &str, bound: &str, sql: &str, planned: bool| {
        ask(henge.server(), name, bound, sql, planned, options.times)
    };
    ask("SELECT 1", "p50 300", "SELECT 1", true)?;
    let dashboards = ["M5-hot", "M6", "M8", "M21"];
    for id in dashboards {
        ask(id, "", &crate::peers::statement(id, &parameters)?, true)?;
    }
    parameters.hot.cluster = "nobody".to_owned();
    for id in dashboards {
        let sql = crate::peers::statement(id, &parameters)?;
        ask(&format!("{id} of an unknown cluster"), "150 more than SELECT 1", &sql, true)?;
        ask("the same, planned anew", "", &sql, false)?;
    }
    Ok(())
}

fn ask(server: &Server, name: &str, bound: &str, sql: &str, uses_plans: bool, times: usize) -> anyhow::Result<()> {
    let context = json!({ "useCache": false, "usePlanCache": uses_plans });
    let request = json!({ "query": sql, "resultFormat": "array", "context": context });
    for _ in 0..times.div_ceil(10) {
        server.ask(&request)?;
    }
    let (mut latencies_us, cpu) = (Vec::with_capacity(times), server.cpu_seconds()?);
    for _ in 0..times {
        let started = Instant::now();
        server.ask(&request)?;
        latencies_us.push(started.elapsed().as_secs_f64() * 1e6);
    }
    let cpu_us = (server.cpu_seconds()? - cpu) * 1e6 / times as f64;
    let (p50, p99) = (percentile(&mut latencies_us, 50), percentile(&mut latencies_us, 99));
    println!("| {name} | {p50:.0} | {p99:.0} | {cpu_us:.0} | {bound} |");
    Ok(())
}
