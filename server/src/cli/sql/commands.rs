//! What begins with a backslash: at the prompt, and in scripts too.

use clap::ValueEnum;

use super::client::ClientError;
use super::{Asker, Format};

const HELP: &str = "\
  SELECT ...;     runs a statement; it may span lines and ends with `;`
  \\d              lists tables
  \\d NAME         lists the columns of a table
  \\timing         tells the time of statements, or no longer
  \\format NAME    answers as table, json, jsonl, csv or tsv
  \\q              leaves, as does Ctrl-D
  Tab             completes tables, columns, functions and words
  Ctrl-C          drops the input, or cancels the running statement";

const TABLES: &str = "SELECT TABLE_SCHEMA AS \"schema\", TABLE_NAME AS \"table\" FROM INFORMATION_SCHEMA.TABLES \
                      ORDER BY TABLE_SCHEMA = 'druid' DESC, TABLE_SCHEMA, TABLE_NAME";

/// Whether more is read after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    GoOn,
    Leave,
}

impl Asker {
    /// Does what a command says.
    pub async fn obey(&mut self, command: &str) -> Result<Next, ClientError> {
        let (verb, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match (verb, argument.trim().trim_end_matches(';')) {
            ("\\q", _) => return Ok(Next::Leave),
            ("\\d", "") => self.list(TABLES).await?,
            ("\\d", name) => self.describe(name.trim_matches('"')).await?,
            ("\\timing", _) => {
                self.is_timed = !self.is_timed;
                eprintln!("timing is {}", if self.is_timed { "on" } else { "off" });
            }
            ("\\format", name) => {
                self.format = Format::from_str(name, true).map_err(|_| {
                    ClientError::Command(format!("`{name}` is no format: use {}", Format::NAMES.join(", ")))
                })?;
            }
            ("\\?" | "\\h" | "\\help", _) => println!("{HELP}"),
            _ => return Err(ClientError::Command(format!("`{verb}` is no command; \\? lists them"))),
        }
        Ok(Next::GoOn)
    }

    async fn describe(&self, table: &str) -> Result<(), ClientError> {
        let columns = columns_of(table);
        if self.client.texts(&columns).await?.is_empty() {
            return Err(ClientError::Command(format!("there is no table `{table}`; \\d lists them")));
        }
        self.list(&columns).await
    }

    /// Nobody asks how long a list took.
    async fn list(&self, sql: &str) -> Result<(), ClientError> {
        self.run_with(sql, false).await
    }
}

fn columns_of(table: &str) -> String {
    let table = table.replace('\'', "''");
    format!(
        "SELECT COLUMN_NAME AS \"column\", DATA_TYPE AS \"type\" FROM INFORMATION_SCHEMA.COLUMNS \
         WHERE TABLE_NAME = '{table}' ORDER BY TABLE_SCHEMA = 'druid' DESC, ORDINAL_POSITION"
    )
}
