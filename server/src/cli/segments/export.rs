mod files;
mod rows;

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use henge_segment_store::error::with_sources;
use henge_segment_store::manifest::ManifestState;
use henge_segment_store::reader::StoreReader;
use henge_segment_store::schema::DataSourceSchema;
use henge_segment_store::segment::SegmentMeta;
use henge_segment_store::time::Interval;

use super::selection;
use crate::cli::directory::DirectoryArgs;

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("what").required(true).args(["id", "datasource"]),
    after_help = "Examples:
  henge segments export ID --output usage.parquet
  henge segments export --datasource usage --interval 2026-01-01/2026-02-01 --output january/
  henge segments export --datasource usage --interval 2026-01-01/2026-01-02 --format csv > day.csv
  henge segments export ID --format jsonl | jq .org_id

Parquet is the segment's own file, byte for byte: whole segments, also those that the interval only touches. CSV and
JSON lines hold exactly the rows of the interval; only published rows are in segments. CSV shows null and an empty
string alike, the others do not."
)]
pub struct ExportArgs {
    /// One segment.
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// All segments of this datasource.
    #[arg(long, value_name = "NAME")]
    datasource: Option<String>,
    /// Only what is in START/END, such as 2026-01-01/2026-02-01.
    #[arg(long, value_name = "START/END", value_parser = selection::parse_interval)]
    interval: Option<Interval>,
    #[arg(long, value_enum, default_value_t = ExportFormat::Parquet)]
    format: ExportFormat,
    /// A file; a directory for the Parquet files of a datasource; absent: stdout for rows.
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    directory: DirectoryArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// The segments' own files.
    Parquet,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// What to export, and the columns that its rows have.
struct Selected {
    segments: Vec<SegmentMeta>,
    schema: DataSourceSchema,
    interval: Interval,
}

pub async fn run(args: ExportArgs) -> Result<(), String> {
    let reader = args.directory.reader()?;
    let state = reader.manifest().await.map_err(|error| with_sources(&error))?;
    let selected = select(&args, &reader, &state).await?;
    match args.format {
        ExportFormat::Parquet => {
            let output = args.output.ok_or("say where Parquet files go with --output")?;
            files::export(&reader, selected.segments, &output, args.id.is_some()).await
        }
        ExportFormat::Csv => rows::export(&reader, &selected, rows::RowFormat::Csv, args.output).await,
        ExportFormat::Jsonl => rows::export(&reader, &selected, rows::RowFormat::Jsonl, args.output).await,
    }
}

/// A segment alone has the columns that it was written with, a datasource those that it has now.
async fn select(args: &ExportArgs, reader: &StoreReader, state: &ManifestState) -> Result<Selected, String> {
    let interval = args.interval.unwrap_or(Interval::ALL);
    if let Some(id) = &args.id {
        let meta = selection::by_id(state, id)?.clone();
        let footer = reader.footer(&meta).await.map_err(|error| with_sources(&error))?;
        return Ok(Selected { segments: vec![meta], schema: footer.provenance.schema, interval });
    }
    let name = args.datasource.as_deref().expect("clap asks for an id or a datasource");
    let (_, known) = selection::data_source(state, name)?;
    let overlaps = |meta: &&SegmentMeta| meta.time_min < interval.end() && interval.start() <= meta.time_max;
    let segments = known.segments.values().filter(overlaps).cloned().collect();
    Ok(Selected { segments, schema: known.schema.clone(), interval })
}
