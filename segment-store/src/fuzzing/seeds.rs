//! Valid files of each kind, from which fuzzing starts.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use henge_indexing::fuzzing::Seed;

use crate::manifest::{ManifestState, encode_checked};
use crate::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use crate::segment::{
    Provenance, SegmentId, SortedColumn, SortedRows, Strings, TextValues, encode_parquet, encode_serving,
};
use crate::time::{Interval, TimestampMs};

/// Every seed, the same ones at any time.
pub fn all() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for count in [1, 40] {
        segment(&mut seeds, "all", &[0, 1, 2, 3, 4, 5], count);
    }
    for (column, dimension) in dimensions().into_iter().enumerate() {
        // More than a block, and yet no longer than the inputs of a fuzz target are.
        for count in [60, 1_030] {
            segment(&mut seeds, &dimension.name, &[column], count);
        }
    }
    manifest(&mut seeds);
    seeds
}

fn dimensions() -> Vec<Dimension> {
    let dimension = |name: &str, kind| Dimension { name: name.into(), kind };
    vec![
        dimension("few", DimensionType::String),
        dimension("many", DimensionType::String),
        dimension("sorted", DimensionType::String),
        dimension("long", DimensionType::Long),
        dimension("double", DimensionType::Double),
        dimension("flag", DimensionType::Boolean),
    ]
}

/// A value of each dimension for a row.
fn dimension_of(column: usize, rows: usize) -> SortedColumn {
    let rows = 0..rows;
    match column {
        0 => text(rows.map(|row| (row % 4 != 0).then(|| format!("org-{}", row % 3)))),
        1 => text(rows.map(|row| Some(format!("topic-{}", row * 7_919 % 200)))),
        2 => text(rows.map(|row| Some(["", "acme", "b", "zoé"][(row / 20).min(3)].to_owned()))),
        3 => SortedColumn::Longs(rows.map(|row| (row % 5 != 1).then_some(row as i64 / 3)).collect()),
        4 => SortedColumn::Doubles(rows.map(|row| Some(row as f64 / 10.0)).collect()),
        _ => SortedColumn::Flags(rows.map(|row| (row % 7 != 2).then_some(row % 3 == 0)).collect()),
    }
}

/// Strings with the distinct ones in order and every one in use.
fn text(values: impl Iterator<Item = Option<String>>) -> SortedColumn {
    let values: Vec<Option<String>> = values.collect();
    let known: BTreeSet<&String> = values.iter().flatten().collect();
    let mut distinct = Strings::default();
    known.iter().for_each(|value| distinct.push(value.as_bytes()));
    let code = |value: &String| known.iter().position(|known| *known == value).expect("a known value") as u32 + 1;
    let codes = values.iter().map(|value| value.as_ref().map_or(0, code)).collect();
    SortedColumn::Text(TextValues { distinct, codes })
}

/// Both files of a segment with some of the dimensions.
fn segment(seeds: &mut Vec<Seed>, name: &str, columns: &[usize], rows: usize) {
    let schema = DataSourceSchema {
        dimensions: columns.iter().map(|column| dimensions().swap_remove(*column)).collect(),
        measures: vec![Measure { name: "sum".into(), aggregation: Aggregation::LongSum }],
        rollup: false,
        query_granularity: "none".parse().expect("a granularity"),
        segment_granularity: "1h".parse().expect("a granularity"),
        sort: Vec::new(),
        tenant: None,
    };
    let columns = SortedRows {
        schema: Arc::new(schema.clone()),
        times: (0..rows as i64).map(|row| row * 250).collect(),
        dimensions: columns.iter().map(|column| dimension_of(*column, rows)).collect(),
        measures: vec![SortedColumn::Longs((0..rows as i64).map(|row| Some(row * row % 1_003)).collect())],
    };
    let chunk = Interval::new(TimestampMs(0), TimestampMs(3_600_000)).expect("not empty");
    let data_source = DataSourceName::new("usage").expect("a name");
    let id = SegmentId { data_source, chunk, version: "1-1".into(), shard: 0 };
    let count = rows as u64;
    let provenance =
        Provenance { id, rows: count, events: count, schema, consumed: Vec::new(), merged_from: Vec::new() };
    let name = format!("{name}_{rows}");
    let mut seed = |target, bytes| seeds.push(Seed { target, name: name.clone(), bytes });
    seed("parquet_segment", encode_parquet(&columns, &provenance).expect("rows are encoded"));
    let serving = encode_serving(&columns, [7; 32]);
    seed("serving_file", serving.clone());
    seed("serving_footer", serving.clone());
    seed("serving_sections", serving);
}

/// What golden records lack, on top of the publish that they hold.
const LATER: [(&str, &str); 2] = [
    (
        "set_rules",
        r#"{"number":3,"previous":"","epoch":1,"commit_id":"1-3","written_at":1,"change":{"type":"set_rules","data_source":"usage","rules":[{"type":"loadByPeriod","period":"P1M"},{"type":"dropForever"}]}}"#,
    ),
    (
        "retire",
        r#"{"number":3,"previous":"","epoch":1,"commit_id":"1-3","written_at":1,"change":{"type":"retire","data_source":"usage","segments":["usage_1970-01-01T00:00:00.000Z_1970-01-01T01:00:00.000Z_v00_0"],"reason":"old"}}"#,
    ),
];

fn manifest(seeds: &mut Vec<Seed>) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/manifest_before_upkeep/manifest");
    let read = |file: &str| fs::read_to_string(golden.join(file)).expect("golden files are there");
    let body = |file: &str| read(file).split_once('\n').expect("a header and a body").1.to_owned();
    let record = |number: u32| body(&format!("records/{number:020}"));
    let start: Vec<String> = [0, 1, 2].map(record).to_vec();
    let mut seed = |target, name: &str, bytes: String| {
        seeds.push(Seed { target, name: name.to_owned(), bytes: bytes.into_bytes() });
    };
    seed("manifest_record", "whole", read(&format!("records/{:020}", 2)));
    seed("manifest_record", "start", start.join("\n"));
    for (name, later) in LATER {
        seed("manifest_record", name, [start.join("\n"), later.to_owned()].join("\n"));
    }
    // The last three: a reset, a publish of the next generation, the end of the supervisor.
    let end = [0, 1, 63, 64, 65].map(record);
    seed("manifest_record", "end", end.join("\n"));
    let mut state = ManifestState::default();
    for body in [0, 1, 2, 3, 63, 64].map(record) {
        let body = serde_json::from_str(&body).expect("golden records can be read");
        state.apply(&body, "digest".into()).ok();
    }
    let (snapshot, _) = encode_checked(&state);
    let snapshot = String::from_utf8(snapshot).expect("JSON");
    seed("manifest_snapshot", "body", snapshot.split_once('\n').expect("a header and a body").1.to_owned());
    seed("manifest_snapshot", "whole", snapshot);
}
