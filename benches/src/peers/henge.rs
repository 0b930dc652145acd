//! Henge with the events, in segments or still open, asked over HTTP.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, ensure};
use henge_ingest::fleet::mock_kafka::MockKafka;
use serde_json::json;

use super::answer::Answer;
use super::{Asked, open_rows, store};
use crate::cmu::fleet::Fleet;
use crate::server::Server;

pub const TABLE: &str = "events";

/// A server of the events.
pub struct Henge {
    server: Server,
    /// Where open rows came from.
    _kafka: Option<MockKafka>,
}

impl Henge {
    /// Writes the events through the publish path, compacted, unless `folder` has them, and serves them.
    pub fn of_segments(fleet: &Fleet, folder: &Path, options: &store::Options) -> anyhow::Result<Self> {
        let own = folder.join(format!("henge-{}", options.segment));
        let data = own.join("data");
        let cpu_seconds = store::write(&data, &folder.join("parquet"), fleet.rows, options)?;
        let bytes = store::bytes(&data)? as f64 / fleet.rows as f64;
        let written = cpu_seconds.map_or("written before".into(), |cpu| format!("{cpu:.1} CPU-s"));
        println!("henge: segments of {}, {bytes:.1} bytes/row in all files, {written}", options.segment);
        let henge = Self { server: Server::start(&own, "")?, _kafka: None };
        henge.expect_rows(fleet.rows)?;
        Ok(henge)
    }

    /// Serves the events as open rows.
    pub fn of_open_rows(fleet: &Fleet, folder: &Path, options: &store::Options) -> anyhow::Result<Self> {
        let own = folder.join("henge-open");
        if own.exists() {
            fs::remove_dir_all(&own)?;
        }
        fs::create_dir_all(&own)?;
        let (server, kafka) = open_rows::serve(fleet, &own, &options.segment)?;
        let henge = Self { server, _kafka: Some(kafka) };
        println!("henge-open: {}", henge.memory()?);
        henge.expect_rows(fleet.rows)?;
        Ok(henge)
    }

    fn expect_rows(&self, rows: u64) -> anyhow::Result<()> {
        let found = self.server.sql(&format!("SELECT COUNT(*) FROM {TABLE}"))?;
        ensure!(found == [[json!(rows)]], "{rows} events were written, but found are {found:?}");
        Ok(())
    }

    /// One turn: until the last byte of the answer is here, as JSON arrays.
    pub fn ask(&self, sql: &str, turn_ms: f64) -> anyhow::Result<Asked> {
        let body = json!({ "query": sql, "resultFormat": "array", "context": { "useCache": false } });
        let (mut wall_ms, mut left_ms, cpu) = (Vec::new(), turn_ms, self.server.cpu_seconds()?);
        while wall_ms.is_empty() || left_ms > 0.0 {
            let started = Instant::now();
            self.server.ask(&body)?;
            let ms = started.elapsed().as_secs_f64() * 1e3;
            wall_ms.push(ms);
            left_ms -= ms;
        }
        let cpu_ms = (self.server.cpu_seconds()? - cpu) * 1e3 / wall_ms.len() as f64;
        Ok(Asked { wall_ms, cpu_ms })
    }

    pub fn answer(&self, sql: &str) -> anyhow::Result<Answer> {
        let context = json!({ "useCache": false });
        let body = json!({
            "query": sql, "resultFormat": "arrayLines", "header": true, "typesHeader": false, "sqlTypesHeader": true,
            "context": context,
        });
        Answer::parse(std::str::from_utf8(&self.server.ask(&body)?).context("JSON is UTF-8")?)
    }

    /// In words: resident, and what of it belongs to no file.
    pub fn memory(&self) -> anyhow::Result<String> {
        let (resident, anonymous) = (self.server.resident_mib()?, self.server.anonymous_mib()?);
        Ok(format!("{resident:.0} MiB resident, {anonymous:.0} MiB of it in no file"))
    }
}
