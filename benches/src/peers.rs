//! How fast are a workload's queries beside other systems, over the same rows on the same machine?
//!
//! workload -> systems (henge | druid | child) -> check: every answer beside the oracle's -> rounds: every system in turn -> table
//!
//! Data: 10,000,000 seeded events of 200,000 clusters, 20 columns, a day; or 10,368,000 of 400 hosts, three days.

mod answer;
mod arriving;
mod child;
mod comparison;
mod dialect;
mod druid;
mod henge;
mod mix;
mod open_rows;
mod query;
mod rounds;
pub mod served;
mod store;
mod systems;
mod table;
mod workload;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::ensure;
use serde::Deserialize;

use self::systems::{System, Systems};
use self::workload::Workload;

/// What may be changed at the command line.
#[derive(Clone, clap::Args)]
pub struct Options {
    #[arg(long, value_enum, default_value = "cmu")]
    workload: workload::Name,
    /// Events: 10,000,000 of a day of clusters, or 10,368,000 of three days of hosts.
    #[arg(long)]
    rows: Option<u64>,
    /// Clusters that they come from, 200,000, or hosts, 400.
    #[arg(long, visible_alias = "hosts")]
    clusters: Option<u64>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where events and tables are kept for the next run; without it they are made anew and removed.
    #[arg(long)]
    data: Option<PathBuf>,
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "henge,henge-cache,duckdb,clickhouse,clickhouse-time,datafusion"
    )]
    systems: Vec<System>,
    /// A real Druid too: the script that starts it with `start DIR` and ends it with `stop DIR`.
    #[arg(long, value_name = "SCRIPT", env = "HENGE_DRUID")]
    druid: Option<PathBuf>,
    /// Only these, such as `M1,M5-hot`.
    #[arg(long, value_delimiter = ',')]
    queries: Vec<String>,
    /// Every system has so many turns with every query; the medians count.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// In a turn a system is asked as often as fits, at least once.
    #[arg(long, default_value_t = 50.0)]
    turn_ms: f64,
    #[command(flatten)]
    store: store::Options,
    #[command(flatten)]
    mix: mix::Options,
}

/// One turn of a system.
#[derive(Debug, Clone, Deserialize)]
pub struct Asked {
    /// Of each time.
    pub wall_ms: Vec<f64>,
    /// On average.
    pub cpu_ms: f64,
}

impl Asked {
    /// Repeats what takes some time until a turn has passed, at least once.
    fn within(
        turn_ms: f64,
        cpu_seconds: impl Fn() -> anyhow::Result<f64>,
        mut ask: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let (mut wall_ms, mut left_ms, cpu) = (Vec::new(), turn_ms, cpu_seconds()?);
        while wall_ms.is_empty() || left_ms > 0.0 {
            let started = Instant::now();
            ask()?;
            let ms = started.elapsed().as_secs_f64() * 1e3;
            wall_ms.push(ms);
            left_ms -= ms;
        }
        let cpu_ms = (cpu_seconds()? - cpu) * 1e3 / wall_ms.len() as f64;
        Ok(Self { wall_ms, cpu_ms })
    }
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.rounds > 0, "there must be something to measure");
    let temporary = tempfile::tempdir()?;
    let folder = options.data.as_deref().unwrap_or(temporary.path()).to_owned();
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let workload = Workload::generate(options, &folder)?;
    let mut options = options.clone();
    if options.store.sort.is_empty() {
        options.store.sort = workload.default_sort();
    }
    let mut systems = Systems::start(&options, &workload, &folder)?;
    let memory_before = systems.henge_memory()?;
    let mut results = rounds::check(&mut systems, &workload.queries)?;
    rounds::warm_up(&systems, &results)?;
    rounds::measure(&mut systems, &mut results, options.rounds, options.turn_ms)?;
    table::print(&systems.chosen, &results);
    mix::run(&mut systems, &workload, &options)?;
    if let (Some(before), Some(after)) = (memory_before, systems.henge_memory()?) {
        println!("memory of Henge before and after: {before}, {after}");
    }
    Ok(())
}
