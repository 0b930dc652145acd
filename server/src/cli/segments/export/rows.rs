//! Writes segments' rows as text.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use henge_query::answer::ResultColumn;
use henge_segment_store::error::with_sources;
use henge_segment_store::reader::StoreReader;

use super::Selected;
use crate::cli::output_file::OutputFile;
use crate::cli::progress::ByteBar;
use crate::wire::cell::{ArrayStyle, Cells};
use crate::wire::csv::CsvRows;
use crate::wire::rows_json::JsonRows;
use crate::wire::time_text::TimeText;
use crate::wire::{Header, Layout, ResultFormat};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    Csv,
    Jsonl,
}

/// To a file, which appears once it is complete, or to stdout.
pub async fn export(
    reader: &StoreReader,
    selected: &Selected,
    format: RowFormat,
    output: Option<PathBuf>,
) -> Result<(), String> {
    match output {
        Some(path) => {
            let mut file = OutputFile::create(&path)?;
            write_rows(reader, selected, format, &mut file).await?;
            file.finish()
        }
        None => write_rows(reader, selected, format, &mut BufWriter::new(std::io::stdout())).await,
    }
}

/// The command does nothing else meanwhile, so writing may block.
async fn write_rows(
    reader: &StoreReader,
    selected: &Selected,
    format: RowFormat,
    out: &mut impl Write,
) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write rows: {error}");
    let schema = selected.schema.arrow();
    let mut rows = RowText::new(format, &schema);
    let mut text = Vec::new();
    rows.start(&mut text);
    let bar = ByteBar::new("reading segments");
    let total = selected.segments.iter().map(|meta| meta.bytes).sum();
    let mut done = 0;
    for meta in &selected.segments {
        bar.show(done, total);
        let batches = reader.rows(meta, schema.clone(), selected.interval).await;
        for batch in batches.map_err(|error| with_sources(&error))? {
            rows.batch(&batch.map_err(|error| with_sources(&error))?, &mut text)?;
            out.write_all(&text).map_err(failed)?;
            text.clear();
        }
        done += meta.bytes;
    }
    out.write_all(&text).and_then(|()| out.flush()).map_err(failed)
}

enum RowText {
    Csv(CsvRows),
    Jsonl(JsonRows),
}

impl RowText {
    fn new(format: RowFormat, schema: &Schema) -> Self {
        let column =
            |name: &String| ResultColumn { name: name.clone(), druid_type: String::new(), sql_type: String::new() };
        let columns = schema.fields().iter().map(|field| column(field.name())).collect();
        let layout = |format, names| Layout {
            format,
            header: Header { names, ..Header::default() },
            time: TimeText::utc(),
            arrays: ArrayStyle::Nested,
        };
        match format {
            RowFormat::Csv => Self::Csv(CsvRows::new(layout(ResultFormat::Csv, true), columns)),
            RowFormat::Jsonl => Self::Jsonl(JsonRows::new(layout(ResultFormat::ObjectLines, false), columns)),
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Csv(rows) => rows.start(out),
            Self::Jsonl(rows) => rows.start(out),
        }
    }

    fn batch(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), String> {
        let cells = batch.columns().iter().map(Cells::new).collect::<Result<Vec<_>, _>>();
        let cells = cells.map_err(|error| with_sources(&error))?;
        for row in 0..batch.num_rows() {
            match self {
                Self::Csv(rows) => rows.row(&cells, row, out),
                Self::Jsonl(rows) => rows.row(&cells, row, out),
            }
        }
        Ok(())
    }
}
