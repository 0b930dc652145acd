//! How long does a dashboard of twenty panels take of the server, with all caches off and once everything was asked before?
//!
//! Data: the standard workload in segments, 10 million events of a day, as `peers` has it. The panels ask by
//! `/henge/v1/panel/query`, one after the other, over six hours that end with the data; half of them are of one cluster, half of
//! all. Each number is the least of several rounds, from request to the last byte of the answer.

use std::time::Instant;

use serde_json::{Value, json};

use crate::cmu::parameters::Parameters;
use crate::peers::served::{self, Served};
use crate::server::Client;

const ROWS: u64 = 10_000_000;
const QUERY: &str = "/henge/v1/panel/query";
const HOUR_MS: i64 = 3_600_000;
/// Milliseconds of all panels together, cold and warm, of the issue.
const BOUNDS: (f64, f64) = (150.0, 20.0);

/// What may be changed at the command line.
#[derive(clap::Args)]
pub struct Options {
    /// Of which the fastest counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[command(flatten)]
    served: served::Options,
}

struct Panel {
    name: &'static str,
    query: Value,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let served = Served::start(&options.served, ROWS)?;
    let client = served.server().client()?;
    println!("\n| panel | cold, ms | warm, ms |\n|---|---|---|");
    let (mut cold_ms, mut warm_ms) = (0.0, 0.0);
    for panel in panels() {
        let cold = fastest(&client, &panel, &served.parameters, options.rounds, false)?;
        let warm = fastest(&client, &panel, &served.parameters, options.rounds + 1, true)?;
        println!("| {} | {cold:.2} | {warm:.2} |", panel.name);
        cold_ms += cold;
        warm_ms += warm;
    }
    println!("| all, bounds {} and {} | {cold_ms:.1} | {warm_ms:.1} |", BOUNDS.0, BOUNDS.1);
    Ok(())
}

fn fastest(
    client: &Client,
    panel: &Panel,
    parameters: &Parameters,
    rounds: usize,
    use_caches: bool,
) -> anyhow::Result<f64> {
    let range = json!({ "from": parameters.end_ms - 6 * HOUR_MS, "to": parameters.end_ms });
    let body = json!({
        "query": panel.query, "range": range, "intervalMs": 60_000, "useCaches": use_caches,
        "variables": { "cluster": { "values": [parameters.hot.cluster] } },
    });
    let mut least = f64::INFINITY;
    for _ in 0..rounds {
        let started = Instant::now();
        client.post(QUERY, &body)?;
        least = least.min(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(least)
}

fn panels() -> Vec<Panel> {
    let cluster = || json!([{ "column": "cluster_id", "operator": "=", "values": ["$cluster"] }]);
    let everything = || json!([]);
    let measure = |aggregate: &str, column: &str| json!({ "aggregate": aggregate, "column": column });
    let series = |name, measures: Value, groups: Value, conditions: Value| Panel {
        name,
        query: json!({
            "mode": "builder", "format": "timeSeries", "datasource": "events", "measures": measures, "groupBy": groups,
            "timeBucket": "auto", "fill": "zero", "where": conditions,
        }),
    };
    let number = |name, measures: Value, conditions: Value| Panel {
        name,
        query: json!({ "mode": "builder", "datasource": "events", "measures": measures, "where": conditions }),
    };
    let top = |name, dimension: &str, column: &str, conditions: Value| Panel {
        name,
        query: json!({
            "mode": "top", "datasource": "events", "dimension": dimension, "measure": measure("sum", column),
            "where": conditions, "limit": 10,
        }),
    };
    let sql =
        |name, text: &str, format: &str| Panel { name, query: json!({ "mode": "sql", "sql": text, "format": format }) };
    let (bytes_in, bytes_out) = (measure("sum", "bytes_in"), measure("sum", "bytes_out"));
    let (requests, errors) = (measure("sum", "requests"), measure("sum", "errors"));
    let five = |column: &str| json!([{ "column": column, "top": 5, "other": true }]);
    vec![
        number("sums of a cluster", json!([bytes_in, bytes_out, requests, errors]), cluster()),
        number("topics of a cluster", json!([measure("countDistinct", "topic")]), cluster()),
        series(
            "rates of a cluster",
            json!([measure("rate", "bytes_in"), measure("rate", "bytes_out")]),
            json!([]),
            cluster(),
        ),
        series("requests of a cluster", json!([requests, errors]), json!([]), cluster()),
        series("topics over time", json!([bytes_in]), five("topic"), cluster()),
        series("principals over time", json!([requests]), five("principal"), cluster()),
        top("largest topics", "topic", "bytes_in", cluster()),
        top("largest principals", "principal", "requests", cluster()),
        sql(
            "a table of topics",
            "SELECT topic, SUM(bytes_in) AS bytes_in, SUM(errors) AS errors FROM events WHERE $__timeFilter(__time) \
             AND cluster_id = $cluster GROUP BY topic ORDER BY 2 DESC LIMIT 100",
            "table",
        ),
        Panel {
            name: "newest events",
            query: json!({ "mode": "logs", "datasource": "events", "where": cluster(), "limit": 100 }),
        },
        number("sums of all", json!([bytes_in, bytes_out, requests, errors]), everything()),
        number("clusters", json!([measure("approxCountDistinct", "cluster_id")]), everything()),
        series("bytes of all", json!([bytes_in, bytes_out]), json!([]), everything()),
        series("requests of all", json!([requests, errors]), json!([]), everything()),
        series("regions over time", json!([bytes_in]), json!([{ "column": "region" }]), everything()),
        series("clouds over time", json!([bytes_in]), json!([{ "column": "cloud" }]), everything()),
        top("regions", "region", "bytes_in", everything()),
        top("kinds of clusters", "cluster_type", "requests", everything()),
        top("largest clusters", "cluster_id", "bytes_in", everything()),
        sql(
            "errors of a hundred",
            "SELECT $__timeGroupAlias(__time, '5m'), 100.0 * SUM(errors) / NULLIF(SUM(requests), 0) AS errors \
             FROM events WHERE $__timeFilter(__time) GROUP BY 1",
            "timeSeries",
        ),
    ]
}
