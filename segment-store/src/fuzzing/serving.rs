//! Serving files of any bytes: as they are, with a footer that is whole, and with sections that are whole too.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use henge_indexing::{
    BLOCK_ROWS, CodeSetCache, Column, Comparison, LikePattern, NumberTest, Predicate, RegexPattern, RowSet, TextTest,
    ValueKind,
};

use crate::schema::{ColumnKind, DataSourceName, TIME_COLUMN};
use crate::segment::{SegmentId, ServingBatches, ServingSegment, footer_repaired, sections_repaired};
use crate::time::{Interval, TimestampMs};

/// A few bytes can claim 2^31 rows; of more than these, only columns are opened.
const ROWS_READ_MAX: u32 = 1 << 16;
/// Columns that are asked for rows.
const COLUMNS_READ_MAX: usize = 8;

/// Of so many selections, the rows of one are read.
const SELECTIONS_PER_READ: usize = 7;

/// Reads a file as it is.
pub fn serving_file(bytes: &[u8]) -> bool {
    read(Bytes::copy_from_slice(bytes))
}

/// Reads a file whose end is made to be what the footer before it asks for.
pub fn serving_footer(bytes: &[u8]) -> bool {
    read(footer_repaired(bytes).into())
}

/// Reads a file in which the checksum of each section is made right too.
pub fn serving_sections(bytes: &[u8]) -> bool {
    read(sections_repaired(bytes).into())
}

/// Reads everything. Returns whether there is a footer and all columns can be opened.
fn read(file: Bytes) -> bool {
    let code_sets = Arc::new(CodeSetCache::new(1 << 16));
    let Ok(segment) = ServingSegment::from_bytes(file, &code_sets) else { return false };
    let segment = Arc::new(segment);
    let kinds = kinds(&segment);
    let is_whole = segment.times().is_ok() && kinds.iter().all(|(name, _)| segment.column(name).is_ok());
    assert!(matches!(segment.column("a name that no column has, we hope"), Ok(Column::Missing)));
    if segment.row_count() <= ROWS_READ_MAX {
        let _ = segment.verify();
        let selected: Vec<RowSet> =
            predicates(&kinds).into_iter().flat_map(|predicate| evaluate(&segment, &predicate)).collect();
        read_sketches(&segment, &kinds);
        read_rows(&segment, &kinds, selected.into_iter().step_by(SELECTIONS_PER_READ).collect());
    }
    is_whole
}

/// The first columns by name, with the kinds in which they are stored.
fn kinds(segment: &ServingSegment) -> BTreeMap<String, ColumnKind> {
    let mut kinds = BTreeMap::new();
    for layout in segment.layout().iter().filter(|layout| layout.name != TIME_COLUMN) {
        if kinds.len() < COLUMNS_READ_MAX {
            kinds.entry(layout.name.clone()).or_insert(layout.kind);
        }
    }
    kinds
}

/// The rows that pass, with and without indexes.
fn evaluate(segment: &ServingSegment, predicate: &Predicate) -> Vec<RowSet> {
    let found: Vec<RowSet> =
        [true, false].iter().filter_map(|use_indexes| segment.evaluate(predicate, *use_indexes).ok()).collect();
    for rows in &found {
        assert_eq!(rows.row_count(), segment.row_count());
        assert!(rows.iter().all(|row| row < segment.row_count()));
        assert_eq!(rows.iter().count() as u64, rows.len());
    }
    found
}

/// Reads all rows and each of some selections of them, in the stored kinds and as strings.
fn read_rows(segment: &Arc<ServingSegment>, kinds: &BTreeMap<String, ColumnKind>, mut selected: Vec<RowSet>) {
    selected.push(RowSet::all(segment.row_count()));
    let stored = schema(kinds.iter().map(|(name, kind)| kind.field(name)));
    let texts = schema(kinds.keys().map(|name| Field::new(name, DataType::Utf8View, true)));
    for rows in selected.iter().filter(|rows| !rows.is_empty()) {
        for projected in [&stored, &texts] {
            let batches: Result<Vec<_>, _> =
                ServingBatches::new(segment.clone(), id(), projected.clone(), rows).collect();
            let read = batches.map(|batches| batches.iter().map(|batch| batch.num_rows() as u64).sum());
            assert_eq!(read.unwrap_or(rows.len()), rows.len());
        }
    }
}

/// Reads the sketches in the first rows of each block, whether those are null or not.
fn read_sketches(segment: &ServingSegment, kinds: &BTreeMap<String, ColumnKind>) {
    const ROWS_OF_BLOCK: usize = 16;
    let blocks = (segment.row_count() as usize).div_ceil(BLOCK_ROWS);
    for sketches in kinds.keys().filter_map(|name| segment.sketches(name).ok()) {
        for (block, row) in (0..blocks).flat_map(|block| (0..ROWS_OF_BLOCK).map(move |row| (block, row))) {
            let _ = sketches.get(block, row);
        }
    }
}

fn schema(columns: impl Iterator<Item = Field>) -> SchemaRef {
    let time = Field::new(TIME_COLUMN, DataType::Timestamp(TimeUnit::Millisecond, None), true);
    let missing = Field::new("a name that no column has, we hope", DataType::Utf8View, true);
    Arc::new(Schema::new([time, missing].into_iter().chain(columns).collect::<Vec<_>>()))
}

fn id() -> SegmentId {
    let chunk = Interval::new(TimestampMs(0), TimestampMs(1)).expect("not empty");
    let data_source = DataSourceName::new("fuzzed").expect("a name");
    SegmentId { data_source, chunk, version: String::new(), shard: 0 }
}

/// Tests of texts: reading patterns takes longer than reading a small file.
static TEXT_TESTS: LazyLock<[TextTest; 6]> = LazyLock::new(|| {
    let regex = RegexPattern::new("[a-m]+[0-9]").expect("a regular expression");
    let like = LikePattern::new("%o%1_", None, false).expect("a pattern");
    let range = TextTest::Range { lower: Bound::Excluded((*b"a").into()), upper: Bound::Included((*b"b").into()) };
    let few = TextTest::any_of(["", "acme", "b", "org-0", "zoé"]);
    [
        TextTest::equal("org-1"),
        few,
        range,
        TextTest::Prefix((*b"o").into()),
        TextTest::Like(like),
        TextTest::Regex(regex),
    ]
});

/// Every test of every column, whatever its kind, and comparisons of neighbours.
fn predicates(kinds: &BTreeMap<String, ColumnKind>) -> Vec<Predicate> {
    let names: Vec<Arc<str>> =
        std::iter::once(TIME_COLUMN).chain(kinds.keys().map(String::as_str)).map(Arc::from).collect();
    let mut predicates: Vec<Predicate> = names.iter().map(tests_of).collect();
    for (pair, kind) in
        names.windows(2).zip([ValueKind::Text, ValueKind::Long, ValueKind::Double, ValueKind::Flag].into_iter().cycle())
    {
        let (left, right) = (pair[0].clone(), pair[1].clone());
        predicates.push(Predicate::Columns { left, op: Comparison::LessOrEqual, right, kind });
    }
    predicates
}

/// All tests of a column together.
fn tests_of(column: &Arc<str>) -> Predicate {
    let column = || column.clone();
    let range = |lower: f64| NumberTest::Range { lower: Bound::Included(lower), upper: Bound::Unbounded };
    let (texts, pattern) = TEXT_TESTS.split_at(4);
    let text = |test: &TextTest| Predicate::Text { column: column(), test: test.clone() };
    let not = |predicate| Predicate::Not(Box::new(predicate));
    Predicate::Or(vec![
        Predicate::And(vec![not(Predicate::IsNull(column())), Predicate::Or(pattern.iter().map(text).collect())]),
        Predicate::And(texts.iter().map(text).collect()),
        not(Predicate::Or(texts.iter().map(text).collect())),
        Predicate::Long { column: column(), test: NumberTest::In(vec![-1, 0, 7, i64::MAX]) },
        not(Predicate::Long {
            column: column(),
            test: NumberTest::Range { lower: Bound::Unbounded, upper: Bound::Excluded(3) },
        }),
        Predicate::And(vec![
            Predicate::Double { column: column(), test: range(0.5) },
            not(Predicate::Double { column: column(), test: NumberTest::In(vec![0.1, f64::NAN]) }),
        ]),
        Predicate::Flag { column: column(), is: true },
    ])
}
