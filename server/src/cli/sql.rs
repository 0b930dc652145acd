//! `henge sql`: asks a server, with statements from the arguments, a file, a pipe, or a prompt.

mod client;
mod completion;
mod repl;
mod statements;
mod table;
mod tsv;
mod watching;

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, ValueEnum};
use futures::StreamExt;
use owo_colors::OwoColorize;

use self::client::{Answer, Client, ClientError};
use self::statements::Statements;
use self::tsv::TsvLines;
use self::watching::watched;
use super::fatal;
use crate::{colour, exit_code};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge sql                                            a prompt: Tab completes, \\? helps, \\q leaves
  henge sql -c 'SELECT COUNT(*) FROM fleet'
  henge sql -f report.sql --format csv > report.csv
  echo 'SELECT 1' | henge sql --format json")]
pub struct SqlArgs {
    /// Statements to run, separated by `;`.
    #[arg(short = 'c', long, value_name = "SQL", conflicts_with = "file")]
    command: Option<String>,
    /// A file of statements, separated by `;`.
    #[arg(short = 'f', long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The server to ask.
    #[arg(long, env = "HENGE_URL", default_value = "http://127.0.0.1:8888")]
    url: String,
    /// A key that the server asks for, as `henge keys create` shows it behind `bearer`.
    #[arg(long, env = "HENGE_KEY", hide_env_values = true, value_name = "ID.SECRET")]
    key: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// What answers look like on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns; NULL is visible.
    Table,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
    /// Tab-separated values with a header.
    Tsv,
}

impl Format {
    pub const NAMES: [&str; 5] = ["csv", "json", "jsonl", "table", "tsv"];
}

/// How statements are run.
#[derive(Debug, Clone, Copy)]
struct Manner {
    format: Format,
    /// Whether the time that a statement took is told.
    is_timed: bool,
}

pub async fn run(args: SqlArgs) -> ExitCode {
    let client = match Client::new(&args.url, args.key.as_deref()) {
        Ok(client) => client,
        Err(error) => return fatal(&error.to_string(), exit_code::USAGE),
    };
    let text = match (&args.command, &args.file) {
        (Some(sql), _) => Ok(sql.clone()),
        (None, Some(file)) => std::fs::read_to_string(file),
        (None, None) if std::io::stdin().is_terminal() => {
            return repl::run(client, Manner { format: args.format, is_timed: true }).await;
        }
        (None, None) => read_stdin(),
    };
    match text {
        Ok(text) => run_all(&client, &text, Manner { format: args.format, is_timed: true }).await,
        Err(error) => {
            let name = args.file.map_or_else(|| "stdin".to_owned(), |file| file.display().to_string());
            fatal(&format!("cannot read {name}: {error}"), exit_code::FAILURE)
        }
    }
}

/// Runs statements one after the other and stops at the first that fails.
async fn run_all(client: &Client, text: &str, manner: Manner) -> ExitCode {
    let mut statements = Statements::default();
    statements.push(text);
    let mut count = 0;
    while let Some(sql) = statements.next().or_else(|| statements.take_rest()) {
        count += 1;
        if let Err(error) = run_one(client, &sql, manner).await {
            let code =
                if matches!(error, ClientError::Interrupted) { exit_code::INTERRUPTED } else { exit_code::FAILURE };
            return fatal(&error.to_string(), code);
        }
    }
    if count == 0 { fatal("there is no statement to run", exit_code::USAGE) } else { ExitCode::SUCCESS }
}

/// Runs a statement; Ctrl-C cancels it on the server too.
async fn run_one(client: &Client, sql: &str, manner: Manner) -> Result<(), ClientError> {
    let started = Instant::now();
    let query_id = uuid::Uuid::new_v4().to_string();
    let shown = async {
        let answer = watched(client, &query_id, client.ask(sql, &query_id, manner.format)).await?;
        show(answer, manner.format).await
    };
    let row_count = tokio::select! {
        shown = shown => shown?,
        _ = tokio::signal::ctrl_c() => {
            client.cancel(&query_id).await;
            return Err(ClientError::Interrupted);
        }
    };
    if let Some(count) = row_count {
        let rows = if count == 1 { "row" } else { "rows" };
        let line = match manner.is_timed {
            true => format!("{count} {rows} ({} ms)", started.elapsed().as_millis()),
            false => format!("{count} {rows}"),
        };
        if colour::is_wanted(&std::io::stderr()) { eprintln!("{}", line.dimmed()) } else { eprintln!("{line}") }
    }
    Ok(())
}

/// Writes an answer to stdout as it comes; the table waits for all rows, whose widths it needs. Returns the number of
/// rows where it is known.
async fn show(answer: Answer, format: Format) -> Result<Option<usize>, ClientError> {
    let mut pieces = answer.into_pieces();
    if format == Format::Table {
        let mut lines = Vec::new();
        while let Some(piece) = pieces.next().await {
            lines.extend_from_slice(&piece?);
        }
        let rendered = table::render(&lines, colour::is_wanted(&std::io::stdout()))?;
        print(rendered.text.as_bytes())?;
        return Ok(Some(rendered.row_count));
    }
    if format == Format::Tsv {
        let mut lines = TsvLines::default();
        while let Some(piece) = pieces.next().await {
            print(&lines.take(&piece?)?)?;
        }
        return Ok(None);
    }
    // The line formats end with a blank line, which is for machines to see that nothing is missing; reqwest has
    // checked that already.
    let mut held_back = false;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        if held_back && !piece.is_empty() {
            print(b"\n")?;
            held_back = false;
        }
        match piece.strip_suffix(b"\n") {
            Some(rest) => {
                print(rest)?;
                held_back = true;
            }
            None => print(&piece)?,
        }
    }
    if held_back && format == Format::Json {
        print(b"\n")?;
    }
    Ok(None)
}

fn print(bytes: &[u8]) -> Result<(), ClientError> {
    std::io::stdout().lock().write_all(bytes).map_err(ClientError::Stdout)
}

fn read_stdin() -> std::io::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
