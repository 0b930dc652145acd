//! What the names in one query mean.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::catalog::TableProvider;
use datafusion::common::{Result, TableReference};
use datafusion::config::ConfigOptions;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, TypePlanner};
use datafusion::logical_expr::{AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion::sql::sqlparser::ast;
use henge_segment_store::time::Interval;

use crate::error::QueryError;
use crate::functions;
use crate::postgres;
use crate::provenance::Provenance;
use crate::question::Question;
use crate::reader::Reader;
use crate::request::Spelling;
use crate::suggestion::{did_you_mean, with_advice};
use crate::system_tables::{self, DRUID, SystemSources};
use crate::table::{Shortcuts, SnapshotTable};

/// Finds tables, types and functions for one query. A table's snapshot is taken once, when it is first named.
pub(crate) struct QueryCatalog<'a> {
    sources: SystemSources<'a>,
    state: &'a SessionState,
    shortcuts: Shortcuts,
    spelling: Spelling,
    provenance: Option<&'a Provenance>,
    /// By schema and name.
    tables: Mutex<HashMap<(String, String), Arc<dyn TableSource>>>,
}

impl<'a> QueryCatalog<'a> {
    pub fn new(sources: SystemSources<'a>, question: &'a Question) -> Self {
        let state = sources.functions;
        let (shortcuts, provenance) = (question.shortcuts, question.provenance.as_deref());
        let spelling = question.spelling;
        Self { sources, state, shortcuts, spelling, provenance, tables: Mutex::default() }
    }

    /// A datasource, or a table of the system where the name says its schema.
    pub fn table(&self, name: &TableReference) -> Result<Arc<dyn TableSource>> {
        if self.spelling == Spelling::Postgres
            && let Some(table) = postgres::catalog::table(name, &self.sources)?
        {
            return Ok(provider_as_source(table));
        }
        let schema = match self.spelling {
            Spelling::Postgres if name.schema() == Some(postgres::PUBLIC) => DRUID,
            _ => name.schema().unwrap_or(DRUID),
        };
        let is_known = schema == DRUID || self.sources.schemas().any(|known| known == schema);
        if !is_known || name.catalog().is_some_and(|catalog| !self.is_catalog(catalog)) {
            return Err(self.unknown_schema(schema).into());
        }
        let key = (schema.to_owned(), name.table().to_owned());
        let mut tables = self.tables.lock().expect("no code panics while it takes a snapshot");
        if let Some(table) = tables.get(&key) {
            return Ok(table.clone());
        }
        let table = match schema {
            DRUID => self.data_source(name.table())?,
            schema => system_tables::table(schema, name.table(), &self.sources)?,
        };
        let table = provider_as_source(table);
        tables.insert(key, table.clone());
        Ok(table)
    }

    fn is_catalog(&self, name: &str) -> bool {
        name == DRUID || (self.spelling == Spelling::Postgres && name == postgres::DATABASE)
    }

    fn data_source(&self, name: &str) -> Result<Arc<dyn TableProvider>, QueryError> {
        let data_source = self.sources.store.data_source(name).ok_or_else(|| self.unknown_table(name))?;
        if let Some(provenance) = self.provenance {
            provenance.note(&data_source);
        }
        let snapshot = data_source.snapshot(Interval::ALL);
        if !self.sources.reader.sees(&snapshot.schema) {
            return Err(self.unknown_table(name));
        }
        Ok(Arc::new(SnapshotTable::new(data_source.name().clone(), snapshot, self.sources.reader, self.shortcuts)))
    }

    fn unknown_table(&self, name: &str) -> QueryError {
        /// More names than this help nobody.
        const LISTED_MAX: usize = 10;
        let known = self.sources.data_sources();
        let listed: Vec<&str> = known.iter().take(LISTED_MAX).map(|name| name.as_str()).collect();
        let suggestion = did_you_mean(name, known.iter().map(|name| name.as_str()));
        let list = match known.len() {
            0 => "there are no datasources yet".to_owned(),
            count if count > LISTED_MAX => format!("there are {count} datasources, among them {}", listed.join(", ")),
            _ => format!("datasources: {}", listed.join(", ")),
        };
        QueryError::plan(with_advice(&format!("Object '{name}' not found{suggestion}"), &list))
    }

    fn unknown_schema(&self, name: &str) -> QueryError {
        let suggestion = did_you_mean(name, self.sources.schemas());
        let advice = format!("datasources are in the schema '{DRUID}', which need not be written");
        QueryError::plan(with_advice(&format!("schema '{name}' not found{suggestion}"), &advice))
    }
}

impl ContextProvider for QueryCatalog<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        self.table(&name)
    }

    fn get_table_function_source(&self, name: &str, _: Vec<Expr>) -> Result<Arc<dyn TableSource>> {
        Err(QueryError::unsupported(format!("table functions cannot be used, not `{name}` either")).into())
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(DruidTypes))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        // What lookups say of other organisations is not theirs.
        let is_hidden = name == functions::LOOKUP && *self.sources.reader != Reader::Everything;
        self.state.scalar_functions().get(name).filter(|_| !is_hidden).cloned()
    }

    fn get_higher_order_meta(&self, _: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}

/// SQL type names where Druid's meaning differs: timestamps count milliseconds, FLOAT is read as a double.
#[derive(Debug)]
struct DruidTypes;

impl TypePlanner for DruidTypes {
    fn plan_type_field(&self, sql_type: &ast::DataType) -> Result<Option<FieldRef>> {
        let kind = match sql_type {
            ast::DataType::Timestamp(..) | ast::DataType::Datetime(_) => {
                DataType::Timestamp(TimeUnit::Millisecond, None)
            }
            ast::DataType::Float(_) | ast::DataType::Real => DataType::Float64,
            ast::DataType::Int(_)
            | ast::DataType::Integer(_)
            | ast::DataType::SmallInt(_)
            | ast::DataType::TinyInt(_) => DataType::Int64,
            _ => return Ok(None),
        };
        Ok(Some(Arc::new(Field::new("", kind, true))))
    }
}
