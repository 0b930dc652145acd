//! What does a dashboard wait for beside heavy queries, and how soon does a cancelled query let go of the CPU?
//!
//! Data: the standard workload in segments, as `peers` has it. The dashboard is M5-hot, asked again 2 ms after each answer.
//! Beside it: four clients, each asking over all rows again as soon as it is answered. Cancelled: every query of the
//! workload and others that work at one thing for long, each at several moments of its way.

mod beside;
mod cancellation;
mod heavy;

use std::path::PathBuf;

use crate::cmu;
use crate::cmu::fleet::Fleet;
use crate::peers::{Henge, StoreOptions};

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
    /// Where events and segments are kept for the next run; without it they are made anew and removed.
    #[arg(long)]
    data: Option<PathBuf>,
    /// How long the dashboard is asked beside each load.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Moments at which each query is cancelled.
    #[arg(long, default_value_t = 4)]
    moments: u32,
    #[command(flatten)]
    store: StoreOptions,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = options.data.as_deref().unwrap_or(temporary.path()).to_owned();
    std::fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let fleet = Fleet::new(options.seed, options.rows, options.clusters);
    let parameters = cmu::generate(&fleet, &folder)?;
    let henge = Henge::of_segments(&fleet, &folder, &options.store)?;
    beside::run(henge.server(), &parameters, options.seconds)?;
    cancellation::run(henge.server(), &parameters, options.moments)
}
