//! What does an event cost on its way from the broker into a published segment, how soon can it be asked for, and what
//! does it cost to wait?
//!
//! Data: events of the seeded fleet, JSON of 17 fields and about 360 bytes, in 8 partitions, lz4.

mod duckdb;
mod freshness;
mod load;
mod open_memory;
mod replay;

use std::path::Path;
use std::time::Duration;

use anyhow::ensure;
use henge_ingest::fleet::event::Fleet;
use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;

use self::load::Rollup;
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
    /// Only what needs no broker: replays in this process beside DuckDB.
    #[arg(long)]
    without_broker: bool,
}

const PARTITIONS: i32 = 8;
const CLUSTERS: u32 = 10_000;
/// A million clusters have millions of topics and principals.
const CLUSTERS_MANY: u32 = 1_000_000;

pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.rounds > 0 && options.events > 0 && options.rate > 0, "there must be something to measure");
    let dir = tempfile::tempdir()?;
    let python = duckdb::install()?;
    let ndjson = dir.path().join("events.ndjson");
    let bytes = load::write_lines(&ndjson, options.events)?;
    println!("{} events of {:.0} bytes", options.events, bytes as f64 / options.events as f64);
    let broker = (!options.without_broker).then(|| load::filled_broker(options.events));
    let costs = Costs::measure(broker.as_ref(), &python, &ndjson, options)?;
    println!();
    println!("| what | value | bound |");
    println!("|---|---|---|");
    costs.print(&duckdb::version(&python)?);
    let open = open_memory::measure(&Fleet::new(1, CLUSTERS))?;
    let (taken, accounted) = (open.taken, open.accounted);
    println!("| memory per open row, dictionaries included | {taken:.0} B, {accounted:.0} B accounted for | 80 B |");
    if let Some(broker) = broker {
        print_latency_and_memory(&broker, options)?;
    }
    Ok(())
}

/// One way to load the events, and what it cost in each round, in us of CPU per event.
struct Cost {
    what: &'static str,
    /// Of DuckDB's cost.
    bound: f64,
    us: Vec<f64>,
}

struct Costs {
    duckdb_us: Vec<f64>,
    henge: Vec<Cost>,
}

impl Costs {
    fn measure(broker: Option<&RealBroker>, python: &Path, ndjson: &Path, options: &Options) -> anyhow::Result<Self> {
        let events = options.events;
        let cost = |what, bound| Cost { what, bound, us: Vec::new() };
        let mut henge = vec![
            cost("replay without broker", 0.9),
            cost("replay without broker, rollup to a minute", 0.9),
            cost("replay without broker, 1,000,000 clusters", 1.215),
            cost("replay without broker, one record in 100 is poison", 1.125),
        ];
        if broker.is_some() {
            henge.push(cost("broker to published segment", 1.5));
            henge.push(cost("broker to published segment, rollup to a minute", 1.5));
        }
        let (fleet, fleet_of_many) = (Fleet::new(1, CLUSTERS), Fleet::new(1, CLUSTERS_MANY));
        let mut duckdb_us = Vec::new();
        for round in 1..=options.rounds {
            let mut us = vec![
                replay::cpu_us(&fleet, events, Rollup::Off, 0)?,
                replay::cpu_us(&fleet, events, Rollup::Minute, 0)?,
                replay::cpu_us(&fleet_of_many, events, Rollup::Off, 0)?,
                replay::cpu_us(&fleet, events, Rollup::Off, 100)?,
            ];
            if let Some(broker) = broker {
                us.push(load::henge_cpu_us(broker, events, Rollup::Off)?);
                us.push(load::henge_cpu_us(broker, events, Rollup::Minute)?);
            }
            let duckdb = duckdb::cpu_us(python, ndjson, events)?;
            println!("round {round}: henge {us:.2?}, duckdb {duckdb:.2} us of CPU per event");
            henge.iter_mut().zip(us).for_each(|(cost, us)| cost.us.push(us));
            duckdb_us.push(duckdb);
        }
        Ok(Self { duckdb_us, henge })
    }

    fn print(mut self, duckdb_version: &str) {
        let duckdb = median(&mut self.duckdb_us);
        println!("| CPU per event, DuckDB {duckdb_version} `read_json` | {duckdb:.2} us | |");
        for cost in &mut self.henge {
            let us = median(&mut cost.us);
            println!("| CPU per event, {} | {us:.2} us, {:.2} of DuckDB's | {} |", cost.what, us / duckdb, cost.bound);
        }
    }
}

fn print_latency_and_memory(broker: &RealBroker, options: &Options) -> anyhow::Result<()> {
    Admin::new(&broker.properties()).create_topic(freshness::TOPIC, PARTITIONS, &[]);
    let fresh = freshness::measure(broker, options.rate, Duration::from_secs(options.seconds.into()))?;
    let idle_mib = idle_resident_mib(broker)?;
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
    let server = Server::start(dir.path(), &load::config(broker.bootstrap_servers(), TOPIC, "5m", Rollup::Off))?;
    std::thread::sleep(Duration::from_secs(5));
    server.resident_mib()
}
