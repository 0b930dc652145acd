//! Columns of sketches in both files of a segment.

use std::borrow::Cow;

use arrow::array::{Array, AsArray};

use super::*;
use crate::schema::{ColumnKind, SketchMeasure};
use crate::sketch::{HashedValue, Sketch, SketchKind, ThetaHasher};
use crate::sketch_values::SketchValues;

/// More than one block, and more than one page of the Parquet file.
const ROWS: usize = 1_500;

const KINDS: [SketchKind; 3] =
    [SketchKind::Hll { lg_k: 11 }, SketchKind::Theta { lg_k: 9 }, SketchKind::Quantiles { k: 64 }];

/// Of a few values, of many, and null.
fn sketch(kind: SketchKind, row: usize) -> Option<Vec<u8>> {
    let values = match row % 10 {
        3 => return None,
        7 => 2_000,
        few => few as i64,
    };
    let (mut sketch, mut hasher) = (Sketch::new(kind).unwrap(), ThetaHasher::default());
    (0..values).for_each(|value| sketch.add(hasher.input(kind, HashedValue::Long(row as i64 + value)).unwrap()));
    Some(sketch.to_bytes())
}

fn rows() -> SortedRows {
    let measure = |kind: SketchKind| {
        let aggregation = Aggregation::Sketch(SketchMeasure { kind, of: DimensionType::Long });
        Measure { name: kind.family().into(), aggregation }
    };
    let measures = KINDS.map(measure).into();
    SortedRows {
        schema: Arc::new(DataSourceSchema { dimensions: Vec::new(), measures, ..schema().as_ref().clone() }),
        times: (0..ROWS as i64).collect(),
        dimensions: Vec::new(),
        measures: KINDS
            .map(|kind| SortedColumn::Sketches(kind, (0..ROWS).map(|row| sketch(kind, row)).collect()))
            .into(),
    }
}

fn expected(column: &SortedColumn) -> Vec<Option<Vec<u8>>> {
    let SortedColumn::Sketches(_, sketches) = column else { panic!("it holds sketches") };
    sketches.iter().map(|sketch| sketch.map(<[u8]>::to_vec)).collect()
}

#[test]
fn sketches_come_back_from_the_parquet_file() {
    let rows = rows();
    let file = Bytes::from(encode_parquet(&rows, &provenance(&rows)).unwrap());
    assert_eq!(ParquetSegment::open(file.clone()).unwrap().rows().unwrap(), rows);
    // As anybody reads it: plain bytes.
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    for (place, column) in rows.measures.iter().enumerate() {
        let of_batch = |batch: &arrow::array::RecordBatch| {
            let bytes = batch.column(1 + place).as_binary::<i32>().clone();
            (0..bytes.len()).map(|row| bytes.is_valid(row).then(|| bytes.value(row).to_vec())).collect::<Vec<_>>()
        };
        assert_eq!(batches.iter().flat_map(of_batch).collect::<Vec<_>>(), expected(column));
    }
}

#[test]
fn sketches_come_back_from_the_serving_form() {
    let rows = rows();
    let reader = serving(encode_serving(&rows, [7; 32])).unwrap();
    for (kind, column) in KINDS.into_iter().zip(&rows.measures) {
        let sketches = reader.sketches(kind.family()).unwrap();
        for (row, bytes) in expected(column).iter().enumerate() {
            let (block, place) = (row / 1_024, row % 1_024);
            let is_valid = sketches.validity(block)[place / 64] >> (place % 64) & 1 == 1;
            assert_eq!(is_valid, bytes.is_some(), "{kind} {row}");
            if let Some(bytes) = bytes {
                assert_eq!(&sketches.get(block, place).map(Cow::into_owned).unwrap().to_bytes(), bytes, "{kind} {row}");
            }
        }
        assert!(sketches.get(0, 3).is_err() && sketches.get(1, 700).is_err() && sketches.get(9, 0).is_err());
    }
    assert!(matches!(reader.sketches("no such column").unwrap(), SketchValues::Missing));
    let layout: Vec<ColumnKind> = match &reader {
        SegmentReader::Published(_, serving) => serving.layout().iter().map(|column| column.kind).collect(),
        SegmentReader::Open(_) => unreachable!("it was published"),
    };
    assert_eq!(layout, KINDS.map(ColumnKind::Sketch));

    let chosen = RowSet::from_sorted_rows(ROWS as u32, vec![0, 3, 7, 1_030, 1_499]);
    let batches: Vec<_> = reader.batches(rows.schema.arrow(), &chosen).map(Result::unwrap).collect();
    for (place, column) in rows.measures.iter().enumerate() {
        let bytes = batches[0].column(1 + place).as_binary::<i32>();
        let found: Vec<Option<Vec<u8>>> = bytes.iter().map(|bytes| bytes.map(<[u8]>::to_vec)).collect();
        let expected = expected(column);
        assert_eq!(found, [0, 3, 7, 1_030, 1_499].map(|row: usize| expected[row].clone()));
    }
}

#[test]
fn a_sketch_that_is_damaged_or_of_another_family_is_an_error() {
    let hll = SketchKind::Hll { lg_k: 11 };
    let theta = sketch(SketchKind::THETA, 5);
    let cut = sketch(hll, 7).map(|bytes| bytes[..100].to_vec());
    for (bytes, message) in [
        (theta, "a theta sketch stands where a HLL sketch is needed"),
        (cut, "the bytes are no sketch that can be read: "),
        (Some(Vec::new()), "the bytes are no sketch that can be read: 0 bytes are too few"),
    ] {
        let mut rows = rows();
        let SortedColumn::Sketches(_, sketches) = &mut rows.measures[0] else { panic!("it holds sketches") };
        *sketches = (0..ROWS).map(|_| bytes.clone()).collect();
        let reader = serving(encode_serving(&rows, [7; 32])).unwrap();
        let error = reader.sketches("HLL").unwrap().get(0, 0).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}
