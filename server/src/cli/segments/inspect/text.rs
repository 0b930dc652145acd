//! An inspection for people: facts, then a table of columns with the share of the file that each takes.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use indicatif::{BinaryBytes, HumanCount};
use owo_colors::OwoColorize;

use super::{Inspection, SourcePartition};
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
    out.push_str(&columns(inspection).to_string());
    out
}

fn facts(inspection: &Inspection) -> Vec<(&'static str, String)> {
    let (meta, source) = (&inspection.meta, &inspection.source);
    let count = |number: u64| HumanCount(number).to_string();
    let per_event = meta.bytes as f64 / meta.events.max(1) as f64;
    let mut facts = vec![
        ("time", format!("{} to {}, both included", meta.time_min, meta.time_max)),
        (
            "rows",
            match inspection.rolled_up {
                0 => format!("{}, one for each event", count(meta.rows)),
                rolled_up => {
                    format!("{} for {} events; {} rolled up", count(meta.rows), count(meta.events), count(rolled_up))
                }
            },
        ),
        ("sorted by", inspection.sort.join(", ")),
        (
            "read",
            format!(
                "{} records by one publish: {} accepted, {} rejected, {} filtered",
                count(source.records),
                count(source.accepted),
                count(source.rejected),
                count(source.filtered)
            ),
        ),
    ];
    facts.extend(source.partitions.iter().map(|partition| ("from", partition_text(partition))));
    facts.push(("file", meta.path.clone()));
    facts.push((
        "size",
        format!(
            "{}, {per_event:.1} bytes an event, {} row group{}",
            BinaryBytes(meta.bytes),
            inspection.file.row_groups,
            if inspection.file.row_groups == 1 { "" } else { "s" }
        ),
    ));
    facts.push(("blake3", meta.blake3.clone()));
    facts.push(("made by", inspection.file.created_by.clone()));
    facts
}

fn partition_text(from: &SourcePartition) -> String {
    let id = from.topic_id.map(|id| format!(", topic id {id}")).unwrap_or_default();
    format!("{} {}, {} accepted{id}", from.partition, from.range, HumanCount(from.counts.accepted))
}

fn columns(inspection: &Inspection) -> Table {
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
            Cell::new(format!("{} {:>5.1} %", bar(share), share * 100.0)),
        ]);
    }
    table
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
