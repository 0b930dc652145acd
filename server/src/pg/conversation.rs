//! A session from its first statement to its last.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use henge_query::error::QueryError;
use henge_query::postgres::statements::{Statement, split};
use henge_query::request::{AskedLimits, Parameter, QueryRequest, Spelling};
use uuid::Uuid;

use super::cancellation::{Running, SessionPlace};
use super::command::{self, Command};
use super::failure::Failure;
use super::kind::Kind;
use super::login::{Login, asker};
use super::message::{Bind, Format, Malformed, Message, Target};
use super::parameter;
use super::portal::{Answer, Described, Portal, Portals, Prepared};
use super::reply::{Column, Plain};
use super::row::Rows;
use super::session::{REPORTED, Session, Transaction};
use super::wire::{Wire, WireError};
use crate::app::{App, Services};
use crate::auth::asker::Asker;
use crate::auth::credentials::Credentials;
use crate::query_metrics::{QueryOutcome, QueryTimer};
use crate::recovery;

/// Longer than pools of connections keep those that nobody uses.
const IDLE_MAX: Duration = Duration::from_secs(4 * 3_600);
/// An answer that is read half holds its place among the queries that run; so long a client may do nothing about it.
const HALF_READ_MAX: Duration = Duration::from_secs(60);

pub struct Conversation {
    wire: Wire,
    app: Arc<App>,
    credentials: Option<Credentials>,
    session: Session,
    place: SessionPlace,
    portals: Portals,
    /// What comes before the next Sync is left out, for something before it has failed.
    skips: bool,
}

/// Why there is no answer.
enum Trouble {
    Failed(Failure),
    /// The connection is of no use any more.
    Ended(WireError),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Malformed> for Trouble {
    fn from(error: Malformed) -> Self {
        Self::Failed(error.into())
    }
}

impl From<WireError> for Trouble {
    fn from(error: WireError) -> Self {
        Self::Ended(error)
    }
}

/// What the next message is, or that there is none.
enum Next {
    Message(Message),
    Stop,
    Idle,
}

impl Conversation {
    pub fn new(wire: Wire, app: Arc<App>, login: Login) -> Self {
        let Login { credentials, session, place } = login;
        Self { wire, app, credentials, session, place, portals: Portals::default(), skips: false }
    }

    /// Until one of both ends it.
    pub async fn run(mut self) -> Result<(), WireError> {
        loop {
            let message = match self.next().await {
                Ok(Next::Message(Message::Terminate)) => return Ok(()),
                Ok(Next::Message(message)) => message,
                Ok(Next::Stop) => {
                    return self.end(Failure::new("57P01", "the server stops: connect again in a moment")).await;
                }
                Ok(Next::Idle) if self.portals.has_answers() => {
                    self.portals.close_all();
                    continue;
                }
                Ok(Next::Idle) => return self.end(Failure::new("57P05", "the session did nothing for too long")).await,
                Err(Trouble::Failed(failure)) => return self.end(failure).await,
                Err(Trouble::Ended(WireError::Closed)) => return Ok(()),
                Err(Trouble::Ended(error @ (WireError::TooLong(..) | WireError::Malformed(_)))) => {
                    return self.end(Failure::new("08P01", error.to_string())).await;
                }
                Err(Trouble::Ended(error)) => return Err(error),
            };
            self.take(message).await?;
        }
    }

    async fn end(&mut self, failure: Failure) -> Result<(), WireError> {
        self.wire.out.failed(&failure, true);
        self.wire.flush().await
    }

    async fn next(&mut self) -> Result<Next, Trouble> {
        let idle = if self.portals.has_answers() { HALF_READ_MAX } else { IDLE_MAX };
        let stop = self.app.stop.clone();
        let frame = tokio::select! {
            biased;
            () = stop.cancelled(), if !self.wire.has_more() => return Ok(Next::Stop),
            frame = tokio::time::timeout(idle, self.wire.frame()) => frame,
        };
        match frame {
            Ok(frame) => Ok(Next::Message(Message::read(frame?)?)),
            Err(_) => Ok(Next::Idle),
        }
    }

    async fn take(&mut self, message: Message) -> Result<(), WireError> {
        let done = match message {
            Message::Sync => {
                self.skips = false;
                if self.session.transaction == Transaction::None {
                    self.portals.close_all();
                }
                return self.ready().await;
            }
            Message::Query(sql) => {
                self.skips = false;
                let done = self.script(&sql).await;
                self.told(done)?;
                return self.ready().await;
            }
            Message::Flush => return self.wire.flush().await,
            _ if self.skips => return Ok(()),
            Message::Parse { name, sql, types } => self.parse(name, &sql, types),
            Message::Bind(bind) => self.bind(bind).await,
            Message::Describe(Target::Statement(name)) => self.describe_statement(&name).await,
            Message::Describe(Target::Portal(name)) => self.describe_portal(&name).await,
            Message::Execute { portal, rows_max } => self.execute(portal, rows_max).await,
            Message::Close(target) => {
                match target {
                    Target::Statement(name) => self.portals.deallocate(Some(&name)),
                    Target::Portal(name) => self.portals.close(&name),
                }
                self.wire.out.plain(Plain::CloseComplete);
                Ok(())
            }
            Message::Copy => Ok(()),
            Message::Password(_) | Message::Terminate | Message::Unknown(_) => {
                Err(Failure::new("08P01", "this message means nothing here").into())
            }
        };
        self.skips = done.is_err();
        self.told(done)?;
        self.wire.flush_much().await
    }

    async fn ready(&mut self) -> Result<(), WireError> {
        self.wire.out.ready(self.session.transaction);
        self.wire.flush().await
    }

    /// Tells the client of a failure.
    fn told(&mut self, done: Result<(), Trouble>) -> Result<(), WireError> {
        match done {
            Ok(()) => Ok(()),
            Err(Trouble::Ended(error)) => Err(error),
            Err(Trouble::Failed(failure)) => {
                if self.session.transaction == Transaction::Open {
                    self.session.transaction = Transaction::Failed;
                }
                self.wire.out.failed(&failure, false);
                Ok(())
            }
        }
    }

    fn split(&self, sql: &str) -> Result<Vec<Statement>, Failure> {
        let bytes_max = self.app.limits.query.statement.text_bytes;
        split(sql, bytes_max).map_err(|error| Failure::of(error, sql))
    }

    /// Runs the statements of a simple query until one fails.
    async fn script(&mut self, sql: &str) -> Result<(), Trouble> {
        let statements = self.split(sql)?;
        if statements.is_empty() {
            self.wire.out.plain(Plain::EmptyQuery);
        }
        for statement in statements {
            let mut portal = Portal {
                statement: Some(statement),
                parameters: Vec::new(),
                formats: Vec::new(),
                told: None,
                answer: None,
            };
            self.run_portal(&mut portal, usize::MAX, true).await?;
        }
        Ok(())
    }

    fn parse(&mut self, name: String, sql: &str, types: Vec<u32>) -> Result<(), Trouble> {
        let mut statements = self.split(sql)?;
        if statements.len() > 1 {
            return Err(Failure::new("42601", "a prepared statement is one statement").into());
        }
        let statement = statements.pop();
        self.portals.prepare(name, Prepared { statement, types, description: None })?;
        self.wire.out.plain(Plain::ParseComplete);
        Ok(())
    }

    async fn bind(&mut self, bind: Bind) -> Result<(), Trouble> {
        let prepared = self.portals.prepared(&bind.statement)?;
        let needs_types = |at: usize| {
            let is_said = prepared.types.get(at).is_some_and(|kind| *kind != 0);
            !is_said && bind.values[at].is_some() && Format::at(&bind.formats, at) == Format::Binary
        };
        if prepared.description.is_none() && (0..bind.values.len()).any(needs_types) {
            self.described(&bind.statement).await?;
        }
        let prepared = self.portals.prepared(&bind.statement)?;
        let types = prepared.description.as_ref().map_or(&prepared.types, |described| &described.parameters);
        let values = bind.values.iter().enumerate();
        let parameters = values.map(|(at, value)| {
            let kind = types.get(at).copied().unwrap_or_default();
            parameter::read(value.as_ref(), kind, Format::at(&bind.formats, at), at + 1)
        });
        let portal = Portal {
            parameters: parameters.collect::<Result<_, _>>()?,
            statement: prepared.statement.clone(),
            formats: bind.result_formats,
            told: prepared.description.as_ref().map(|described| described.columns.clone()),
            answer: None,
        };
        self.portals.open(bind.portal, portal)?;
        self.wire.out.plain(Plain::BindComplete);
        Ok(())
    }

    async fn describe_statement(&mut self, name: &str) -> Result<(), Trouble> {
        let Described { parameters, columns } = self.described(name).await?;
        self.wire.out.parameters(&parameters);
        self.tell_columns(&columns, &[]);
        Ok(())
    }

    fn tell_columns(&mut self, columns: &[Column], formats: &[Format]) {
        match columns {
            [] => self.wire.out.plain(Plain::NoData),
            columns => self.wire.out.columns(columns, formats),
        }
    }

    /// What there is to tell of a statement.
    async fn described(&mut self, name: &str) -> Result<Described, Trouble> {
        let prepared = self.portals.prepared(name)?;
        if let Some(known) = &prepared.description {
            return Ok(known.clone());
        }
        let (statement, types) = (prepared.statement.clone(), prepared.types.clone());
        let described = match statement {
            None => Described { parameters: types, columns: Vec::new() },
            Some(statement) => match Command::of(&statement) {
                Command::Query => {
                    let sql = statement.sql.clone();
                    let (services, request) = self.request(statement.sql, Vec::new()).await?;
                    let engine = services.engine;
                    let description = self.unless_gone(async move { engine.describe(request).await }).await?;
                    Described::new(&description.map_err(|error| Failure::of(error, &sql))?, &types)
                }
                Command::Show(name) => Described { parameters: types, columns: shown_columns(&name) },
                _ => Described { parameters: types, columns: Vec::new() },
            },
        };
        self.portals.prepared(name)?.description = Some(described.clone());
        Ok(described)
    }

    /// Runs a query, for only its answer says for sure what its columns are.
    async fn describe_portal(&mut self, name: &str) -> Result<(), Trouble> {
        let mut portal = self.portals.take(name)?;
        let columns = match portal.statement.as_ref().map(Command::of) {
            Some(Command::Query) => {
                self.start(&mut portal).await?;
                portal.answer.as_ref().map(|answer| answer.columns.clone()).unwrap_or_default()
            }
            Some(Command::Show(name)) => shown_columns(&name),
            _ => Vec::new(),
        };
        self.tell_columns(&columns, &portal.formats);
        portal.told = Some(columns);
        self.portals.open(name.to_owned(), portal)?;
        Ok(())
    }

    async fn execute(&mut self, name: String, rows_max: usize) -> Result<(), Trouble> {
        let mut portal = self.portals.take(&name)?;
        self.run_portal(&mut portal, rows_max, false).await?;
        self.portals.open(name, portal)?;
        Ok(())
    }

    /// `tells_columns`: where nobody asks for them, the client is told before the rows.
    async fn run_portal(&mut self, portal: &mut Portal, rows_max: usize, tells_columns: bool) -> Result<(), Trouble> {
        let Some(statement) = &portal.statement else {
            self.wire.out.plain(Plain::EmptyQuery);
            return Ok(());
        };
        let command = Command::of(statement);
        if self.session.transaction == Transaction::Failed && !command.ends_transaction() {
            return Err(
                Failure::new("25P02", "the transaction has failed: nothing more is done before ROLLBACK").into()
            );
        }
        if command != Command::Query {
            return self.command(command, tells_columns);
        }
        if portal.answer.is_none() {
            self.start(portal).await?;
        }
        let Some(answer) = &mut portal.answer else { return Ok(()) };
        if tells_columns {
            self.wire.out.columns(&answer.columns, &portal.formats);
        }
        let formats = std::mem::take(&mut portal.formats);
        let sent = self.send(answer, &formats, rows_max).await;
        portal.formats = formats;
        let is_whole = match sent {
            Ok(is_whole) => is_whole,
            Err(trouble) => {
                portal.answer = None;
                return Err(trouble);
            }
        };
        if is_whole {
            self.wire.out.complete(&format!("SELECT {}", answer.sent));
            answer.timer.ended(QueryOutcome::Success);
            // Whoever executes it once more gets what comes behind the last row.
            answer.batches = Box::pin(futures::stream::empty());
        } else {
            self.wire.out.plain(Plain::Suspended);
        }
        Ok(())
    }

    fn command(&mut self, command: Command, tells_columns: bool) -> Result<(), Trouble> {
        match &command {
            Command::DiscardAll => {
                self.portals.deallocate(None);
                self.portals.close_all();
            }
            Command::Deallocate(name) => self.portals.deallocate(name.as_deref()),
            Command::Commit | Command::Rollback => self.portals.close_all(),
            _ => {}
        }
        let before = self.reported();
        let done = command::run(command, &mut self.session)?;
        for (name, (was, is)) in REPORTED.iter().zip(before.into_iter().zip(self.reported())) {
            if was != is {
                self.wire.out.status(name, &is);
            }
        }
        if let Some((name, value)) = &done.shown {
            if tells_columns {
                self.wire.out.columns(&shown_columns(name), &[]);
            }
            self.wire.out.text_row(&[value]);
        }
        self.wire.out.complete(&done.tag);
        Ok(())
    }

    fn reported(&self) -> [String; REPORTED.len()] {
        REPORTED.map(|name| self.session.get(name).unwrap_or_default().to_owned())
    }

    /// What to ask the engine, once it can answer completely.
    async fn request(&mut self, sql: String, parameters: Vec<Parameter>) -> Result<(Services, QueryRequest), Trouble> {
        let Asker { reader, .. } = asker(&self.app, self.credentials.as_ref()).await?;
        let services = self.app.services().cloned();
        let services = services.ok_or_else(|| Failure::new("57P03", "henge is recovering: try again in a moment"))?;
        recovery::wait_for(&services, &reader, &sql).await.map_err(Failure::of_request)?;
        let query_id = Uuid::new_v4().to_string();
        self.place.runs(Running { query_id: query_id.clone(), reader: reader.clone() });
        let request = QueryRequest {
            sql,
            spelling: Spelling::Postgres,
            reader,
            parameters,
            query_id,
            timeout: self.session.timeout,
            limits: AskedLimits::default(),
            time_zone: self.session.zone().map(str::to_owned),
            use_indexes: true,
            use_native_operators: true,
            use_plan_cache: true,
            use_result_cache: true,
            populate_result_cache: true,
            tells_provenance: false,
        };
        Ok((services, request))
    }

    /// Waits for the first rows of a query.
    async fn start(&mut self, portal: &mut Portal) -> Result<(), Trouble> {
        let Some(statement) = &portal.statement else { return Ok(()) };
        let sql = statement.sql.clone();
        let mut timer = QueryTimer::start(self.app.queries.clone());
        let (services, request) = self.request(sql.clone(), portal.parameters.clone()).await.inspect_err(|_| {
            timer.ended(QueryOutcome::Failed);
        })?;
        let engine = services.engine;
        let answered = self.unless_gone(async move { engine.execute(request).await }).await?;
        let answer = answered.map_err(|error| {
            timer.ended(error.kind.into());
            Failure::of(error, &sql)
        })?;
        let columns = answer.columns.iter();
        let columns: Vec<Column> =
            columns.map(|column| Column { name: column.name.clone(), kind: Kind::of(column) }).collect();
        let kinds = |columns: &[Column]| columns.iter().map(|column| column.kind).collect::<Vec<_>>();
        if portal.told.as_ref().is_some_and(|told| kinds(told) != kinds(&columns)) {
            timer.ended(QueryOutcome::Refused);
            return Err(Failure::new(
                "0A000",
                "with these values the columns are of other types than was told: cast the parameters, such as $1::bigint",
            )
            .into());
        }
        let kinds = kinds(&columns);
        portal.answer = Some(Answer { columns, kinds, batches: answer.batches, rest: None, sent: 0, timer });
        Ok(())
    }

    /// Sends up to so many rows; whether they were the last. `Ok(false)` where there may be more.
    async fn send(&mut self, answer: &mut Answer, formats: &[Format], rows_max: usize) -> Result<bool, Trouble> {
        let mut left = rows_max;
        loop {
            let (rows, mut at) = match answer.rest.take() {
                Some(rest) => rest,
                None => match self.next_batch(answer, formats).await? {
                    Some(rows) => (rows, 0),
                    None => return Ok(true),
                },
            };
            while at < rows.count() && left > 0 {
                rows.write(at, &self.session.time, &mut self.wire.out.0);
                answer.sent += 1;
                (at, left) = (at + 1, left - 1);
                self.wire.flush_much().await?;
            }
            if at < rows.count() || left == 0 {
                answer.rest = Some((rows, at));
                return Ok(false);
            }
        }
    }

    async fn next_batch(&mut self, answer: &mut Answer, formats: &[Format]) -> Result<Option<Rows>, Trouble> {
        let Some(batch) = self.unless_gone(answer.batches.next()).await? else { return Ok(None) };
        let failed = |error: QueryError| {
            answer.timer.ended(error.kind.into());
            Failure::of(error, "")
        };
        let batch = batch.map_err(failed)?;
        let rows = Rows::new(&batch, &answer.kinds, formats);
        Ok(Some(rows.map_err(|error| Failure::new("XX000", error.to_string()))?))
    }

    /// Waits for something, unless the client goes away meanwhile.
    async fn unless_gone<T>(&mut self, wanted: impl Future<Output = T>) -> Result<T, WireError> {
        tokio::select! {
            biased;
            done = wanted => Ok(done),
            () = self.wire.closed() => Err(WireError::Closed),
        }
    }
}

fn shown_columns(name: &str) -> Vec<Column> {
    vec![Column { name: name.to_owned(), kind: Kind::Text }]
}
