//! Prepared statements, and the portals that run them.

use super::running::shown_columns;
use super::{Conversation, Trouble};
use crate::pg::command::Command;
use crate::pg::failure::Failure;
use crate::pg::message::{Bind, Format};
use crate::pg::parameter;
use crate::pg::portal::{Described, Portal, Prepared};
use crate::pg::reply::{Column, Plain};

impl Conversation {
    pub(super) fn parse(&mut self, name: String, sql: &str, types: Vec<u32>) -> Result<(), Trouble> {
        let mut statements = self.split(sql)?;
        if statements.len() > 1 {
            return Err(Failure::new("42601", "a prepared statement is one statement").into());
        }
        let statement = statements.pop();
        self.portals.prepare(name, Prepared { statement, types, description: None })?;
        self.wire.out.plain(Plain::ParseComplete);
        Ok(())
    }

    pub(super) async fn bind(&mut self, bind: Bind) -> Result<(), Trouble> {
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

    pub(super) async fn describe_statement(&mut self, name: &str) -> Result<(), Trouble> {
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
    pub(super) async fn describe_portal(&mut self, name: &str) -> Result<(), Trouble> {
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

    pub(super) async fn execute(&mut self, name: String, rows_max: usize) -> Result<(), Trouble> {
        let mut portal = self.portals.take(&name)?;
        self.run_portal(&mut portal, rows_max, false).await?;
        self.portals.open(name, portal)?;
        Ok(())
    }
}
