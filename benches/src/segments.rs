//! What do a segment's two files cost, in bytes and in CPU, and how soon does the serving form say which rows match?
//!
//! Data: the standard workload's events, published in cuts of a million rows as they came, then compacted.

mod files;
mod opening;
mod row_sets;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use henge_segment_store::data_source::DataSource;
use henge_segment_store::schema::{DataSourceName, DataSourceSchema};
use henge_segment_store::store::{Store, StoreOptions};
use henge_segment_store::upkeep::UpkeepPolicy;
use tokio::runtime::Runtime;

use crate::{cpu, publishing, reader};

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    /// A folder of the standard workload's Parquet files.
    #[arg(long)]
    data: PathBuf,
    /// What rows are sorted by first.
    #[arg(long, value_delimiter = ',', default_value = "cluster_id,metric,__time")]
    sort: Vec<String>,
    /// Rows of a cut.
    #[arg(long, default_value_t = 1_000_000)]
    cut_rows: usize,
}

/// What was measured, and what it should be.
type Figure = (String, String, &'static str);

pub fn run(options: &Options) -> anyhow::Result<()> {
    let bench = Bench::new()?;
    let events = bench.create("events", reader::schema(&reader::CMU, &options.sort, "1d")?)?;
    println!("sorted by {}, cut at {} rows", options.sort.join(", "), options.cut_rows);
    let mut figures = publish(&bench, &events, options)?;
    let cuts: Vec<_> = events.published_segments().into_iter().filter(|cut| cut.meta.rows > 100_000).collect();
    let cut = cuts.first().context("there are too few events for a cut")?;
    figures.extend(files::costs(cut)?);
    figures.extend(row_sets::over(&cuts)?);
    figures.extend(row_sets::like(&bench)?);
    figures.extend(compact(&bench, &events)?);
    figures.extend(files::sizes(&events.published_segments())?);
    figures.extend(opening::figures()?);
    println!("\n| what | value | bound |\n|---|---|---|");
    figures.iter().for_each(|(what, value, bound)| println!("| {what} | {value} | {bound} |"));
    Ok(())
}

/// A store in a folder of its own.
struct Bench {
    store: Arc<Store>,
    runtime: Runtime,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let runtime = Runtime::new()?;
        let store = runtime.block_on(Store::open(StoreOptions::local(dir.path())))?;
        Ok(Self { store, runtime, _dir: dir })
    }

    fn create(&self, name: &str, schema: DataSourceSchema) -> anyhow::Result<Arc<DataSource>> {
        let (data_source, upkeep) = (DataSourceName::new(name)?, UpkeepPolicy::default());
        let created = self.store.put_supervisor(&data_source, schema, serde_json::Value::Null, true, upkeep);
        self.runtime.block_on(created)?;
        self.store.data_source(name).context("the datasource was just created")
    }

    fn publish_open(&self, data_source: &DataSource) -> anyhow::Result<()> {
        publishing::publish_open(&self.runtime, &self.store, data_source)
    }
}

fn publish(bench: &Bench, data_source: &DataSource, options: &Options) -> anyhow::Result<Vec<Figure>> {
    let (mut rows, mut cpu_seconds) = (0, 0.0);
    let mut cut = || -> anyhow::Result<()> {
        rows += data_source.open_stats().rows;
        let ((), seconds) = cpu::seconds_of(|| bench.publish_open(data_source))?;
        cpu_seconds += seconds;
        Ok(())
    };
    reader::for_each_batch(&reader::CMU, &options.data, |batch| {
        if data_source.open_stats().rows >= options.cut_rows {
            cut()?;
        }
        data_source.append(batch);
        Ok(())
    })?;
    if data_source.open_stats().rows > 0 {
        cut()?;
    }
    ensure!(rows > 0, "there must be something to measure");
    let us = cpu_seconds * 1e6 / rows as f64;
    Ok(vec![(
        format!("freeze, sort, Parquet and serving form, {rows} rows"),
        format!("{us:.2} CPU-us/row"),
        "1.0 CPU-us/row",
    )])
}

fn compact(bench: &Bench, data_source: &Arc<DataSource>) -> anyhow::Result<Vec<Figure>> {
    let (rows, seconds) = cpu::seconds_of(|| publishing::compact(&bench.runtime, &bench.store, data_source))?;
    let us = seconds * 1e6 / rows.max(1) as f64;
    Ok(vec![(format!("compaction, {rows} rows"), format!("{us:.2} CPU-us/row"), "")])
}
