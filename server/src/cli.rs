//! The command line: one binary with a few verbs.

pub mod compact;
pub mod demo;
mod directory;
pub mod grafana;
pub mod keys;
pub mod openapi;
mod output_file;
mod progress;
pub mod segments;
pub mod server;
pub mod sql;
pub mod verify;
mod visible_text;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use owo_colors::OwoColorize;

use crate::colour;
use crate::telemetry::LogFormat;

#[derive(Debug, Parser)]
#[command(
    name = "henge",
    version,
    about = "Henge: Kafka topics become tables that SQL can ask, exactly once and within milliseconds",
    after_help = "Examples:
  henge demo                              a synthetic fleet, no Kafka needed
  henge server --config henge.toml        serve your own topics
  henge sql -c 'SELECT COUNT(*) FROM fleet'
  henge verify --data-dir henge-demo      is every byte as it was written?

Exit codes: 0 done, 1 failed, 2 used wrongly, 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// How log lines on stderr look.
    #[arg(long, global = true, value_enum, env = "HENGE_LOG_FORMAT", default_value_t = LogFormat::Human)]
    pub log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ingest from Kafka and answer SQL over HTTP.
    Server(server::ServerArgs),
    /// Ask a running server, once or in a prompt.
    Sql(sql::SqlArgs),
    /// Show Henge at work on a synthetic fleet; needs no Kafka.
    Demo(demo::DemoArgs),
    /// Look at the segments of a data directory, or take them out.
    Segments(segments::SegmentsArgs),
    /// Merge segments as far as possible; no server may use the data directory.
    Compact(compact::CompactArgs),
    /// Check a whole data directory.
    Verify(verify::VerifyArgs),
    /// Make, list and revoke the keys that requests need.
    Keys(keys::KeysArgs),
    /// Write what makes a Grafana show Henge.
    Grafana(grafana::GrafanaArgs),
    /// Print the HTTP interface as an OpenAPI document.
    Openapi(openapi::OpenApiArgs),
}

/// Says on stderr, in one line, why a command cannot go on.
pub fn fatal(message: &str, code: u8) -> ExitCode {
    if colour::is_wanted(&std::io::stderr()) {
        eprintln!("{} {message}", "error:".red().bold());
    } else {
        eprintln!("error: {message}");
    }
    ExitCode::from(code)
}

/// Prints a line to stdout. The error, such as a pipe that was closed, is one line.
fn print_line(line: impl std::fmt::Display) -> Result<(), String> {
    writeln!(std::io::stdout().lock(), "{line}").map_err(|error| format!("cannot write to stdout: {error}"))
}
