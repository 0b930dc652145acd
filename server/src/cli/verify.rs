//! `henge verify`: is everything in a data directory as it should be?

mod text;

use std::process::ExitCode;

use clap::Args;
use henge_segment_store::clock;
use henge_segment_store::error::{StoreError, with_sources};
use henge_segment_store::verify::{self, Report};

use super::directory::DirectoryArgs;
use super::fatal;
use super::progress::ByteBar;
use crate::{colour, exit_code};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge verify
  henge verify --data-dir /var/lib/henge || page-someone
  henge verify --json | jq '.findings[].object'

Checks that the manifest's records form a chain and its snapshots agree with them, that consumed offsets tile each
partition without overlap or unrecorded hole, that every accepted event is in a segment, that each segment's file is
there with its length, digest, footer and rows in order, and that no file is left over. Changes nothing, and may run
beside a server.

Exit codes: 0 nothing is damaged (there may be warnings), 1 damage was found, 2 the check could not be made.")]
pub struct VerifyArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// The whole report as one JSON object.
    #[arg(long)]
    json: bool,
}

pub async fn run(args: VerifyArgs) -> ExitCode {
    let reader = match args.directory.reader() {
        Ok(reader) => reader,
        Err(message) => return fatal(&message, exit_code::USAGE),
    };
    let bar = ByteBar::new("reading segments");
    let checked = verify::directory(&reader, clock::now(), |at| bar.show(at.done_bytes, at.total_bytes)).await;
    drop(bar);
    show(checked, &args.directory.name(), args.json, text::Scope::Directory)
}

/// Of the segments that a check was made of.
pub fn show_segments(checked: Result<Report, StoreError>, name: &str, json: bool) -> ExitCode {
    show(checked, name, json, text::Scope::Segments)
}

fn show(checked: Result<Report, StoreError>, name: &str, json: bool, scope: text::Scope) -> ExitCode {
    let report = match checked {
        Ok(report) => report,
        Err(error) => return fatal(&with_sources(&error), exit_code::USAGE),
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report).expect("a report is plain data"));
    } else {
        print!("{}", text::render(&report, name, scope, colour::is_wanted(&std::io::stdout())));
    }
    ExitCode::from(if report.is_sound() { 0 } else { exit_code::FAILURE })
}
