//! Tables about what is stored and what runs, in Druid's schemas `INFORMATION_SCHEMA` and `sys`.
//!
//! Each table is a file with its columns and a function that fills in the rows. The rows are taken when a statement
//! first names the table, as the snapshot of a datasource is.

mod columns;
mod queries;
mod routines;
mod rows;
mod schemata;
mod segments;
mod server_segments;
mod servers;
mod tables;
mod tasks;

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::Result;
use datafusion::datasource::MemTable;
use datafusion::execution::SessionState;
use henge_segment_store::store::Store;
use henge_segment_store::time::TimestampMs;

use self::rows::Rows;
use crate::error::QueryError;
use crate::running::RunningQueries;
use crate::suggestion::did_you_mean;

/// What Druid calls the one catalog, and the schema that datasources live in.
pub(crate) const DRUID: &str = "druid";
const INFORMATION_SCHEMA: &str = "INFORMATION_SCHEMA";
const SYS: &str = "sys";

/// Those with tables of ours, in alphabetical order.
const SCHEMAS: [&str; 2] = [INFORMATION_SCHEMA, SYS];

/// By schema, then by name.
const TABLES: [&SystemTable; 9] = [
    &columns::TABLE,
    &routines::TABLE,
    &schemata::TABLE,
    &tables::TABLE,
    &queries::TABLE,
    &segments::TABLE,
    &server_segments::TABLE,
    &servers::TABLE,
    &tasks::TABLE,
];

/// A table whose rows are made when it is asked for.
pub(crate) struct SystemTable {
    schema: &'static str,
    name: &'static str,
    columns: &'static [(&'static str, ColumnKind)],
    /// Pushes a cell for each column, row after row.
    fill: fn(&SystemSources<'_>, &mut Rows),
}

/// What the cells of a column are; any may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Text,
    /// Also flags, which are 0 and 1 as in Druid.
    Long,
}

/// Everything that the tables tell of.
pub(crate) struct SystemSources<'a> {
    pub store: &'a Store,
    pub functions: &'a SessionState,
    pub running: &'a RunningQueries,
    pub server: Option<&'a ServerInfo>,
}

/// The process as its clients see it: what `sys.servers` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerInfo {
    pub host: String,
    pub port: u16,
    pub version: &'static str,
    pub started_at: TimestampMs,
}

impl ServerInfo {
    fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Whether tables of ours are in this schema.
pub(crate) fn is_schema(name: &str) -> bool {
    SCHEMAS.contains(&name)
}

pub(crate) fn schemas() -> impl Iterator<Item = &'static str> {
    SCHEMAS.into_iter()
}

/// The table with the rows of this moment.
pub(crate) fn table(schema: &str, name: &str, sources: &SystemSources<'_>) -> Result<Arc<dyn TableProvider>> {
    let Some(table) = TABLES.iter().find(|table| table.schema == schema && table.name == name) else {
        let names = || TABLES.iter().filter(|table| table.schema == schema).map(|table| table.name);
        let suggestion = did_you_mean(name, names());
        let list = names().collect::<Vec<_>>().join(", ");
        let error = format!("Object '{name}' not found within '{schema}'{suggestion}; its tables: {list}");
        return Err(QueryError::plan(error).into());
    };
    let mut rows = Rows::new(table.columns);
    (table.fill)(sources, &mut rows);
    let batch = rows.finish(Arc::new(table.arrow()))?;
    Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
}

impl SystemTable {
    fn arrow(&self) -> Schema {
        let field = |&(name, kind): &(&str, ColumnKind)| Field::new(name, kind.arrow(), true);
        Schema::new(self.columns.iter().map(field).collect::<Vec<_>>())
    }
}
