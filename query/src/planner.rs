//! A question becomes a physical plan over one snapshot of each table.

use std::sync::Arc;

use datafusion::common::{DataFusionError, SchemaError};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::SQLOptions;
use datafusion::sql::planner::{NullOrdering, ParserOptions, SqlToRel};
use datafusion::sql::sqlparser::ast;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::store::Store;
use henge_segment_store::time::Interval;

use crate::catalog::QueryCatalog;
use crate::description::Description;
use crate::error::QueryError;
use crate::expansion;
use crate::plan_cache::{Known, PlacedValue, PlanCache, PlanCacheFigures, Shape, Template, template};
use crate::provenance::{MadeOf, Provenance};
use crate::question::Question;
use crate::running::RunningQueries;
use crate::series::{self, SeriesRequest};
use crate::session::SharedSession;
use crate::sketch_use;
use crate::statement::{Asked, SelectStatement};
use crate::system_tables::{ProvidedTable, ServerInfo, SystemSources};
use crate::table::{Shortcuts, SnapshotTable};

pub(crate) struct Planner {
    store: Arc<Store>,
    pub session: SharedSession,
    cache: PlanCache,
    running: Arc<RunningQueries>,
    server: Option<ServerInfo>,
    provided: Vec<ProvidedTable>,
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
    pub fn new(
        store: Arc<Store>,
        session: SharedSession,
        running: Arc<RunningQueries>,
        server: Option<ServerInfo>,
        provided: Vec<ProvidedTable>,
    ) -> Self {
        Self { store, session, cache: PlanCache::default(), running, server, provided }
    }

    pub fn server(&self) -> Option<&ServerInfo> {
        self.server.as_ref()
    }

    pub fn cache_figures(&self) -> PlanCacheFigures {
        self.cache.figures()
    }

    /// Those that can be asked for now.
    pub fn data_sources(&self) -> Vec<DataSourceName> {
        self.store.data_sources()
    }

    /// Takes a large stack and up to milliseconds of CPU; never waits for I/O.
    pub async fn plan(&self, question: &Question) -> Result<Planned, QueryError> {
        self.finish(question, &self.optimized(question)?).await
    }

    /// Of a statement whose parameters may be open. Takes a large stack.
    pub fn describe(&self, question: &Question) -> Result<Description, QueryError> {
        let query = question.statement.parse(&question.zone, question.now)?;
        let plan = self.logical_plan(query, &self.catalog(question));
        let plan = plan.map_err(|error| with_place(error, &question.statement))?;
        match question.statement.asked {
            Asked::Rows => Description::of(&plan),
            Asked::Plan | Asked::MeasuredPlan => Description::of_plan(),
        }
    }

    /// Like [`Self::plan`], in a fraction of the time; `None` where the cache does not know the statement.
    pub async fn plan_from_cache(&self, question: &Question) -> Result<Option<Planned>, QueryError> {
        match self.cached(question) {
            Some(plan) => self.finish(question, &plan).await.map(Some),
            None => Ok(None),
        }
    }

    /// The plan of a question about a metric, and how complete its rows are.
    pub fn series(&self, request: &SeriesRequest) -> Result<(Arc<dyn ExecutionPlan>, Vec<MadeOf>), QueryError> {
        let metric = series::metric_of(request)?;
        let data_source = self.store.data_source(metric.data_source.as_str()).ok_or_else(|| {
            QueryError::plan(format!("datasource '{}' of metric '{}' is gone", metric.data_source, request.metric))
        })?;
        let shortcuts = Shortcuts { use_indexes: true, use_native_operators: true };
        let provenance = Provenance::default();
        provenance.note(&data_source);
        let snapshot = data_source.snapshot(request.hull().unwrap_or(Interval::ALL));
        let table = SnapshotTable::new(data_source.name().clone(), snapshot, &request.reader, shortcuts);
        Ok((series::plan(request, &table)?, provenance.told()))
    }

    /// From DataFusion's optimised plan to what can run.
    async fn finish(&self, question: &Question, optimized: &LogicalPlan) -> Result<Planned, QueryError> {
        let state = &self.session.state;
        let physical = state.query_planner().create_physical_plan(optimized, state).await?;
        Ok(match question.statement.asked {
            Asked::Rows => Planned::Run(physical),
            Asked::Plan => Planned::Explain(displayable(physical.as_ref()).indent(false).to_string()),
            Asked::MeasuredPlan => Planned::Analyze(physical),
        })
    }

    /// Whatever fails here fails again when the statement is planned from its text, where it can be told.
    fn cached(&self, question: &Question) -> Option<LogicalPlan> {
        let shape = question.shape.as_ref()?;
        let catalog = self.catalog(question);
        let plan = match self.cache.get(&shape.key)? {
            Known::Plan(template) => self.bind(&shape.key, &template, &shape.values, &catalog),
            Known::ByValue => {
                let key = shape.key_with_values();
                let Known::Plan(template) = self.cache.get(&key)? else { return None };
                self.bind(&key, &template, &[], &catalog)
            }
        }?;
        self.cache.count(true);
        Some(plan)
    }

    fn bind(
        &self,
        key: &str,
        template: &Template,
        values: &[PlacedValue],
        catalog: &QueryCatalog<'_>,
    ) -> Option<LogicalPlan> {
        if !template.fits(catalog).ok()? {
            self.cache.remove(key);
            return None;
        }
        template.bind(values, catalog).ok()?
    }

    /// Plans a statement from its text, and keeps the plan for the next of its shape.
    fn optimized(&self, question: &Question) -> Result<LogicalPlan, QueryError> {
        let catalog = self.catalog(question);
        let Some(shape) = &question.shape else {
            return self.optimized_with_values(question, &catalog);
        };
        self.cache.count(false);
        let is_new = !shape.values.is_empty() && self.cache.get(&shape.key).is_none();
        if is_new && let Some(plan) = self.optimized_without_values(question, shape, &catalog) {
            return Ok(plan);
        }
        let optimized = self.optimized_with_values(question, &catalog)?;
        if is_new {
            self.cache.insert(shape.key.clone(), Known::ByValue);
        }
        // Nobody will ask again with a time that has passed.
        if !shape.reads_clock()
            && let Some(template) = Template::new(&optimized)?
        {
            self.cache.insert(shape.key_with_values(), Known::Plan(Arc::new(template)));
        }
        Ok(optimized)
    }

    fn optimized_with_values(
        &self,
        question: &Question,
        catalog: &QueryCatalog<'_>,
    ) -> Result<LogicalPlan, QueryError> {
        let query = question.statement.parse(&question.zone, question.now)?;
        let plan = self.logical_plan(query, catalog).map_err(|error| with_place(error, &question.statement))?;
        Ok(self.session.state.optimize(&plan)?)
    }

    /// `None` where the values have a part in the plan, or cannot be told from something else.
    fn optimized_without_values(
        &self,
        question: &Question,
        shape: &Shape,
        catalog: &QueryCatalog<'_>,
    ) -> Option<LogicalPlan> {
        let tokens = shape.with_placeholders(question.statement.tokens());
        let query = question.statement.parse_tokens(tokens, &question.zone, question.now).ok()?;
        let plan = self.logical_plan(query, catalog).ok()?;
        if !template::is_open_to_values(&plan, &shape.values).ok()? {
            return None;
        }
        let optimized = self.session.state.optimize(&plan).ok()?;
        if !template::is_still_open(&optimized, &shape.values).ok()? {
            return None;
        }
        let template = Template::new(&optimized).ok()??;
        let bound = template.bind(&shape.values, catalog).ok()??;
        self.cache.insert(shape.key.clone(), Known::Plan(Arc::new(template)));
        Some(bound)
    }

    fn catalog<'a>(&'a self, question: &'a Question) -> QueryCatalog<'a> {
        let (functions, running, server) = (&self.session.state, self.running.as_ref(), self.server.as_ref());
        let provided = self.provided.as_slice();
        let reader = &question.reader;
        let sources = SystemSources { store: &self.store, reader, functions, running, server, provided };
        QueryCatalog::new(sources, question)
    }

    fn logical_plan(&self, query: Box<ast::Query>, catalog: &QueryCatalog<'_>) -> Result<LogicalPlan, DataFusionError> {
        let to_plan = SqlToRel::new_with_options(catalog, parser_options());
        let plan = to_plan.sql_statement_to_plan(ast::Statement::Query(query)).map_err(sketch_use::explained)?;
        expansion::check(&plan)?;
        sketch_use::check(&plan)?;
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
