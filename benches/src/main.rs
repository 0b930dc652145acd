//! What Henge costs, measured beside a peer in the same run, because machines differ more than systems do.
//!
//! ```text
//! cargo run --release -p henge-benches -- ingest
//! cargo run --release -p henge-benches -- start
//! cargo run --release -p henge-benches -- segments --data DIR
//! cargo run --release -p henge-benches -- peers
//! cargo run --release -p henge-benches -- fairness
//! cargo run --release -p henge-benches -- overhead
//! cargo run --release -p henge-benches -- metrics
//! cargo run --release -p henge-benches -- panels
//! cargo run --release -p henge-benches -- deaths
//! ```

mod calibration;
mod cmu;
mod cpu;
mod deaths;
mod druid_process;
mod fairness;
mod ingest;
mod metrics;
mod overhead;
mod panels;
mod peers;
mod publishing;
mod python;
mod reader;
mod segments;
mod server;
mod start;
mod tsbs;

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
    /// Bytes and CPU of segments, and how soon their serving forms say which rows match.
    Segments(segments::Options),
    /// A workload's queries on Henge, DuckDB, ClickHouse, DataFusion and Druid, the same rows, in turn.
    Peers(peers::Options),
    /// A dashboard beside heavy queries, and how soon cancelled queries let go of the CPU.
    Fairness(fairness::Options),
    /// What a query costs apart from what its operators do, and how fast many rows are written.
    Overhead(overhead::Options),
    /// A tenant's dashboard by the metrics API, alone and in a storm of dashboards.
    Metrics(metrics::Options),
    /// A dashboard of twenty panels, with caches off and on.
    Panels(panels::Options),
    /// A light query beside queries of death.
    Deaths(deaths::Options),
}

fn main() -> anyhow::Result<()> {
    let bench = Arguments::parse().bench;
    println!("{}", calibration::line());
    match bench {
        Bench::Ingest(options) => ingest::run(&options),
        Bench::Start(options) => start::run(&options),
        Bench::Segments(options) => segments::run(&options),
        Bench::Peers(options) => peers::run(&options),
        Bench::Fairness(options) => fairness::run(&options),
        Bench::Overhead(options) => overhead::run(&options),
        Bench::Metrics(options) => metrics::run(&options),
        Bench::Panels(options) => panels::run(&options),
        Bench::Deaths(options) => deaths::run(&options),
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Zero of nothing.
fn percentile(values: &mut [f64], of_hundred: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) * of_hundred / 100).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn what_the_command_line_takes_is_consistent() {
        Arguments::command().debug_assert();
    }
}
