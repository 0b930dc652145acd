//! A request becomes a physical plan over one snapshot of each table.

use std::sync::Arc;

use datafusion::common::{DataFusionError, SchemaError};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::SQLOptions;
use datafusion::sql::planner::{NullOrdering, ParserOptions, SqlToRel};
use datafusion::sql::sqlparser::ast;
use henge_segment_store::store::Store;
use henge_segment_store::time::{TimestampMs, time_zone};
use jiff::tz::TimeZone;

use crate::catalog::QueryCatalog;
use crate::error::QueryError;
use crate::expansion;
use crate::request::QueryRequest;
use crate::session::SharedSession;
use crate::statement::{Asked, SelectStatement};
use crate::table::Shortcuts;

pub(crate) struct Planner {
    store: Arc<Store>,
    pub session: SharedSession,
}

/// What there is to do for a request.
pub(crate) enum Planned {
    Run(Arc<dyn ExecutionPlan>),
    /// `EXPLAIN`: the plan's text is the answer.
    Explain(String),
    /// `EXPLAIN ANALYZE`: the answer is the plan's text with what its operators did.
    Analyze(Arc<dyn ExecutionPlan>),
}

impl Planner {
    pub fn new(store: Arc<Store>, session: SharedSession) -> Self {
        Self { store, session }
    }

    /// Takes a large stack and up to milliseconds of CPU; never waits for I/O.
    pub async fn plan(&self, request: &QueryRequest, now: TimestampMs) -> Result<Planned, QueryError> {
        let zone = match &request.time_zone {
            Some(name) => time_zone(name).map_err(|error| QueryError::plan(error.to_string()))?,
            None => TimeZone::UTC,
        };
        let statement = SelectStatement::parse(&request.sql, &request.parameters, &zone, now)?;
        let logical = self.logical_plan(&statement, Shortcuts::of(request))?;
        let physical = self.session.state.create_physical_plan(&logical).await?;
        Ok(match statement.asked {
            Asked::Rows => Planned::Run(physical),
            Asked::Plan => Planned::Explain(displayable(physical.as_ref()).indent(false).to_string()),
            Asked::MeasuredPlan => Planned::Analyze(physical),
        })
    }

    fn logical_plan(&self, statement: &SelectStatement, shortcuts: Shortcuts) -> Result<LogicalPlan, QueryError> {
        let catalog = QueryCatalog::new(&self.store, &self.session.state, shortcuts);
        let to_plan = SqlToRel::new_with_options(&catalog, parser_options());
        let query = ast::Statement::Query(statement.query.clone());
        let plan = to_plan.sql_statement_to_plan(query).map_err(|error| with_place(error, statement))?;
        expansion::check(&plan)?;
        let only_select = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        only_select.verify_plan(&plan).map_err(|_| {
            QueryError::unsupported("only SELECT and EXPLAIN of a SELECT can be run: nothing can be created or changed")
        })?;
        Ok(plan)
    }
}

fn parser_options() -> ParserOptions {
    ParserOptions::new().with_enable_ident_normalization(false).with_default_null_ordering(NullOrdering::NullsMin)
}

/// Says where the text mentions a column that is not there.
fn with_place(error: DataFusionError, statement: &SelectStatement) -> QueryError {
    let place = match error.find_root() {
        DataFusionError::SchemaError(schema, _) => match schema.as_ref() {
            SchemaError::FieldNotFound { field, .. } | SchemaError::AmbiguousReference { field } => {
                statement.place_of(&field.name)
            }
            _ => String::new(),
        },
        _ => String::new(),
    };
    let mut error = QueryError::from(error);
    error.message.push_str(&place);
    error
}
