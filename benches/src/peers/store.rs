//! A data directory with the events: appended and published in cuts, then compacted as far as it goes.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::store::{Store, StoreOptions};
use henge_segment_store::upkeep::UpkeepPolicy;
use tokio::runtime::Runtime;

use super::henge::TABLE;
use super::workload::Workload;
use crate::reader::{self, Layout};
use crate::{cpu, publishing};

/// Rows of a cut.
const CUT_ROWS: usize = 1_000_000;
/// Stands in the folder once it is complete.
const COMPLETE: &str = "complete";

/// How the rows lie.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// The length of Henge's time chunks.
    #[arg(long, default_value = "1h")]
    pub segment: String,
    /// What Henge's rows are sorted by; by itself what most queries of the workload ask for.
    #[arg(long, value_delimiter = ',')]
    pub sort: Vec<String>,
}

/// CPU seconds that it took; `None` where an earlier run wrote the same.
pub fn write(folder: &Path, parquet: &Path, workload: &Workload, options: &Options) -> anyhow::Result<Option<f64>> {
    let mark = folder.with_file_name(COMPLETE);
    let wanted = format!("{} rows by {}", workload.rows, options.sort.join(", "));
    if let Ok(found) = fs::read_to_string(&mark) {
        ensure!(found == wanted, "{} holds {found}: remove it", folder.display());
        return Ok(None);
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let ((), seconds) = cpu::seconds_of(|| fill(folder, parquet, workload.layout, options))?;
    fs::write(mark, wanted)?;
    Ok(Some(seconds))
}

/// Of all files.
pub fn bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let (path, metadata) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)))?;
        bytes += if metadata.is_dir() { self::bytes(&path)? } else { metadata.len() };
    }
    Ok(bytes)
}

/// All files of a data directory that no process has open.
pub fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

fn fill(folder: &Path, parquet: &Path, layout: &Layout, options: &Options) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    let store = runtime.block_on(Store::open(StoreOptions::local(folder)))?;
    let name = DataSourceName::new(TABLE)?;
    let schema = reader::schema(layout, &options.sort, &options.segment)?;
    let created = store.put_supervisor(&name, schema, serde_json::Value::Null, true, UpkeepPolicy::default());
    runtime.block_on(created)?;
    // What has no supervisor waits for no Kafka.
    runtime.block_on(store.terminate_supervisor(&name))?;
    let events = store.data_source(TABLE).context("the datasource was just created")?;
    reader::for_each_batch(layout, parquet, |batch| {
        events.append(batch);
        if events.open_stats().rows >= CUT_ROWS {
            publishing::publish_open(&runtime, &store, &events)?;
        }
        Ok(())
    })?;
    if events.open_stats().rows > 0 {
        publishing::publish_open(&runtime, &store, &events)?;
    }
    publishing::compact(&runtime, &store, &events)?;
    Ok(())
}
