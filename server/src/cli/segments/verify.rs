use std::process::ExitCode;

use clap::Args;
use henge_segment_store::error::with_sources;
use henge_segment_store::manifest::ManifestState;
use henge_segment_store::segment::SegmentMeta;
use henge_segment_store::verify;

use super::selection;
use crate::cli::directory::DirectoryArgs;
use crate::cli::fatal;
use crate::cli::progress::ByteBar;
use crate::cli::verify::show_segments;
use crate::exit_code;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge segments verify                                every published segment
  henge segments verify --datasource usage
  henge segments verify usage_2026-01-01T00:00:00.000Z_2026-01-01T01:00:00.000Z_00000001-00000002_0

Exit codes: 0 nothing is damaged, 1 damage was found, 2 the check could not be made.")]
pub struct VerifyArgs {
    /// Which segments; none: all.
    #[arg(value_name = "ID", conflicts_with = "datasource")]
    ids: Vec<String>,
    /// Only this datasource's.
    #[arg(long, value_name = "NAME")]
    datasource: Option<String>,
    #[command(flatten)]
    directory: DirectoryArgs,
    /// The whole report as one JSON object.
    #[arg(long)]
    json: bool,
}

pub async fn run(args: VerifyArgs) -> ExitCode {
    let prepared = async {
        let reader = args.directory.reader()?;
        let state = reader.manifest().await.map_err(|error| with_sources(&error))?;
        let wanted = wanted(&args, &state)?;
        Ok::<_, String>((reader, wanted))
    };
    let (reader, wanted) = match prepared.await {
        Ok(prepared) => prepared,
        Err(message) => return fatal(&message, exit_code::USAGE),
    };
    let bar = ByteBar::new("reading segments");
    let checked = verify::segments(&reader, wanted, |at| bar.show(at.done_bytes, at.total_bytes)).await;
    drop(bar);
    show_segments(checked, &args.directory.name(), args.json)
}

fn wanted(args: &VerifyArgs, state: &ManifestState) -> Result<Vec<SegmentMeta>, String> {
    if args.ids.is_empty() {
        return Ok(selection::of_data_source(state, args.datasource.as_deref())?.into_iter().cloned().collect());
    }
    args.ids.iter().map(|id| selection::by_id(state, id).cloned()).collect()
}
