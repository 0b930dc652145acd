//! The prompt: statements over several lines until `;`, a history, and a few backslash commands.

use std::path::PathBuf;
use std::process::ExitCode;

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::client::{Client, ClientError};
use super::statements::Statements;
use super::{Format, run_one};
use crate::cli::fatal;
use crate::exit_code;

const HELP: &str = "\
  SELECT ...;     runs a statement; it may span lines and ends with `;`
  \\d              lists tables
  \\d NAME         lists the columns of a table
  \\q              leaves, as does Ctrl-D
  Ctrl-C          drops the input, or cancels the running statement";

pub async fn run(client: Client, format: Format) -> ExitCode {
    let mut editor = match DefaultEditor::new() {
        Ok(editor) => editor,
        Err(error) => return fatal(&format!("cannot open the terminal: {error}"), exit_code::FAILURE),
    };
    let history = history_file();
    if let Some(file) = &history {
        // The first time there is no file yet.
        if let Err(error) = editor.load_history(file) {
            tracing::debug!(%error, "no history");
        }
    }
    eprintln!("henge {}: \\? helps, \\q leaves", env!("CARGO_PKG_VERSION"));
    converse(&client, format, &mut editor).await;
    if let Some(file) = &history
        && let Err(error) = editor.save_history(file)
    {
        eprintln!("cannot write {}: {error}", file.display());
    }
    ExitCode::SUCCESS
}

async fn converse(client: &Client, format: Format, editor: &mut DefaultEditor) {
    let mut statements = Statements::default();
    loop {
        let prompt = if statements.is_empty() { "henge> " } else { "  ...> " };
        let line = match tokio::task::block_in_place(|| editor.readline(prompt)) {
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
        if !line.trim().is_empty() && editor.add_history_entry(&line).is_err() {
            tracing::debug!("a line is not in the history");
        }
        if statements.is_empty() && line.trim_start().starts_with('\\') {
            if !obey(client, line.trim()).await {
                return;
            }
            continue;
        }
        statements.push(&line);
        statements.push("\n");
        while let Some(sql) = statements.next() {
            if let Err(error) = run_one(client, &sql, format).await {
                fatal(&error.to_string(), exit_code::FAILURE);
            }
        }
    }
}

/// Runs a backslash command. Returns whether to go on.
async fn obey(client: &Client, command: &str) -> bool {
    let (verb, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let shown = match (verb, argument.trim()) {
        ("\\q", _) => return false,
        ("\\d", "") => client.data_sources().await.map(|names| match names.as_slice() {
            [] => "there are no tables yet".to_owned(),
            names => names.join("\n"),
        }),
        ("\\d", name) => columns(client, name.trim_matches('"')).await,
        ("\\?" | "\\h" | "\\help", _) => Ok(HELP.to_owned()),
        _ => Ok(format!("`{verb}` is no command; \\? lists them")),
    };
    match shown {
        Ok(text) => println!("{text}"),
        Err(error) => {
            fatal(&error.to_string(), exit_code::FAILURE);
        }
    }
    true
}

async fn columns(client: &Client, name: &str) -> Result<String, ClientError> {
    let columns = client.data_source(name).await?;
    let list = |kind: &str| {
        let names = columns[kind].as_array().into_iter().flatten().filter_map(|name| name.as_str());
        names.map(|name| format!("  {name}")).collect::<Vec<_>>().join("\n")
    };
    Ok(format!("time\n  __time\ndimensions\n{}\nmeasures\n{}", list("dimensions"), list("metrics")))
}

/// Where lines are remembered: the user's state directory, as the XDG rules have it.
fn history_file() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let directory = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(home)?.join("henge");
    std::fs::create_dir_all(&directory).ok()?;
    Some(directory.join("sql_history"))
}
