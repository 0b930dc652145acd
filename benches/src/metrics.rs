//! How long does a tenant's dashboard wait for the metrics API, alone and in a storm of dashboards while events arrive? How
//! long does a scraper wait? What does it cost to check a key?
//!
//! Data: the standard workload in segments, as `peers` has it, with a dataset over it. The dashboard: one cluster, minute by
//! minute over six hours, each time another cluster and other hours. The storm: each viewer asks all queries of a
//! dashboard in every period, spread evenly, over the three hours before a moment that moves on by a minute a period, the
//! last of which is the hour that events arrive in. The export: the newest complete minute of that hour, once no more come.

mod scrape;
mod storm;

use std::time::Instant;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::cmu::parameters::Parameters;
use crate::peers::served::{self, Served};
use crate::percentile;
use crate::server::{Client, Server};

const ROWS: u64 = 10_000_000;
const MEASURES: [&str; 4] = ["bytes_in", "bytes_out", "requests", "errors"];
const QUERY: &str = "/v2/metrics/bench/query";
const MINUTE_MS: i64 = 60_000;
/// Milliseconds at the 50th and the 99th percentile, of the issue.
const DASHBOARD_BOUNDS: (f64, f64) = (2.0, 10.0);
/// Milliseconds at the 90th percentile, of the issue.
const STORM_BOUND: f64 = 10.0;
/// Milliseconds at the most, of the issue.
const SCRAPE_BOUND: f64 = 150.0;
/// Microseconds, of the issue.
const KEY_CHECK_BOUND: f64 = 20.0;

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    /// Dashboard queries, one after the other.
    #[arg(long, default_value_t = 500)]
    asks: usize,
    #[arg(long, default_value_t = 30)]
    viewers: usize,
    /// Of a dashboard.
    #[arg(long, default_value_t = 64)]
    queries: usize,
    /// Seconds in which a viewer asks all of them.
    #[arg(long, default_value_t = 10.0)]
    period: f64,
    #[arg(long, default_value_t = 3)]
    periods: usize,
    /// Events a second that arrive meanwhile.
    #[arg(long, default_value_t = 50_000)]
    events: u64,
    /// Scrapes of all resources and metrics, one after the other.
    #[arg(long, default_value_t = 20)]
    scrapes: usize,
    /// Requests without and with a key each.
    #[arg(long, default_value_t = 5_000)]
    key_checks: usize,
    #[command(flatten)]
    served: served::Options,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let mut served = Served::start(&options.served, ROWS)?;
    let client = served.server().client()?;
    client.put("/henge/v1/datasets/bench", &dataset())?;
    println!("\n| metrics | p50 | p90 | p99 | bound |\n|---|---|---|---|---|");
    let dashboard = dashboard(&client, &served.parameters, options.asks)?;
    print(
        "a cluster, PT1M over 6 h, ms",
        dashboard,
        &format!("p50 {}, p99 {}", DASHBOARD_BOUNDS.0, DASHBOARD_BOUNDS.1),
    );
    while_events_arrive(&served, options)?;
    let key_check_us = key_check_us(served.server_mut(), options.key_checks)?;
    println!("| a key is checked, us of CPU on average | {key_check_us:.1} | | | {KEY_CHECK_BOUND} |");
    Ok(())
}

fn while_events_arrive(served: &Served, options: &Options) -> anyhow::Result<()> {
    let mut arriving = served.arriving(options.events)?;
    let server = arriving.henge.server();
    server.client()?.put("/henge/v1/datasets/bench", &dataset())?;
    let began = Instant::now();
    let latencies = storm::latencies_ms(server, &served.parameters, options)?;
    let per_second = arriving.finish(began.elapsed().as_secs_f64())?;
    let (queries, viewers, period) = (options.queries, options.viewers, options.period);
    let name = format!("{queries} queries x {viewers} viewers in {period} s, {per_second:.0} events/s arriving, ms");
    print(&name, latencies, &format!("p90 {STORM_BOUND}"));
    let scraped = scrape::latencies_ms(arriving.henge.server(), options.scrapes)?;
    print(&scraped.name(), scraped.latencies_ms, &format!("{SCRAPE_BOUND}"));
    Ok(())
}

fn dataset() -> Value {
    let metric = |measure: &str| {
        json!({
            "datasource": "events", "measure": measure, "kind": "counter", "unit": "1", "resources": ["kafka"],
            "labels": { "topic": "topic", "partition": "partition", "principal_id": "principal" },
        })
    };
    let mut metrics: Map<String, Value> = MEASURES.into_iter().map(|name| (name.to_owned(), metric(name))).collect();
    for number in 0..scrape::METRICS {
        let mut exported = metric(MEASURES[number % MEASURES.len()]);
        // A point for each resource.
        exported["labels"] = json!({});
        metrics.insert(scrape::metric(number), exported);
    }
    json!({ "resources": { "kafka": { "id": "cluster_id" } }, "metrics": metrics })
}

fn question(metric: &str, cluster: &str, group_by: &[&str], minutes: i64, end_ms: i64) -> Value {
    let end_ms = end_ms - end_ms % MINUTE_MS;
    let time =
        |millis: i64| jiff::Timestamp::from_millisecond(millis).map_or_else(|_| String::new(), |at| at.to_string());
    json!({
        "aggregations": [{ "metric": metric }],
        "filter": { "op": "EQ", "field": "resource.kafka.id", "value": cluster },
        "group_by": group_by, "granularity": "PT1M",
        "intervals": [format!("{}/{}", time(end_ms - minutes * MINUTE_MS), time(end_ms))],
    })
}

fn clusters(parameters: &Parameters) -> Vec<&str> {
    let ranked = [&parameters.hot, &parameters.warm, &parameters.cold].map(|ranked| ranked.cluster.as_str());
    ranked.into_iter().chain(parameters.many.iter().map(String::as_str)).collect()
}

/// Milliseconds of each answer.
fn dashboard(client: &Client, parameters: &Parameters, asks: usize) -> anyhow::Result<Vec<f64>> {
    const WARM_UP: usize = 20;
    let (clusters, mut latencies_ms) = (clusters(parameters), Vec::new());
    for ask in 0..WARM_UP + asks {
        let end_ms = parameters.end_ms - (ask as i64 % 600) * MINUTE_MS;
        let question = question("bytes_in", clusters[ask % clusters.len()], &[], 6 * 60, end_ms);
        let started = Instant::now();
        // A cluster that was never busy has nothing to tell, which is an answer as well.
        client.post_any(QUERY, &question)?;
        if ask >= WARM_UP {
            latencies_ms.push(started.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(latencies_ms)
}

/// Microseconds of CPU that a request costs the server more once it needs a key. What is asked is hardly any work.
fn key_check_us(server: &mut Server, asks: usize) -> anyhow::Result<f64> {
    const ASKED: &str = "/v2/metrics/bench/descriptors/resources";
    let cpu_us = |server: &Server| -> anyhow::Result<f64> {
        let (client, before) = (server.client()?, server.cpu_seconds()?);
        for _ in 0..asks {
            client.get(ASKED)?.context("the dataset is declared")?;
        }
        Ok((server.cpu_seconds()? - before) * 1e6 / asks as f64)
    };
    // The first ones pay for what all need.
    cpu_us(server)?;
    let without = cpu_us(server)?;
    server.use_key()?;
    Ok(cpu_us(server)? - without)
}

fn print(name: &str, mut latencies_ms: Vec<f64>, bound: &str) {
    let [p50, p90, p99] = [50, 90, 99].map(|of_hundred| percentile(&mut latencies_ms, of_hundred));
    println!("| {name} | {p50:.2} | {p90:.2} | {p99:.2} | {bound} |");
}
