//! How soon a serving form says which rows match.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use henge_indexing::{BLOCK_ROWS, Column, LikePattern, LongColumn, PackedLongs, Predicate, TextColumn, TextTest};
use henge_segment_store::event::{DimensionValue, EventRow};
use henge_segment_store::schema::{DataSourceSchema, Dimension, DimensionType};
use henge_segment_store::segment::PublishedSegment;
use henge_segment_store::segment_reader::SegmentReader;
use henge_segment_store::time::{Granularity, TimestampMs};
use henge_segment_store::timeline::SegmentView;

use super::{Bench, Figure};

/// Values that are asked for, spread evenly over a dictionary.
const VALUES: u32 = 101;
const IN_VALUES: u32 = 1_000;
const ROUNDS: u32 = 9;
const NAMES: u32 = 1_000_000;

/// Over all of the segments together.
pub fn over(segments: &[Arc<PublishedSegment>]) -> anyhow::Result<Vec<Figure>> {
    let columns = ["cluster_id", "topic", "principal", "bytes_in"];
    let open = |segment: &Arc<PublishedSegment>| SegmentView::Published(segment.clone()).open(&columns);
    let readers = segments.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let rows: u64 = segments.iter().map(|segment| segment.meta.rows).sum();
    let place = format!("{rows} rows in {} segments", readers.len());
    let mut figures = Vec::new();
    for column in &columns[..3] {
        let (us, found) = equality(&readers, column)?;
        figures.push((
            format!("row set of `{column} = x`, {found:.0} rows of {place}"),
            format!("{us:.0} us"),
            "50 us",
        ));
    }
    for column in &columns[..2] {
        let (us, found) = membership(&readers, column)?;
        figures.push((
            format!("row set of `{column}` IN {IN_VALUES} values, {found:.0} rows of {place}"),
            format!("{:.2} ms", us / 1e3),
            "2 ms",
        ));
    }
    let reader = readers.first().context("there is a segment")?;
    let Column::Longs(LongColumn::Packed(longs)) = reader.column("bytes_in")? else { bail!("bytes are packed longs") };
    figures.push((
        "unpack and sum of `bytes_in`".to_owned(),
        format!("{:.2} ns/value", unpack_ns(longs)),
        "0.4 ns/value",
    ));
    Ok(figures)
}

/// The median time of some values, the best of some rounds each, and the rows that were found on average.
fn equality(readers: &[SegmentReader], column: &str) -> anyhow::Result<(f64, f64)> {
    let (mut times, mut found) = (Vec::new(), 0);
    for value in values(&readers[0], column, VALUES, 0)? {
        let predicate = Predicate::Text { column: column.into(), test: TextTest::equal(value) };
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let (us, rows) = evaluate(readers, &predicate)?;
            best = best.min(us);
            found += rows;
        }
        times.push(best);
    }
    let count = times.len() as f64 * f64::from(ROUNDS);
    Ok((crate::median(&mut times), found as f64 / count))
}

/// The median of some rounds, each with other values, so that nothing is remembered.
fn membership(readers: &[SegmentReader], column: &str) -> anyhow::Result<(f64, f64)> {
    let (mut times, mut found) = (Vec::new(), 0);
    for round in 0..ROUNDS {
        let test = TextTest::any_of(values(&readers[0], column, IN_VALUES, round)?);
        let (us, rows) = evaluate(readers, &Predicate::Text { column: column.into(), test })?;
        times.push(us);
        found += rows;
    }
    Ok((crate::median(&mut times), found as f64 / f64::from(ROUNDS)))
}

/// Microseconds, and the number of rows found.
fn evaluate(readers: &[SegmentReader], predicate: &Predicate) -> anyhow::Result<(f64, u64)> {
    let started = Instant::now();
    let mut found = 0;
    for reader in readers {
        found += black_box(reader.evaluate(predicate, true)?).len();
    }
    Ok((started.elapsed().as_secs_f64() * 1e6, found))
}

fn values(reader: &SegmentReader, column: &str, count: u32, shift: u32) -> anyhow::Result<Vec<Vec<u8>>> {
    let Column::Text(TextColumn::Sorted { dictionary, .. }) = reader.column(column)? else {
        bail!("`{column}` has no dictionary")
    };
    let distinct = dictionary.distinct();
    let code = |number: u32| (u64::from(number) * u64::from(distinct) / u64::from(count)) as u32 + shift;
    Ok((0..count).map(|number| dictionary.value(code(number).min(distinct - 1) + 1)).collect())
}

/// Over a million names that are all different.
pub fn like(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let schema = DataSourceSchema {
        dimensions: vec![Dimension { name: "name".into(), kind: DimensionType::String }],
        measures: Vec::new(),
        rollup: false,
        query_granularity: Granularity::NONE,
        segment_granularity: "1d".parse()?,
        sort: Vec::new(),
        tenant: None,
    };
    let names = bench.create("names", schema)?;
    let mut event = EventRow::new(1, 0);
    event.time = TimestampMs(0);
    for number in 0..NAMES {
        let word = ["orders", "billing", "payments", "inventory", "shipping", "users"][number as usize % 6];
        event.clear();
        event.set_dimension(0, DimensionValue::String(&format!("{word}.created.eu.v{number}")));
        names.append(std::slice::from_ref(&event));
    }
    bench.publish_open(&names)?;
    let segment = names.published_segments().pop().context("the names were just published")?;
    let reader = [SegmentView::Published(segment).open(&["name"])?];
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let pattern = LikePattern::new(&format!("%v{}%", 120 + round), None, false)?;
        let predicate = Predicate::Text { column: "name".into(), test: TextTest::Like(pattern) };
        first.push(evaluate(&reader, &predicate)?.0 / 1e3);
        again.push(evaluate(&reader, &predicate)?.0 / 1e3);
    }
    let milliseconds = |times: &mut Vec<f64>| format!("{:.2} ms", crate::median(times));
    Ok(vec![
        (format!("row set of LIKE '%v120%', {NAMES} strings"), milliseconds(&mut first), "5 ms"),
        ("the same again".to_owned(), milliseconds(&mut again), ""),
    ])
}

/// The best of some rounds.
fn unpack_ns(longs: &PackedLongs) -> f64 {
    let mut values = [0; BLOCK_ROWS];
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let mut sum = 0_i64;
        for block in 0..longs.block_count() {
            let rows = longs.unpack(block, &mut values);
            sum = values[..rows].iter().fold(sum, |sum, value| sum.wrapping_add(*value));
        }
        black_box(sum);
        best = best.min(started.elapsed().as_secs_f64());
    }
    best * 1e9 / f64::from(longs.len())
}
