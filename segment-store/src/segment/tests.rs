use std::sync::Arc;

use bytes::Bytes;
use henge_indexing::{CodeSetCache, NumberTest, Predicate, RowSet, TextTest};
use proptest::prelude::*;

use super::*;
use crate::manifest::ConsumedRange;
use crate::schema::{Aggregation, DataSourceName, DataSourceSchema, Dimension, DimensionType, Measure};
use crate::segment_reader::SegmentReader;
use crate::time::{Interval, TimestampMs};

mod sketches;

const HOUR_MS: i64 = 3_600_000;

fn schema() -> Arc<DataSourceSchema> {
    let dimension = |name: &str, kind| Dimension { name: name.into(), kind };
    let measure = |name: &str, aggregation| Measure { name: name.into(), aggregation };
    Arc::new(DataSourceSchema {
        dimensions: vec![
            dimension("org", DimensionType::String),
            dimension("topic", DimensionType::String),
            dimension("code", DimensionType::Long),
            dimension("ratio", DimensionType::Double),
            dimension("flag", DimensionType::Boolean),
        ],
        measures: vec![measure("bytes", Aggregation::LongSum), measure("latency", Aggregation::DoubleMax)],
        rollup: false,
        query_granularity: "none".parse().unwrap(),
        segment_granularity: "1h".parse().unwrap(),
        sort: Vec::new(),
        tenant: None,
    })
}

/// Strings with the distinct ones in order and every one in use.
fn text(values: &[Option<String>]) -> SortedColumn {
    let known: std::collections::BTreeSet<&String> = values.iter().flatten().collect();
    let mut distinct = Strings::default();
    known.iter().for_each(|value| distinct.push(value.as_bytes()));
    let code = |value: &String| known.iter().position(|known| *known == value).unwrap() as u32 + 1;
    SortedColumn::Text(TextValues {
        distinct,
        codes: values.iter().map(|value| value.as_ref().map_or(0, code)).collect(),
    })
}

type Row = (i64, Option<String>, Option<String>, Option<i64>, Option<f64>, Option<bool>, Option<i64>);

fn row() -> impl Strategy<Value = Row> {
    (
        0..HOUR_MS,
        prop::option::weighted(0.9, prop::sample::select(vec!["", "a", "acme", "zoé"]).prop_map(str::to_owned)),
        prop::option::weighted(0.9, "[a-c]{0,2}|a longer name of a topic, number [0-9]{3}"),
        prop::option::of(prop::sample::select(vec![i64::MIN, -1, 0, 7, i64::MAX])),
        prop::option::of(prop::sample::select(vec![-0.0, 0.0, 0.1, f64::MIN_POSITIVE, 1e300, f64::NEG_INFINITY])),
        prop::option::of(any::<bool>()),
        prop::option::weighted(0.99, 0_i64..100_000),
    )
}

/// The rows as columns. Their order does not matter to the files.
fn sorted(rows: &[Row]) -> SortedRows {
    let dimensions = vec![
        text(&rows.iter().map(|row| row.1.clone()).collect::<Vec<_>>()),
        text(&rows.iter().map(|row| row.2.clone()).collect::<Vec<_>>()),
        SortedColumn::Longs(rows.iter().map(|row| row.3).collect()),
        SortedColumn::Doubles(rows.iter().map(|row| row.4).collect()),
        SortedColumn::Flags(rows.iter().map(|row| row.5).collect()),
    ];
    let latency = rows.iter().map(|row| row.6.map(|bytes| bytes as f64 / 1_000.0)).collect();
    let measures = vec![SortedColumn::Longs(rows.iter().map(|row| row.6).collect()), SortedColumn::Doubles(latency)];
    SortedRows { schema: schema(), times: rows.iter().map(|row| row.0).collect(), dimensions, measures }
}

fn id() -> SegmentId {
    let chunk = Interval::new(TimestampMs(0), TimestampMs(HOUR_MS)).unwrap();
    SegmentId { data_source: DataSourceName::new("usage").unwrap(), chunk, version: "1-1".into(), shard: 0 }
}

fn provenance(rows: &SortedRows) -> Provenance {
    let count = rows.row_count() as u64;
    let schema = rows.schema.as_ref().clone();
    let consumed: Vec<ConsumedRange> = Vec::new();
    Provenance { id: id(), rows: count, events: count, schema, consumed, merged_from: Vec::new() }
}

fn code_sets() -> Arc<CodeSetCache> {
    Arc::new(CodeSetCache::new(1 << 20))
}

fn serving(bytes: Vec<u8>) -> Result<SegmentReader, ServingError> {
    let serving = ServingSegment::from_bytes(bytes.into(), &code_sets())?;
    Ok(SegmentReader::Published(id(), Arc::new(serving)))
}

/// Every cell of the selected rows, as text.
fn cells(reader: &SegmentReader, rows: &RowSet) -> Vec<String> {
    let batches: Vec<_> = reader.batches(schema().arrow(), rows).map(Result::unwrap).collect();
    let line = |batch: &arrow::array::RecordBatch, row: usize| {
        let cell = |column: &arrow::array::ArrayRef| {
            let options = arrow::util::display::FormatOptions::new().with_null("NULL");
            arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap().value(row).to_string()
        };
        batch.columns().iter().map(cell).collect::<Vec<_>>().join("|")
    };
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| line(batch, row))).collect()
}

fn text_cell(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or_else(|| "NULL".to_owned(), ToString::to_string)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// S4 in one direction: the Parquet file holds the rows, bit for bit.
    #[test]
    fn rows_come_back_from_their_parquet_file(rows in prop::collection::vec(row(), 1..300)) {
        let rows = sorted(&rows);
        let provenance = provenance(&rows);
        let file = ParquetSegment::open(encode_parquet(&rows, &provenance).unwrap().into()).unwrap();
        prop_assert_eq!(file.provenance(), &provenance);
        let read = file.rows().unwrap();
        // Debug text tells -0.0 from 0.0.
        prop_assert_eq!(format!("{read:?}"), format!("{rows:?}"));
    }

    /// S4 in the other: so does the serving form, for whatever rows are asked for.
    #[test]
    fn any_choice_of_rows_comes_back_from_a_serving_form(
        rows in prop::collection::vec(row(), 1..1_500),
        choice in prop::collection::vec(any::<bool>(), 1_500),
    ) {
        let columns = sorted(&rows);
        let reader = serving(encode_serving(&columns, [7; 32])).unwrap();
        let selected: Vec<u32> = (0..rows.len()).filter(|&row| choice[row]).map(|row| row as u32).collect();
        let expected: Vec<String> = selected
            .iter()
            .map(|&row| {
                let row = &rows[row as usize];
                let time = arrow::temporal_conversions::timestamp_ms_to_datetime(row.0).unwrap();
                let time = time.format("%Y-%m-%dT%H:%M:%S%.f").to_string();
                let (ratio, latency) = (row.4.map(double), row.6.map(|bytes| double(bytes as f64 / 1_000.0)));
                let cells = [&row.1, &row.2, &row.3.map(|long| long.to_string()), &ratio, &row.5.map(|flag| flag.to_string())];
                let cells = cells.map(text_cell).join("|");
                format!("{time}|{cells}|{}|{}", text_cell(&row.6), text_cell(&latency))
            })
            .collect();
        let selected = RowSet::from_sorted_rows(rows.len() as u32, selected);
        prop_assert_eq!(cells(&reader, &selected), expected);
    }

    #[test]
    fn a_predicate_selects_the_same_rows_with_and_without_indexes(rows in prop::collection::vec(row(), 1..600)) {
        let reader = serving(encode_serving(&sorted(&rows), [7; 32])).unwrap();
        let acme = Predicate::Text { column: "org".into(), test: TextTest::equal("acme") };
        let code = Predicate::Long { column: "code".into(), test: NumberTest::In(vec![7, -1]) };
        let either = Predicate::Or(vec![acme, Predicate::Not(Box::new(code))]);
        let expected: Vec<u32> = (0..rows.len() as u32)
            .filter(|&row| {
                let row = &rows[row as usize];
                row.1.as_deref() == Some("acme") || row.3.is_some_and(|code| code != 7 && code != -1)
            })
            .collect();
        for use_indexes in [true, false] {
            let found = reader.evaluate(&either, use_indexes).unwrap();
            prop_assert_eq!(found.iter().collect::<Vec<u32>>(), expected.clone());
        }
    }
}

/// As Arrow prints doubles.
fn double(value: f64) -> String {
    let array = arrow::array::Float64Array::from(vec![value]);
    arrow::util::display::array_value_to_string(&array, 0).unwrap()
}

/// Rows for every encoding: runs, few and many distinct strings, small and large numbers, nulls.
fn many_rows() -> Vec<Row> {
    let row = |number: i64| -> Row {
        (
            number * 1_009 % HOUR_MS,
            (number % 50 != 0).then(|| format!("org-{}", number / 400)),
            Some(format!("topic-{}", number * 7_919 % 700)),
            Some(number % 3),
            (number % 7 != 0).then_some(number as f64 / 8.0),
            Some(number % 11 == 0),
            Some(number * number % 100_003),
        )
    };
    (0..1_100).map(row).collect()
}

#[test]
fn every_flipped_bit_of_a_serving_form_is_noticed_or_changes_nothing() {
    let bytes = encode_serving(&sorted(&many_rows()), [7; 32]);
    let whole = serving(bytes.clone()).unwrap();
    let all = RowSet::all(whole.row_count());
    let expected = cells(&whole, &all);
    let mut unnoticed = 0;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        let Ok(read) = ServingSegment::from_bytes(Bytes::from(damaged), &code_sets()) else { continue };
        if read.verify().is_err() {
            continue;
        }
        unnoticed += 1;
        if unnoticed % 50 == 1 {
            assert_eq!(cells(&SegmentReader::Published(id(), Arc::new(read)), &all), expected, "byte {at}");
        }
    }
    assert!(unnoticed < 64 * 16, "only the padding between sections is not covered: {unnoticed} bytes");
}

#[test]
fn a_serving_form_cut_short_anywhere_is_noticed() {
    let bytes = Bytes::from(encode_serving(&sorted(&many_rows()), [7; 32]));
    for length in 0..bytes.len() {
        assert!(ServingSegment::from_bytes(bytes.slice(..length), &code_sets()).is_err(), "{length} bytes");
    }
}

#[test]
fn a_serving_form_says_how_its_columns_lie() {
    let bytes = encode_serving(&sorted(&many_rows()), [7; 32]);
    let length = bytes.len() as u64;
    let serving = ServingSegment::from_bytes(bytes.into(), &code_sets()).unwrap();
    assert_eq!((serving.source(), serving.row_count(), serving.bytes()), (&[7; 32], 1_100, length));
    let layout = serving.layout();
    let names: Vec<&str> = layout.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["org", "topic", "code", "ratio", "flag", "bytes", "latency"]);
    let topic = layout[1].text.as_ref().unwrap();
    assert_eq!(topic.distinct, 700);
    assert!(!topic.index_form.is_empty() && !topic.index_reason.is_empty());
}

#[test]
fn the_indexes_of_all_columns_share_their_bytes_and_the_first_columns_come_first() {
    // In the order of time: each value of any column has two rows anywhere.
    const ROWS: u64 = 40_000;
    let column = |factor: u64| {
        let mut distinct = Strings::default();
        (0..ROWS / 2).for_each(|value| distinct.push(format!("{value:05}").as_bytes()));
        let codes = (0..ROWS).map(|row| (row * factor % (ROWS / 2)) as u32 + 1).collect();
        SortedColumn::Text(TextValues { distinct, codes })
    };
    let indexes = |factors: &[u64]| {
        let dimension = |factor: &u64| Dimension { name: factor.to_string(), kind: DimensionType::String };
        let dimensions = factors.iter().map(dimension).collect();
        let rows = SortedRows {
            schema: Arc::new(DataSourceSchema { dimensions, measures: Vec::new(), ..schema().as_ref().clone() }),
            times: (0..ROWS as i64).collect(),
            dimensions: factors.iter().map(|&factor| column(factor)).collect(),
            measures: Vec::new(),
        };
        let serving = ServingSegment::from_bytes(encode_serving(&rows, [7; 32]).into(), &code_sets()).unwrap();
        let texts = serving.layout().iter().map(|column| column.text.clone().unwrap());
        texts.map(|text| (text.index_form, text.index.bytes)).collect::<Vec<_>>()
    };
    for alone in [indexes(&[7_919]), indexes(&[6_007]), indexes(&[5_003])] {
        assert_eq!(alone[0].0, "row list");
    }
    let together = indexes(&[7_919, 6_007, 5_003]);
    assert_eq!([together[0].0.as_str(), &together[1].0], ["row list"; 2]);
    assert_ne!(together[2].0, "row list");
    assert!(together.iter().map(|(_, bytes)| bytes).sum::<u64>() < ROWS * 5 + 64, "{together:?}");
}
