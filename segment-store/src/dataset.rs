//! What the columns of datasources are called by those who read metrics: a dataset names metrics, the resources that they
//! are about, and their labels.
//!
//! ```text
//! field `metric.topic`       <- label `topic` of a metric            <- a dimension of the metric's datasource
//! field `resource.kafka.id`  <- `id` of the resource type `kafka`    <- a dimension of the same name in each datasource
//! a series                   <- one combination of values of all labels of a metric and of its resource types
//! a sample                   <- the metric's measure over one minute of a series, merged as the measure merges
//! ```

mod check;
mod function;
mod label;
mod name;
mod reading;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::function::SeriesFunction;
pub use self::label::Label;
pub use self::name::{DatasetName, DatasetNameError};
use crate::schema::DataSourceName;

/// The length of a sample in milliseconds: what counters are deltas over, and gauges are averaged by.
pub const SAMPLE_MS: i64 = 60_000;

/// Metrics and what they are about, over one or more datasources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dataset {
    /// By type: `kafka`, `connector`.
    pub resources: BTreeMap<String, ResourceType>,
    /// By name: `io.confluent.kafka.server/received_bytes`.
    pub metrics: BTreeMap<String, Metric>,
}

/// What a metric is about, and what its reader must name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceType {
    #[serde(default)]
    pub description: String,
    /// The dimension that holds the resource's id.
    pub id: String,
    /// Other labels that every resource of the type has, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Label>,
}

/// One measure of a datasource as its readers know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    #[serde(rename = "datasource")]
    pub data_source: DataSourceName,
    pub measure: String,
    pub kind: MetricKind,
    /// In UCUM: `By`, `ms`, `1`, `{records}`.
    pub unit: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub stage: LifecycleStage,
    /// Whether scrapers get it.
    #[serde(default = "yes")]
    pub exportable: bool,
    /// The types of resources that it is about, one at least.
    pub resources: Vec<String>,
    /// By name: `topic`.
    #[serde(default)]
    pub labels: BTreeMap<String, Label>,
    /// How series become one where nobody says so.
    #[serde(default)]
    pub agg: SeriesFunction,
}

/// What a value stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricKind {
    /// What was added in a minute, not since some beginning.
    Counter,
    /// How much there was.
    Gauge,
}

impl MetricKind {
    /// How the samples of a series become one where nobody says so.
    pub fn time_agg(self) -> SeriesFunction {
        match self {
            Self::Counter => SeriesFunction::Sum,
            Self::Gauge => SeriesFunction::Mean,
        }
    }
}

/// How much its readers may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LifecycleStage {
    Preview,
    #[default]
    GeneralAvailability,
    Deprecated,
}

/// What is wrong with a definition, all at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("dataset `{name}`: {}", .problems.join("; "))]
pub struct DatasetError {
    pub name: String,
    /// Each says where it stands and what to change.
    pub problems: Vec<String>,
}

impl Metric {
    /// Every label with the field that names it, those of its resource types first.
    pub fn fields<'a>(&'a self, dataset: &'a Dataset) -> Vec<(String, &'a str)> {
        let mut fields = Vec::new();
        for kind in &self.resources {
            let Some(resource) = dataset.resources.get(kind) else { continue };
            fields.push((resource_id_field(kind), resource.id.as_str()));
            let labels = resource.labels.iter();
            fields.extend(labels.map(|(name, label)| (format!("resource.{kind}.{name}"), label.dimension.as_str())));
        }
        fields.extend(self.labels.iter().map(|(name, label)| (format!("metric.{name}"), label.dimension.as_str())));
        fields
    }
}

/// The field that names resources of a type: `resource.kafka.id`.
pub fn resource_id_field(kind: &str) -> String {
    format!("resource.{kind}.id")
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
