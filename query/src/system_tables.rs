//! Tables about what is stored and what runs, in Druid's schemas `INFORMATION_SCHEMA` and `sys`.
//!
//! Each table is a file with its columns and a function that fills in the rows. The rows are taken when a statement
//! first names the table, as the snapshot of a datasource is. What only the process around the engine knows, it provides.

mod columns;
mod provided;
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
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::store::Store;
use henge_segment_store::time::TimestampMs;

pub use self::provided::ProvidedTable;
pub use self::rows::{Cell, Rows};
use crate::error::QueryError;
use crate::reader::Reader;
use crate::running::RunningQueries;
use crate::suggestion::{did_you_mean, with_advice};

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

/// Columns with their names.
pub(crate) type Columns = &'static [(&'static str, ColumnKind)];

/// A table whose rows are made when it is asked for.
pub(crate) struct SystemTable {
    schema: &'static str,
    name: &'static str,
    columns: Columns,
    /// Pushes a cell for each column, row after row.
    fill: fn(&SystemSources<'_>, &mut Rows),
}

/// What the cells of a column are; any may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    /// Also flags, which are 0 and 1 as in Druid.
    Long,
    Double,
    Time,
}

/// Everything that the tables tell of.
pub(crate) struct SystemSources<'a> {
    pub store: &'a Store,
    pub reader: &'a Reader,
    pub functions: &'a SessionState,
    pub running: &'a RunningQueries,
    pub server: Option<&'a ServerInfo>,
    /// More tables of `sys`.
    pub provided: &'a [ProvidedTable],
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

/// The table with the rows of this moment.
pub(crate) fn table(schema: &str, name: &str, sources: &SystemSources<'_>) -> Result<Arc<dyn TableProvider>> {
    let own = TABLES.iter().find(|table| table.schema == schema && table.name == name);
    let provided = sources.provided.iter().find(|table| schema == SYS && table.name == name);
    let (columns, rows) = match (own, provided) {
        (Some(table), _) => (table.columns, filled(table.columns, |rows| (table.fill)(sources, rows))),
        (None, Some(table)) => (table.columns, filled(table.columns, &table.fill)),
        (None, None) => return Err(not_found(schema, name, sources).into()),
    };
    let batch = rows.finish(Arc::new(arrow(columns)))?;
    Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
}

fn filled(columns: Columns, fill: impl Fn(&mut Rows)) -> Rows {
    let mut rows = Rows::new(columns);
    fill(&mut rows);
    rows
}

fn not_found(schema: &str, name: &str, sources: &SystemSources<'_>) -> QueryError {
    let names = || sources.tables().filter(|table| table.0 == schema).map(|table| table.1);
    let suggestion = did_you_mean(name, names());
    let list = format!("its tables: {}", names().collect::<Vec<_>>().join(", "));
    QueryError::plan(with_advice(&format!("Object '{name}' not found within '{schema}'{suggestion}"), &list))
}

impl SystemSources<'_> {
    /// The datasources that there are for the reader, in alphabetical order.
    pub fn data_sources(&self) -> Vec<DataSourceName> {
        let mut names = self.store.data_sources();
        names.retain(|name| {
            self.store.data_source(name.as_str()).is_some_and(|known| self.reader.sees(&known.schema()))
        });
        names
    }

    /// Those with tables of ours. What `sys` tells is not for tenants.
    pub fn schemas(&self) -> impl Iterator<Item = &'static str> {
        SCHEMAS.into_iter().filter(|schema| *schema != SYS || *self.reader == Reader::Everything)
    }

    /// Schema, name and columns of each table, those of one schema together.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&'static str, &'static str, Columns)> {
        let own = TABLES.iter().map(|table| (table.schema, table.name, table.columns));
        let all = own.chain(self.provided.iter().map(|table| (SYS, table.name, table.columns)));
        all.filter(|(schema, ..)| self.schemas().any(|known| known == *schema))
    }
}

fn arrow(columns: Columns) -> Schema {
    let field = |&(name, kind): &(&str, ColumnKind)| Field::new(name, kind.arrow(), true);
    Schema::new(columns.iter().map(field).collect::<Vec<_>>())
}
