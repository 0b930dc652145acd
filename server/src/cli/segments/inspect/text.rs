//! An inspection for people: facts, then a table of columns with the share of the file that each takes.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use henge_segment_store::segment::MergeHistory;
use indicatif::{BinaryBytes, HumanCount};
use owo_colors::OwoColorize;

use super::{Inspection, Serving, SourcePartition};
use crate::cli::visible_text::visible;

/// Letters of the bar that stands for the whole file.
const BAR_WIDTH: usize = 16;

pub fn render(inspection: &Inspection, is_coloured: bool) -> String {
    let title = inspection.meta.id.to_string();
    let mut out = if is_coloured { format!("{}\n", title.bold()) } else { format!("{title}\n") };
    for (name, text) in facts(inspection) {
        let name = format!("{name:<9}");
        let name = if is_coloured { name.dimmed().to_string() } else { name };
        out.push_str(&format!("  {name}  {}\n", visible(&text)));
    }
    out.push_str(&format!("{}\n", file_columns(inspection)));
    let serving = &inspection.serving;
    let origin = if serving.is_cached { "in the cache" } else { "not in the cache; made to be shown" };
    let per_event = serving.bytes as f64 / inspection.meta.events.max(1) as f64;
    let size = BinaryBytes(serving.bytes);
    out.push_str(&format!("\nserving form, {origin}: {size}, {per_event:.1} bytes an event\n"));
    out.push_str(&serving_columns(serving).to_string());
    out
}

fn facts(inspection: &Inspection) -> Vec<(&'static str, String)> {
    let (meta, file) = (&inspection.meta, &inspection.file);
    let per_event = meta.bytes as f64 / meta.events.max(1) as f64;
    let groups = if file.row_groups == 1 { "row group" } else { "row groups" };
    let mut facts = vec![
        ("time", format!("{} to {}, both included", meta.time_min, meta.time_max)),
        ("rows", rows_text(inspection)),
        ("sorted by", inspection.sort.join(", ")),
    ];
    facts.extend(source_facts(inspection));
    facts.extend([
        ("file", meta.path.clone()),
        ("size", format!("{}, {per_event:.1} bytes an event, {} {groups}", BinaryBytes(meta.bytes), file.row_groups)),
        ("blake3", meta.blake3.clone()),
        ("made by", file.created_by.clone()),
    ]);
    facts
}

fn rows_text(inspection: &Inspection) -> String {
    let rows = HumanCount(inspection.meta.rows);
    match inspection.rolled_up {
        0 => format!("{rows}, one for each event"),
        rolled_up => {
            format!("{rows} for {} events; {} rolled up", HumanCount(inspection.meta.events), HumanCount(rolled_up))
        }
    }
}

fn source_facts(inspection: &Inspection) -> Vec<(&'static str, String)> {
    let source = &inspection.source;
    if !source.merged_from.is_empty() {
        return vec![("merged", merge_text(source.merged_from.len(), &inspection.meta.history()))];
    }
    let [records, accepted, rejected, filtered] =
        [source.records, source.accepted, source.rejected, source.filtered].map(HumanCount);
    let read =
        format!("{records} records by one publish: {accepted} accepted, {rejected} rejected, {filtered} filtered");
    let from = source.partitions.iter().map(|partition| ("from", partition_text(partition)));
    std::iter::once(("read", read)).chain(from).collect()
}

fn merge_text(segments: usize, history: &MergeHistory) -> String {
    let amplification = history.written_bytes as f64 / history.cut_bytes.max(1) as f64;
    let times = if history.merges == 1 { "once".to_owned() } else { format!("{} times", history.merges) };
    format!("{segments} segments; rows were merged {times}, {amplification:.1} bytes written for each that was cut")
}

fn partition_text(from: &SourcePartition) -> String {
    let id = from.topic_id.map(|id| format!(", topic id {id}")).unwrap_or_default();
    format!("{} {}, {} accepted{id}", from.partition, from.range, HumanCount(from.counts.accepted))
}

fn file_columns(inspection: &Inspection) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["column", "type", "nulls", "encodings", "plain", "in file", "share of the file"]);
    for column in &inspection.file.columns {
        let share = column.compressed_bytes as f64 / inspection.meta.bytes.max(1) as f64;
        let nulls = column.nulls.map_or_else(String::new, |nulls| HumanCount(nulls).to_string());
        table.add_row([
            Cell::new(visible(&column.name)),
            Cell::new(&column.kind),
            Cell::new(nulls).set_alignment(CellAlignment::Right),
            Cell::new(column.encodings.join(" ")),
            Cell::new(BinaryBytes(column.uncompressed_bytes)).set_alignment(CellAlignment::Right),
            Cell::new(BinaryBytes(column.compressed_bytes)).set_alignment(CellAlignment::Right),
            Cell::new(share_text(share)),
        ]);
    }
    table
}

fn serving_columns(serving: &Serving) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["column", "stored as", "values", "distinct", "dictionary", "index", "form", "share of the form"]);
    let size = |bytes: u64| Cell::new(BinaryBytes(bytes)).set_alignment(CellAlignment::Right);
    for column in &serving.columns {
        let share = column.bytes() as f64 / serving.bytes.max(1) as f64;
        let mut cells = vec![Cell::new(visible(&column.name)), Cell::new(column.kind), size(column.values_bytes)];
        match &column.text {
            Some(text) => cells.extend([
                Cell::new(HumanCount(u64::from(text.distinct))).set_alignment(CellAlignment::Right),
                size(text.dictionary_bytes),
                size(text.index_bytes),
                Cell::new(format!("{}: {}", text.index_form, text.index_reason)),
            ]),
            None => cells.extend(std::iter::repeat_n(Cell::new(""), 4)),
        }
        cells.push(Cell::new(share_text(share)));
        table.add_row(cells);
    }
    table
}

fn share_text(share: f64) -> String {
    format!("{} {:>5.1} %", bar(share), share * 100.0)
}

/// Filled from the left in eighths of a letter.
fn bar(share: f64) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    let eighths = (share.clamp(0.0, 1.0) * (BAR_WIDTH * 8) as f64).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(EIGHTHS[eighths % 8]);
    }
    format!("{bar:<BAR_WIDTH$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_grows_with_the_share_and_never_past_its_width() {
        let bars = [0.0, 0.5, 17.0 / 128.0, 1.0, 2.0].map(bar);
        let full = "█".repeat(16);
        let expected = ["                ", "████████        ", "██▏             ", full.as_str(), full.as_str()];
        assert_eq!(bars, expected);
    }
}
