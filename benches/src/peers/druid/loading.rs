//! Events into Druid: JSON files, and a task that makes segments of a day without rollup.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use henge_segment_store::schema::{Aggregation, DimensionType};
use serde_json::{Value, json};

use super::TABLE;
use crate::cmu::fleet::Fleet;
use crate::cmu::json;
use crate::druid_process::COORDINATOR;
use crate::reader::CMU;
use crate::server::Client;

const FILES: u64 = 8;
/// Of segments, as Druid's handbook has it.
const SEGMENT_ROWS_MAX: u64 = 5_000_000;
/// A hundred microseconds of CPU time for each of ten million events, on two busy cores.
const LOADING_MAX: Duration = Duration::from_secs(5_400);

/// Returns when the segments are published, which is before they are served. The files are removed.
pub fn load(fleet: &Fleet, files: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(files)?;
    for number in 0..FILES {
        let rows = fleet.rows * number / FILES..fleet.rows * (number + 1) / FILES;
        let mut file = BufWriter::new(File::create(files.join(format!("part-{number:02}.ndjson")))?);
        let mut event = Vec::new();
        for row in rows {
            event.clear();
            json::write_event(fleet, row, &mut event);
            event.push(b'\n');
            file.write_all(&event)?;
        }
        file.flush()?;
    }
    run_task(&task(files))?;
    Ok(fs::remove_dir_all(files)?)
}

fn run_task(task: &Value) -> anyhow::Result<()> {
    let coordinator = Client::new(COORDINATOR.into())?;
    let started: Value = serde_json::from_slice(&coordinator.post("/druid/indexer/v1/task", task)?)?;
    let id = started["task"].as_str().context("a task has a name")?;
    let began = Instant::now();
    while began.elapsed() < LOADING_MAX {
        std::thread::sleep(Duration::from_secs(2));
        let Some(text) = coordinator.get(&format!("/druid/indexer/v1/task/{id}/status"))? else { continue };
        let answer: Value = serde_json::from_str(&text)?;
        let status = answer["status"]["statusCode"].as_str().unwrap_or_default();
        ensure!(status != "FAILED", "{}", answer["status"]["errorMsg"]);
        if status == "SUCCESS" {
            return Ok(());
        }
    }
    anyhow::bail!("Druid has not loaded the events within {LOADING_MAX:?}")
}

fn task(files: &Path) -> Value {
    let dimension = |(name, kind): &(&str, DimensionType)| match kind {
        DimensionType::Long => json!({ "type": "long", "name": name }),
        _ => json!(name),
    };
    let measure = |(name, aggregation): &(&str, Aggregation)| json!({ "type": if aggregation.is_long() { "longSum" } else { "doubleSum" }, "name": name, "fieldName": name });
    json!({ "type": "index_parallel", "spec": {
        "dataSchema": {
            "dataSource": TABLE,
            "timestampSpec": { "column": "timestamp", "format": "millis" },
            "dimensionsSpec": { "dimensions": CMU.dimensions.iter().map(dimension).collect::<Vec<_>>() },
            "metricsSpec": CMU.measures.iter().map(measure).collect::<Vec<_>>(),
            "granularitySpec": { "segmentGranularity": "DAY", "queryGranularity": "NONE", "rollup": false },
        },
        "ioConfig": {
            "type": "index_parallel",
            "inputSource": { "type": "local", "baseDir": files, "filter": "*.ndjson" },
            "inputFormat": { "type": "json" },
        },
        "tuningConfig": {
            "type": "index_parallel",
            "partitionsSpec": {
                "type": "dynamic", "maxRowsPerSegment": SEGMENT_ROWS_MAX, "maxTotalRows": 4 * SEGMENT_ROWS_MAX,
            },
            "maxNumConcurrentSubTasks": 2,
            "splitHintSpec": { "type": "maxSize", "maxSplitSize": "64g", "maxNumFiles": FILES / 2 },
        },
    } })
}
