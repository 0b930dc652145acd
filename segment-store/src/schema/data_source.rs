use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

use super::{ColumnKind, Dimension, DimensionType, Measure};
use crate::time::Granularity;

/// The event time's column, in every datasource the first.
pub const TIME_COLUMN: &str = "__time";

/// Columns a datasource may have, `__time` included.
const COLUMNS_MAX: usize = 2_000;
const NAME_BYTES_MAX: usize = 128;

/// A datasource's name: it stands in SQL, in paths and in metric labels, so its alphabet is small.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DataSourceName(Arc<str>);

impl DataSourceName {
    pub fn new(name: &str) -> Result<Self, SchemaError> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if !starts_well || name.len() > NAME_BYTES_MAX || !name.chars().all(is_word) {
            return Err(SchemaError::DataSourceName(name.to_owned()));
        }
        Ok(Self(name.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DataSourceName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for DataSourceName {
    type Error = SchemaError;

    fn try_from(name: String) -> Result<Self, SchemaError> {
        Self::new(&name)
    }
}

impl From<DataSourceName> for String {
    fn from(name: DataSourceName) -> Self {
        name.0.as_ref().to_owned()
    }
}

/// Why a schema is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    #[error(
        "`{0}` cannot name a datasource: use 1 to {NAME_BYTES_MAX} letters, digits, `_`, `-` or `.`, and start with a letter, \
         a digit or `_`"
    )]
    DataSourceName(String),
    #[error("column `{0}` is declared twice")]
    Duplicate(String),
    #[error("`{TIME_COLUMN}` is the event time and cannot be declared as a dimension or a measure")]
    TimeColumn,
    #[error("a column has an empty name")]
    EmptyName,
    #[error("{0} columns are declared; a datasource has at most {COLUMNS_MAX}")]
    TooManyColumns(usize),
    #[error("rollup buckets of {query_granularity} cross the boundaries of time chunks of {segment_granularity}")]
    GranularityDoesNotNest { query_granularity: String, segment_granularity: String },
    #[error("`{0}` cannot be sorted by: name dimensions or `{TIME_COLUMN}`, each once")]
    SortKey(String),
    #[error("`{0}` cannot tell tenants apart: name a dimension of type string")]
    Tenant(String),
    #[error("segment granularity `none` would make a time chunk of every millisecond")]
    SegmentGranularity,
}

/// The columns of a datasource and how its events become rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataSourceSchema {
    /// In sort order: rows of a segment are sorted by these, then by time.
    pub dimensions: Vec<Dimension>,
    pub measures: Vec<Measure>,
    /// Fold events equal in floored time and dimensions into one row.
    pub rollup: bool,
    /// What event times are floored to.
    pub query_granularity: Granularity,
    /// The length of a time chunk.
    pub segment_granularity: Granularity,
    /// What rows of a segment are sorted by first, dimensions or `__time`. The dimensions that it leaves out follow in
    /// the order of their declaration, then the time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sort: Vec<String>,
    /// The dimension that says whose a row is: tenants see the rows that carry their name. `None`: no tenant sees any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// A column that rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortKey {
    Time,
    /// The place of a dimension in the schema.
    Dimension(usize),
}

impl DataSourceSchema {
    /// Every dimension and the time once, the one that sorts first first.
    pub fn sort_keys(&self) -> Vec<SortKey> {
        let key_of = |name: &String| match name.as_str() {
            TIME_COLUMN => Some(SortKey::Time),
            name => self.dimensions.iter().position(|dimension| dimension.name == name).map(SortKey::Dimension),
        };
        let declared = (0..self.dimensions.len()).map(SortKey::Dimension);
        let mut seen = HashSet::new();
        let all = self.sort.iter().filter_map(key_of).chain(declared).chain(std::iter::once(SortKey::Time));
        all.filter(|key| seen.insert(*key)).collect()
    }

    /// The name of a dimension or measure, by its place behind `__time`.
    ///
    /// Panics where there is no such column.
    pub fn column_name(&self, column: usize) -> &str {
        match self.dimensions.get(column) {
            Some(dimension) => &dimension.name,
            None => &self.measures[column - self.dimensions.len()].name,
        }
    }

    /// What the values of a dimension or measure are, by its place behind `__time`.
    ///
    /// Panics where there is no such column.
    pub fn column_kind(&self, column: usize) -> ColumnKind {
        match self.dimensions.get(column) {
            Some(dimension) => ColumnKind::Value(dimension.kind),
            None => self.measures[column - self.dimensions.len()].aggregation.column_kind(),
        }
    }

    /// The number of dimensions and measures.
    pub fn column_count(&self) -> usize {
        self.dimensions.len() + self.measures.len()
    }

    pub fn validate(&self) -> Result<(), SchemaError> {
        let names = || self.dimensions.iter().map(|d| &d.name).chain(self.measures.iter().map(|m| &m.name));
        let columns = names().count() + 1;
        if columns > COLUMNS_MAX {
            return Err(SchemaError::TooManyColumns(columns));
        }
        let mut seen = HashSet::new();
        for name in names() {
            match name.as_str() {
                "" => return Err(SchemaError::EmptyName),
                TIME_COLUMN => return Err(SchemaError::TimeColumn),
                name if !seen.insert(name) => return Err(SchemaError::Duplicate(name.to_owned())),
                _ => {}
            }
        }
        let mut sorted = HashSet::new();
        for name in &self.sort {
            let is_key = name == TIME_COLUMN || self.dimensions.iter().any(|dimension| dimension.name == *name);
            if !is_key || !sorted.insert(name) {
                return Err(SchemaError::SortKey(name.clone()));
            }
        }
        if let Some(name) = &self.tenant {
            let tells = |dimension: &Dimension| dimension.name == *name && dimension.kind == DimensionType::String;
            if !self.dimensions.iter().any(tells) {
                return Err(SchemaError::Tenant(name.clone()));
            }
        }
        if self.segment_granularity.is_none() {
            return Err(SchemaError::SegmentGranularity);
        }
        if !self.query_granularity.nests_in(&self.segment_granularity) {
            return Err(SchemaError::GranularityDoesNotNest {
                query_granularity: self.query_granularity.to_string(),
                segment_granularity: self.segment_granularity.to_string(),
            });
        }
        Ok(())
    }

    /// The Arrow schema of a scan over all columns: `__time`, dimensions, measures.
    ///
    /// `__time` is a timestamp in ms without a zone (UTC by definition); for the others see [`ColumnKind::field`].
    pub fn arrow(&self) -> SchemaRef {
        let time = Field::new(TIME_COLUMN, DataType::Timestamp(TimeUnit::Millisecond, None), false);
        let columns = (0..self.column_count()).map(|column| self.column_kind(column).field(self.column_name(column)));
        Arc::new(Schema::new(std::iter::once(time).chain(columns).collect::<Vec<_>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Aggregation;

    fn schema() -> DataSourceSchema {
        DataSourceSchema {
            dimensions: vec![Dimension { name: "org".into(), kind: DimensionType::String }],
            measures: vec![Measure { name: "events".into(), aggregation: Aggregation::Count }],
            rollup: true,
            query_granularity: "1m".parse().unwrap(),
            segment_granularity: "1h".parse().unwrap(),
            sort: Vec::new(),
            tenant: None,
        }
    }

    #[test]
    fn a_schema_is_refused_for_each_reason() {
        type Break = fn(&mut DataSourceSchema);
        let cases: [(Break, SchemaError); 9] = [
            (|s| s.dimensions[0].name = "events".into(), SchemaError::Duplicate("events".into())),
            (|s| s.dimensions[0].name = "__time".into(), SchemaError::TimeColumn),
            (|s| s.measures[0].name = String::new(), SchemaError::EmptyName),
            (|s| s.segment_granularity = Granularity::NONE, SchemaError::SegmentGranularity),
            (|s| s.sort = vec!["events".into()], SchemaError::SortKey("events".into())),
            (|s| s.tenant = Some("events".into()), SchemaError::Tenant("events".into())),
            (
                |s| {
                    s.tenant = Some("org".into());
                    s.dimensions[0].kind = DimensionType::Long;
                },
                SchemaError::Tenant("org".into()),
            ),
            (|s| s.sort = vec!["org".into(), "org".into()], SchemaError::SortKey("org".into())),
            (
                |s| s.query_granularity = "7m".parse().unwrap(),
                SchemaError::GranularityDoesNotNest {
                    query_granularity: "PT7M".into(),
                    segment_granularity: "PT1H".into(),
                },
            ),
        ];
        assert_eq!(schema().validate(), Ok(()));
        for (break_it, expected) in cases {
            let mut broken = schema();
            break_it(&mut broken);
            assert_eq!(broken.validate(), Err(expected));
        }
    }

    #[test]
    fn the_sort_order_is_completed_by_what_it_leaves_out() {
        let mut schema = schema();
        schema.dimensions.push(Dimension { name: "topic".into(), kind: DimensionType::String });
        let declared = [SortKey::Dimension(0), SortKey::Dimension(1), SortKey::Time];
        assert_eq!(schema.sort_keys(), declared);
        schema.sort = vec!["topic".into(), TIME_COLUMN.into()];
        assert_eq!(schema.validate(), Ok(()));
        assert_eq!(schema.sort_keys(), [SortKey::Dimension(1), SortKey::Time, SortKey::Dimension(0)]);
    }

    #[test]
    fn names_that_would_escape_a_path_are_refused() {
        for name in ["", "..", "a/b", "a b", "\u{e9}", ".hidden", &"x".repeat(129)] {
            assert_eq!(DataSourceName::new(name), Err(SchemaError::DataSourceName(name.into())));
        }
        assert_eq!(DataSourceName::new("usage-v2.eu").unwrap().as_str(), "usage-v2.eu");
    }
}
