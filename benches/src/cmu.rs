//! The standard workload: cluster metering and usage of a fleet of Kafka clusters, seeded, the same on every machine.
//!
//! random -> names, fleet -> event -> parquet; parameters for the queries
//!
//! Each event is a pure function of the seed and its row number, so that any range can be made by itself.

pub mod event;
pub mod fleet;
pub mod json;
mod names;
pub mod parameters;
pub mod parquet;
pub mod random;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

use self::fleet::Fleet;
use self::parameters::Parameters;

/// Files that the events are written to.
const PARTS: u64 = 8;

/// Writes all events to `DIR/parquet/part-NN.parquet`, and then what the queries ask for to `DIR/params.json`.
///
/// A folder that has the parameters of the same fleet is complete and stays as it is.
pub fn generate(fleet: &Fleet, folder: &Path) -> anyhow::Result<Parameters> {
    let wanted = Parameters::of(fleet);
    let path = folder.join("params.json");
    if let Ok(text) = fs::read_to_string(&path) {
        let found = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        anyhow::ensure!(wanted == found, "{} holds other events: name another folder", folder.display());
        return Ok(wanted);
    }
    let parquet = folder.join("parquet");
    fs::create_dir_all(&parquet).with_context(|| parquet.display().to_string())?;
    let next = AtomicU64::new(0);
    let write_parts = || -> anyhow::Result<()> {
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= PARTS {
                return Ok(());
            }
            let rows = fleet.rows * part / PARTS..fleet.rows * (part + 1) / PARTS;
            parquet::write(fleet, rows, &parquet.join(format!("part-{part:02}.parquet")))?;
        }
    };
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..threads).map(|_| scope.spawn(write_parts)).collect();
        writers.into_iter().try_for_each(|writer| writer.join().expect("a writer returns its error"))
    })?;
    fs::write(&path, serde_json::to_string(&wanted)?)?;
    Ok(wanted)
}

#[cfg(test)]
mod tests;
