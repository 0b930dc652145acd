//! How long does a tenant's dashboard wait for the metrics API, alone and in a storm of dashboards?
//!
//! Data: the standard workload in segments, as `peers` has it, with a dataset over it. The dashboard: one cluster, minute by
//! minute over six hours, each time another cluster and other hours. The storm: each viewer asks all queries of a
//! dashboard in every period, spread evenly, over the three hours before a moment that moves on by a minute a period.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cmu::parameters::Parameters;
use crate::peers::served::{self, Served};
use crate::percentile;
use crate::server::{Client, Server};

const ROWS: u64 = 10_000_000;
const QUERY: &str = "/v2/metrics/bench/query";
const MINUTE_MS: i64 = 60_000;
/// Milliseconds at the 50th and the 99th percentile, of the issue.
const DASHBOARD_BOUNDS: (f64, f64) = (2.0, 10.0);
/// Milliseconds at the 90th percentile, of the issue; there events arrive meanwhile.
const STORM_BOUND: f64 = 10.0;

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
    #[command(flatten)]
    served: served::Options,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let served = Served::start(&options.served, ROWS)?;
    let client = served.server().client()?;
    client.put("/henge/v1/datasets/bench", &dataset())?;
    println!("\n| metrics | p50, ms | p90, ms | p99, ms | bound |\n|---|---|---|---|---|");
    let dashboard = dashboard(&client, &served.parameters, options.asks)?;
    print("a cluster, PT1M over 6 h", dashboard, &format!("p50 {}, p99 {}", DASHBOARD_BOUNDS.0, DASHBOARD_BOUNDS.1));
    let storm = storm(served.server(), &served.parameters, options)?;
    let name = format!("{} queries x {} viewers in {} s", options.queries, options.viewers, options.period);
    print(&name, storm, &format!("p90 {STORM_BOUND} while 50,000 events/s arrive, which here do not"));
    Ok(())
}

fn dataset() -> Value {
    let metric = |measure: &str| {
        json!({
            "datasource": "events", "measure": measure, "kind": "counter", "unit": "1", "resources": ["kafka"],
            "labels": { "topic": "topic", "partition": "partition", "principal_id": "principal" },
        })
    };
    json!({
        "resources": { "kafka": { "id": "cluster_id" } },
        "metrics": {
            "bytes_in": metric("bytes_in"), "bytes_out": metric("bytes_out"),
            "requests": metric("requests"), "errors": metric("errors"),
        },
    })
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

fn storm(server: &Server, parameters: &Parameters, options: &Options) -> anyhow::Result<Vec<f64>> {
    let clusters = clusters(parameters);
    let pause = Duration::from_secs_f64(options.period / options.queries as f64);
    let start = Instant::now() + Duration::from_secs(1);
    let viewer = |viewer: usize| -> anyhow::Result<Vec<f64>> {
        let (client, mut latencies_ms) = (server.client()?, Vec::new());
        // Viewers come evenly, and so do a viewer's queries.
        let shift = pause.mul_f64(viewer as f64 / options.viewers as f64);
        for number in 0..options.periods * options.queries {
            let (period, query) = (number / options.queries, number % options.queries);
            let due = start + shift + pause * number as u32;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let metric = ["bytes_in", "bytes_out", "requests", "errors"][query % 4];
            let group_by: &[&str] = if query % 8 < 4 { &["metric.topic"] } else { &[] };
            let end_ms = parameters.end_ms - 60 * MINUTE_MS + period as i64 * MINUTE_MS;
            let question = question(metric, clusters[query / 8 % clusters.len()], group_by, 180, end_ms);
            client.post_any(QUERY, &question)?;
            // Waiting behind an earlier query counts, too.
            latencies_ms.push(due.elapsed().as_secs_f64() * 1e3);
        }
        Ok(latencies_ms)
    };
    let viewer = &viewer;
    thread::scope(|scope| {
        let viewers: Vec<_> = (0..options.viewers).map(|number| scope.spawn(move || viewer(number))).collect();
        let mut all = Vec::new();
        for viewer in viewers {
            all.extend(viewer.join().expect("a viewer returns its error")?);
        }
        Ok(all)
    })
}

fn print(name: &str, mut latencies_ms: Vec<f64>, bound: &str) {
    let [p50, p90, p99] = [50, 90, 99].map(|of_hundred| percentile(&mut latencies_ms, of_hundred));
    println!("| {name} | {p50:.2} | {p90:.2} | {p99:.2} | {bound} |");
}
