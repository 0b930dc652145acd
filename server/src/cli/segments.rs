//! `henge segments`: what is published in a data directory, also while a server uses it.

mod export;
mod inspect;
mod ls;
mod selection;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::fatal;
use crate::exit_code;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge segments ls --datasource usage
  henge segments inspect ID
  henge segments export ID --output usage.parquet
  henge segments verify --datasource usage")]
pub struct SegmentsArgs {
    #[command(subcommand)]
    command: SegmentsCommand,
}

#[derive(Debug, Subcommand)]
enum SegmentsCommand {
    /// List published segments and the offsets that they come from.
    Ls(ls::LsArgs),
    /// Show what is in a segment, how it is encoded, and where it comes from.
    Inspect(inspect::InspectArgs),
    /// Take segments out: the Parquet files themselves, or their rows as CSV or JSON lines.
    Export(export::ExportArgs),
    /// Read segments' files and compare them with the manifest.
    Verify(verify::VerifyArgs),
}

pub async fn run(args: SegmentsArgs) -> ExitCode {
    let done = match args.command {
        SegmentsCommand::Verify(args) => return verify::run(args).await,
        SegmentsCommand::Ls(args) => ls::run(args).await,
        SegmentsCommand::Inspect(args) => inspect::run(args).await,
        SegmentsCommand::Export(args) => export::run(args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fatal(&message, exit_code::FAILURE),
    }
}
