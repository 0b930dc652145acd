//! What a datasource's rows look like: `__time`, dimensions to filter and group by, measures to aggregate.

mod column_kind;
mod data_source;
mod dimension;
mod evolution;
mod measure;

pub use column_kind::ColumnKind;
pub use data_source::{DataSourceName, DataSourceSchema, SchemaError, SortKey, TIME_COLUMN};
pub use dimension::{Dimension, DimensionType};
pub use evolution::{ColumnHistory, ColumnRole, EvolutionError};
pub use measure::{Aggregation, Measure, SketchMeasure};
