//! What is asked: a workload's events and its queries, with what each asks for.

use std::path::Path;

use anyhow::{Context, ensure};

use super::Options;
use super::query::{self, Place, Places, Query};
use crate::cmu;
use crate::cmu::fleet::Fleet;
use crate::cmu::parameters::Parameters;
use crate::reader::{self, Layout};
use crate::tsbs::{self, Hosts};

const CMU: &str = include_str!("../../queries/cmu.toml");
const KERNELS: &str = include_str!("../../queries/kernels.toml");
const TSBS: &str = include_str!("../../queries/tsbs.toml");
/// The hours that the suite's windows are long.
const TSBS_HOURS: [i64; 3] = [1, 8, 12];

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Name {
    /// Cluster metering and usage: M1 to M21.
    Cmu,
    /// The same events, one query for each kernel of the operators.
    Kernels,
    /// The time series benchmark suite's devops queries, cpu only.
    Tsbs,
}

/// A query and what it asks for.
#[derive(Debug, Clone)]
pub struct Bound {
    pub query: Query,
    pub places: Places,
}

pub struct Workload {
    pub rows: u64,
    pub layout: &'static Layout,
    pub queries: Vec<Bound>,
    /// Of cluster metering and usage.
    pub fleet: Option<(Fleet, Parameters)>,
}

impl Workload {
    /// Makes the events unless `folder` has them.
    pub fn generate(options: &Options, folder: &Path) -> anyhow::Result<Self> {
        match options.workload {
            Name::Cmu => Self::cmu(CMU, options, folder),
            Name::Kernels => Self::cmu(KERNELS, options, folder),
            Name::Tsbs => Self::tsbs(options, folder),
        }
    }

    fn cmu(file: &str, options: &Options, folder: &Path) -> anyhow::Result<Self> {
        let clusters = options.clusters.unwrap_or(200_000);
        let rows = options.rows.unwrap_or(10_000_000);
        Self::of_fleet(query::chosen(file, &options.queries)?, rows, clusters, options.seed, folder)
    }

    /// The standard workload with all its queries.
    pub fn standard(rows: u64, clusters: u64, seed: u64, folder: &Path) -> anyhow::Result<Self> {
        Self::of_fleet(cmu_queries()?, rows, clusters, seed, folder)
    }

    fn of_fleet(queries: Vec<Query>, rows: u64, clusters: u64, seed: u64, folder: &Path) -> anyhow::Result<Self> {
        ensure!(rows > 0 && clusters > 0, "there must be something to measure");
        let fleet = Fleet::new(seed, rows, clusters);
        let parameters = cmu::generate(&fleet, folder)?;
        let bound = |query: Query| Bound { places: cmu_places(&query, &parameters), query };
        let queries = queries.into_iter().map(bound).collect();
        Ok(Self { rows, layout: &reader::CMU, queries, fleet: Some((fleet, parameters)) })
    }

    fn tsbs(options: &Options, folder: &Path) -> anyhow::Result<Self> {
        let count = options.clusters.unwrap_or(400);
        let hosts = Hosts::new(options.rows.unwrap_or(10_368_000), count.max(1), options.seed);
        tsbs::generate(&hosts, folder)?;
        let chosen = query::chosen(TSBS, &options.queries)?;
        let bound = |(number, query)| Bound { places: tsbs_places(&hosts, number as u64), query };
        let queries = chosen.into_iter().enumerate().map(bound).collect();
        Ok(Self { rows: hosts.rows(), layout: &tsbs::LAYOUT, queries, fleet: None })
    }

    /// What rows of segments are sorted by, where the command line does not say.
    pub fn default_sort(&self) -> Vec<String> {
        let columns: &[&str] =
            if self.fleet.is_some() { &["cluster_id", "metric", "__time"] } else { &["hostname", "__time"] };
        columns.iter().map(|column| (*column).to_owned()).collect()
    }

    /// Events of its kind.
    pub fn fleet(&self) -> anyhow::Result<&Fleet> {
        Ok(&self.fleet.as_ref().context("only events of cluster metering and usage are made one by one")?.0)
    }
}

/// The queries of the standard workload.
pub fn cmu_queries() -> anyhow::Result<Vec<Query>> {
    query::chosen(CMU, &[])
}

/// In braces: `now` and before it, a cluster of the query's rank and what belongs to it.
pub fn cmu_places(query: &Query, parameters: &Parameters) -> Places {
    let of = parameters.cluster(query.rank);
    let mut places: Places = [
        ("now", 0),
        ("now-5m", 5),
        ("now-15m", 15),
        ("now-1h", 60),
        ("now-6h", 360),
        ("now-23h", 1_380),
        ("now-24h", 1_440),
    ]
    .map(|(name, minutes_ago)| (name.into(), Place::Instant(parameters.end_ms - minutes_ago * 60_000)))
    .into();
    let texts = [
        ("c", of.cluster.clone()),
        ("o", of.org.clone()),
        ("p", of.pkc.clone()),
        ("t", of.topics[0].clone()),
        ("topics", list(&of.topics)),
        ("m", parameters.metric.clone()),
        ("many", list(&parameters.many)),
    ];
    places.extend(texts.map(|(name, text)| (name.into(), Place::Text(text))));
    places
}

/// In braces: `from_8h` and `to_8h` of a window of eight hours, and `hosts_8` different hosts.
fn tsbs_places(hosts: &Hosts, number: u64) -> Places {
    let mut places = Places::new();
    for hours in TSBS_HOURS {
        let (from, to) = tsbs::window_ms(hosts, number, hours);
        places.push((format!("from_{hours}h"), Place::Instant(from)));
        places.push((format!("to_{hours}h"), Place::Instant(to)));
    }
    for count in [1, 8] {
        places.push((format!("hosts_{count}"), Place::Text(list(&tsbs::some_hosts(hosts, number, count)))));
    }
    places
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::dialect::Dialect;
    use super::*;

    const DIALECTS: [Dialect; 5] =
        [Dialect::Henge, Dialect::DuckDb, Dialect::ClickHouse, Dialect::DataFusion, Dialect::Druid];

    #[test]
    fn every_place_in_a_query_is_filled_for_every_system() {
        let parameters = Parameters::of(&Fleet::new(1, 100_000, 2_000));
        let hosts = Hosts::new(100_000, 10, 1);
        for (file, count) in [(CMU, 25), (KERNELS, 10), (TSBS, 15)] {
            let queries = query::chosen(file, &[]).expect("the file is part of this crate");
            assert_eq!(queries.len(), count);
            for query in queries {
                let places = if file == TSBS { tsbs_places(&hosts, 1) } else { cmu_places(&query, &parameters) };
                let mut all: Vec<String> = DIALECTS.map(|dialect| query.sql(dialect, "events", &places)).into();
                all.push(query.oracle("events", &places));
                all.extend(query.limit_count("events", &places));
                for sql in all {
                    assert!(!sql.contains('{') && !sql.contains('}') && sql.contains("events"), "{}: {sql}", query.id);
                }
            }
        }
    }
}
