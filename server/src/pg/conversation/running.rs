//! What a statement does: a query, whose rows are sent as the client asks for them, or a command about the session.

use futures::StreamExt;
use henge_query::error::QueryError;
use henge_query::request::{Parameter, QueryRequest, Spelling};
use uuid::Uuid;

use super::{Conversation, Trouble};
use crate::app::Services;
use crate::auth::asker::Asker;
use crate::pg::cancellation::Running;
use crate::pg::command::{self, Command};
use crate::pg::failure::Failure;
use crate::pg::kind::Kind;
use crate::pg::login::asker;
use crate::pg::message::Format;
use crate::pg::portal::{Answer, Portal};
use crate::pg::reply::{Column, Plain};
use crate::pg::row::Rows;
use crate::pg::session::{REPORTED, Transaction};
use crate::pg::wire::WireError;
use crate::query_metrics::{QueryOutcome, QueryTimer};
use crate::recovery;

impl Conversation {
    /// `tells_columns`: where nobody asks for them, the client is told before the rows.
    pub(super) async fn run_portal(
        &mut self,
        portal: &mut Portal,
        rows_max: usize,
        tells_columns: bool,
    ) -> Result<(), Trouble> {
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
    pub(super) async fn request(
        &mut self,
        sql: String,
        parameters: Vec<Parameter>,
    ) -> Result<(Services, QueryRequest), Trouble> {
        let Asker { reader, .. } = asker(&self.app, self.credentials.as_ref()).await?;
        let services = self.app.services().cloned();
        let services = services.ok_or_else(|| Failure::new("57P03", "henge is recovering: try again in a moment"))?;
        recovery::wait_for(&services, &reader, &sql).await.map_err(Failure::of_request)?;
        let query_id = Uuid::new_v4().to_string();
        self.place.runs(Running { query_id: query_id.clone(), reader: reader.clone() });
        let request = QueryRequest {
            spelling: Spelling::Postgres,
            parameters,
            timeout: self.session.timeout,
            time_zone: self.session.zone().map(str::to_owned),
            ..QueryRequest::new(sql, reader, query_id)
        };
        Ok((services, request))
    }

    /// Waits for the first rows of a query.
    pub(super) async fn start(&mut self, portal: &mut Portal) -> Result<(), Trouble> {
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
    pub(super) async fn unless_gone<T>(&mut self, wanted: impl Future<Output = T>) -> Result<T, WireError> {
        tokio::select! {
            biased;
            done = wanted => Ok(done),
            () = self.wire.closed() => Err(WireError::Closed),
        }
    }
}

pub(super) fn shown_columns(name: &str) -> Vec<Column> {
    vec![Column { name: name.to_owned(), kind: Kind::Text }]
}
