//! Indexes of every form against a scan of the codes, and against bytes that are none.

use proptest::prelude::*;

use super::build::Column;
use super::*;
use crate::BlockRows;

const TAGS: [Tag; 6] = [Tag::None, Tag::Sorted, Tag::Runs, Tag::RowList, Tag::Roaring, Tag::Blocks];

/// A column of codes, of which the greatest is `distinct` or less.
#[derive(Debug, Clone)]
struct Codes {
    codes: Vec<u32>,
    distinct: u32,
}

impl Codes {
    fn row_count(&self) -> u32 {
        self.codes.len() as u32
    }

    fn rows_of(&self, wanted: &CodeSet) -> RowSet {
        let rows = (0..).zip(&self.codes).filter(|(_, code)| wanted.contains(**code)).map(|(row, _)| row);
        RowSet::from_sorted_rows(self.row_count(), rows.collect())
    }

    /// In every form that can hold the column.
    fn indexes(&self) -> impl Iterator<Item = (Tag, DimensionIndex)> {
        let column = Column::measure(&self.codes, self.distinct);
        let is_possible = |tag: &Tag| *tag != Tag::Sorted || self.codes.is_sorted();
        TAGS.into_iter().filter(is_possible).map(move |tag| (tag, self.decode(column.encode(tag)).expect("an index")))
    }

    fn decode(&self, bytes: Vec<u8>) -> Result<DimensionIndex, FormatError> {
        DimensionIndex::decode(bytes.into(), self.row_count(), self.distinct)
    }
}

/// A multiplier that visits every residue of a power of two.
fn scatter(number: u32) -> u32 {
    number.wrapping_mul(2_654_435_761) >> 7
}

fn codes() -> impl Strategy<Value = Codes> {
    let rows = prop_oneof![Just(0_u32), Just(1), Just(1_023), Just(1_024), Just(1_025), 2_000_u32..9_000];
    let distinct = prop_oneof![Just(0_u32), Just(1), 2_u32..9, 10_u32..400, 400_u32..9_000];
    (rows, distinct, 0_u8..7, any::<u32>()).prop_map(|(rows, distinct, shape, seed)| {
        let all = distinct + 1;
        let code = |row: u32| match shape {
            0 => 0,
            1 => row % all,
            2 => (u64::from(row) * u64::from(all) / u64::from(rows)) as u32,
            3 => scatter(row ^ seed) % all,
            4 => scatter((row / 37) ^ seed) % all,
            5 => {
                if scatter(row ^ seed).is_multiple_of(50) {
                    scatter(row) % all
                } else {
                    distinct
                }
            }
            _ => scatter((row / 1_000) ^ seed) % all,
        };
        Codes { codes: (0..rows).map(code).collect(), distinct }
    })
}

fn code_sets(distinct: u32) -> impl Iterator<Item = CodeSet> {
    let step = |step: u32| CodeSet::from_codes(distinct, (0..=distinct).filter(|code| code % step == 1).collect());
    [
        CodeSet::none(distinct),
        CodeSet::null(distinct),
        CodeSet::values(distinct),
        CodeSet::from_range(distinct, distinct / 3..distinct / 2 + 1),
        step(2),
        step(97),
        step(97).complement_of_values(),
        CodeSet::from_range(distinct, distinct..distinct + 1),
    ]
    .into_iter()
}

/// What the index says of the codes is right: exactly, or as far as blocks go.
fn assert_found(found: IndexedRows, expected: &RowSet, tag: Tag) {
    match found {
        IndexedRows::Exact(rows) => assert_eq!((&rows, tag == Tag::Blocks), (expected, false), "{tag:?}"),
        IndexedRows::Within(rows) => {
            let blocks = |rows: &RowSet| rows.blocks().map(|(block, _)| block).collect::<Vec<_>>();
            assert_eq!((blocks(&rows), tag), (blocks(expected), Tag::Blocks));
            assert!(rows.blocks().all(|(_, rows)| rows == BlockRows::All));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_form_finds_the_rows_that_a_scan_finds(column in codes()) {
        for (tag, index) in column.indexes() {
            prop_assert_eq!(index.form(), tag.form());
            prop_assert_eq!(index.verify(&column.codes), Ok(()));
            for wanted in code_sets(column.distinct) {
                let expected = column.rows_of(&wanted);
                match index.found_in(wanted.ranges()) {
                    Some(found) => assert_found(found, &expected, tag),
                    None => prop_assert_eq!(tag, Tag::None),
                }
                if let Some(found) = index.rows(&wanted) {
                    assert_found(found, &expected, tag);
                }
            }
        }
    }

    /// Invariant X2.
    #[test]
    fn lists_of_codes_are_disjoint_and_cover_every_row(column in codes()) {
        for (tag, index) in column.indexes().filter(|(tag, _)| ![Tag::None, Tag::Blocks].contains(tag)) {
            let mut all = RowSet::none(column.row_count());
            for code in 0..=column.distinct.min(1_500) {
                let Some(IndexedRows::Exact(rows)) = index.found(code..code + 1) else { panic!("{tag:?}") };
                if !rows.is_empty() {
                    prop_assert!(all.and(&rows).is_empty());
                    all = all.or(&rows);
                }
            }
            prop_assert!(column.distinct > 1_500 || all.is_all());
        }
    }

    #[test]
    fn estimates_of_lists_are_exact(column in codes()) {
        for (tag, index) in column.indexes() {
            for wanted in code_sets(column.distinct).filter(|wanted| wanted.ranges().count() <= RANGES_WEIGHED) {
                let estimate = index.estimated_rows(&wanted);
                match tag {
                    Tag::None => prop_assert_eq!(estimate, None),
                    Tag::Sorted | Tag::RowList | Tag::Roaring => {
                        prop_assert_eq!(estimate, Some(column.rows_of(&wanted).len()));
                    }
                    Tag::Runs | Tag::Blocks => prop_assert!(estimate.unwrap() <= column.codes.len() as u64),
                }
            }
        }
    }

    #[test]
    fn a_built_index_is_right_and_within_its_limits(column in codes(), bytes_max in 0_usize..20_000) {
        let built = DimensionIndex::build_within(&column.codes, column.distinct, bytes_max);
        let bytes = built.bytes.len();
        let index = column.decode(built.bytes).expect("an index");
        prop_assert_eq!(index.form(), built.form);
        prop_assert_eq!(index.verify(&column.codes), Ok(()));
        prop_assert!(bytes <= bytes_max + 10, "{bytes} bytes: {}", built.reason);
    }

    #[test]
    fn random_bytes_are_read_without_harm(
        tag in 1_u8..6,
        rows in 1_u32..40_000,
        distinct in 0_u32..60,
        numbers in prop::collection::vec(0_u32..300, 12),
        bytes in prop::collection::vec(any::<u8>(), 0..900),
    ) {
        let mut all = vec![FORMAT, tag];
        all.extend([rows, distinct].iter().flat_map(|number| number.to_le_bytes()));
        all.extend([distinct + 2, numbers[0]].iter().flat_map(|number| number.to_le_bytes()));
        all.extend(&bytes);
        if let Ok(index) = DimensionIndex::decode(all.into(), rows, distinct) {
            read_everything(&index, distinct);
        }
    }
}

/// Everything a reader can be asked, whatever the bytes are.
fn read_everything(index: &DimensionIndex, distinct: u32) {
    for wanted in code_sets(distinct) {
        index.estimated_rows(&wanted);
        index.rows(&wanted);
        index.found_in(wanted.ranges());
    }
    for code in [0, 1, distinct, distinct.wrapping_add(1), u32::MAX - 1, u32::MAX] {
        index.rows_of(code);
        index.found(code..code.saturating_add(1));
    }
}

/// 5,000 rows of 40 values and null: runs, scattered rows, and whole blocks of one value.
fn sample() -> Codes {
    let code = |row: u32| match row {
        0..1_500 => row / 60,
        1_500..3_000 => scatter(row) % 41,
        _ => 17,
    };
    Codes { codes: (0..5_000).map(code).collect(), distinct: 40 }
}

#[test]
fn a_flipped_bit_or_a_missing_end_is_an_error_or_harmless() {
    let sorted = Codes { codes: (0..5_000).map(|row| row / 120).collect(), distinct: 41 };
    for (column, tags) in [(sample(), &TAGS[2..]), (sorted, &TAGS[1..2])] {
        for &tag in tags {
            let bytes = Column::measure(&column.codes, column.distinct).encode(tag);
            for len in (0..bytes.len()).step_by(1 + bytes.len() / 500) {
                assert!(column.decode(bytes[..len].to_vec()).is_err(), "{tag:?} of {len} bytes");
            }
            // One bit of a byte.
            for at in (0..bytes.len()).step_by(1 + bytes.len() / 500) {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << (scatter(at as u32) % 8);
                if let Ok(index) = column.decode(damaged) {
                    read_everything(&index, column.distinct);
                    let _ = index.verify(&column.codes);
                }
            }
        }
    }
}

#[test]
fn verify_tells_a_row_of_another_code_and_a_missing_one() {
    let column = sample();
    for (tag, index) in column.indexes().filter(|(tag, _)| *tag != Tag::None) {
        let mut other = column.codes.clone();
        other[777] ^= 1;
        let is_wrong = index.verify(&other).is_err();
        assert!(is_wrong || tag == Tag::Blocks, "{tag:?}");
        other[4_500] = 3;
        assert!(index.verify(&other).is_err(), "{tag:?}");
        assert!(index.verify(&other[1..]).is_err(), "{tag:?}");
    }
}

/// The form that is chosen for 200,000 rows, each with the code that `code` gives it.
fn chosen(distinct: u32, code: impl Fn(u32) -> u32) -> IndexForm {
    let codes: Vec<u32> = (0..200_000).map(|row| code(row).min(distinct)).collect();
    DimensionIndex::build(&codes, distinct).form
}

#[test]
fn the_form_suits_the_column() {
    let cases = [
        ("one value", IndexForm::None, chosen(1, |_| 1)),
        ("a leading sort key", IndexForm::Runs, chosen(20_000, |row| row / 10)),
        ("unique and ascending", IndexForm::Runs, chosen(200_000, |row| row)),
        ("a function of the leading sort key", IndexForm::Runs, chosen(2_048, |row| scatter(row / 100) % 2_048)),
        ("one value mostly, others scattered", IndexForm::Roaring, chosen(9, |row| scatter(row) % 90)),
        ("two values, scattered", IndexForm::None, chosen(2, |row| scatter(row) % 2 + 1)),
        ("unique and scattered", IndexForm::RowList, chosen(200_000, |row| scatter(row) % 200_000)),
        ("few rows for each value", IndexForm::RowList, chosen(10_000, |row| scatter(row) % 10_000)),
        (
            "more rows for each value, in clusters",
            IndexForm::Blocks,
            chosen(5_000, |row| row / 8_000 * 200 + scatter(row) % 200),
        ),
        ("many rows for each value, scattered", IndexForm::None, chosen(1_000, |row| scatter(row) % 1_000)),
    ];
    for (column, expected, form) in cases {
        assert_eq!(form, expected, "{column}");
    }
}

#[test]
fn the_reason_has_the_measured_figures() {
    // Behind the reason, what the chosen form takes.
    let built = |distinct: u32, code: fn(u32) -> u32| {
        let codes: Vec<u32> = (0..100_000).map(code).collect();
        let built = DimensionIndex::build(&codes, distinct);
        format!("{}: {:.2} bytes/row", built.reason, built.bytes.len() as f64 / codes.len() as f64)
    };
    assert_eq!(
        [
            built(4_999, |row| scatter(row / 20) % 5_000),
            built(8, |row| scatter(row) % 90 / 82),
            built(60_000, |row| scatter(row) % 60_000),
            built(5_000, |row| row / 4_000 * 200 + scatter(row) % 200),
        ],
        [
            "a scan takes 11.5 us; runs 0.1 us with 0.14 bytes/row: 0.14 bytes/row",
            "a scan takes 31.5 us; runs 33.4 us with 0.44 bytes/row; roaring 1.4 us with 0.31 bytes/row: 0.25 bytes/row",
            "a scan takes 31.5 us; runs 0.1 us with 2.68 bytes/row; row list 0.1 us with 2.36 bytes/row: 2.36 bytes/row",
            "a scan takes 31.5 us; runs 0.3 us with 2.48 bytes/row; row list 0.2 us with 2.17 bytes/row: 2.17 bytes/row",
        ]
    );
}

#[test]
fn a_scan_is_preferred_to_a_long_list() {
    let column = Codes { codes: (0..100_000).map(|row| scatter(row) % 50_000).collect(), distinct: 50_000 };
    let (_, index) = column.indexes().find(|(tag, _)| *tag == Tag::RowList).expect("a row list");
    let few = CodeSet::from_codes(50_000, vec![7, 30_000]);
    assert_eq!(index.rows(&few), Some(IndexedRows::Exact(column.rows_of(&few))));
    assert_eq!(index.rows(&CodeSet::values(50_000)), None);
}

#[test]
fn an_index_of_another_column_is_refused() {
    let bytes = Bytes::from(DimensionIndex::build(&sample().codes, 40).bytes);
    let error = FormatError { what: WHAT, detail: "of another column" };
    for (rows, distinct) in [(4_999, 40), (5_000, 41)] {
        assert_eq!(DimensionIndex::decode(bytes.clone(), rows, distinct).err(), Some(error));
    }
}
