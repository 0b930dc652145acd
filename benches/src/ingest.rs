//! What does an event cost on its way from the broker into a published segment, how soon can it be asked for, and what
//! does it cost to wait?
//!
//! Data: events of the seeded fleet, JSON of 17 fields and about 360 bytes, in 8 partitions, lz4.

mod clickhouse;
mod druid;
mod duckdb;
mod freshness;
mod load;
mod open_memory;
mod replay;
mod restart;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use henge_ingest::fleet::event::Fleet;
use henge_ingest::test_support::admin::Admin;
use henge_ingest::test_support::broker::RealBroker;

use self::freshness::Beside;
use self::load::Rows;
use crate::median;
use crate::server::Server;

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    /// Events that are loaded, in each round.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Rounds of Henge, DuckDB and ClickHouse in turn; the medians count.
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
    /// A real Druid too, once: the script that starts it with `start DIR` and ends it with `stop DIR`.
    #[arg(long, value_name = "SCRIPT", env = "HENGE_DRUID")]
    druid: Option<PathBuf>,
}

const PARTITIONS: i32 = 8;
const FROM_BROKER: &str = "broker to published segment";
const CLUSTERS: u32 = 10_000;
/// A million clusters have millions of topics and principals.
const CLUSTERS_MANY: u32 = 1_000_000;

pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.rounds > 0 && options.events > 0 && options.rate > 0, "there must be something to measure");
    // First of all: what other measurements freed would be taken again.
    let open = open_memory::measure(&Fleet::new(1, CLUSTERS))?;
    let dir = tempfile::tempdir()?;
    let peers = Peers { duckdb: duckdb::install()?, clickhouse: clickhouse::install()? };
    let ndjson = dir.path().join("events.ndjson");
    let bytes = load::write_lines(&ndjson, options.events)?;
    println!("{} events of {:.0} bytes", options.events, bytes as f64 / options.events as f64);
    let broker = (!options.without_broker).then(|| load::filled_broker(options.events));
    let costs = Costs::measure(broker.as_ref(), &peers, &ndjson, options)?;
    let druid = match (&broker, &options.druid) {
        (Some(broker), Some(script)) => Some(druid::cpu_us(script, dir.path(), broker, options.events)?),
        _ => None,
    };
    println!();
    println!("| what | value | bound |");
    println!("|---|---|---|");
    costs.print(&peers, druid)?;
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

/// Pythons that have them.
struct Peers {
    duckdb: PathBuf,
    clickhouse: PathBuf,
}

struct Costs {
    duckdb_us: Vec<f64>,
    clickhouse_us: Vec<f64>,
    henge: Vec<Cost>,
}

impl Costs {
    fn measure(broker: Option<&RealBroker>, peers: &Peers, ndjson: &Path, options: &Options) -> anyhow::Result<Self> {
        let events = options.events;
        let cost = |what, bound| Cost { what, bound, us: Vec::new() };
        let mut henge = vec![
            cost("replay without broker", 0.9),
            cost("replay without broker, rollup to a minute", 0.9),
            cost("replay without broker, 1,000,000 clusters", 1.215),
            cost("replay without broker, one record in 100 is poison", 1.125),
        ];
        if broker.is_some() {
            henge.push(cost(FROM_BROKER, 1.5));
            henge.push(cost("broker to published segment, rollup to a minute", 1.5));
            henge.push(cost("broker to published segment, a filter and two computed columns", 1.5));
        }
        let (fleet, fleet_of_many) = (Fleet::new(1, CLUSTERS), Fleet::new(1, CLUSTERS_MANY));
        let (mut duckdb_us, mut clickhouse_us) = (Vec::new(), Vec::new());
        for round in 1..=options.rounds {
            let mut us = vec![
                replay::cpu_us(&fleet, events, Rows::OfEvents, 0)?,
                replay::cpu_us(&fleet, events, Rows::OfMinutes, 0)?,
                replay::cpu_us(&fleet_of_many, events, Rows::OfEvents, 0)?,
                replay::cpu_us(&fleet, events, Rows::OfEvents, 100)?,
            ];
            if let Some(broker) = broker {
                us.push(load::henge_cpu_us(broker, events, Rows::OfEvents)?);
                us.push(load::henge_cpu_us(broker, events, Rows::OfMinutes)?);
                us.push(load::henge_cpu_us(broker, events, Rows::Computed)?);
            }
            let duckdb = duckdb::cpu_us(&peers.duckdb, ndjson, events)?;
            let clickhouse = clickhouse::cpu_us(&peers.clickhouse, ndjson, events)?;
            println!(
                "round {round}: henge {us:.2?}, duckdb {duckdb:.2}, clickhouse {clickhouse:.2} us of CPU per event"
            );
            henge.iter_mut().zip(us).for_each(|(cost, us)| cost.us.push(us));
            duckdb_us.push(duckdb);
            clickhouse_us.push(clickhouse);
        }
        Ok(Self { duckdb_us, clickhouse_us, henge })
    }

    fn print(mut self, peers: &Peers, druid_us: Option<(f64, String)>) -> anyhow::Result<()> {
        let (duckdb, clickhouse) = (median(&mut self.duckdb_us), median(&mut self.clickhouse_us));
        let versions = (duckdb::version(&peers.duckdb)?, clickhouse::version(&peers.clickhouse)?);
        println!("| CPU per event, DuckDB {} `read_json` | {duckdb:.2} us | |", versions.0);
        println!("| CPU per event, ClickHouse {} JSONEachRow | {clickhouse:.2} us | |", versions.1);
        if let Some((druid, version)) = &druid_us {
            println!("| CPU per event, Druid {version} Kafka supervisor | {druid:.2} us | |");
        }
        for cost in &mut self.henge {
            let us = median(&mut cost.us);
            println!("| CPU per event, {} | {us:.2} us, {:.2} of DuckDB's | {} |", cost.what, us / duckdb, cost.bound);
            let is_beside_druid = cost.what.starts_with(FROM_BROKER);
            if let Some((druid, _)) = druid_us.as_ref().filter(|_| is_beside_druid) {
                println!("| CPU per event, Druid's beside {} | {:.1} times as much | 8 |", cost.what, druid / us);
            }
        }
        Ok(())
    }
}

fn print_latency_and_memory(broker: &RealBroker, options: &Options) -> anyhow::Result<()> {
    let duration = Duration::from_secs(options.seconds.into());
    let speeds = restart::measure(broker, options.events)?;
    let half = (speeds.live / 2.0) as u32;
    let cases = [
        ("fresh", options.rate, Beside::Little, "", 100),
        ("fresh-half", half, Beside::Little, ", half of the maximum", 150),
        ("fresh-upkeep", half, Beside::Upkeep, ", half of the maximum, cut, published and merged all the time", 300),
    ];
    for (topic, rate, beside, what, p99_max) in cases {
        let fresh = freshness::measure(broker, topic, rate, duration, beside)?;
        println!("| produced to visible at {rate} events/s{what}, p50 | {:.1} ms | |", fresh.p50_ms);
        println!("| produced to visible at {rate} events/s{what}, p99 | {:.1} ms | {p99_max} ms |", fresh.p99_ms);
    }
    let (live, replay, times) = (speeds.live / 1e3, speeds.replay / 1e3, speeds.replay / speeds.live);
    println!("| restart: replay at {replay:.0}, live at {live:.0} thousand events/s | {times:.2} of it | 1.0 |");
    let idle_mib = idle_resident_mib(broker)?;
    println!("| resident memory, idle | {idle_mib:.0} MiB | 100 MiB |");
    Ok(())
}

/// Of a process that has a supervisor with nothing to read.
fn idle_resident_mib(broker: &RealBroker) -> anyhow::Result<f64> {
    const TOPIC: &str = "idle";
    Admin::new(&broker.properties()).create_topic(TOPIC, PARTITIONS, &[]);
    let dir = tempfile::tempdir()?;
    let server = Server::start(dir.path(), &load::config(broker.bootstrap_servers(), TOPIC, "5m", Rows::OfEvents))?;
    std::thread::sleep(Duration::from_secs(5));
    server.resident_mib()
}
