mod text;

use clap::{Args, ValueEnum};
use henge_segment_store::error::with_sources;
use henge_segment_store::ledger::LedgerCounts;
use henge_segment_store::schema::{ColumnKind, DataSourceSchema, DimensionType, SortKey, TIME_COLUMN};
use henge_segment_store::segment::{FileColumn, Footer, SegmentId, SegmentMeta, ServingSegment, TextLayout};
use henge_segment_store::stream::{OffsetRange, StreamPartition, TopicId};
use serde::Serialize;

use super::selection;
use crate::cli::directory::DirectoryArgs;
use crate::cli::print_line;
use crate::colour;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  henge segments inspect usage_2026-01-01T00:00:00.000Z_2026-01-01T01:00:00.000Z_00000001-00000002_0
  henge segments inspect ID --format json | jq .file.columns

IDs are what `henge segments ls --format jsonl | jq -r .id` prints.")]
pub struct InspectArgs {
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    directory: DirectoryArgs,
    #[arg(long, value_enum, default_value_t = InspectFormat::Table)]
    format: InspectFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InspectFormat {
    Table,
    /// One JSON object.
    Json,
}

/// Everything that is known of a segment without reading its rows.
#[derive(Debug, Serialize)]
struct Inspection {
    #[serde(flatten)]
    meta: SegmentMeta,
    /// Events that are in no row of their own.
    rolled_up: u64,
    source: Source,
    /// What rows are sorted by, the first one first.
    sort: Vec<String>,
    schema: DataSourceSchema,
    file: File,
    serving: Serving,
}

/// What the publish that made the segment read, for this and for other time chunks; or the segments that it was merged
/// from.
#[derive(Debug, Serialize)]
struct Source {
    merged_from: Vec<SegmentId>,
    records: u64,
    accepted: u64,
    rejected: u64,
    filtered: u64,
    partitions: Vec<SourcePartition>,
}

#[derive(Debug, Serialize)]
struct SourcePartition {
    #[serde(flatten)]
    partition: StreamPartition,
    topic_id: Option<TopicId>,
    range: OffsetRange,
    counts: LedgerCounts,
}

/// The Parquet file.
#[derive(Debug, Serialize)]
struct File {
    created_by: String,
    row_groups: usize,
    columns: Vec<FileColumn>,
}

/// The form that queries read.
#[derive(Debug, Serialize)]
struct Serving {
    bytes: u64,
    /// Otherwise it was made for this inspection, as the next query would make it.
    is_cached: bool,
    columns: Vec<ServingColumn>,
}

#[derive(Debug, Serialize)]
struct ServingColumn {
    name: String,
    #[serde(rename = "type")]
    kind: ColumnKind,
    /// Of codes for strings, else of values.
    values_bytes: u64,
    #[serde(flatten)]
    text: Option<ServingText>,
}

/// What a column of strings has besides its codes.
#[derive(Debug, Serialize)]
struct ServingText {
    distinct: u32,
    dictionary_bytes: u64,
    index_bytes: u64,
    index_form: String,
    index_reason: String,
}

pub async fn run(args: InspectArgs) -> Result<(), String> {
    let reader = args.directory.reader()?;
    let state = reader.manifest().await.map_err(|error| with_sources(&error))?;
    let meta = selection::by_id(&state, &args.id)?;
    let footer = reader.footer(meta).await.map_err(|error| with_sources(&error))?;
    let (serving, is_cached) = reader.serving(meta).await.map_err(|error| with_sources(&error))?;
    let inspection = Inspection::new(meta.clone(), footer, Serving::new(&serving, is_cached));
    match args.format {
        InspectFormat::Json => {
            print_line(serde_json::to_string_pretty(&inspection).expect("an inspection is plain data"))
        }
        InspectFormat::Table => print_line(text::render(&inspection, colour::is_wanted(&std::io::stdout()))),
    }
}

impl Inspection {
    fn new(meta: SegmentMeta, footer: Footer, serving: Serving) -> Self {
        let provenance = footer.provenance;
        let mut counts = LedgerCounts::default();
        provenance.consumed.iter().for_each(|consumed| counts.add(&consumed.counts));
        let partitions = provenance.consumed.into_iter().map(|consumed| SourcePartition {
            partition: consumed.partition,
            topic_id: consumed.topic_id,
            range: consumed.range,
            counts: consumed.counts,
        });
        let source = Source {
            merged_from: provenance.merged_from,
            records: counts.seen(),
            accepted: counts.accepted,
            rejected: counts.rejected(),
            filtered: counts.filtered(),
            partitions: partitions.collect(),
        };
        Self {
            rolled_up: meta.events.saturating_sub(meta.rows),
            source,
            sort: sort_names(&provenance.schema),
            schema: provenance.schema,
            file: File { created_by: footer.created_by, row_groups: footer.row_groups, columns: footer.columns },
            serving,
            meta,
        }
    }
}

impl Serving {
    fn new(serving: &ServingSegment, is_cached: bool) -> Self {
        let times = ServingColumn {
            name: TIME_COLUMN.to_owned(),
            kind: ColumnKind::Value(DimensionType::Long),
            values_bytes: serving.times_place().bytes,
            text: None,
        };
        let text = |text: &TextLayout| ServingText {
            distinct: text.distinct,
            dictionary_bytes: text.dictionary.bytes,
            index_bytes: text.index.bytes,
            index_form: text.index_form.clone(),
            index_reason: text.index_reason.clone(),
        };
        let columns = serving.layout().iter().map(|column| ServingColumn {
            name: column.name.clone(),
            kind: column.kind,
            values_bytes: column.values.bytes,
            text: column.text.as_ref().map(text),
        });
        Self { bytes: serving.bytes(), is_cached, columns: std::iter::once(times).chain(columns).collect() }
    }
}

impl ServingColumn {
    fn bytes(&self) -> u64 {
        self.values_bytes + self.text.as_ref().map_or(0, |text| text.dictionary_bytes + text.index_bytes)
    }
}

fn sort_names(schema: &DataSourceSchema) -> Vec<String> {
    let name = |key| match key {
        SortKey::Time => TIME_COLUMN.to_owned(),
        SortKey::Dimension(index) => schema.dimensions[index].name.clone(),
    };
    schema.sort_keys().into_iter().map(name).collect()
}
