//! The prompt: statements over several lines until `;`, a history, and a few backslash commands.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::client::{Client, ClientError};
use super::completion::Names;
use super::statements::Statements;
use super::{Format, Manner, run_one};
use crate::cli::fatal;
use crate::exit_code;

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

/// A prompt and what it was told.
struct Prompt {
    client: Client,
    manner: Manner,
    editor: Editor<Names, FileHistory>,
}

pub async fn run(client: Client, manner: Manner) -> ExitCode {
    let config = Config::builder().completion_type(CompletionType::List).build();
    let mut editor = match Editor::with_config(config) {
        Ok(editor) => editor,
        Err(error) => return fatal(&format!("cannot open the terminal: {error}"), exit_code::FAILURE),
    };
    editor.set_helper(Some(names(&client).await));
    let history = history_file();
    if let Some(file) = &history {
        // The first time there is no file yet.
        if let Err(error) = editor.load_history(file) {
            tracing::debug!(%error, "no history");
        }
    }
    eprintln!("henge {}: \\? helps, \\q leaves", env!("CARGO_PKG_VERSION"));
    let mut prompt = Prompt { client, manner, editor };
    prompt.converse().await;
    if let Some(file) = &history
        && let Err(error) = prompt.editor.save_history(file)
    {
        eprintln!("cannot write {}: {error}", file.display());
    }
    ExitCode::SUCCESS
}

/// What can be completed; nothing where the server does not answer, which the first statement will tell.
async fn names(client: &Client) -> Names {
    let ask = async |sql: &str| client.texts(sql).await.unwrap_or_default();
    let tables = ask("SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES").await;
    let columns = ask("SELECT DISTINCT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'druid'").await;
    let functions = ask("SELECT DISTINCT ROUTINE_NAME FROM INFORMATION_SCHEMA.ROUTINES").await;
    Names::new(tables, columns, functions)
}

impl Prompt {
    async fn converse(&mut self) {
        let mut statements = Statements::default();
        loop {
            let prompt = if statements.is_empty() { "henge> " } else { "  ...> " };
            let line = match tokio::task::block_in_place(|| self.editor.readline(prompt)) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => {
                    statements.clear();
                    continue;
                }
                Err(ReadlineError::Eof) => return,
                Err(error) => {
                    eprintln!("cannot read the terminal: {error}");
                    return;
                }
            };
            if !line.trim().is_empty() && self.editor.add_history_entry(&line).is_err() {
                tracing::debug!("a line is not in the history");
            }
            if statements.is_empty() && line.trim_start().starts_with('\\') {
                if !self.obey(line.trim()).await {
                    return;
                }
                continue;
            }
            statements.push(&line);
            statements.push("\n");
            while let Some(sql) = statements.next() {
                report(run_one(&self.client, &sql, self.manner).await);
            }
        }
    }

    /// Runs a backslash command. Returns whether to go on.
    async fn obey(&mut self, command: &str) -> bool {
        let (verb, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        match (verb, argument.trim()) {
            ("\\q", _) => return false,
            ("\\d", "") => report(self.list(TABLES).await),
            ("\\d", name) => report(self.list(&columns_of(name.trim_matches('"'))).await),
            ("\\timing", _) => {
                self.manner.is_timed = !self.manner.is_timed;
                println!("timing is {}", if self.manner.is_timed { "on" } else { "off" });
            }
            ("\\format", name) => match Format::from_str(name, true) {
                Ok(format) => self.manner.format = format,
                Err(_) => println!("`{name}` is no format: use {}", Format::NAMES.join(", ")),
            },
            ("\\?" | "\\h" | "\\help", _) => println!("{HELP}"),
            _ => println!("`{verb}` is no command; \\? lists them"),
        }
        true
    }

    /// A list is a table whatever the format of answers.
    async fn list(&self, sql: &str) -> Result<(), ClientError> {
        run_one(&self.client, sql, Manner { format: Format::Table, is_timed: false }).await
    }
}

fn columns_of(table: &str) -> String {
    let table = table.replace('\'', "''");
    format!(
        "SELECT COLUMN_NAME AS \"column\", DATA_TYPE AS \"type\" FROM INFORMATION_SCHEMA.COLUMNS \
         WHERE TABLE_NAME = '{table}' ORDER BY TABLE_SCHEMA = 'druid' DESC, ORDINAL_POSITION"
    )
}

fn report(done: Result<(), ClientError>) {
    if let Err(error) = done {
        fatal(&error.to_string(), exit_code::FAILURE);
    }
}

/// Where lines are remembered: the user's state directory, as the XDG rules have it.
fn history_file() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let directory = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(home)?.join("henge");
    std::fs::create_dir_all(&directory).ok()?;
    Some(directory.join("sql_history"))
}
