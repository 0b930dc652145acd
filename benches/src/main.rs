//! What Henge costs, measured beside a peer in the same run, because machines differ more than systems do.
//!
//! ```text
//! cargo run --release -p henge-benches -- ingest
//! ```

mod calibration;
mod ingest;
mod server;

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
}

fn main() -> anyhow::Result<()> {
    let Bench::Ingest(options) = Arguments::parse().bench;
    println!("{}", calibration::line());
    ingest::run(&options)
}
