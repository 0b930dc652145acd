//! `henge sql`: asks a server, with statements from the arguments, a file, a pipe, or a prompt.

mod client;
mod commands;
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
use self::commands::Next;
use self::statements::{Said, Statements};
use self::tsv::TsvLines;
use self::watching::watched;
use super::fatal;
use crate::{colour, exit_code};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge sql                                            a prompt: Tab completes, \\? helps, \\q leaves
  henge sql -c 'SELECT COUNT(*) FROM fleet'
  henge sql -c '\\d fleet'                              the columns of a table; \\d lists tables
  henge sql -f report.sql --format csv > report.csv
  echo 'SELECT 1' | henge sql --format json")]
pub struct SqlArgs {
    /// Statements to run, separated by `;`, and commands of the prompt, each in a line of its own.
    #[arg(short = 'c', long, value_name = "SQL", conflicts_with = "file")]
    command: Option<String>,
    /// A file of the same.
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

/// Asks a server, and shows what it answers.
struct Asker {
    client: Client,
    format: Format,
    /// Whether the time that a statement took is told.
    is_timed: bool,
}

pub async fn run(args: SqlArgs) -> ExitCode {
    let client = match Client::new(&args.url, args.key.as_deref()) {
        Ok(client) => client,
        Err(error) => return fatal(&error.to_string(), exit_code::USAGE),
    };
    let mut asker = Asker { client, format: args.format, is_timed: true };
    let text = match (&args.command, &args.file) {
        (Some(sql), _) => Ok(sql.clone()),
        (None, Some(file)) => std::fs::read_to_string(file),
        (None, None) if std::io::stdin().is_terminal() => return repl::run(asker).await,
        (None, None) => read_stdin(),
    };
    match text {
        Ok(text) => asker.follow_all(&text).await,
        Err(error) => {
            let name = args.file.map_or_else(|| "stdin".to_owned(), |file| file.display().to_string());
            fatal(&format!("cannot read {name}: {error}"), exit_code::FAILURE)
        }
    }
}

impl Asker {
    /// Follows a script, and stops at the first statement or command that fails.
    async fn follow_all(&mut self, text: &str) -> ExitCode {
        let mut statements = Statements::default();
        statements.push(text);
        let mut count = 0;
        while let Some(said) = statements.next().or_else(|| statements.take_rest()) {
            count += 1;
            match self.follow(&said).await {
                Ok(Next::GoOn) => {}
                Ok(Next::Leave) => break,
                Err(error @ ClientError::Interrupted) => return fatal(&error.to_string(), exit_code::INTERRUPTED),
                Err(error) => return fatal(&error.to_string(), exit_code::FAILURE),
            }
        }
        if count == 0 { fatal("there is no statement to run", exit_code::USAGE) } else { ExitCode::SUCCESS }
    }

    async fn follow(&mut self, said: &Said) -> Result<Next, ClientError> {
        match said {
            Said::Statement(sql) => self.run_with(sql, self.is_timed).await.map(|()| Next::GoOn),
            Said::Command(command) => self.obey(command).await,
        }
    }

    /// Runs a statement; Ctrl-C cancels it on the server too.
    async fn run_with(&self, sql: &str, is_timed: bool) -> Result<(), ClientError> {
        let (client, started) = (&self.client, Instant::now());
        let query_id = uuid::Uuid::new_v4().to_string();
        let shown = async {
            let answer = watched(client, &query_id, client.ask(sql, &query_id, self.format)).await?;
            show(answer, self.format).await
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
            let line = match is_timed {
                true => format!("{count} {rows} ({} ms)", started.elapsed().as_millis()),
                false => format!("{count} {rows}"),
            };
            if colour::is_wanted(&std::io::stderr()) { eprintln!("{}", line.dimmed()) } else { eprintln!("{line}") }
        }
        Ok(())
    }
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
