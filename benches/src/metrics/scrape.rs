use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::MINUTE_MS;
use crate::server::{Client, Server};

/// Metrics that are exported at once.
pub const METRICS: usize = 20;
/// Resources that a scrape names.
const RESOURCES: usize = 1_000;

/// What a scraper waited for.
pub struct Scraped {
    resources: usize,
    points: usize,
    pub latencies_ms: Vec<f64>,
}

impl Scraped {
    pub fn name(&self) -> String {
        format!("export of {} resources x {METRICS} metrics, {} points, ms", self.resources, self.points)
    }
}

/// The name of one of [`METRICS`].
pub fn metric(number: usize) -> String {
    format!("exported_{number}")
}

/// Scrapes resources that have a point in the newest complete minute.
pub fn latencies_ms(server: &Server, scrapes: usize) -> anyhow::Result<Scraped> {
    const WARM_UP: usize = 2;
    let client = server.client()?;
    let minute_ms = complete_until_ms(&client)?.div_euclid(MINUTE_MS) * MINUTE_MS - MINUTE_MS;
    let resources = resources(server, minute_ms)?;
    let metrics: Vec<String> = (0..METRICS).map(|number| format!("metric={}", metric(number))).collect();
    let path = format!("/v2/metrics/bench/export?resource.kafka.id={}&{}", resources.join(","), metrics.join("&"));
    let (mut latencies_ms, mut points) = (Vec::new(), 0);
    for scrape in 0..WARM_UP + scrapes {
        let started = Instant::now();
        let text = client.get(&path)?.context("the server has nothing to export")?;
        if scrape >= WARM_UP {
            latencies_ms.push(started.elapsed().as_secs_f64() * 1e3);
        }
        points = text.lines().filter(|line| line.starts_with("exported_")).count();
    }
    ensure!(points > 0, "no minute before {minute_ms} has points");
    Ok(Scraped { resources: resources.len(), points, latencies_ms })
}

/// Of what answers are made of.
fn complete_until_ms(client: &Client) -> anyhow::Result<i64> {
    let question = json!({ "metric": metric(0), "group_by": ["resource.kafka.id"], "limit": 1 });
    let answer: Value = serde_json::from_slice(&client.post("/v2/metrics/bench/attributes", &question)?)?;
    let until = answer["meta"]["complete_until"].as_str().context("nothing is known to be complete")?;
    Ok(until.parse::<jiff::Timestamp>()?.as_millisecond())
}

fn resources(server: &Server, minute_ms: i64) -> anyhow::Result<Vec<String>> {
    let rows = server.sql(&format!(
        "SELECT DISTINCT cluster_id FROM events WHERE __time >= MILLIS_TO_TIMESTAMP({minute_ms}) \
         AND __time < MILLIS_TO_TIMESTAMP({}) ORDER BY 1 LIMIT {RESOURCES}",
        minute_ms + MINUTE_MS
    ))?;
    let texts = rows.iter().filter_map(|row| row.first().and_then(Value::as_str).map(str::to_owned));
    Ok(texts.collect())
}
