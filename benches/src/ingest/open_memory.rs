//! Memory of rows that are open: what the process takes for them, beside what is accounted for.

use anyhow::Context;
use henge_ingest::fleet::event::Fleet;

use super::load::Rows;
use super::replay::{Batch, EVENTS_AT_ONCE, Replay};

/// Rows that are open at once, as many as a large cut holds.
const ROWS: u64 = 1_000_000;

/// Bytes for each open row of the fleet's events, dictionaries included.
pub struct OpenMemory {
    /// By which the process's own memory has grown.
    pub taken: f64,
    /// What bounds and metrics go by.
    pub accounted: f64,
}

pub fn measure(fleet: &Fleet) -> anyhow::Result<OpenMemory> {
    let mut replay = Replay::new(Rows::OfEvents)?;
    let mut batch = Batch::default();
    // The room for a batch of records is taken before the first measurement.
    batch.write(fleet, 0..EVENTS_AT_ONCE, 0);
    let before = anonymous_bytes()?;
    for first in (0..ROWS).step_by(EVENTS_AT_ONCE as usize) {
        batch.write(fleet, first..first + EVENTS_AT_ONCE, 0);
        replay.take(&batch, false)?;
    }
    let open = replay.open_stats();
    let taken = anonymous_bytes()?.saturating_sub(before) as f64;
    Ok(OpenMemory { taken: taken / open.rows as f64, accounted: open.bytes as f64 / open.rows as f64 })
}

/// Of this process: what it has asked for and holds.
fn anonymous_bytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).context("no RssAnon in /proc")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib << 10)
}
