//! The bytes of a segment's two files, column by column, and the CPU that each takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::segment::{ParquetSegment, PublishedSegment, encode_parquet, encode_serving};

use super::Figure;
use crate::cpu;

const ROUNDS: usize = 3;

/// CPU a row of each step, with one segment's rows.
pub fn costs(segment: &PublishedSegment) -> anyhow::Result<Vec<Figure>> {
    let (mut read_us, mut parquet_us, mut serving_us) = (Vec::new(), Vec::new(), Vec::new());
    let rows_of_segment = segment.meta.rows as f64;
    for _ in 0..ROUNDS {
        let (file, opening) = cpu::seconds_of(|| Ok(ParquetSegment::open(segment.parquet()?)?))?;
        let (rows, reading) = cpu::seconds_of(|| Ok(file.rows()?))?;
        let (_, writing) = cpu::seconds_of(|| Ok(encode_parquet(&rows, file.provenance())?))?;
        let (_, serving) = cpu::seconds_of(|| Ok(encode_serving(&rows, [0; 32])))?;
        read_us.push((opening + reading) * 1e6 / rows_of_segment);
        parquet_us.push(writing * 1e6 / rows_of_segment);
        serving_us.push(serving * 1e6 / rows_of_segment);
    }
    let [read, parquet, serving] = [&mut read_us, &mut parquet_us, &mut serving_us].map(|us| crate::median(us));
    let cpu = |us: f64| format!("{us:.2} CPU-us/row");
    Ok(vec![
        (format!("of it Parquet, {rows_of_segment} rows"), cpu(parquet), ""),
        ("of it the serving form".to_owned(), cpu(serving), ""),
        ("checking and reading Parquet".to_owned(), cpu(read), ""),
        (
            "serving form made from Parquet".to_owned(),
            format!("{:.2} M rows/CPU-s", 1.0 / (read + serving)),
            "2 M rows/CPU-s",
        ),
    ])
}

/// Bytes of one column in all segments.
#[derive(Default)]
struct ColumnBytes {
    parquet: u64,
    encodings: String,
    values: u64,
    dictionary: u64,
    index: u64,
    index_form: String,
}

/// Prints a table of bytes a row, and sums them up.
pub fn sizes(segments: &[Arc<PublishedSegment>]) -> anyhow::Result<Vec<Figure>> {
    let mut columns: BTreeMap<String, ColumnBytes> = BTreeMap::new();
    let (mut rows, mut parquet_bytes, mut serving_bytes) = (0, 0, 0);
    for segment in segments {
        rows += segment.meta.rows;
        parquet_bytes += segment.meta.bytes;
        serving_bytes += segment.serving(&[])?.bytes();
        add_parquet(&ParquetSegment::open(segment.parquet()?)?, &mut columns);
        add_serving(segment, &mut columns)?;
    }
    let bytes = |bytes: u64| bytes as f64 / rows as f64;
    println!(
        "\n| bytes/row of {} segments | Parquet | encoding | serving | values | dictionary | index | |",
        segments.len()
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, column) in &columns {
        let serving = bytes(column.values + column.dictionary + column.index);
        let [parquet, values, dictionary, index] =
            [column.parquet, column.values, column.dictionary, column.index].map(bytes);
        println!(
            "| {name} | {parquet:.3} | {} | {serving:.3} | {values:.3} | {dictionary:.3} | {index:.3} | {} |",
            column.encodings, column.index_form
        );
    }
    let total = |bytes: f64| format!("{bytes:.2} bytes/row");
    Ok(vec![
        (format!("Parquet, {rows} rows in {} segments", segments.len()), total(bytes(parquet_bytes)), "17 bytes/row"),
        ("serving form, dictionaries and indexes included".to_owned(), total(bytes(serving_bytes)), "18 bytes/row"),
    ])
}

fn add_parquet(file: &ParquetSegment, columns: &mut BTreeMap<String, ColumnBytes>) {
    for chunk in file.metadata().row_groups().iter().flat_map(|group| group.columns()) {
        let column = columns.entry(chunk.column_path().string()).or_default();
        column.parquet += chunk.compressed_size() as u64;
        // The last one is that of the values.
        column.encodings = chunk.encodings().last().map(|encoding| encoding.to_string()).unwrap_or_default();
    }
}

fn add_serving(segment: &PublishedSegment, columns: &mut BTreeMap<String, ColumnBytes>) -> anyhow::Result<()> {
    let serving = segment.serving(&[])?;
    columns.entry(TIME_COLUMN.to_owned()).or_default().values += serving.times_place().bytes;
    for layout in serving.layout() {
        let column = columns.entry(layout.name.clone()).or_default();
        column.values += layout.values.bytes;
        if let Some(text) = &layout.text {
            column.dictionary += text.dictionary.bytes;
            column.index += text.index.bytes;
            column.index_form.clone_from(&text.index_form);
        }
    }
    Ok(())
}
