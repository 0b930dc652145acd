//! What does an event cost on its way from the broker into a published segment, how soon can it be asked for, and what
//! does it cost to wait?
//!
//! Data: events of the seeded fleet, JSON of 17 fields and about 360 bytes, in 8 partitions, lz4.

mod duckdb;
mod freshness;
mod load;

use std::time::Duration;

use anyhow::ensure;
use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;

use crate::median;
use crate::server::Server;

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    /// Events that are loaded, in each round.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Rounds of Henge and DuckDB in turn; the medians count.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Events a second while freshness is measured.
    #[arg(long, default_value_t = 10_000)]
    rate: u32,
    /// How long freshness is measured, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
}

const PARTITIONS: i32 = 8;

pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.rounds > 0 && options.events > 0 && options.rate > 0, "there must be something to measure");
    let dir = tempfile::tempdir()?;
    let broker = RealBroker::start();
    let admin = Admin::new(&broker.properties());
    let ndjson = dir.path().join("events.ndjson");
    admin.create_topic(load::TOPIC, PARTITIONS, &[]);
    let bytes = load::produce(&broker, &ndjson, options.events)?;
    println!("{} events of {:.0} bytes", options.events, bytes as f64 / options.events as f64);

    let python = duckdb::install()?;
    let (mut henge_us, mut duckdb_us) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        let henge = load::henge_cpu_us(&broker, options.events)?;
        let duckdb = duckdb::cpu_us(&python, &ndjson, options.events)?;
        println!("round {round}: henge {henge:.2} us, duckdb {duckdb:.2} us of CPU per event");
        henge_us.push(henge);
        duckdb_us.push(duckdb);
    }
    let (henge, duckdb) = (median(&mut henge_us), median(&mut duckdb_us));
    admin.create_topic(freshness::TOPIC, PARTITIONS, &[]);
    let fresh = freshness::measure(&broker, options.rate, Duration::from_secs(options.seconds.into()))?;
    let idle_mib = idle_resident_mib(&broker)?;
    println!();
    println!("| what | value | bound |");
    println!("|---|---|---|");
    println!("| CPU per event, broker to published segment | {henge:.2} us | |");
    println!("| CPU per event, DuckDB {} `read_json` | {duckdb:.2} us | |", duckdb::version(&python)?);
    println!("| ratio | {:.2} | 4 |", henge / duckdb);
    println!("| produced to visible at {} events/s, p50 | {:.1} ms | |", options.rate, fresh.p50_ms);
    println!("| produced to visible at {} events/s, p99 | {:.1} ms | 100 ms |", options.rate, fresh.p99_ms);
    println!("| resident memory, idle | {idle_mib:.0} MiB | 100 MiB |");
    Ok(())
}

/// Of a process that has a supervisor with nothing to read.
fn idle_resident_mib(broker: &RealBroker) -> anyhow::Result<f64> {
    const TOPIC: &str = "idle";
    Admin::new(&broker.properties()).create_topic(TOPIC, PARTITIONS, &[]);
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path(), &load::config(broker, TOPIC, "5m"))?;
    std::thread::sleep(Duration::from_secs(5));
    server.resident_mib()
}
