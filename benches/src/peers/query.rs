//! The queries, as each system is asked for them.

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::comparison::Top;
use super::dialect::{Bucket, Dialect};
use crate::cmu::parameters::{Parameters, Rank};

const CMU: &str = include_str!("../../queries/cmu.toml");

/// One query of the workload, with what differs by system.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    pub id: String,
    pub title: String,
    /// Which cluster it asks for.
    #[serde(default)]
    rank: Rank,
    /// Whether it belongs to the dashboards of one cluster, or one organisation.
    #[serde(default)]
    pub dashboard: bool,
    /// Where a limit leaves rows out.
    pub top: Option<Top>,
    sql: String,
    henge: Option<String>,
    duckdb: Option<String>,
    clickhouse: Option<String>,
    datafusion: Option<String>,
    druid: Option<String>,
    oracle: Option<String>,
    pub limit: Option<Limit>,
}

/// What one core needs at least; the head of the query file says where the figures are from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Nanoseconds for each of what `of` counts.
    pub ns: f64,
    /// The rest of a statement for the oracle: what is counted, of which rows.
    of: String,
}

#[derive(Deserialize)]
struct File {
    query: Vec<Query>,
}

/// The queries of these ids in their order, or all of them.
pub fn chosen(ids: &[String]) -> anyhow::Result<Vec<Query>> {
    let all: File = toml::from_str(CMU).context("queries/cmu.toml")?;
    let is_wanted = |query: &Query, id: &String| *id == query.id || query.id.split('-').next() == Some(id);
    for id in ids {
        ensure!(all.query.iter().any(|query| is_wanted(query, id)), "there is no query {id}");
    }
    let wanted = |query: &Query| ids.is_empty() || ids.iter().any(|id| is_wanted(query, id));
    Ok(all.query.into_iter().filter(wanted).collect())
}

impl Query {
    pub fn sql(&self, dialect: Dialect, table: &str, parameters: &Parameters) -> String {
        let own = match dialect {
            Dialect::Henge => &self.henge,
            Dialect::DuckDb => &self.duckdb,
            Dialect::ClickHouse => &self.clickhouse,
            Dialect::DataFusion => &self.datafusion,
            Dialect::Druid => &self.druid,
        };
        self.rendered(own.as_ref().unwrap_or(&self.sql), dialect, table, parameters)
    }

    /// DuckDB's exact answer, or the bounds of an approximate one.
    pub fn oracle(&self, table: &str, parameters: &Parameters) -> String {
        match &self.oracle {
            Some(oracle) => self.rendered(oracle, Dialect::DuckDb, table, parameters),
            None => self.sql(Dialect::DuckDb, table, parameters),
        }
    }

    /// For the oracle: how many rows, or values, the limit multiplies.
    pub fn limit_count(&self, table: &str, parameters: &Parameters) -> Option<String> {
        let of = &self.limit.as_ref()?.of;
        Some(format!("SELECT {} AS n", self.rendered(of, Dialect::DuckDb, table, parameters)))
    }

    fn rendered(&self, template: &str, dialect: Dialect, table: &str, parameters: &Parameters) -> String {
        let of = parameters.cluster(self.rank);
        let list = |names: &[String]| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let mut sql = template.trim().to_owned();
        for (place, bucket) in Bucket::ALL {
            sql = sql.replace(place, &dialect.bucket(bucket));
        }
        for (place, minutes_ago) in
            [("{now}", 0), ("{now-5m}", 5), ("{now-15m}", 15), ("{now-1h}", 60), ("{now-6h}", 360)]
                .into_iter()
                .chain([("{now-23h}", 23 * 60), ("{now-24h}", 24 * 60)])
        {
            sql = sql.replace(place, &dialect.instant(parameters.end_ms - minutes_ago * 60_000));
        }
        sql.replace("{ts}", dialect.time_column())
            .replace("{ev}", table)
            .replace("{c}", &of.cluster)
            .replace("{o}", &of.org)
            .replace("{p}", &of.pkc)
            .replace("{t}", &of.topics[0])
            .replace("{topics}", &list(&of.topics))
            .replace("{m}", &parameters.metric)
            .replace("{many}", &list(&parameters.many))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmu::fleet::Fleet;

    #[test]
    fn every_place_in_a_query_is_filled_for_every_system() {
        let parameters = Parameters::of(&Fleet::new(1, 100_000, 2_000));
        let queries = chosen(&[]).expect("the file is part of this crate");
        assert_eq!(queries.len(), 25);
        for query in queries {
            let dialects = [Dialect::Henge, Dialect::DuckDb, Dialect::ClickHouse, Dialect::DataFusion, Dialect::Druid];
            let mut all: Vec<String> =
                dialects.iter().map(|dialect| query.sql(*dialect, "events", &parameters)).collect();
            all.push(query.oracle("events", &parameters));
            all.extend(query.limit_count("events", &parameters));
            for sql in all {
                assert!(!sql.contains('{') && !sql.contains('}') && sql.contains("events"), "{}: {sql}", query.id);
            }
        }
    }

    #[test]
    fn a_number_chooses_all_forms_of_a_query() {
        let ids = |ids: &[&str]| -> Vec<String> {
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            chosen(&ids).expect("they are there").into_iter().map(|query| query.id).collect()
        };
        assert_eq!(ids(&["M11", "M5-warm"]), ["M5-warm", "M11", "M11-approx"]);
        assert!(chosen(&["M22".to_owned()]).is_err());
    }
}
