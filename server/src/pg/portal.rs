//! Statements that wait for values, and answers that wait to be read.

use std::collections::HashMap;

use henge_query::answer::ResultBatches;
use henge_query::description::Description;
use henge_query::postgres::statements::Statement;
use henge_query::request::Parameter;

use super::failure::Failure;
use super::kind::Kind;
use super::message::Format;
use super::reply::Column;
use super::row::Rows;
use crate::query_metrics::QueryTimer;

/// Of one session.
const PREPARED_MAX: usize = 1_000;
const PREPARED_BYTES_MAX: usize = 8 << 20;
/// Each may hold an answer that is read half.
const PORTALS_MAX: usize = 16;

/// A statement that was parsed.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// `None`: the text was empty.
    pub statement: Option<Statement>,
    /// Of the parameters, as far as the client has said them; 0 where it has not.
    pub types: Vec<u32>,
    pub description: Option<Described>,
}

/// What a client was told of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    pub parameters: Vec<u32>,
    pub columns: Vec<Column>,
}

impl Described {
    /// `types`: those that the client has said.
    pub fn new(description: &Description, types: &[u32]) -> Self {
        let count = description.parameters.len().max(types.len());
        let parameter = |at: usize| match types.get(at) {
            Some(said) if *said != 0 => *said,
            _ => description.parameters.get(at).and_then(Option::as_ref).map_or(Kind::Text, Kind::of).oid(),
        };
        let columns = description.columns.iter();
        let columns = columns.map(|column| Column { name: column.name.clone(), kind: Kind::of(column) });
        Self { parameters: (0..count).map(parameter).collect(), columns: columns.collect() }
    }
}

/// A statement with its values.
pub struct Portal {
    pub statement: Option<Statement>,
    pub parameters: Vec<Parameter>,
    pub formats: Vec<Format>,
    /// What its client was told of the columns before it was run.
    pub told: Option<Vec<Column>>,
    pub answer: Option<Answer>,
}

/// An answer as far as it was not read yet.
pub struct Answer {
    pub columns: Vec<Column>,
    pub kinds: Vec<Kind>,
    pub batches: ResultBatches,
    /// Rows of a batch, and the first that was not sent.
    pub rest: Option<(Rows, usize)>,
    /// Rows that were sent.
    pub sent: u64,
    pub timer: QueryTimer,
}

/// Those of a session.
#[derive(Default)]
pub struct Portals {
    prepared: HashMap<String, Prepared>,
    open: HashMap<String, Portal>,
}

impl Portals {
    /// # Errors
    /// The name is taken, or there are too many.
    pub fn prepare(&mut self, name: String, prepared: Prepared) -> Result<(), Failure> {
        if name.is_empty() {
            self.prepared.remove(&name);
        } else if self.prepared.contains_key(&name) {
            return Err(Failure::new("42P05", format!("the prepared statement `{name}` is there already")));
        }
        let text = |prepared: &Prepared| prepared.statement.as_ref().map_or(0, |statement| statement.sql.len());
        let bytes = self.prepared.values().map(text).sum::<usize>() + text(&prepared);
        if self.prepared.len() >= PREPARED_MAX || bytes > PREPARED_BYTES_MAX {
            return Err(Failure::new(
                "54000",
                "a session keeps a thousand prepared statements, of 8 MiB in all: close some, or DEALLOCATE ALL",
            ));
        }
        self.prepared.insert(name, prepared);
        Ok(())
    }

    pub fn prepared(&mut self, name: &str) -> Result<&mut Prepared, Failure> {
        let missing = || Failure::new("26000", format!("there is no prepared statement `{name}`"));
        self.prepared.get_mut(name).ok_or_else(missing)
    }

    pub fn open(&mut self, name: String, portal: Portal) -> Result<(), Failure> {
        if !name.is_empty() && self.open.contains_key(&name) {
            return Err(Failure::new("42P03", format!("the portal `{name}` is open already")));
        }
        if self.open.len() >= PORTALS_MAX && !self.open.contains_key(&name) {
            return Err(Failure::new("54000", format!("a session has at most {PORTALS_MAX} open portals: close some")));
        }
        self.open.insert(name, portal);
        Ok(())
    }

    /// Takes it out, so that it can be run: [`Self::open`] puts it back.
    pub fn take(&mut self, name: &str) -> Result<Portal, Failure> {
        self.open.remove(name).ok_or_else(|| Failure::new("34000", format!("there is no portal `{name}`")))
    }

    pub fn close(&mut self, name: &str) {
        self.open.remove(name);
    }

    pub fn close_all(&mut self) {
        self.open.clear();
    }

    /// Whether a query waits to be read.
    pub fn has_answers(&self) -> bool {
        self.open.values().any(|portal| portal.answer.is_some())
    }

    /// `None`: all of them.
    pub fn deallocate(&mut self, name: Option<&str>) {
        match name {
            Some(name) => _ = self.prepared.remove(name),
            None => self.prepared.clear(),
        }
    }
}
