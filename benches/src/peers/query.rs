//! The queries, as each system is asked for them.

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::comparison::Top;
use super::dialect::{Bucket, Dialect};
use crate::cmu::parameters::Rank;

/// What stands in braces in a query's text, by name.
pub type Places = Vec<(String, Place)>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Text(String),
    /// Milliseconds since 1970; systems write it differently.
    Instant(i64),
}

/// One query of the workload, with what differs by system.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Query {
    pub id: String,
    pub title: String,
    /// Which cluster it asks for.
    #[serde(default)]
    pub rank: Rank,
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

/// Of a file's queries those of these ids in their order, or all of them.
pub fn chosen(file: &str, ids: &[String]) -> anyhow::Result<Vec<Query>> {
    let all: File = toml::from_str(file).context("a file of queries")?;
    let is_wanted = |query: &Query, id: &String| *id == query.id || query.id.split('-').next() == Some(id);
    for id in ids {
        ensure!(all.query.iter().any(|query| is_wanted(query, id)), "there is no query {id}");
    }
    let wanted = |query: &Query| ids.is_empty() || ids.iter().any(|id| is_wanted(query, id));
    Ok(all.query.into_iter().filter(wanted).collect())
}

impl Query {
    pub fn sql(&self, dialect: Dialect, table: &str, places: &Places) -> String {
        let own = match dialect {
            Dialect::Henge => &self.henge,
            Dialect::DuckDb => &self.duckdb,
            Dialect::ClickHouse => &self.clickhouse,
            Dialect::DataFusion => &self.datafusion,
            Dialect::Druid => &self.druid,
        };
        rendered(own.as_ref().unwrap_or(&self.sql), dialect, table, places)
    }

    /// DuckDB's exact answer, or the bounds of an approximate one.
    pub fn oracle(&self, table: &str, places: &Places) -> String {
        match &self.oracle {
            Some(oracle) => rendered(oracle, Dialect::DuckDb, table, places),
            None => self.sql(Dialect::DuckDb, table, places),
        }
    }

    /// For the oracle: how many rows, or values, the limit multiplies.
    pub fn limit_count(&self, table: &str, places: &Places) -> Option<String> {
        let of = &self.limit.as_ref()?.of;
        Some(format!("SELECT {}", rendered(of, Dialect::DuckDb, table, places)))
    }
}

fn rendered(template: &str, dialect: Dialect, table: &str, places: &Places) -> String {
    let mut sql = template.trim().to_owned();
    for (place, bucket) in Bucket::ALL {
        sql = sql.replace(place, &dialect.bucket(bucket));
    }
    for (name, place) in places {
        let name = format!("{{{name}}}");
        sql = match place {
            Place::Text(text) => sql.replace(&name, text),
            Place::Instant(ms) => sql.replace(&name, &dialect.instant(*ms)),
        };
    }
    sql.replace("{ts}", dialect.time_column()).replace("{ev}", table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_chooses_all_forms_of_a_query() {
        let file = ["M5-hot", "M5-warm", "M11", "M11-approx"]
            .map(|id| format!("[[query]]\nid = \"{id}\"\ntitle = \"\"\nsql = \"\"\n"))
            .concat();
        let ids = |ids: &[&str]| -> Vec<String> {
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            chosen(&file, &ids).expect("they are there").into_iter().map(|query| query.id).collect()
        };
        assert_eq!(ids(&["M11", "M5-warm"]), ["M5-warm", "M11", "M11-approx"]);
        assert!(chosen(&file, &["M22".to_owned()]).is_err());
    }
}
