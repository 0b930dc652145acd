use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMillisecondType};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Encoding;
use parquet::column::page::Page;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use proptest::prelude::*;

use super::way::PAGE_ROWS;
use super::*;
use crate::schema::{ColumnKind, Dimension, DimensionType};
use crate::segment::sorted_rows::{Strings, TextValues, Values};
use crate::time::Granularity;

/// A value as it is compared: doubles by their bits.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Null,
    Text(String),
    Long(i64),
    Double(u64),
    Flag(bool),
}

fn texts(values: impl IntoIterator<Item = Option<String>>) -> SortedColumn {
    let values: Vec<Option<String>> = values.into_iter().collect();
    let mut distinct: Vec<&String> = values.iter().flatten().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let code_of = |value: &Option<String>| match value {
        None => 0,
        Some(text) => distinct.binary_search(&text).unwrap() as u32 + 1,
    };
    let codes = values.iter().map(code_of).collect();
    let mut strings = Strings::default();
    distinct.iter().for_each(|text| strings.push(text.as_bytes()));
    SortedColumn::Text(TextValues { distinct: strings, codes })
}

fn longs(values: impl IntoIterator<Item = Option<i64>>) -> SortedColumn {
    SortedColumn::Longs(values.into_iter().collect())
}

fn doubles(values: impl IntoIterator<Item = Option<f64>>) -> SortedColumn {
    SortedColumn::Doubles(values.into_iter().collect())
}

fn flags(values: impl IntoIterator<Item = Option<bool>>) -> SortedColumn {
    SortedColumn::Flags(values.into_iter().collect())
}

fn kind_of(column: &SortedColumn) -> DimensionType {
    match column.kind() {
        ColumnKind::Value(kind) => kind,
        ColumnKind::Sketch(kind) => panic!("{kind} is no dimension"),
    }
}

/// Rows of these columns, named by their numbers.
fn rows(times: Vec<i64>, columns: Vec<SortedColumn>) -> SortedRows {
    let dimensions = columns.iter().enumerate();
    let dimensions =
        dimensions.map(|(number, column)| Dimension { name: number.to_string(), kind: kind_of(column) }).collect();
    let schema = DataSourceSchema {
        dimensions,
        measures: Vec::new(),
        rollup: false,
        query_granularity: Granularity::NONE,
        segment_granularity: "1d".parse().unwrap(),
        sort: Vec::new(),
        tenant: None,
    };
    SortedRows { schema: Arc::new(schema), times, dimensions: columns, measures: Vec::new() }
}

fn file(rows: &SortedRows, row_group_rows: usize) -> Bytes {
    encode(rows, WriterProperties::new(), row_group_rows).unwrap().into()
}

fn one_column(column: SortedColumn) -> SerializedFileReader<Bytes> {
    let count = cells_of(&column).len();
    SerializedFileReader::new(file(&rows(vec![0; count], vec![column]), ROW_GROUP_ROWS)).unwrap()
}

/// What the footer says of the only column but the time.
fn chunk_of(column: SortedColumn) -> ColumnChunkMetaData {
    one_column(column).metadata().row_group(0).column(1).clone()
}

fn cells_of(column: &SortedColumn) -> Vec<Cell> {
    fn cells<T: Copy + Default>(values: &Values<T>, cell: fn(T) -> Cell) -> Vec<Cell> {
        (0..values.values.len()).map(|row| values.get(row).map_or(Cell::Null, cell)).collect()
    }
    match column {
        SortedColumn::Text(text) => {
            let string = |code: u32| String::from_utf8(text.distinct.get(code as usize - 1).to_vec()).unwrap();
            text.codes.iter().map(|code| if *code == 0 { Cell::Null } else { Cell::Text(string(*code)) }).collect()
        }
        SortedColumn::Longs(longs) => cells(longs, Cell::Long),
        SortedColumn::Doubles(doubles) => cells(doubles, |double| Cell::Double(double.to_bits())),
        SortedColumn::Flags(flags) => cells(flags, Cell::Flag),
        SortedColumn::Sketches(kind, _) => panic!("{kind} has tests of its own"),
    }
}

fn cells_of_array(array: &ArrayRef) -> Vec<Cell> {
    let cell = |row: usize| match array.data_type() {
        _ if array.is_null(row) => Cell::Null,
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::Int64 => Cell::Long(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => Cell::Double(array.as_primitive::<Float64Type>().value(row).to_bits()),
        DataType::Boolean => Cell::Flag(array.as_boolean().value(row)),
        DataType::Timestamp(_, Some(zone)) if zone.as_ref() == "UTC" => {
            Cell::Long(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        other => panic!("a segment has no column of {other}"),
    };
    (0..array.len()).map(cell).collect()
}

/// All columns, the time first, as parquet-rs reads them.
fn read(file: Bytes, row_groups: Option<Vec<usize>>) -> Vec<Vec<Cell>> {
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    if let Some(row_groups) = row_groups {
        builder = builder.with_row_groups(row_groups);
    }
    let mut columns = vec![Vec::new(); builder.schema().fields().len()];
    for batch in builder.build().unwrap() {
        let batch: RecordBatch = batch.unwrap();
        for (cells, array) in columns.iter_mut().zip(batch.columns()) {
            cells.extend(cells_of_array(array));
        }
    }
    columns
}

fn expected(rows: &SortedRows) -> Vec<Vec<Cell>> {
    let times = rows.times.iter().map(|time| Cell::Long(*time)).collect();
    std::iter::once(times).chain(rows.columns().map(|(_, column)| cells_of(column))).collect()
}

/// Seeded, and the same on every machine.
fn scattered(number: usize) -> u64 {
    (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// A column of each shape that an encoding could stumble over.
fn shapes(count: usize) -> Vec<SortedColumn> {
    let of = 0..count;
    let rarely_null = |row: usize| !scattered(row).is_multiple_of(50);
    let odd_doubles = [0.0, -0.0, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, f64::MAX];
    vec![
        texts(of.clone().map(|_| None)),
        texts(of.clone().map(|_| Some(String::new()))),
        texts(of.clone().map(|row| (row % 3 != 0).then(|| "ab".repeat(row % 5)))),
        texts(of.clone().map(|row| Some(format!("{:x}", scattered(row))))),
        texts(of.clone().map(|row| rarely_null(row).then(|| format!("{}", row / 100)))),
        texts(of.clone().map(|row| (row > count / 2).then(|| "late".to_owned()))),
        longs(of.clone().map(|_| None)),
        longs(of.clone().map(|_| Some(i64::MIN))),
        longs(of.clone().map(|row| Some(if row % 2 == 0 { i64::MIN } else { i64::MAX }))),
        longs(of.clone().map(|row| Some(scattered(row) as i64))),
        longs(of.clone().map(|row| rarely_null(row).then(|| row as i64 * 1_000))),
        longs(of.clone().map(|row| (row > count / 2).then_some(7))),
        longs(of.clone().map(|row| Some((scattered(row) % 300) as i64 - 150))),
        doubles(of.clone().map(|_| None)),
        doubles(of.clone().map(|row| Some(odd_doubles[row % odd_doubles.len()]))),
        doubles(of.clone().map(|row| Some(f64::from_bits(scattered(row))))),
        doubles(of.clone().map(|row| rarely_null(row).then(|| (scattered(row) % 999) as f64 / 8.0))),
        flags(of.clone().map(|_| None)),
        flags(of.clone().map(|row| Some(row % 2 == 0))),
        flags(of.map(|row| (row % 7 != 0).then(|| scattered(row).is_multiple_of(3)))),
    ]
}

#[test]
fn columns_of_every_shape_read_back_equal() {
    for count in [1, 7, 8, 9, 129, 1_025, PAGE_ROWS + 1] {
        let times = (0..count).map(|row| scattered(row) as i64 >> 20).collect();
        let rows = rows(times, shapes(count));
        let read = read(file(&rows, ROW_GROUP_ROWS), None);
        for (number, (read, expected)) in read.iter().zip(expected(&rows)).enumerate() {
            assert!(*read == expected, "column {number} of {count} rows");
        }
    }
}

proptest! {
    #[test]
    fn random_rows_read_back_equal(
        cells in prop::collection::vec(
            (any::<i64>(), prop::option::of("[a-c]{0,2}"), prop::option::of(any::<i64>()), any::<Option<bool>>()),
            1..300,
        ),
        row_group_rows in 1_usize..400,
    ) {
        let columns = vec![
            texts(cells.iter().map(|cell| cell.1.clone())),
            longs(cells.iter().map(|cell| cell.2)),
            doubles(cells.iter().map(|cell| cell.2.map(|long| f64::from_bits(long as u64 % 9)))),
            flags(cells.iter().map(|cell| cell.3)),
        ];
        let rows = rows(cells.iter().map(|cell| cell.0).collect(), columns);
        prop_assert_eq!(read(file(&rows, row_group_rows), None), expected(&rows));
    }
}

#[test]
fn a_row_group_stands_alone_with_a_dictionary_of_what_it_uses() {
    let names = (0..2_500).map(|row| Some(format!("name-{:04}", row / 10)));
    let rows = rows((0..2_500).collect(), vec![texts(names)]);
    let file = file(&rows, 1_000);
    let read = read(file.clone(), Some(vec![1]));
    let expected: Vec<Vec<Cell>> = expected(&rows).into_iter().map(|cells| cells[1_000..2_000].to_vec()).collect();
    assert_eq!(read, expected);
    let reader = SerializedFileReader::new(file).unwrap();
    let groups = reader.metadata().row_groups().iter();
    assert_eq!(groups.map(|group| group.num_rows()).collect::<Vec<_>>(), [1_000, 1_000, 500]);
    let group = reader.get_row_group(1).unwrap();
    let dictionary = group.get_column_page_reader(1).unwrap().next().unwrap().unwrap();
    let Page::DictionaryPage { num_values, is_sorted, .. } = dictionary else { panic!("a dictionary comes first") };
    assert_eq!((num_values, is_sorted), (100, true));
}

#[test]
fn a_dictionary_of_doubles_ascends() {
    let reader =
        one_column(doubles((0..1_000).map(|row| Some([2.5, -0.0, -7.0, 0.0, -7.5][scattered(row) as usize % 5]))));
    let mut pages = reader.get_row_group(0).unwrap().get_column_page_reader(1).unwrap();
    let Page::DictionaryPage { buf, .. } = pages.next().unwrap().unwrap() else { panic!("a dictionary comes first") };
    let doubles: Vec<f64> = buf.chunks(8).map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!(format!("{doubles:?}"), "[-7.5, -7.0, -0.0, 0.0, 2.5]");
}

#[test]
fn the_footer_states_bounds_and_nulls() {
    let stated = |column| chunk_of(column).statistics().unwrap().clone();
    let long = |min, max, nulls| Statistics::int64(min, max, None, Some(nulls), false);
    assert_eq!(stated(longs([Some(3), None, Some(-5), Some(3)])), long(Some(-5), Some(3), 1));
    let of_nulls = stated(longs([None, None]));
    assert_eq!((of_nulls.min_bytes_opt(), of_nulls.max_bytes_opt(), of_nulls.null_count_opt()), (None, None, Some(2)));
    let double = |min, max| Statistics::double(Some(min), Some(max), None, Some(0), false);
    assert_eq!(stated(doubles([f64::NAN, -2.5, 0.0].map(Some))), double(-2.5, 0.0));
    let Statistics::Double(zeros) = stated(doubles([Some(0.0), Some(f64::NAN)])) else { panic!("these are doubles") };
    let signs = [zeros.min_opt(), zeros.max_opt()].map(|zero| zero.unwrap().is_sign_negative());
    assert_eq!(signs, [true, false], "bounds that are zero include both zeros");
    let flag = Statistics::boolean(Some(false), Some(true), None, Some(1), false);
    assert_eq!(stated(flags([Some(true), None, Some(false)])), flag);
    let text = |min: Option<&str>, max: Option<&str>| {
        Statistics::byte_array(min.map(Into::into), max.map(Into::into), None, Some(1), false)
    };
    assert_eq!(stated(texts([Some("b".into()), None, Some("ab".into())])), text(Some("ab"), Some("b")));
    assert_eq!(stated(texts([Some("c".repeat(10_000)), None, Some("b".into())])), text(Some("b"), None));
}

#[test]
fn each_column_is_written_in_the_encoding_that_suits_it() {
    let values_of = |column| {
        let chunk = chunk_of(column);
        let encodings: HashSet<Encoding> = chunk.encodings().collect();
        let portable = [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY, Encoding::DELTA_BINARY_PACKED];
        assert!(encodings.iter().all(|encoding| portable.contains(encoding)), "{encodings:?}");
        let of_values = [Encoding::RLE_DICTIONARY, Encoding::DELTA_BINARY_PACKED];
        of_values.into_iter().find(|encoding| encodings.contains(encoding)).unwrap_or(Encoding::PLAIN)
    };
    let of = 0..20_000;
    let random = of.clone().map(|row| scattered(row) as i64);
    assert_eq!(values_of(texts(of.clone().map(|row| Some(format!("{}", row / 4))))), Encoding::RLE_DICTIONARY);
    assert_eq!(values_of(texts(random.clone().map(|random| Some(format!("{random:x}"))))), Encoding::PLAIN);
    assert_eq!(values_of(longs(of.clone().map(|row| Some(row as i64 / 2)))), Encoding::DELTA_BINARY_PACKED);
    assert_eq!(values_of(longs(random.clone().map(Some))), Encoding::DELTA_BINARY_PACKED);
    assert_eq!(values_of(longs(random.clone().map(|random| Some(random % 50 * 977)))), Encoding::RLE_DICTIONARY);
    assert_eq!(values_of(doubles(random.clone().map(|random| Some(random as f64)))), Encoding::PLAIN);
    assert_eq!(values_of(doubles(random.map(|random| Some((random % 500) as f64 / 10.0)))), Encoding::RLE_DICTIONARY);
    assert_eq!(values_of(flags(of.map(|row| Some(row % 3 == 0)))), Encoding::PLAIN);
}

#[test]
fn pages_of_long_strings_hold_fewer_rows() {
    let reader = one_column(texts((0..30).map(|row| Some(format!("{:016x}", scattered(row)).repeat(20_000)))));
    let pages = reader.get_row_group(0).unwrap().get_column_page_reader(1).unwrap();
    let sizes: Vec<usize> = pages.map(|page| page.unwrap().buffer().len()).collect();
    assert!(sizes.len() > 1 && sizes.iter().all(|size| *size < 5 << 20), "{sizes:?}");
}

#[test]
fn the_footer_names_the_order_of_the_rows_and_the_same_rows_are_the_same_bytes() {
    let mut rows = rows((0..100).collect(), vec![longs((0..100).map(Some)), texts((0..100).map(|_| None))]);
    Arc::make_mut(&mut rows.schema).sort = vec!["1".into(), TIME_COLUMN.into()];
    let sorting = sorting_columns(&rows.schema);
    assert_eq!(sorting.iter().map(|column| column.column_idx).collect::<Vec<_>>(), [2, 0, 1]);
    assert!(sorting.iter().all(|column| column.nulls_first && !column.descending));
    let shapes = super::tests::rows(vec![0; 1_000], shapes(1_000));
    assert!(file(&shapes, ROW_GROUP_ROWS) == file(&shapes, ROW_GROUP_ROWS));
}

#[test]
fn a_file_without_rows_opens() {
    let empty = rows(Vec::new(), vec![longs([]), texts([])]);
    assert_eq!(read(file(&empty, ROW_GROUP_ROWS), None), vec![Vec::new(); 3]);
    assert_eq!(kind_of(&empty.dimensions[0]), DimensionType::Long);
}
