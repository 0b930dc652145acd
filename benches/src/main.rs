//! What Henge costs, measured beside a peer in the same run, because machines differ more than systems do.
//!
//! ```text
//! cargo run --release -p henge-benches -- ingest
//! cargo run --release -p henge-benches -- start
//! ```

mod calibration;
mod ingest;
mod server;
mod start;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Benches of Henge", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// CPU per event from a real broker beside DuckDB's, freshness at 10,000 events/s, idle memory.
    Ingest(ingest::Options),
    /// Time from the start of the process to ready, over many segments.
    Start(start::Options),
}

fn main() -> anyhow::Result<()> {
    let bench = Arguments::parse().bench;
    println!("{}", calibration::line());
    match bench {
        Bench::Ingest(options) => ingest::run(&options),
        Bench::Start(options) => start::run(&options),
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
