//! How soon is a process ready that finds many segments?
//!
//! Data: one segment of 100 rows an hour, each from a publish of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use henge_segment_store::event::{DimensionValue, EventRow};
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::store::{Consumed, Store, StoreOptions};
use henge_segment_store::stream::{Offset, OffsetRange, StreamPartition};
use henge_segment_store::time::{Granularity, TimestampMs};
use henge_segment_store::upkeep::UpkeepPolicy;

use crate::server::{Server, build};

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    #[arg(long, default_value_t = 1_000)]
    segments: i64,
    /// Starts; the medians count.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
}

const EVENTS: i64 = 100;
const HOUR_MS: i64 = 3_600_000;

pub fn run(options: &Options) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    tokio::runtime::Runtime::new()?.block_on(fill(&dir.path().join("data"), options.segments))?;
    let binary = build()?;
    let (mut ready_ms, mut answer_ms) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let started = Instant::now();
        let server = Server::spawn(&binary, dir.path(), "")?;
        while server.get("/health/ready")?.is_none() {
            anyhow::ensure!(started.elapsed() < Duration::from_secs(60), "henge does not become ready");
            std::thread::sleep(Duration::from_millis(1));
        }
        ready_ms.push(started.elapsed().as_secs_f64() * 1e3);
        let asked = Instant::now();
        let last_day = (options.segments - 24) * HOUR_MS;
        let found =
            server.sql(&format!("SELECT SUM(events) FROM usage WHERE __time >= MILLIS_TO_TIMESTAMP({last_day})"))?;
        anyhow::ensure!(found == [[24 * EVENTS]], "a day has {} events, but found are {found:?}", 24 * EVENTS);
        answer_ms.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    let (ready, answer) = (crate::median(&mut ready_ms), crate::median(&mut answer_ms));
    println!();
    println!("| what | value | bound |");
    println!("|---|---|---|");
    println!("| process start to ready, {} segments | {ready:.0} ms | 200 ms |", options.segments);
    println!("| the first query after it, over 24 segments | {answer:.0} ms | |");
    Ok(())
}

/// A data directory with one segment an hour.
pub async fn fill(data_dir: &Path, segments: i64) -> anyhow::Result<()> {
    let store = Store::open(StoreOptions::local(data_dir)).await?;
    let name = DataSourceName::new("usage")?;
    let schema = DataSourceSchema {
        dimensions: vec![Dimension { name: "org_id".into(), kind: DimensionType::String }],
        measures: vec![Measure { name: "events".into(), aggregation: Aggregation::Count }],
        rollup: false,
        query_granularity: Granularity::NONE,
        segment_granularity: "1h".parse()?,
        sort: Vec::new(),
        tenant: None,
    };
    store.put_supervisor(&name, schema, serde_json::Value::Null, true, UpkeepPolicy::default()).await?;
    store.terminate_supervisor(&name).await?;
    let usage = store.data_source("usage").context("the datasource was just created")?;
    for hour in 0..segments {
        let rows: Vec<EventRow> = (0..EVENTS).map(|number| row(hour * HOUR_MS + number)).collect();
        usage.append(&rows);
        store.publish(&usage, &usage.cut(), consumed(hour * EVENTS)).await?;
    }
    Ok(())
}

fn row(time: i64) -> EventRow {
    let mut row = EventRow::new(1, 1);
    row.time = TimestampMs(time);
    row.set_dimension(0, DimensionValue::String(["acme", "globex", "initech"][time as usize % 3]));
    row
}

fn consumed(start: i64) -> Consumed {
    let range = ConsumedRange {
        partition: StreamPartition { topic: "usage".into(), partition: 0 },
        range: OffsetRange { start: Offset(start), end: Offset(start + EVENTS) },
        topic_id: None,
        leader_epoch: None,
        counts: LedgerCounts { accepted: EVENTS as u64, ..LedgerCounts::default() },
    };
    Consumed { ranges: vec![range], ..Consumed::default() }
}
