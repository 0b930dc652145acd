//! Several clients at once, each asking the next query as soon as it has the answer to the last.
//!
//! What they ask: seven dashboards of some cluster in ten queries, else what looks at the fleet; the same for all systems.

use anyhow::{Context, ensure};

use super::query::{self, Query};
use super::systems::Systems;
use crate::cmu::fleet::Fleet;
use crate::cmu::parameters::Parameters;
use crate::cmu::random::{Purpose, Random};

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
#[group(id = "mix")]
pub struct Options {
    /// Clients at once, one run for each number; none without it.
    #[arg(long = "clients", value_delimiter = ',')]
    pub clients: Vec<usize>,
    /// Length of such a run.
    #[arg(long = "mix-seconds", default_value_t = 20.0)]
    pub seconds: f64,
}

/// What a run of one system came to.
struct Figures {
    per_second: f64,
    in_time_per_second: f64,
    dashboard_p99_ms: f64,
    other_p99_ms: f64,
}

/// Runs every system by itself with each number of clients and prints a table.
pub fn run(systems: &mut Systems, fleet: &Fleet, parameters: &Parameters, options: &Options) -> anyhow::Result<()> {
    if options.clients.is_empty() {
        return Ok(());
    }
    let asked = statements(fleet, parameters)?;
    println!(
        "\n| clients | system | queries/s | within {DASHBOARD_MS:.0} ms (dashboards) or {OTHER_MS:.0} ms | p99 of dashboards, ms \
         | p99 of others, ms |\n|---|---|---|---|---|---|"
    );
    for clients in &options.clients {
        for system in systems.chosen.clone() {
            let sql: Vec<String> = asked
                .iter()
                .map(|(query, parameters)| query.sql(system.dialect(), system.table(), parameters))
                .collect();
            match systems.mix(system, &sql, *clients, options.seconds) {
                Ok(latencies_ms) => {
                    let of = figures(&asked, &latencies_ms, options.seconds)?;
                    println!(
                        "| {clients} | {} | {:.0} | {:.0} | {:.1} | {:.0} |",
                        system.name(),
                        of.per_second,
                        of.in_time_per_second,
                        of.dashboard_p99_ms,
                        of.other_p99_ms
                    );
                }
                Err(error) => println!("| {clients} | {} | {error:#} | | | |", system.name()),
            }
        }
    }
    Ok(())
}

/// Clusters by their activity, as their events are.
fn statements(fleet: &Fleet, parameters: &Parameters) -> anyhow::Result<Vec<(Query, Parameters)>> {
    let queries = query::chosen(&[])?;
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
        Ok((query, parameters.of_rank(fleet, rank)))
    };
    (0..STATEMENTS).map(statement).collect()
}

fn figures(asked: &[(Query, Parameters)], latencies_ms: &[Vec<f64>], seconds: f64) -> anyhow::Result<Figures> {
    let (mut dashboards, mut others) = (Vec::new(), Vec::new());
    for ((query, _), of_statement) in asked.iter().zip(latencies_ms) {
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
    use super::*;

    #[test]
    fn most_of_the_statements_are_dashboards_of_busy_clusters() {
        let fleet = Fleet::new(1, 100_000, 2_000);
        let asked = statements(&fleet, &Parameters::of(&fleet)).expect("the queries are there");
        let dashboards = asked.iter().filter(|(query, _)| ["M5-hot", "M6", "M7", "M8"].contains(&query.id.as_str()));
        assert!((650..750).contains(&dashboards.count()));
        let busiest = format!("lkc-{:06x}", fleet.clusters[0].id);
        assert!(asked.iter().filter(|(_, parameters)| parameters.hot.cluster == busiest).count() > 50);
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
