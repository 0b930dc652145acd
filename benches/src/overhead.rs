//! What does a query cost apart from what its operators do?
//!
//! One client asks the same again and again over one connection. `SELECT 1` has no operators of ours. A dashboard of a
//! cluster that nobody has seen is planned like every other one and reads no row. At last there are keys: what is more
//! then is the credential check.

use std::time::Instant;

use serde_json::json;

use crate::peers::served::{self, Served};
use crate::percentile;
use crate::server::Server;

const ROWS: u64 = 1_000_000;

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    /// Times that each is asked.
    #[arg(long, default_value_t = 2_000)]
    times: usize,
    #[command(flatten)]
    served: served::Options,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut served = Served::start(&options.served, ROWS)?;
    println!("\n| asked | p50, us | p99, us | CPU of the server, us | bound |\n|---|---|---|---|---|");
    let ask = |served: &Served, name: &str, bound: &str, sql: &str, planned: bool| {
        ask(served.server(), name, bound, sql, planned, options.times)
    };
    ask(&served, "SELECT 1", "p50 300", "SELECT 1", true)?;
    let dashboards = ["M5-hot", "M6", "M8", "M21"];
    for id in dashboards {
        ask(&served, id, "", &served.statement(id)?, true)?;
    }
    served.parameters.hot.cluster = "nobody".to_owned();
    for id in dashboards {
        let sql = served.statement(id)?;
        ask(&served, &format!("{id} of an unknown cluster"), "150 more than SELECT 1", &sql, true)?;
        ask(&served, "the same, planned anew", "", &sql, false)?;
    }
    served.server_mut().use_key()?;
    ask(&served, "SELECT 1 with a key", "20 more CPU than SELECT 1", "SELECT 1", true)
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
