//! Several clients at once, each asking the next query as soon as it has the answer to the last.
//!
//! Then once more with events that arrive meanwhile, which Henge's peers are spared.
//!
//! What they ask: seven dashboards of some cluster in ten queries, else what looks at the fleet; the same for all systems.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::arriving::Arriving;
use super::henge::Cache;
use super::systems::{System, Systems};
use super::workload::{self, Bound, Workload};
use crate::cmu::fleet::Fleet;
use crate::cmu::parameters::Parameters;
use crate::cmu::random::{Purpose, Random};
use crate::server::Client;

/// Parts of a hundred, and the queries that share them evenly.
const SHARES: [(u64, &[&str]); 8] = [
    (70, &["M5-hot", "M6", "M7", "M8"]),
    (10, &["M1", "M2"]),
    (5, &["M3"]),
    (5, &["M10"]),
    (4, &["M12"]),
    (3, &["M16-like", "M16-regex", "M17", "M18"]),
    (2, &["M20", "M21"]),
    (1, &["M4", "M13"]),
];
/// Different statements, in the order in which they are asked.
const STATEMENTS: u64 = 1_000;
/// What a client may wait for a dashboard of one cluster, and for anything else.
const DASHBOARD_MS: f64 = 100.0;
const OTHER_MS: f64 = 500.0;

/// How the clients are, at the command line.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// Clients at once, one run for each number; none without it.
    #[arg(long = "clients", value_delimiter = ',')]
    pub clients: Vec<usize>,
    /// Length of such a run.
    #[arg(long = "mix-seconds", default_value_t = 20.0)]
    pub seconds: f64,
    /// Events a second that arrive in Henge in one more run for each number of clients.
    #[arg(long = "mix-ingest", value_name = "EVENTS")]
    pub ingest: Option<u64>,
}

/// What a run of one system came to.
struct Figures {
    per_second: f64,
    in_time_per_second: f64,
    dashboard_p99_ms: f64,
    other_p99_ms: f64,
}

/// Runs every system by itself with each number of clients and prints a table.
pub fn run(systems: &mut Systems, workload: &Workload, options: &super::Options) -> anyhow::Result<()> {
    let seconds = options.mix.seconds;
    if options.mix.clients.is_empty() {
        return Ok(());
    }
    let (fleet, parameters) = workload.fleet.as_ref().context("the mix asks of cluster metering and usage")?;
    let asked = statements(fleet, parameters)?;
    let of_system = |system: System| -> Vec<String> {
        asked.iter().map(|asked| asked.query.sql(system.dialect(), system.table(), &asked.places)).collect()
    };
    println!(
        "\n| clients | system | queries/s | within {DASHBOARD_MS:.0} ms (dashboards) or {OTHER_MS:.0} ms | of the best peer \
         | p99 of dashboards, ms | p99 of others, ms |\n|---|---|---|---|---|---|---|"
    );
    for clients in &options.mix.clients {
        let mut of_systems = Vec::new();
        for system in systems.chosen.clone() {
            let latencies_ms = systems.mix(system, &of_system(system), *clients, seconds);
            let figures = latencies_ms.and_then(|latencies_ms| figures(&asked, &latencies_ms, seconds));
            of_systems.push((system.name().to_owned(), system.is_peer(), figures));
        }
        if let Some(per_second) = options.mix.ingest {
            let mut arriving = Arriving::start(workload, &systems.folder, &options.store, per_second)?;
            let latencies_ms = arriving.henge.mix(&of_system(System::Henge), Cache::Off, *clients, seconds)?;
            let name = format!("henge, {:.0} events/s arriving", arriving.finish(seconds)?);
            of_systems.push((name, false, figures(&asked, &latencies_ms, seconds)));
        }
        print(*clients, &of_systems);
    }
    Ok(())
}

fn print(clients: usize, of_systems: &[(String, bool, anyhow::Result<Figures>)]) {
    let of_peers = of_systems.iter().filter(|(_, is_peer, _)| *is_peer).filter_map(|(.., of)| of.as_ref().ok());
    let best_peer = of_peers.map(|of| of.in_time_per_second).max_by(f64::total_cmp);
    for (name, _, of) in of_systems {
        match of {
            Ok(of) => println!(
                "| {clients} | {name} | {:.1} | {:.1} | {} | {:.1} | {:.0} |",
                of.per_second,
                of.in_time_per_second,
                best_peer.map_or("-".into(), |best| format!("{:.1}x", of.in_time_per_second / best)),
                of.dashboard_p99_ms,
                of.other_p99_ms
            ),
            Err(error) => println!("| {clients} | {name} | {error:#} | | | | |"),
        }
    }
}

/// How long each answer took, statement by statement; every client has connections of its own.
pub fn over_http(
    connect: impl Fn() -> anyhow::Result<Client> + Sync,
    bodies: &[Value],
    clients: usize,
    seconds: f64,
) -> anyhow::Result<Vec<Vec<f64>>> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let client = |first: usize| -> anyhow::Result<Vec<(usize, f64)>> {
        let client = connect()?;
        let (mut latencies_ms, mut number) = (Vec::new(), first);
        while Instant::now() < end {
            let statement = number % bodies.len();
            let started = Instant::now();
            client.ask(&bodies[statement])?;
            latencies_ms.push((statement, started.elapsed().as_secs_f64() * 1e3));
            number += clients;
        }
        Ok(latencies_ms)
    };
    let mut latencies_ms = vec![Vec::new(); bodies.len()];
    std::thread::scope(|scope| {
        let client = &client;
        let running: Vec<_> = (0..clients).map(|first| scope.spawn(move || client(first))).collect();
        running.into_iter().try_for_each(|client| {
            for (statement, ms) in client.join().expect("a client returns its error")? {
                latencies_ms[statement].push(ms);
            }
            anyhow::Ok(())
        })
    })?;
    Ok(latencies_ms)
}

/// Clusters by their activity, as their events are.
fn statements(fleet: &Fleet, parameters: &Parameters) -> anyhow::Result<Vec<Bound>> {
    let queries = workload::cmu_queries()?;
    let find =
        |id: &str| queries.iter().find(|query| query.id == id).cloned().with_context(|| format!("no query {id}"));
    let statement = |number| {
        let mut random = Random::new(fleet.seed, Purpose::Mix, number);
        let mut place = random.below(SHARES.iter().map(|(share, _)| share).sum());
        let (_, ids) = SHARES
            .iter()
            .find(|(share, _)| {
                let is_here = place < *share;
                place = place.saturating_sub(*share);
                is_here
            })
            .context("a place lies within the sum")?;
        let query = find(ids[random.below(ids.len() as u64) as usize])?;
        let rank = random.zipf(fleet.clusters.len() as u64, 1.0);
        let places = workload::cmu_places(&query, &parameters.of_rank(fleet, rank));
        Ok(Bound { query, places })
    };
    (0..STATEMENTS).map(statement).collect()
}

fn figures(asked: &[Bound], latencies_ms: &[Vec<f64>], seconds: f64) -> anyhow::Result<Figures> {
    let (mut dashboards, mut others) = (Vec::new(), Vec::new());
    for (Bound { query, .. }, of_statement) in asked.iter().zip(latencies_ms) {
        let kind = if query.dashboard && query.id != "M10" { &mut dashboards } else { &mut others };
        kind.extend_from_slice(of_statement);
    }
    let count = dashboards.len() + others.len();
    ensure!(count > 0, "nothing was answered");
    let in_time = |ms: &[f64], bound: f64| ms.iter().filter(|ms| **ms <= bound).count();
    let in_time = in_time(&dashboards, DASHBOARD_MS) + in_time(&others, OTHER_MS);
    Ok(Figures {
        per_second: count as f64 / seconds,
        in_time_per_second: in_time as f64 / seconds,
        dashboard_p99_ms: p99(dashboards),
        other_p99_ms: p99(others),
    })
}

/// Zero of nothing.
fn p99(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) * 99 / 100).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::query::Place;
    use super::*;

    #[test]
    fn most_of_the_statements_are_dashboards_of_busy_clusters() {
        let fleet = Fleet::new(1, 100_000, 2_000);
        let asked = statements(&fleet, &Parameters::of(&fleet)).expect("the queries are there");
        let dashboards = asked.iter().filter(|asked| ["M5-hot", "M6", "M7", "M8"].contains(&asked.query.id.as_str()));
        assert!((650..750).contains(&dashboards.count()));
        let busiest = ("c".to_owned(), Place::Text(format!("lkc-{:06x}", fleet.clusters[0].id)));
        assert!(asked.iter().filter(|asked| asked.places.contains(&busiest)).count() > 50);
    }

    #[test]
    fn a_slow_answer_does_not_count_as_one_in_time() {
        let fleet = Fleet::new(1, 100_000, 2_000);
        let asked = statements(&fleet, &Parameters::of(&fleet)).expect("the queries are there");
        let latencies: Vec<Vec<f64>> = asked.iter().map(|_| vec![50.0, 501.0]).collect();
        let of = figures(&asked, &latencies, 10.0).expect("something was answered");
        assert_eq!((of.per_second, of.in_time_per_second), (200.0, 100.0));
    }
}
