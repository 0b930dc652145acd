use clap::{Args, ValueEnum};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use futures::StreamExt;
use henge_segment_store::error::with_sources;
use henge_segment_store::manifest::ConsumedRange;
use henge_segment_store::reader::StoreReader;
use henge_segment_store::segment::SegmentMeta;
use henge_segment_store::stream::{Offset, StreamPartition};
use indicatif::{BinaryBytes, HumanCount};
use serde::Serialize;

use super::selection;
use crate::cli::directory::DirectoryArgs;
use crate::cli::print_line;

/// Footers that are read at once.
const FOOTERS_AT_ONCE: usize = 16;
/// Ranges that one cell of the table shows; the rest is counted.
const RANGES_SHOWN: usize = 4;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge segments ls
  henge segments ls --data-dir /var/lib/henge --datasource usage --format jsonl | jq .offsets")]
pub struct LsArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
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

/// A segment, and the offsets that its publish consumed as its file says; `None` where the file cannot be read.
#[derive(Debug, Serialize)]
struct ListedSegment<'a> {
    #[serde(flatten)]
    meta: &'a SegmentMeta,
    offsets: Option<Vec<Offsets>>,
}

/// `[start, end)` of one partition.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Offsets {
    #[serde(flatten)]
    partition: StreamPartition,
    start: Offset,
    end: Offset,
}

pub async fn run(args: LsArgs) -> Result<(), String> {
    let reader = args.directory.reader()?;
    let state = reader.manifest().await.map_err(|error| with_sources(&error))?;
    let metas = selection::of_data_source(&state, args.datasource.as_deref())?;
    let listed = metas.into_iter().map(|meta| listed(&reader, meta));
    let mut listed = futures::stream::iter(listed).buffered(FOOTERS_AT_ONCE);
    match args.format {
        ListFormat::Jsonl => {
            while let Some(segment) = listed.next().await {
                print_line(serde_json::to_string(&segment).expect("a segment's description is plain data"))?;
            }
            Ok(())
        }
        ListFormat::Table => print_line(table(&listed.collect::<Vec<_>>().await)),
    }
}

async fn listed<'a>(reader: &StoreReader, meta: &'a SegmentMeta) -> ListedSegment<'a> {
    let footer = reader.footer(meta).await.ok();
    ListedSegment { meta, offsets: footer.map(|footer| offsets(footer.provenance.consumed)) }
}

fn offsets(consumed: Vec<ConsumedRange>) -> Vec<Offsets> {
    let read = consumed.into_iter().filter(|consumed| !consumed.range.is_empty());
    read.map(|consumed| Offsets { partition: consumed.partition, start: consumed.range.start, end: consumed.range.end })
        .collect()
}

fn table(segments: &[ListedSegment<'_>]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["datasource", "time chunk", "version", "shard", "rows", "events", "size", "offsets"]);
    for segment in segments {
        let (meta, id) = (segment.meta, &segment.meta.id);
        table.add_row([
            id.data_source.to_string(),
            id.chunk.to_string(),
            id.version.clone(),
            id.shard.to_string(),
            HumanCount(meta.rows).to_string(),
            HumanCount(meta.events).to_string(),
            BinaryBytes(meta.bytes).to_string(),
            segment.offsets.as_deref().map_or_else(|| "unreadable".to_owned(), ranges_text),
        ]);
    }
    for column in table.column_iter_mut().skip(3).take(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A range a line, the first ones.
fn ranges_text(offsets: &[Offsets]) -> String {
    let shown = offsets.iter().take(RANGES_SHOWN);
    let shown = shown.map(|Offsets { partition, start, end }| format!("{partition} [{start}, {end})"));
    let hidden = offsets.len().saturating_sub(RANGES_SHOWN);
    shown.chain((hidden > 0).then(|| format!("and {hidden} more"))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_shows_some_ranges_and_counts_the_rest() {
        let of = |partition| Offsets {
            partition: StreamPartition { topic: "t".into(), partition },
            start: Offset(0),
            end: Offset(9),
        };
        assert_eq!(ranges_text(&[of(0)]), "t[0] [0, 9)");
        let six: Vec<_> = (0..6).map(of).collect();
        assert_eq!(ranges_text(&six), "t[0] [0, 9)\nt[1] [0, 9)\nt[2] [0, 9)\nt[3] [0, 9)\nand 2 more");
    }
}
