//! `henge segments`: what the manifest of a data directory says, also while a server uses it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use henge_segment_store::manifest::ManifestState;
use henge_segment_store::segment::SegmentMeta;
use henge_segment_store::store::{Store, StoreOptions};

use super::{EXIT_FAILURE, fatal};
use crate::error::with_sources;

#[derive(Debug, Args)]
pub struct SegmentsArgs {
    #[command(subcommand)]
    command: SegmentsCommand,
}

#[derive(Debug, Subcommand)]
enum SegmentsCommand {
    /// List published segments.
    Ls(LsArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge segments ls
  henge segments ls --data-dir /var/lib/henge --datasource usage --format json")]
struct LsArgs {
    #[arg(long, env = "HENGE_DATA_DIR", value_name = "DIR", default_value = "henge-data")]
    data_dir: PathBuf,
    /// The bucket, if segments are not in the data directory.
    #[arg(long, env = "HENGE_OBJECT_STORE", value_name = "URL")]
    object_store: Option<String>,
    /// Only this datasource.
    #[arg(long, value_name = "NAME")]
    datasource: Option<String>,
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    format: ListFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    Table,
    /// One JSON object a line.
    Jsonl,
}

pub async fn run(args: SegmentsArgs) -> ExitCode {
    let SegmentsCommand::Ls(args) = args.command;
    if args.object_store.is_none() && !args.data_dir.is_dir() {
        return fatal(&format!("there is no data directory `{}`", args.data_dir.display()), EXIT_FAILURE);
    }
    let options = StoreOptions { object_store: args.object_store, ..StoreOptions::local(args.data_dir) };
    match Store::read_manifest(&options).await {
        Ok(state) => {
            list(&state, args.datasource.as_deref(), args.format);
            ExitCode::SUCCESS
        }
        Err(error) => fatal(&with_sources(&error), EXIT_FAILURE),
    }
}

fn list(state: &ManifestState, only: Option<&str>, format: ListFormat) {
    let wanted = state.data_sources.iter().filter(|(name, _)| only.is_none_or(|only| only == name.as_str()));
    let segments: Vec<&SegmentMeta> = wanted.flat_map(|(_, state)| state.segments.values()).collect();
    match format {
        ListFormat::Jsonl => {
            for segment in segments {
                println!("{}", serde_json::to_string(segment).expect("a segment's description is plain data"));
            }
        }
        ListFormat::Table => println!("{}", table(&segments)),
    }
}

fn table(segments: &[&SegmentMeta]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["datasource", "time chunk", "version", "shard", "rows", "events", "bytes"]);
    for segment in segments {
        let id = &segment.id;
        let numbers = [u64::from(id.shard), segment.rows, segment.events, segment.bytes].map(|n| n.to_string());
        let names = [id.data_source.to_string(), id.chunk.to_string(), id.version.clone()];
        table.add_row(names.into_iter().chain(numbers));
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
