//! How much longer does a light query take while queries of death run, alone and in crowds, under a memory limit?
//!
//! Data: rows of as many organisations in two segments. The light query is asked 2 ms after each answer. Beside it: each of
//! the statements that `server/tests/surface/deaths` proves to end in time, asked again as soon as it is over, by one client
//! and then eight of them at a time.

#[path = "../../server/tests/surface/deaths/statements.rs"]
mod statements;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::os_thread::{self, Rank};
use henge_segment_store::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::store::{Store, StoreOptions};
use henge_segment_store::time::TimestampMs;
use serde_json::json;

use crate::percentile;
use crate::publishing;
use crate::server::{Client, Server};

const LIGHT: &str = "SELECT COUNT(*), SUM(events) FROM usage WHERE shard = 7";
const PAUSE: Duration = Duration::from_millis(2);
/// What a statement of death may take.
const DEADLINE_MS: u64 = 1_000;
const AT_ONCE: usize = 8;
/// The most that the 99th percentile may grow by.
const BOUND: f64 = 2.0;
const LIMITS: &str = "[limits]\nquery_memory = \"64MiB\"\nqueries_memory = \"256MiB\"\nspill_size = \"64MiB\"\n";
/// Of a statement, as much as tells it from others.
const SHOWN_CHARACTERS: usize = 60;

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    #[arg(long, default_value_t = 20_000)]
    rows: i64,
    /// How long the light query is asked beside each statement, and beside each crowd.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    publish(&folder.path().join("data"), options.rows)?;
    let server = Server::start(folder.path(), LIMITS)?;
    let statements = statements::statements();
    let one: Vec<&[String]> = statements.chunks(1).collect();
    let crowds: Vec<&[String]> = statements.chunks(AT_ONCE).collect();
    // What a server does once, it does here.
    light(&server, options.seconds)?;
    let mut alone = light(&server, options.seconds * 2.0)?;
    let (p50, p99) = (percentile(&mut alone, 50), percentile(&mut alone, 99));
    println!("\nThe light query alone: p50 {p50:.2} ms, p99 {p99:.2} ms of {} answers.", alone.len());
    println!("\n| beside it | p99, ms | p99 to that alone | beyond {BOUND} |\n|---|---|---|---|");
    let alone_of_each = beside_each(&server, &one, p99, options.seconds)?;
    let in_crowds = beside_each(&server, &crowds, p99, options.seconds)?;
    println!("\n| light query beside | most p99 to that alone | median of them | beyond {BOUND} |\n|---|---|---|---|");
    for (name, mut ratios) in [("each statement by itself", alone_of_each), ("eight at a time", in_crowds)] {
        let beyond = ratios.iter().filter(|ratio| **ratio > BOUND).count();
        let (most, middle) = (percentile(&mut ratios, 100), percentile(&mut ratios, 50));
        println!("| {name} | {most:.2} | {middle:.2} | {beyond} of {} |", ratios.len());
    }
    println!("\nResident memory at the end: {:.0} MiB.", server.resident_mib()?);
    Ok(())
}

/// Rows in minutes one after the other, two hours of them; a thousand shards.
fn publish(data_dir: &Path, rows: i64) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let store = runtime.block_on(Store::open(StoreOptions::local(data_dir)))?;
    let name = DataSourceName::new("usage")?;
    let schema = DataSourceSchema {
        dimensions: vec![
            Dimension { name: "org".into(), kind: DimensionType::String },
            Dimension { name: "shard".into(), kind: DimensionType::Long },
        ],
        measures: vec![
            Measure { name: "events".into(), aggregation: Aggregation::Count },
            Measure { name: "load".into(), aggregation: Aggregation::DoubleMax },
        ],
        sort: Vec::new(),
        tenant: None,
        rollup: true,
        query_granularity: "1m".parse()?,
        segment_granularity: "1h".parse()?,
    };
    runtime.block_on(store.put_supervisor(&name, schema, serde_json::Value::Null, true, Default::default()))?;
    let usage = store.data_source("usage").expect("it was put above");
    let row = |at: i64| {
        let mut row = EventRow::new(2, 2);
        row.time = TimestampMs(at % 120 * 60_000);
        row.set_dimension(0, DimensionValue::String(&format!("organisation {at}")));
        row.set_dimension(1, DimensionValue::Long(at % 1_000));
        row.set_measure(1, MeasureValue::Double(at as f64 / 7.0));
        row
    };
    usage.append(&(0..rows).map(row).collect::<Vec<_>>());
    publishing::publish_open(&runtime, &store, &usage)?;
    runtime.block_on(store.terminate_supervisor(&name))?;
    Ok(())
}

/// The ratios of the light query's 99th percentiles to that of it alone, beside each of some crowds.
fn beside_each(server: &Server, crowds: &[&[String]], alone_p99: f64, seconds: f64) -> anyhow::Result<Vec<f64>> {
    let mut ratios = Vec::with_capacity(crowds.len());
    for crowd in crowds {
        let p99 = percentile(&mut beside(server, crowd, seconds)?, 99);
        let ratio = p99 / alone_p99;
        let is_beyond = if ratio > BOUND { "yes" } else { "" };
        println!("| {} | {p99:.2} | {ratio:.2} | {is_beyond} |", shown(crowd));
        ratios.push(ratio);
    }
    Ok(ratios)
}

fn shown(crowd: &[String]) -> String {
    let first: String = crowd.iter().flat_map(|sql| sql.chars()).take(SHOWN_CHARACTERS).collect();
    let others = if crowd.len() > 1 { format!(" and {} others", crowd.len() - 1) } else { String::new() };
    format!("`{}`{others}", first.replace('|', "\\|").replace('`', "'"))
}

/// Milliseconds of each answer to the light query while others ask the crowd's statements.
fn beside(server: &Server, crowd: &[String], seconds: f64) -> anyhow::Result<Vec<f64>> {
    let is_over = AtomicBool::new(false);
    let is_over = &is_over;
    thread::scope(|scope| {
        for sql in crowd {
            let client = server.client()?;
            scope.spawn(move || ask_to_death(&client, sql, is_over));
        }
        let latencies_ms = light(server, seconds);
        is_over.store(true, Ordering::Relaxed);
        latencies_ms
    })
}

/// Most of them end in errors, which is what the tests are for.
fn ask_to_death(client: &Client, sql: &str, is_over: &AtomicBool) {
    os_thread::step_back(Rank::Third);
    let request = json!({ "query": sql, "context": { "timeout": DEADLINE_MS, "useCache": false } });
    while !is_over.load(Ordering::Relaxed) {
        client.read(&request).ok();
    }
}

/// Elsewhere the clients have machines of their own: there none of them waits until another one has read its answer.
fn light(server: &Server, seconds: f64) -> anyhow::Result<Vec<f64>> {
    os_thread::go_first();
    let (client, mut latencies_ms) = (server.client()?, Vec::new());
    let request = json!({ "query": LIGHT, "resultFormat": "array", "context": { "useCache": false } });
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < end {
        let started = Instant::now();
        client.ask(&request)?;
        latencies_ms.push(started.elapsed().as_secs_f64() * 1e3);
        thread::sleep(PAUSE);
    }
    Ok(latencies_ms)
}
