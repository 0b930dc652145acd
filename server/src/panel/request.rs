//! The body of a request, as typed values. Members that are not known are left alone.

use std::collections::BTreeMap;

use henge_segment_store::time::TimestampMs;
use serde::Deserialize;

use super::ad_hoc::AdHocFilter;
use super::builder::{BuilderQuery, TopQuery};
use super::logs::LogsQuery;
use super::metrics::MetricsQuery;
use super::variable::Variable;

/// `POST /henge/v1/panel/query`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PanelRequest {
    pub query: PanelQuery,
    #[serde(flatten)]
    pub surroundings: Surroundings,
}

/// What a panel asks.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "mode", rename_all = "camelCase")]
pub enum PanelQuery {
    Sql(SqlQuery),
    Builder(BuilderQuery),
    Top(TopQuery),
    Logs(LogsQuery),
    Metrics(MetricsQuery),
}

/// A statement with macros and variables.
#[derive(Debug, Clone, Deserialize)]
pub struct SqlQuery {
    pub sql: String,
    #[serde(default)]
    pub format: Format,
}

/// What the rows of an answer are wanted as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    TimeSeries,
    #[default]
    Table,
    Logs,
}

/// What the dashboard around a panel says.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Surroundings {
    pub range: Option<Range>,
    pub interval_ms: Option<f64>,
    pub max_data_points: Option<f64>,
    pub time_zone: Option<String>,
    pub variables: BTreeMap<String, Variable>,
    pub filters: Vec<AdHocFilter>,
    pub include_partial_bucket: bool,
    pub query_id: Option<String>,
    /// Off, everything is planned and computed anew; the answer is the same.
    pub use_caches: bool,
}

impl Surroundings {
    /// All time, where nobody says which.
    pub fn with_range(&self) -> Self {
        let all = Range { from: TimestampMs::MIN.0, to: TimestampMs::MAX.0 };
        Self { range: self.range.or(Some(all)), ..self.clone() }
    }
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            range: None,
            interval_ms: None,
            max_data_points: None,
            time_zone: None,
            variables: BTreeMap::new(),
            filters: Vec::new(),
            include_partial_bucket: false,
            query_id: None,
            use_caches: true,
        }
    }
}

/// Half-open, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Range {
    pub from: i64,
    pub to: i64,
}
