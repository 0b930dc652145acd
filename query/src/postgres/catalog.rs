//! The tables of `pg_catalog` and `information_schema`, as far as clients look there for tables and columns.
//!
//! Each table is a list of columns with the values that all rows have, and a function that makes the rows. What never is
//! here (indexes, constraints, triggers) has tables without rows.

mod databases;
mod empty;
pub(super) mod oids;
mod relations;
mod rows;
mod standard;
pub(super) mod types;

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{Result, TableReference};
use datafusion::sql::sqlparser::ast::ObjectName;

use self::rows::Row;
use crate::error::QueryError;
use crate::suggestion::{did_you_mean, with_advice};
use crate::system_tables::SystemSources;

const PG_CATALOG: &str = "pg_catalog";
const INFORMATION_SCHEMA: &str = "information_schema";

/// By schema and name, columns, and what makes the rows.
struct CatalogTable {
    schema: &'static str,
    name: &'static str,
    /// See [`rows::read_columns`].
    columns: &'static str,
    rows: fn(&SystemSources<'_>) -> Vec<Row>,
}

fn all() -> impl Iterator<Item = &'static CatalogTable> {
    let lists: [&[CatalogTable]; 5] =
        [&databases::TABLES, &relations::TABLES, &types::TABLES, &standard::TABLES, &empty::TABLES];
    lists.into_iter().flatten()
}

/// The table of that name; `None` where it names something else. Those of `pg_catalog` need no schema, unless there is a
/// datasource of that name.
pub(crate) fn table(name: &TableReference, sources: &SystemSources<'_>) -> Result<Option<Arc<dyn TableProvider>>> {
    let schema = name.schema().map(str::to_ascii_lowercase);
    let (schema, table_name) = match schema.as_deref() {
        Some(PG_CATALOG) => (PG_CATALOG, name.table()),
        // In capitals it is Druid's.
        Some(INFORMATION_SCHEMA) if name.schema() == Some(INFORMATION_SCHEMA) => (INFORMATION_SCHEMA, name.table()),
        None if name.table().starts_with("pg_") && sources.store.data_source(name.table()).is_none() => {
            (PG_CATALOG, name.table())
        }
        _ => return Ok(None),
    };
    let Some(table) = all().find(|table| table.schema == schema && table.name == table_name) else {
        return Err(not_found(schema, table_name).into());
    };
    rows::table(table.columns, (table.rows)(sources)).map(Some)
}

fn not_found(schema: &str, name: &str) -> QueryError {
    let names = all().filter(|table| table.schema == schema).map(|table| table.name);
    let suggestion = did_you_mean(name, names);
    QueryError::plan(with_advice(
        &format!("Object '{name}' not found within '{schema}'{suggestion}"),
        "it tells of tables, columns and types only",
    ))
}

/// Whether a name can only be that of a table of `pg_catalog` in which there never is a row.
pub(super) fn is_always_empty(name: &ObjectName) -> bool {
    plain_name(name).is_some_and(|name| empty::TABLES.iter().any(|table| table.name == name))
}

/// Whether a name is that of a table of `pg_catalog`.
pub(super) fn is_table(name: &ObjectName) -> bool {
    plain_name(name).is_some_and(|name| all().any(|table| table.schema == PG_CATALOG && table.name == name))
}

fn plain_name(name: &ObjectName) -> Option<&str> {
    let parts: Vec<&str> = name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.as_str()).collect();
    match parts.as_slice() {
        [PG_CATALOG, name] => Some(name),
        [name] if name.starts_with("pg_") => Some(name),
        _ => None,
    }
}
