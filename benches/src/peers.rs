//! How fast are the standard workload's queries beside other systems, over the same rows on the same machine?
//!
//! cmu -> systems (henge | druid | child) -> check: every answer beside the oracle's -> rounds: every system in turn -> table
//!
//! Data: 10,000,000 seeded events of 200,000 clusters, 20 columns, a day.

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
mod store;
mod systems;
mod table;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::ensure;
use serde::Deserialize;

use self::systems::{System, Systems};
use crate::cmu;
use crate::cmu::fleet::Fleet;

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    /// Events of the day.
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
    /// Clusters that they come from.
    #[arg(long, default_value_t = 200_000)]
    clusters: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where events and tables are kept for the next run; without it they are made anew and removed.
    #[arg(long)]
    data: Option<PathBuf>,
    #[arg(long, value_delimiter = ',', default_value = "henge,henge-cache,duckdb,clickhouse,clickhouse-time,datafusion")]
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
    ensure!(options.rounds > 0 && options.rows > 0 && options.clusters > 0, "there must be something to measure");
    let temporary = tempfile::tempdir()?;
    let folder = options.data.as_deref().unwrap_or(temporary.path()).to_owned();
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let queries = query::chosen(&options.queries)?;
    let fleet = Fleet::new(options.seed, options.rows, options.clusters);
    let parameters = cmu::generate(&fleet, &folder)?;
    let mut systems = Systems::start(options, &fleet, &folder)?;
    let memory_before = systems.henge_memory()?;
    let mut results = rounds::check(&mut systems, &queries, &parameters)?;
    rounds::warm_up(&systems, &results)?;
    rounds::measure(&mut systems, &mut results, options.rounds, options.turn_ms)?;
    table::print(&systems.chosen, &results);
    mix::run(&mut systems, &fleet, &parameters, options)?;
    if let (Some(before), Some(after)) = (memory_before, systems.henge_memory()?) {
        println!("memory of Henge before and after: {before}, {after}");
    }
    Ok(())
}
