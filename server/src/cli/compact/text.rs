//! What was merged, as a table: a line for each time chunk, before and after.

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use henge_segment_store::segment::SegmentMeta;
use indicatif::{BinaryBytes, HumanCount};

/// One merge that was published.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    pub inputs: Vec<SegmentMeta>,
    pub added: Vec<SegmentMeta>,
}

pub fn render(merges: &[Merge], is_coloured: bool) -> String {
    if merges.is_empty() {
        return "nothing to merge".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    if is_coloured {
        table.enforce_styling();
    }
    table.set_header(["datasource", "time chunk", "segments", "rows", "size"]);
    for merge in merges {
        let id = &merge.inputs.first().or(merge.added.first()).expect("a merge has inputs").id;
        table.add_row(
            [Cell::new(&id.data_source), Cell::new(id.chunk)].into_iter().chain(changes(&merge.inputs, &merge.added)),
        );
    }
    if merges.len() > 1 {
        let (inputs, added): (Vec<_>, Vec<_>) =
            merges.iter().map(|merge| (merge.inputs.clone(), merge.added.clone())).unzip();
        let chunks = Cell::new(format!("{} merges", HumanCount(merges.len() as u64)));
        let total = [Cell::new("total"), chunks].into_iter().chain(changes(&inputs.concat(), &added.concat()));
        let bold = |cell: Cell| if is_coloured { cell.add_attribute(Attribute::Bold) } else { cell };
        table.add_row(total.map(bold));
    }
    table.to_string()
}

/// Segments, rows and bytes, each before and after.
fn changes(before: &[SegmentMeta], after: &[SegmentMeta]) -> [Cell; 3] {
    let sum = |metas: &[SegmentMeta], of: fn(&SegmentMeta) -> u64| metas.iter().map(of).sum::<u64>();
    let (rows, bytes) = ((|meta| meta.rows) as fn(&SegmentMeta) -> u64, (|meta| meta.bytes) as fn(&SegmentMeta) -> u64);
    let counts = |before: u64, after: u64| format!("{} → {}", HumanCount(before), HumanCount(after));
    [
        counts(before.len() as u64, after.len() as u64),
        counts(sum(before, rows), sum(after, rows)),
        format!("{} → {}", BinaryBytes(sum(before, bytes)), BinaryBytes(sum(after, bytes))),
    ]
    .map(|text| Cell::new(text).set_alignment(CellAlignment::Right))
}
