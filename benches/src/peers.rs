//! How fast are the standard workload's queries beside other systems, over the same rows on the same machine?
//!
//! cmu -> systems (henge | child) -> check: every answer beside the oracle's -> rounds: every system in turn -> table
//!
//! Data: 10,000,000 seeded events of 200,000 clusters, 20 columns, a day.

mod answer;
mod child;
mod comparison;
mod dialect;
mod henge;
mod mix;
mod open_rows;
mod query;
mod rounds;
mod store;
mod systems;
mod table;

use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde::Deserialize;

use self::dialect::Dialect;
pub use self::henge::Henge;
pub use self::store::Options as StoreOptions;
use self::systems::{System, Systems};
use crate::cmu;
use crate::cmu::fleet::Fleet;
use crate::cmu::parameters::Parameters;

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
    #[arg(long, value_delimiter = ',', default_value = "henge,duckdb,clickhouse,clickhouse-time,datafusion")]
    systems: Vec<System>,
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
    rounds::measure(&mut systems, &mut results, options.rounds, options.turn_ms)?;
    table::print(&systems.chosen, &results);
    mix::run(&mut systems, &fleet, &parameters, &options.mix)?;
    if let (Some(before), Some(after)) = (memory_before, systems.henge_memory()?) {
        println!("memory of Henge before and after: {before}, {after}");
    }
    Ok(())
}

/// The workload's queries with their ids, as Henge is asked.
pub fn statements(parameters: &Parameters) -> anyhow::Result<Vec<(String, String)>> {
    let sql = |query: query::Query| (query.id.clone(), query.sql(Dialect::Henge, henge::TABLE, parameters));
    Ok(query::chosen(&[])?.into_iter().map(sql).collect())
}

/// One of them.
pub fn statement(id: &str, parameters: &Parameters) -> anyhow::Result<String> {
    let found = statements(parameters)?.into_iter().find(|(known, _)| known == id);
    Ok(found.with_context(|| format!("there is no query {id}"))?.1)
}
