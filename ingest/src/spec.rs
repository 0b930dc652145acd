//! What a supervisor is told: which topics to read, and how its records become rows of which datasource.
//!
//! One [`SupervisorSpec`] has two written forms: the short form (all its keys stand in `short_form.rs`), which is also how
//! a spec is kept, and Druid's Kafka supervisor spec. Both report everything that is wrong with a spec at once.

mod cut;
mod druid;
mod field_source;
mod fields;
mod granularity;
mod period;
mod problem;
mod row_filter;
mod short_form;
mod sketch_measure;
mod topics;
mod upkeep;

use henge_segment_store::schema::{DataSourceName, DataSourceSchema};
use henge_segment_store::time::TimestampMs;
use henge_segment_store::upkeep::UpkeepPolicy;
use serde_json::Value;

pub use self::cut::CutConfig;
pub use self::field_source::{FieldSource, KafkaField};
use self::fields::Problems;
pub(crate) use self::fields::{Node, unknown};
pub use self::problem::{Problem, SpecError};
pub use self::topics::Topics;
use crate::client_properties::ClientProperties;
use crate::time_policy::TimePolicy;
use crate::transform::Transform;

/// Kafka's own default for the largest record (`message.max.bytes`), and ours.
pub const RECORD_BYTES_MAX_DEFAULT: usize = 1024 * 1024;

/// Everything that one datasource's ingestion needs to know; valid by construction.
#[derive(Debug, Clone, PartialEq)]
pub struct SupervisorSpec {
    pub data_source: DataSourceName,
    pub schema: DataSourceSchema,
    pub input: InputSpec,
    /// Which records are kept, and how computed columns are.
    pub transform: Transform,
    pub topics: Topics,
    /// How to reach and log in to the cluster.
    pub client_properties: ClientProperties,
    /// Where to begin in a partition that existed before the supervisor first saw the topic.
    pub start: StartAt,
    /// Which event times are welcome.
    pub time_policy: TimePolicy,
    pub cut: CutConfig,
    /// What happens to the rows once they are published.
    pub upkeep: UpkeepPolicy,
    /// Longer record values are refused.
    pub record_bytes_max: usize,
    /// Known, but not reading.
    pub suspended: bool,
}

/// Where the values of a row come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSpec {
    pub time: TimeSpec,
    /// Parallel to the schema's dimensions.
    pub dimensions: Vec<FieldSource>,
    /// Parallel to the schema's measures; `None` for a count, which needs no value.
    pub measures: Vec<Option<FieldSource>>,
}

/// Where the event time comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeSpec {
    pub source: FieldSource,
    pub format: TimeFormat,
    /// The event time of records that have none; without it they are refused.
    pub missing: Option<TimestampMs>,
}

/// How an event time is written. Numbers may be JSON numbers or strings that hold one, and may have a fraction; what is
/// finer than a millisecond is cut off toward minus infinity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFormat {
    /// ISO-8601 text; UTC unless it carries an offset.
    Iso,
    Seconds,
    Millis,
    Micros,
    Nanos,
    /// ISO-8601 text, or a number whose magnitude tells its unit: below 10^11 seconds, below 10^14 milliseconds, below
    /// 10^17 microseconds, else nanoseconds. So 1973-03-03 to the year 5138 is understood in each unit, and seconds also
    /// before; for milliseconds or finer units around 1970, declare the unit.
    Auto,
}

impl TimeFormat {
    const NAMES: [(&'static str, Self); 6] = [
        ("iso", Self::Iso),
        ("seconds", Self::Seconds),
        ("millis", Self::Millis),
        ("micros", Self::Micros),
        ("nanos", Self::Nanos),
        ("auto", Self::Auto),
    ];
}

/// Where reading starts when there is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    Earliest,
    Latest,
}

/// A spec that was understood, with what its author should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    pub spec: SupervisorSpec,
    /// Fields that have no meaning here, and defaults that may surprise; each starts with the JSON path.
    pub warnings: Vec<String>,
}

impl SupervisorSpec {
    /// Reads the short form of the datasource `name`, as it stands under `[datasource.NAME]` in `henge.toml`.
    ///
    /// ```
    /// # use henge_ingest::spec::SupervisorSpec;
    /// let spec = SupervisorSpec::from_short_form("usage", &serde_json::json!({
    ///     "topic": "usage",
    ///     "kafka": { "bootstrap.servers": "127.0.0.1:9092" },
    ///     "time": { "column": "timestamp", "format": "auto" },
    ///     "dimensions": ["org_id", { "name": "partition", "type": "long" }],
    ///     "measures": { "events": "count", "latency_max": { "max": "latency_ms" } },
    ///     "rollup": "1m",
    ///     "segment": "1h",
    /// }))?;
    /// assert_eq!(spec.data_source.as_str(), "usage");
    /// # Ok::<(), henge_ingest::spec::SpecError>(())
    /// ```
    pub fn from_short_form(name: &str, json: &Value) -> Result<Self, SpecError> {
        let problems = Problems::default();
        let path = format!("datasource.{}", fields::path_segment(name));
        let spec = short_form::read(&Node::new(path, json, &problems), Some(name));
        problems.accept(spec).map(|accepted| accepted.spec)
    }

    /// Reads Druid's Kafka supervisor spec, flat or nested under `spec`.
    pub fn from_druid(json: &Value) -> Result<Accepted, SpecError> {
        let problems = Problems::default();
        let spec = druid::read(&Node::root(json, &problems));
        problems.accept(spec)
    }

    /// Reads either form: Druid's, or the short form with its name in `datasource`, as [`to_json`](Self::to_json)
    /// writes it.
    pub fn from_json(json: &Value) -> Result<Accepted, SpecError> {
        if ["type", "spec", "dataSchema", "ioConfig", "tuningConfig"].iter().any(|key| json.get(key).is_some()) {
            return Self::from_druid(json);
        }
        let problems = Problems::default();
        let spec = short_form::read(&Node::root(json, &problems), None);
        problems.accept(spec)
    }

    /// The short form, complete with defaults; [`from_json`](Self::from_json) reads it back as an equal spec. Holds no
    /// secret, only where they are found.
    pub fn to_json(&self) -> Value {
        short_form::write(self)
    }
}

#[cfg(test)]
mod tests;
