//! Henge with the events, in segments or still open, asked over HTTP.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use henge_ingest::fleet::mock_kafka::MockKafka;
use serde_json::{Value, json};

use super::answer::Answer;
use super::{Asked, open_rows, store};
use crate::cmu::fleet::Fleet;
use crate::server::Server;

pub const TABLE: &str = "events";
/// M9 has 2.6 million rows.
pub const LIMITS: &str = "[limits]\nresult_rows = 10_000_000\nresult_size = \"1GiB\"\n";

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
        let henge = Self { server: Server::start(&own, LIMITS)?, _kafka: None };
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

    /// Who answers.
    pub fn server(&self) -> &Server {
        &self.server
    }

    fn expect_rows(&self, rows: u64) -> anyhow::Result<()> {
        let found = self.server.sql(&format!("SELECT COUNT(*) FROM {TABLE}"))?;
        ensure!(found == [[json!(rows)]], "{rows} events were written, but found are {found:?}");
        Ok(())
    }

    /// One turn: until the last byte of the answer is here, as JSON arrays.
    pub fn ask(&self, sql: &str, turn_ms: f64) -> anyhow::Result<Asked> {
        let body = request(sql);
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

    /// How long each answer took, statement by statement; every client has connections of its own.
    pub fn mix(&self, sql: &[String], clients: usize, seconds: f64) -> anyhow::Result<Vec<Vec<f64>>> {
        let bodies: Vec<Value> = sql.iter().map(|sql| request(sql)).collect();
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        let client = |first: usize| {
            let bodies = &bodies;
            move || -> anyhow::Result<Vec<(usize, f64)>> {
                let client = self.server.client()?;
                let (mut latencies_ms, mut number) = (Vec::new(), first);
                while Instant::now() < end {
                    let statement = number % bodies.len();
                    let started = Instant::now();
                    client.ask(&bodies[statement])?;
                    latencies_ms.push((statement, started.elapsed().as_secs_f64() * 1e3));
                    number += clients;
                }
                Ok(latencies_ms)
            }
        };
        let mut latencies_ms = vec![Vec::new(); bodies.len()];
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..clients).map(|first| scope.spawn(client(first))).collect();
            running.into_iter().try_for_each(|client| {
                for (statement, ms) in client.join().expect("a client returns its error")? {
                    latencies_ms[statement].push(ms);
                }
                anyhow::Ok(())
            })
        })?;
        Ok(latencies_ms)
    }

    /// In words: resident, and what of it belongs to no file.
    pub fn memory(&self) -> anyhow::Result<String> {
        let (resident, anonymous) = (self.server.resident_mib()?, self.server.anonymous_mib()?);
        Ok(format!("{resident:.0} MiB resident, {anonymous:.0} MiB of it in no file"))
    }
}

/// Whose answer is for a program that wants rows.
fn request(sql: &str) -> Value {
    json!({ "query": sql, "resultFormat": "array", "context": { "useCache": false } })
}
