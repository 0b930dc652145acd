//! The datasources and columns that whoever asks may know of.

use std::sync::Arc;

use henge_query::reader::Reader;
use henge_segment_store::data_source::DataSource;
use henge_segment_store::schema::{ColumnKind, DataSourceSchema, DimensionType, TIME_COLUMN};
use serde::Serialize;

use crate::app::Services;
use crate::error::ApiError;

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Time,
    Dimension,
    Measure,
}

/// A column of a datasource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// `None` of time.
    pub kind: Option<ColumnKind>,
    pub role: Role,
}

impl Column {
    pub fn is_text(&self) -> bool {
        self.kind == Some(ColumnKind::Value(DimensionType::String))
    }

    /// As answers call the types of their columns.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            None => "time",
            Some(ColumnKind::Value(DimensionType::String)) => "string",
            Some(ColumnKind::Value(DimensionType::Long)) => "long",
            Some(ColumnKind::Value(DimensionType::Double)) => "double",
            Some(ColumnKind::Value(DimensionType::Boolean)) => "boolean",
            Some(ColumnKind::Sketch(_)) => "sketch",
        }
    }
}

/// A reader's view of the store.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    pub services: &'a Services,
    pub reader: &'a Reader,
}

impl Sight<'_> {
    pub fn data_sources(&self) -> Vec<Arc<DataSource>> {
        let names = self.services.store.data_sources();
        names.iter().filter_map(|name| self.find(name.as_str())).collect()
    }

    pub fn find(&self, name: &str) -> Option<Arc<DataSource>> {
        let found = self.services.store.data_source(name)?;
        self.reader.sees(&found.schema()).then_some(found)
    }

    /// Its columns, or the error that there is no such datasource.
    pub fn columns(&self, name: &str) -> Result<Vec<Column>, ApiError> {
        match self.find(name) {
            Some(found) => Ok(columns_of(&found.schema())),
            None => {
                let known: Vec<String> = self.data_sources().iter().map(|known| known.name().to_string()).collect();
                let known = if known.is_empty() { "there is none yet".to_owned() } else { known.join(", ") };
                Err(ApiError::invalid(format!("there is no datasource `{name}`; known: {known}")))
            }
        }
    }

    /// Whether a datasource, or a column of one, has this name.
    pub fn is_known(&self, name: &str) -> bool {
        let has_it = |source: &Arc<DataSource>| {
            source.name().as_str() == name || columns_of(&source.schema()).iter().any(|column| column.name == name)
        };
        self.data_sources().iter().any(has_it)
    }
}

/// Time first, then as they are declared.
pub fn columns_of(schema: &DataSourceSchema) -> Vec<Column> {
    let time = Column { name: TIME_COLUMN.to_owned(), kind: None, role: Role::Time };
    let dimensions = schema.dimensions.iter().map(|dimension| Column {
        name: dimension.name.clone(),
        kind: Some(ColumnKind::Value(dimension.kind)),
        role: Role::Dimension,
    });
    let measures = schema.measures.iter().map(|measure| Column {
        name: measure.name.clone(),
        kind: Some(measure.aggregation.column_kind()),
        role: Role::Measure,
    });
    [time].into_iter().chain(dimensions).chain(measures).collect()
}

/// The column of that name, or the error that names the nearest.
pub fn column<'a>(columns: &'a [Column], name: &str, data_source: &str) -> Result<&'a Column, ApiError> {
    columns.iter().find(|column| column.name == name).ok_or_else(|| {
        let nearest = columns.iter().min_by_key(|column| strsim::osa_distance(&column.name, name));
        let nearest = nearest.map(|nearest| format!("; the nearest is `{}`", nearest.name)).unwrap_or_default();
        ApiError::invalid(format!("datasource `{data_source}` has no column `{name}`{nearest}"))
    })
}
