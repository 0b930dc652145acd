//! How soon a store that finds many segments has looked into all of them.

use std::time::Instant;

use anyhow::{Context, ensure};
use henge_indexing::{Predicate, TextTest};
use henge_segment_store::store::{Store, StoreOptions};
use henge_segment_store::time::Interval;
use tokio::runtime::Runtime;

use super::Figure;
use crate::start;

const SEGMENTS: i64 = 1_000;
const ROUNDS: usize = 5;

/// From opening the store to the rows of all segments that match.
pub fn figures() -> anyhow::Result<Vec<Figure>> {
    let dir = tempfile::tempdir()?;
    let runtime = Runtime::new()?;
    runtime.block_on(start::fill(dir.path(), SEGMENTS))?;
    let predicate = Predicate::Text { column: "org_id".into(), test: TextTest::equal("acme") };
    let mut ms = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let store = runtime.block_on(Store::open(StoreOptions::local(dir.path())))?;
        let usage = store.data_source("usage").context("the datasource is in the manifest")?;
        let mut found = 0;
        for segment in usage.snapshot(Interval::ALL).segments {
            found += segment.open(&["org_id"])?.evaluate(&predicate, true)?.len();
        }
        ms.push(started.elapsed().as_secs_f64() * 1e3);
        ensure!(found > 0, "some events are acme's");
    }
    Ok(vec![(
        format!("open a store of {SEGMENTS} segments, and the row set of `org_id = x` in all of them"),
        format!("{:.0} ms", crate::median(&mut ms)),
        "100 ms",
    )])
}
