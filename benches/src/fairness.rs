//! What does a dashboard wait for beside heavy queries, and how soon does a cancelled query let go of the CPU?
//!
//! Data: the standard workload in segments, as `peers` has it. The dashboard is M5-hot, asked again 2 ms after each answer.
//! Beside it: four clients, each asking over all rows again as soon as it is answered. Cancelled: every query of the
//! workload and others that work at one thing for long, each at several moments of its way.

mod beside;
mod cancellation;
mod heavy;

use crate::peers::served::{self, Served};

const ROWS: u64 = 10_000_000;

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    /// How long the dashboard is asked beside each load.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Moments at which each query is cancelled.
    #[arg(long, default_value_t = 4)]
    moments: u32,
    #[command(flatten)]
    served: served::Options,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let served = Served::start(&options.served, ROWS)?;
    beside::run(&served, options.seconds)?;
    cancellation::run(&served, options.moments)
}
