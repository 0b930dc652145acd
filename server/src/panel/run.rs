//! From a request to an answer.

use std::sync::Arc;

use arrow::array::Array;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use futures::TryStreamExt;
use henge_query::answer::{QueryAnswer, ResultColumn};
use henge_query::error::QueryError;
use henge_query::pieces;
use henge_query::request::{AskedLimits, QueryRequest};
use uuid::Uuid;

use super::answer::PanelAnswer;
use super::builder::{BuilderQuery, Built, Tops};
use super::draft::{Draft, Style};
use super::expansion::{self, Context, Expansion};
use super::frame::Frame;
use super::logs::{LogsQuery, Order};
use super::position::Position;
use super::prepared::{Failure, Prepared, Rows, Source, unwritable};
use super::request::{Format, PanelQuery, PanelRequest, SqlQuery, Surroundings};
use super::shaping::shaped;
use super::sight::Sight;
use super::window::Window;
use crate::app::{App, Services};
use crate::auth::asker::Asker;
use crate::error::{ApiError, sql_place};
use crate::query_metrics::{QueryOutcome, QueryTimer};
use crate::recovery;

/// Rows of an answer.
const ROWS_MAX: u64 = 1_000_000;

/// Who asks, and whom.
pub struct Panel {
    pub app: Arc<App>,
    pub services: Services,
    pub asker: Asker,
}

impl FromRequestParts<Arc<App>> for Panel {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let services = Services::from_request_parts(parts, app).await?;
        Ok(Self { app: app.clone(), services, asker: Asker::from_request_parts(parts, app).await? })
    }
}

impl Panel {
    pub fn sight(&self) -> Sight<'_> {
        Sight { services: &self.services, reader: &self.asker.reader }
    }

    /// `POST /henge/v1/panel/query`.
    pub async fn answer(&self, request: &PanelRequest) -> Result<PanelAnswer, ApiError> {
        let around = &request.surroundings;
        let window = Window::of(around)?;
        if let PanelQuery::Metrics(query) = &request.query {
            return self.metrics(query, around, &window).await;
        }
        let prepared = self.prepared(&request.query, around, &window).await?;
        self.run(prepared, around, &window).await
    }

    pub async fn run(
        &self,
        prepared: Prepared,
        around: &Surroundings,
        window: &Window,
    ) -> Result<PanelAnswer, ApiError> {
        let rows = self.rows(&prepared, around, window).await?;
        shaped(prepared, rows, around, window)
    }

    /// What is to be run for a query.
    async fn prepared(&self, query: &PanelQuery, around: &Surroundings, window: &Window) -> Result<Prepared, ApiError> {
        match query {
            PanelQuery::Builder(query) => {
                let tops = self.tops(query, around, window).await?;
                self.built(query, &tops, around, window)
            }
            query => self.planned(query, around, window),
        }
    }

    /// The same, as far as it is known without running anything.
    pub fn planned(&self, query: &PanelQuery, around: &Surroundings, window: &Window) -> Result<Prepared, ApiError> {
        match query {
            PanelQuery::Sql(query) => self.statement(query, around, window),
            PanelQuery::Builder(query) => self.built(query, &Vec::new(), around, window),
            PanelQuery::Top(query) => self.built(&query.built(), &Vec::new(), around, window),
            PanelQuery::Logs(query) => self.logs(query, Order::NewestFirst, around, window),
            PanelQuery::Metrics(_) => Err(ApiError::invalid("metrics are asked for without a statement")),
        }
    }

    /// The statement with macros and variables in it, as a person could have written it.
    pub fn template(
        &self,
        query: &PanelQuery,
        around: &Surroundings,
        window: &Window,
    ) -> Result<Option<String>, ApiError> {
        let context = self.context(around, window);
        let built = |query: &BuilderQuery| -> Result<Option<String>, ApiError> {
            let mut draft = Draft::of(&query.data_source, context, Style::Template)?;
            Ok(Some(query.statement(&mut draft, &Vec::new())?.sql))
        };
        match query {
            PanelQuery::Sql(query) => Ok(Some(query.sql.clone())),
            PanelQuery::Builder(query) => built(query),
            PanelQuery::Top(query) => built(&query.built()),
            PanelQuery::Logs(query) => {
                let mut draft = Draft::of(&query.data_source, context, Style::Template)?;
                query.statement(&mut draft, Order::NewestFirst).map(Some)
            }
            PanelQuery::Metrics(_) => Ok(None),
        }
    }

    fn context<'c>(&'c self, around: &'c Surroundings, window: &'c Window) -> Context<'c> {
        Context { window, around, sight: self.sight() }
    }

    /// The largest values of each group that has a `top`.
    async fn tops(&self, query: &BuilderQuery, around: &Surroundings, window: &Window) -> Result<Tops, ApiError> {
        let mut draft = Draft::of(&query.data_source, self.context(around, window), Style::Values)?;
        let mut tops = Vec::new();
        for statement in query.top_statements(&mut draft)? {
            let Some(sql) = statement else {
                tops.push(None);
                continue;
            };
            let mut prepared = Prepared::default();
            prepared.fragment.push(&sql, 0);
            let rows = self.rows(&prepared, around, window).await?;
            let frame = Frame::of(&rows.columns, &rows.batches).map_err(unwritable)?;
            let texts = frame.texts(0).map_err(unwritable)?;
            let text = |row: usize| texts.is_valid(row).then(|| texts.value(row).to_owned());
            tops.push(Some((0..texts.len()).map(text).collect()));
        }
        Ok(tops)
    }

    fn built(
        &self,
        query: &BuilderQuery,
        tops: &Tops,
        around: &Surroundings,
        window: &Window,
    ) -> Result<Prepared, ApiError> {
        let mut draft = Draft::of(&query.data_source, self.context(around, window), Style::Values)?;
        let Built { sql, bucket } = query.statement(&mut draft, tops)?;
        let is_series = query.format == Format::TimeSeries && bucket.is_some();
        let mut prepared = Prepared {
            format: if is_series { Format::TimeSeries } else { Format::Table },
            is_numeric: query.format == Format::TimeSeries && !is_series,
            bucket,
            notices: draft.notices,
            limit: query.limit,
            unit: query.units(&self.services),
            ..Prepared::default()
        };
        prepared.fragment.push(&sql, 0);
        Ok(prepared)
    }

    pub fn logs(
        &self,
        query: &LogsQuery,
        order: Order,
        around: &Surroundings,
        window: &Window,
    ) -> Result<Prepared, ApiError> {
        let mut draft = Draft::of(&query.data_source, self.context(around, window), Style::Values)?;
        let sql = query.statement(&mut draft, order)?;
        let limit = Some(query.limit()?);
        let mut prepared = Prepared { format: Format::Logs, notices: draft.notices, limit, ..Prepared::default() };
        prepared.fragment.push(&sql, 0);
        Ok(prepared)
    }

    /// All rows of a statement that somebody wrote.
    pub async fn statement_rows(&self, query: &SqlQuery, around: &Surroundings) -> Result<Frame, ApiError> {
        let window = Window::of(around)?;
        let prepared = self.statement(query, around, &window)?;
        let rows = self.rows(&prepared, around, &window).await?;
        Frame::of(&rows.columns, &rows.batches).map_err(unwritable)
    }

    pub fn statement(&self, query: &SqlQuery, around: &Surroundings, window: &Window) -> Result<Prepared, ApiError> {
        if query.sql.trim().is_empty() {
            return Err(ApiError::invalid("the query is empty: put SQL into `query.sql`"));
        }
        let pieces = pieces::pieces(&query.sql).map_err(unreadable)?;
        let context = self.context(around, window);
        let Expansion { fragment, bucket, notices } = expansion::expand(&query.sql, &pieces, context)?;
        let source = Some(Source { sql: query.sql.clone(), pieces });
        Ok(Prepared { fragment, format: query.format, bucket, notices, source, ..Prepared::default() })
    }

    /// The columns of a statement, which is planned and not run.
    pub async fn columns(
        &self,
        prepared: &Prepared,
        around: &Surroundings,
        window: &Window,
    ) -> Result<Vec<ResultColumn>, ApiError> {
        let sql = &prepared.fragment.text;
        let waited = recovery::wait_for(&self.services, &self.asker.reader, sql).await;
        waited.map_err(|error| prepared.explain(Failure::Recovering(error)))?;
        let request = self.request(sql, around, window.zone_name.clone());
        let described = self.services.engine.describe(request).await;
        Ok(described.map_err(|error| prepared.explain(Failure::Query(error)))?.columns)
    }

    async fn rows(&self, prepared: &Prepared, around: &Surroundings, window: &Window) -> Result<Rows, ApiError> {
        let rows = self.execute(&prepared.fragment.text, around, window.zone_name.clone()).await;
        rows.map_err(|failure| prepared.explain(failure))
    }

    /// All rows of a statement of our own.
    pub async fn ask(&self, sql: &str) -> Result<Frame, ApiError> {
        let rows = self.execute(sql, &Surroundings::default(), None).await;
        let rows = rows.map_err(ApiError::from)?;
        Frame::of(&rows.columns, &rows.batches).map_err(unwritable)
    }

    fn request(&self, sql: &str, around: &Surroundings, zone: Option<String>) -> QueryRequest {
        let query_id = around.query_id.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        QueryRequest {
            limits: AskedLimits { result_rows: Some(ROWS_MAX), ..AskedLimits::default() },
            time_zone: zone,
            use_plan_cache: around.use_caches,
            use_result_cache: around.use_caches,
            populate_result_cache: around.use_caches,
            tells_provenance: true,
            ..QueryRequest::new(sql, self.asker.reader.clone(), query_id)
        }
    }

    /// All rows of a statement.
    async fn execute(&self, sql: &str, around: &Surroundings, zone: Option<String>) -> Result<Rows, Failure> {
        let mut timer = QueryTimer::start(self.app.queries.clone());
        let reader = &self.asker.reader;
        let waited = recovery::wait_for(&self.services, reader, sql).await;
        waited.inspect_err(|_| timer.ended(QueryOutcome::Failed)).map_err(Failure::Recovering)?;
        let answered = match self.services.engine.execute(self.request(sql, around, zone)).await {
            Ok(QueryAnswer { columns, batches, made_of, .. }) => {
                let batches = batches.try_collect().await;
                batches.map(|batches| Rows { columns, batches, made_of })
            }
            Err(error) => Err(error),
        };
        timer.ended(answered.as_ref().map_or_else(|error| error.kind.into(), |_| QueryOutcome::Success));
        answered.map_err(Failure::Query)
    }
}

/// A text that has a quote without an end has a place where that begins.
fn unreadable(error: QueryError) -> ApiError {
    let place = sql_place(&error.message);
    let error = ApiError::from(error);
    match place {
        Some((line, column)) => error.at(Position { line: line.into(), column: column.into(), length: 1 }),
        None => error,
    }
}
