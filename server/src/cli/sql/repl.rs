//! The prompt: statements over several lines until `;`, a history, and a few backslash commands.

use std::path::PathBuf;
use std::process::ExitCode;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};

use super::Asker;
use super::client::Client;
use super::commands::Next;
use super::completion::Names;
use super::statements::Statements;
use crate::cli::fatal;
use crate::exit_code;

/// A prompt and what it was told.
struct Prompt {
    asker: Asker,
    editor: Editor<Names, FileHistory>,
}

pub async fn run(asker: Asker) -> ExitCode {
    let config = Config::builder().completion_type(CompletionType::List).build();
    let mut editor = match Editor::with_config(config) {
        Ok(editor) => editor,
        Err(error) => return fatal(&format!("cannot open the terminal: {error}"), exit_code::FAILURE),
    };
    editor.set_helper(Some(names(&asker.client).await));
    let history = history_file();
    if let Some(file) = &history {
        // The first time there is no file yet.
        if let Err(error) = editor.load_history(file) {
            tracing::debug!(%error, "no history");
        }
    }
    eprintln!("henge {}: \\? helps, \\q leaves", env!("CARGO_PKG_VERSION"));
    let mut prompt = Prompt { asker, editor };
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
            statements.push(&line);
            statements.push("\n");
            while let Some(said) = statements.next() {
                match self.asker.follow(&said).await {
                    Ok(Next::GoOn) => {}
                    Ok(Next::Leave) => return,
                    Err(error) => drop(fatal(&error.to_string(), exit_code::FAILURE)),
                }
            }
        }
    }
}

/// Where lines are remembered: the user's state directory, as the XDG rules have it.
fn history_file() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let directory = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(home)?.join("henge");
    std::fs::create_dir_all(&directory).ok()?;
    Some(directory.join("sql_history"))
}
