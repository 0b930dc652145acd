//! What does a query cost apart from what its operators do?
//!
//! One client asks the same again and again over one connection. `SELECT 1` has no operators of ours. A dashboard of a
//! cluster that nobody has seen is planned like every other one and reads no row. And what does it cost to write a million
//! rows? At last there are keys: what is more then is the credential check.
//!
//! `--druid URL` asks a Druid the same in the same run; `server/tests/beside_druid` says how one gets the events.

mod result_rows;

use std::time::Instant;

use serde_json::json;

use crate::peers::served::{self, Served};
use crate::percentile;
use crate::server::{Client, Server};

const ROWS: u64 = 1_000_000;
const HEADER: &str = "| asked | of | p50, us | p99, us | CPU of the server, us | bound |\n|---|---|---|---|---|---|";
const DASHBOARDS: [&str; 4] = ["M5-hot", "M6", "M8", "M21"];

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    /// Times that each is asked.
    #[arg(long, default_value_t = 2_000)]
    times: usize,
    /// A Druid's broker with the table `events`, such as http://127.0.0.1:8082.
    #[arg(long)]
    druid: Option<String>,
    #[command(flatten)]
    served: served::Options,
}

/// Who is asked.
struct Target<'a> {
    name: &'static str,
    client: Client,
    /// Whose CPU and memory can be seen.
    server: Option<&'a Server>,
}

impl Target<'_> {
    fn cpu_seconds(&self) -> anyhow::Result<Option<f64>> {
        self.server.map(Server::cpu_seconds).transpose()
    }

    fn resident_mib(&self) -> anyhow::Result<Option<f64>> {
        self.server.map(Server::resident_mib).transpose()
    }
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut served = Served::start(&options.served, ROWS)?;
    println!("\n{HEADER}");
    let times = options.times;
    for target in &targets(&served, options)? {
        ask(target, "SELECT 1", "p50 300", "SELECT 1", true, times)?;
        for id in DASHBOARDS {
            ask(target, id, "", &served.statement(id)?, true, times)?;
        }
    }
    served.parameters.hot.cluster = "nobody".to_owned();
    let of_unknown = targets(&served, options)?;
    for target in &of_unknown {
        for id in DASHBOARDS {
            let sql = served.statement(id)?;
            ask(target, &format!("{id} of an unknown cluster"), "150 more than SELECT 1", &sql, true, times)?;
            ask(target, "the same, planned anew", "", &sql, false, times)?;
        }
    }
    result_rows::run(&of_unknown, options.served.rows().unwrap_or(ROWS).min(ROWS))?;
    drop(of_unknown);
    served.server_mut().use_key()?;
    println!("\n{HEADER}");
    for target in &targets(&served, options)?[..1] {
        ask(target, "SELECT 1 with a key", "20 more CPU than SELECT 1", "SELECT 1", true, times)?;
    }
    Ok(())
}

fn targets<'a>(served: &'a Served, options: &Options) -> anyhow::Result<Vec<Target<'a>>> {
    let server = served.server();
    let mut targets = vec![Target { name: "Henge", client: server.client()?, server: Some(server) }];
    if let Some(url) = &options.druid {
        targets.push(Target {
            name: "Druid",
            client: Client::new(url.trim_end_matches('/').to_owned())?,
            server: None,
        });
    }
    Ok(targets)
}

fn ask(target: &Target<'_>, name: &str, bound: &str, sql: &str, uses_plans: bool, times: usize) -> anyhow::Result<()> {
    let context = json!({ "useCache": false, "populateCache": false, "usePlanCache": uses_plans });
    let request = json!({ "query": sql, "resultFormat": "array", "context": context });
    for _ in 0..times.div_ceil(10) {
        target.client.ask(&request)?;
    }
    let (mut latencies_us, cpu) = (Vec::with_capacity(times), target.cpu_seconds()?);
    for _ in 0..times {
        let started = Instant::now();
        target.client.ask(&request)?;
        latencies_us.push(started.elapsed().as_secs_f64() * 1e6);
    }
    let cpu_us = match (cpu, target.cpu_seconds()?) {
        (Some(before), Some(after)) => format!("{:.0}", (after - before) * 1e6 / times as f64),
        _ => "-".to_owned(),
    };
    let (p50, p99) = (percentile(&mut latencies_us, 50), percentile(&mut latencies_us, 99));
    println!("| {name} | {} | {p50:.0} | {p99:.0} | {cpu_us} | {bound} |", target.name);
    Ok(())
}
