//! A segment's rows: their times, their order, their number, and that their sketches can be read.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::schema::{Aggregation, ColumnKind, DataSourceSchema, SortKey, TIME_COLUMN};
use crate::segment::SegmentMeta;
use crate::sketch::Sketch;
use crate::time::TimestampMs;

const BATCH_ROWS: usize = 16_384;

/// Reads every row. The schema is the one that the file was written with. `visit` sees each batch.
pub(super) fn check(
    file: &Bytes,
    meta: &SegmentMeta,
    schema: &DataSourceSchema,
    mut visit: impl FnMut(&RecordBatch),
) -> Result<(), String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file.clone());
    let reader = builder.and_then(|builder| builder.with_batch_size(BATCH_ROWS).build());
    let mut seen = Seen { rows: 0, times: None, counted: counters(schema), last: None };
    for batch in reader.map_err(|error| error.to_string())? {
        let batch = batch.map_err(|error| error.to_string())?;
        seen.take(&batch, meta, schema)?;
        visit(&batch);
    }
    seen.compare(meta)
}

/// Measures that count events, with their sums; `None` once one was null, as in rows from before the measure was there.
type Counters = Vec<(String, Option<i128>)>;

fn counters(schema: &DataSourceSchema) -> Counters {
    let counts = schema.measures.iter().filter(|measure| measure.aggregation == Aggregation::Count);
    counts.map(|measure| (measure.name.clone(), Some(0))).collect()
}

/// What the rows so far add up to.
struct Seen {
    rows: u64,
    /// The earliest and the latest.
    times: Option<(i64, i64)>,
    counted: Counters,
    /// The sort columns of the batch before.
    last: Option<Vec<ArrayRef>>,
}

impl Seen {
    fn take(&mut self, batch: &RecordBatch, meta: &SegmentMeta, schema: &DataSourceSchema) -> Result<(), String> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.take_times(batch, meta)?;
        self.take_counts(batch)?;
        self.check_sketches(batch, schema)?;
        let keys = sort_columns(batch, schema)?;
        if let Some(row) = first_disorder(self.last.as_deref(), &keys).map_err(|error| error.to_string())? {
            return Err(format!("row {} sorts before the row in front of it", self.rows + row as u64));
        }
        self.last = Some(keys);
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn take_times(&mut self, batch: &RecordBatch, meta: &SegmentMeta) -> Result<(), String> {
        let times = column(batch, TIME_COLUMN)?;
        let times = times.as_primitive_opt::<TimestampMillisecondType>().filter(|times| times.null_count() == 0);
        let times = times.ok_or_else(|| format!("`{TIME_COLUMN}` is not a time in milliseconds for every row"))?;
        for &time in times.values() {
            if !meta.id.chunk.contains(TimestampMs(time)) {
                return Err(format!("a row of {} lies outside of its time chunk", TimestampMs(time)));
            }
            if let Some(granularity) = &meta.query_granularity
                && granularity.floor(TimestampMs(time)) != TimestampMs(time)
            {
                return Err(format!("a row of {} is not floored to {granularity}", TimestampMs(time)));
            }
            let (earliest, latest) = self.times.unwrap_or((time, time));
            self.times = Some((earliest.min(time), latest.max(time)));
        }
        Ok(())
    }

    fn take_counts(&mut self, batch: &RecordBatch) -> Result<(), String> {
        for (name, total) in &mut self.counted {
            let counts = column(batch, name)?;
            let counts =
                counts.as_primitive_opt::<Int64Type>().ok_or_else(|| format!("`{name}` does not hold longs"))?;
            let sum = counts.values().iter().map(|&count| i128::from(count)).sum::<i128>();
            *total = total.filter(|_| counts.null_count() == 0).map(|total| total + sum);
        }
        Ok(())
    }

    fn check_sketches(&self, batch: &RecordBatch, schema: &DataSourceSchema) -> Result<(), String> {
        for measure in &schema.measures {
            let ColumnKind::Sketch(kind) = measure.aggregation.column_kind() else { continue };
            let name = &measure.name;
            let sketches = column(batch, name)?;
            let sketches = sketches.as_binary_opt::<i32>().ok_or_else(|| format!("`{name}` does not hold bytes"))?;
            for (row, bytes) in sketches.iter().enumerate() {
                let read = bytes.map_or(Ok(()), |bytes| Sketch::read_as(kind, bytes).map(drop));
                read.map_err(|error| format!("`{name}` of row {}: {error}", self.rows + row as u64))?;
            }
        }
        Ok(())
    }

    fn compare(&self, meta: &SegmentMeta) -> Result<(), String> {
        if self.rows != meta.rows {
            return Err(format!("it has {} rows, the manifest counts {}", self.rows, meta.rows));
        }
        let bounds = self.times.map(|(earliest, latest)| (TimestampMs(earliest), TimestampMs(latest)));
        if bounds.is_some_and(|bounds| bounds != (meta.time_min, meta.time_max)) {
            return Err("its times do not span what the manifest says".to_owned());
        }
        for (name, total) in &self.counted {
            if let Some(total) = total.filter(|&total| total != i128::from(meta.events)) {
                return Err(format!("`{name}` adds up to {total}, the manifest counts {} events", meta.events));
            }
        }
        Ok(())
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, String> {
    batch.column_by_name(name).ok_or_else(|| format!("it has no column `{name}`"))
}

fn sort_columns(batch: &RecordBatch, schema: &DataSourceSchema) -> Result<Vec<ArrayRef>, String> {
    let name = |key| match key {
        SortKey::Time => TIME_COLUMN,
        SortKey::Dimension(index) => schema.dimensions[index].name.as_str(),
    };
    schema.sort_keys().into_iter().map(|key| column(batch, name(key)).cloned()).collect()
}

/// The first row that is less than the one before it, the last row of the batch before included (invariant S2).
fn first_disorder(before: Option<&[ArrayRef]>, keys: &[ArrayRef]) -> Result<Option<usize>, arrow::error::ArrowError> {
    // Nulls first, strings by bytes, doubles in IEEE 754 total order: as rows are sorted when they are frozen.
    let ascending = SortOptions { descending: false, nulls_first: true };
    if let Some(before) = before {
        let mut order = Ordering::Equal;
        for (left, right) in before.iter().zip(keys) {
            order = order.then(make_comparator(left, right, ascending)?(left.len() - 1, 0));
        }
        if order.is_gt() {
            return Ok(Some(0));
        }
    }
    let comparators = keys.iter().map(|key| make_comparator(key, key, ascending)).collect::<Result<Vec<_>, _>>()?;
    let rows = keys.first().map_or(0, |key| key.len());
    let is_disorder = |row: &usize| {
        let mut orders = comparators.iter().map(|compare| compare(row - 1, *row));
        orders.find(|order| order.is_ne()).is_some_and(Ordering::is_gt)
    };
    Ok((1..rows).find(is_disorder))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::schema::{DataSourceName, Dimension, DimensionType, Measure};
    use crate::segment::{
        Provenance, SegmentId, SortedColumn, SortedRows, Strings, TextValues, Values, encode_parquet,
    };
    use crate::time::Interval;

    const ROWS: u64 = 40_000;

    /// Sorted by org (null, "", "eu"), then time; enough rows for several batches.
    fn rows() -> SortedRows {
        let schema = DataSourceSchema {
            dimensions: vec![Dimension { name: "org".into(), kind: DimensionType::String }],
            measures: vec![Measure { name: "events".into(), aggregation: Aggregation::Count }],
            sort: Vec::new(),
            tenant: None,
            rollup: true,
            query_granularity: "1s".parse().unwrap(),
            segment_granularity: "1h".parse().unwrap(),
        };
        let mut distinct = Strings::default();
        ["", "eu"].iter().for_each(|text| distinct.push(text.as_bytes()));
        let of = |row: u64| (row * 3 / ROWS) as u32;
        SortedRows {
            schema: Arc::new(schema),
            times: (0..ROWS).map(|row| (row * 3 % ROWS) as i64).collect(),
            dimensions: vec![SortedColumn::Text(TextValues { distinct, codes: (0..ROWS).map(of).collect() })],
            measures: vec![SortedColumn::Longs((0..ROWS).map(|_| Some(2)).collect::<Values<i64>>())],
        }
    }

    fn meta() -> SegmentMeta {
        let chunk = Interval::new(TimestampMs(0), TimestampMs(3_600_000)).unwrap();
        let id = SegmentId { data_source: DataSourceName::new("usage").unwrap(), chunk, version: "1".into(), shard: 0 };
        SegmentMeta {
            path: id.path(),
            id,
            bytes: 0,
            blake3: String::new(),
            rows: ROWS,
            events: 2 * ROWS,
            time_min: TimestampMs(0),
            time_max: TimestampMs(ROWS as i64 - 1),
            ..SegmentMeta::sample()
        }
    }

    fn check_after(change: impl FnOnce(&mut SortedRows, &mut SegmentMeta)) -> Result<(), String> {
        let (mut rows, mut meta) = (rows(), meta());
        change(&mut rows, &mut meta);
        let schema = rows.schema.as_ref().clone();
        let (id, consumed, merged_from) = (meta.id.clone(), Vec::new(), Vec::new());
        let provenance = Provenance { id, rows: ROWS, events: ROWS, schema, consumed, merged_from };
        let file = encode_parquet(&rows, &provenance).unwrap().into();
        check(&file, &meta, &rows.schema, |_| ())
    }

    fn codes(rows: &mut SortedRows) -> &mut Vec<u32> {
        let SortedColumn::Text(org) = &mut rows.dimensions[0] else { panic!("org is text") };
        &mut org.codes
    }

    #[test]
    fn rows_out_of_order_out_of_their_chunk_or_miscounted_are_found() {
        assert_eq!(check_after(|_, _| ()), Ok(()));
        type Break = fn(&mut SortedRows, &mut SegmentMeta);
        let cases: [(Break, &str); 9] = [
            (|rows, _| rows.times.swap(7, 8), "row 8 sorts before the row in front of it"),
            (|rows, _| codes(rows)[16_384] = 0, "row 16384 sorts before the row in front of it"),
            (|rows, _| codes(rows)[39_999] = 1, "row 39999 sorts before the row in front of it"),
            (
                |rows, _| rows.times[39_999] = 3_600_000,
                "a row of 1970-01-01T01:00:00.000Z lies outside of its time chunk",
            ),
            (
                |_, meta| meta.query_granularity = Some("1s".parse().unwrap()),
                "a row of 1970-01-01T00:00:00.003Z is not floored to PT1S",
            ),
            (|_, meta| meta.rows += 1, "it has 40000 rows, the manifest counts 40001"),
            (|_, meta| meta.time_max = TimestampMs(40_000), "its times do not span what the manifest says"),
            (|_, meta| meta.events -= 1, "`events` adds up to 80000, the manifest counts 79999 events"),
            (
                |rows, _| {
                    let mut schema = DataSourceSchema::clone(&rows.schema);
                    schema.sort = vec![TIME_COLUMN.into()];
                    rows.schema = Arc::new(schema);
                },
                "row 13334 sorts before the row in front of it",
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(check_after(change), Err(expected.to_owned()));
        }
    }

    #[test]
    fn a_count_that_came_later_is_not_held_against_the_events() {
        let partly = |rows: &mut SortedRows, _: &mut SegmentMeta| {
            let values = (0..ROWS).map(|row| (row > 5).then_some(2));
            rows.measures[0] = SortedColumn::Longs(values.collect::<Values<i64>>());
        };
        assert_eq!(check_after(partly), Ok(()));
    }
}
