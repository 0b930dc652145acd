//! A session from its first statement to its last: messages one after the other (prepared statements and their portals are
//! in [`extended`], what runs is in [`running`]).

mod extended;
mod running;

use std::sync::Arc;
use std::time::Duration;

use henge_query::postgres::statements::{Statement, split};

use super::cancellation::SessionPlace;
use super::failure::Failure;
use super::login::Login;
use super::message::{Malformed, Message, Target};
use super::portal::{Portal, Portals};
use super::reply::Plain;
use super::session::{Session, Transaction};
use super::wire::{Wire, WireError};
use crate::app::App;
use crate::auth::credentials::Credentials;

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
}
