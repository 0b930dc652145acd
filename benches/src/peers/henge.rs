//! Henge with the events, in segments or still open, asked over HTTP.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use henge_ingest::fleet::mock_kafka::MockKafka;
use serde_json::{Value, json};

use super::answer::Answer;
use super::systems::{Form, Question};
use super::workload::Workload;
use super::{Asked, mix, open_rows, store};
use crate::server::Server;

pub const TABLE: &str = "events";
/// M9 has 2.6 million rows.
pub const LIMITS: &str =
    "[limits]\nresult_rows = 10_000_000\nresult_size = \"1GiB\"\nmetrics_requests = 1_000_000_000\n";

/// Whether partial results of earlier queries are kept and used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    Off,
    On,
}

/// A server of the events.
pub struct Henge {
    server: Server,
    /// Where open rows came from.
    _kafka: Option<MockKafka>,
}

impl Henge {
    /// Writes the events through the publish path, compacted, unless `folder` has them, and serves them.
    pub fn of_segments(workload: &Workload, folder: &Path, options: &store::Options) -> anyhow::Result<Self> {
        let own = folder.join(format!("henge-{}", options.segment));
        let data = own.join("data");
        let cpu_seconds = store::write(&data, &folder.join("parquet"), workload, options)?;
        let bytes = store::bytes(&data)? as f64 / workload.rows as f64;
        let written = cpu_seconds.map_or("written before".into(), |cpu| format!("{cpu:.1} CPU-s"));
        println!("henge: segments of {}, {bytes:.1} bytes/row in all files, {written}", options.segment);
        let henge = Self { server: Server::start(&own, LIMITS)?, _kafka: None };
        henge.expect_rows(workload.rows)?;
        Ok(henge)
    }

    /// Serves a copy of the segments, into which rows of a topic go too.
    pub fn of_segments_and_topic(
        workload: &Workload,
        folder: &Path,
        options: &store::Options,
        kafka: &MockKafka,
        topic: &str,
    ) -> anyhow::Result<Self> {
        let (segments, own) = (folder.join(format!("henge-{}", options.segment)), folder.join("henge-arriving"));
        if own.exists() {
            fs::remove_dir_all(&own)?;
        }
        fs::create_dir_all(&own)?;
        store::copy(&segments.join("data"), &own.join("data"))?;
        let server = Server::start(&own, &open_rows::config(kafka, topic, options))?;
        let henge = Self { server, _kafka: None };
        henge.expect_rows(workload.rows)?;
        Ok(henge)
    }

    /// Serves the events as open rows.
    pub fn of_open_rows(workload: &Workload, folder: &Path, options: &store::Options) -> anyhow::Result<Self> {
        let own = folder.join("henge-open");
        if own.exists() {
            fs::remove_dir_all(&own)?;
        }
        fs::create_dir_all(&own)?;
        let (server, kafka) = open_rows::serve(workload.fleet()?, &own, options)?;
        let henge = Self { server, _kafka: Some(kafka) };
        println!("henge-open: {}", henge.memory()?);
        henge.expect_rows(workload.rows)?;
        Ok(henge)
    }

    /// Who answers.
    pub fn server(&self) -> &Server {
        &self.server
    }

    pub fn server_mut(&mut self) -> &mut Server {
        &mut self.server
    }

    fn expect_rows(&self, rows: u64) -> anyhow::Result<()> {
        let found = self.rows()?;
        ensure!(found == rows, "{rows} events were written, but found are {found}");
        Ok(())
    }

    /// One turn: until the last byte of the answer is here.
    pub fn ask(&self, question: &Question, cache: Cache, turn_ms: f64) -> anyhow::Result<Asked> {
        let body = request(&question.sql, cache);
        let ask = || match question.form {
            Form::Json => self.server.ask(&body).map(drop),
            Form::Arrow => self.server.ask_arrow(&body).map(drop),
        };
        Asked::within(turn_ms, || self.server.cpu_seconds(), ask)
    }

    pub fn answer(&self, question: &Question, cache: Cache) -> anyhow::Result<Answer> {
        let mut body = request(&question.sql, cache);
        if question.form == Form::Arrow {
            return Answer::read_stream(&self.server.ask_arrow(&body)?);
        }
        body["resultFormat"] = json!("arrayLines");
        for name in ["header", "sqlTypesHeader"] {
            body[name] = json!(true);
        }
        Answer::parse(std::str::from_utf8(&self.server.ask(&body)?).context("JSON is UTF-8")?)
    }

    /// How long each answer took, statement by statement; every client has connections of its own.
    pub fn mix(&self, sql: &[String], cache: Cache, clients: usize, seconds: f64) -> anyhow::Result<Vec<Vec<f64>>> {
        let bodies: Vec<Value> = sql.iter().map(|sql| request(sql, cache)).collect();
        mix::over_http(|| self.server.client(), &bodies, clients, seconds)
    }

    /// Of the table.
    pub fn rows(&self) -> anyhow::Result<u64> {
        let found = self.server.sql(&format!("SELECT COUNT(*) FROM {TABLE}"))?;
        found.first().and_then(|row| row.first()).and_then(Value::as_u64).context("a count is a number")
    }

    /// In words: resident, what of it belongs to no file, and what the server itself says that it holds.
    pub fn memory(&self) -> anyhow::Result<String> {
        let (resident, anonymous) = (self.server.resident_mib()?, self.server.anonymous_mib()?);
        let accounted = accounted_mib(&self.server.get("/metrics")?.context("the server has metrics")?);
        let accounted = accounted.map_or_else(|| "none".to_owned(), |mib| format!("{mib:.0} MiB"));
        Ok(format!("{resident:.0} MiB resident, {anonymous:.0} MiB of it in no file, {accounted} accounted"))
    }
}

/// The sum of `henge_memory_bytes`, which is apart for each that holds some; `None` where the server does not say.
fn accounted_mib(metrics: &str) -> Option<f64> {
    let of_holders = metrics.lines().filter(|line| line.starts_with("henge_memory_bytes"));
    let bytes: Vec<f64> = of_holders.filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
    (!bytes.is_empty()).then(|| bytes.iter().sum::<f64>() / f64::from(1 << 20))
}

/// Whose answer is for a program that wants rows.
fn request(sql: &str, cache: Cache) -> Value {
    let is_on = cache == Cache::On;
    let context = json!({ "useCache": is_on, "populateCache": is_on });
    json!({ "query": sql, "resultFormat": "array", "context": context })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounted_memory_is_the_sum_of_its_holders() {
        let metrics = "# TYPE henge_memory_bytes gauge\nhenge_memory_bytes{holder=\"queries\"} 1048576\n\
                       henge_memory_bytes{holder=\"open\"} 2097152\nhenge_other 5\n";
        assert_eq!(accounted_mib(metrics), Some(3.0));
        assert_eq!(accounted_mib("henge_other 5\n"), None);
    }
}
