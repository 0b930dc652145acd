//! Bytes that every later version must read: `golden/{dictionary,dimension_index_*}_v1.bin`, added to and never
//! rewritten.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use bytes::Bytes;
use henge_indexing::{BLOCK_ROWS, CodeSet, Dictionary, DimensionIndex, IndexForm, IndexedRows, RowSet};

const ROWS: u32 = 40_000;

/// A number that follows no pattern (SplitMix64). As fixed as the files.
fn random(number: u32) -> u32 {
    let mut bits = u64::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) as u32
}

/// Strings with short and long common parts and ends, the empty one, and bytes that are no text.
fn values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> = (0..200)
        .map(|number| match number % 5 {
            0 => format!("orders.created.eu.v{number}").into_bytes(),
            1 => format!("{:08x}", random(number)).into_bytes(),
            2 => vec![b'x'; number as usize],
            3 => format!("{}/{number}", "a/long/path".repeat(20)).into_bytes(),
            _ => vec![0xff, number as u8],
        })
        .collect();
    values.push(Vec::new());
    values.sort_unstable();
    values
}

/// A file, its form, the number of values, and the code of each row.
type Column = (&'static str, IndexForm, u32, fn(u32) -> u32);

const COLUMNS: [Column; 6] = [
    ("dimension_index_none_v1.bin", IndexForm::None, 20, |row| random(row) % 21),
    ("dimension_index_sorted_v1.bin", IndexForm::Runs, 999, |row| row / 40),
    ("dimension_index_runs_v1.bin", IndexForm::Runs, 499, |row| random(row / 80) % 500),
    ("dimension_index_row_list_v1.bin", IndexForm::RowList, 40_000, |row| random(row) % 40_001),
    ("dimension_index_roaring_v1.bin", IndexForm::Roaring, 30, |row| (random(row) % 700).min(30)),
    ("dimension_index_blocks_v1.bin", IndexForm::Blocks, 7_999, |row| row / 2_000 * 400 + random(row) % 400),
];

fn codes(code: fn(u32) -> u32) -> Vec<u32> {
    (0..ROWS).map(code).collect()
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn golden(name: &str) -> Bytes {
    fs::read(path(name)).expect("a golden file").into()
}

#[test]
fn a_dictionary_of_version_1_is_read() {
    let dictionary = Dictionary::decode(golden("dictionary_v1.bin")).expect("a file that was sound once is sound");
    assert_eq!(dictionary.verify(), Ok(()));
    let mut found = Vec::new();
    dictionary.scan(1..u32::MAX, |_, value| found.push(value.to_vec()));
    assert_eq!(found, values());
}

#[test]
fn indexes_of_version_1_are_read() {
    for (name, form, distinct, code) in COLUMNS {
        let codes = codes(code);
        let index = DimensionIndex::decode(golden(name), ROWS, distinct).expect("a file that was sound once is sound");
        assert_eq!(index.form(), form, "{name}");
        assert_eq!(index.verify(&codes), Ok(()), "{name}");
        let wanted = CodeSet::from_codes(distinct, vec![0, 7, distinct / 3]);
        let rows = (0..ROWS).filter(|&row| wanted.contains(codes[row as usize]));
        match index.rows(&wanted) {
            None => assert_eq!(form, IndexForm::None, "{name}"),
            Some(IndexedRows::Exact(found)) => {
                assert_eq!(found, RowSet::from_sorted_rows(ROWS, rows.collect()), "{name}");
            }
            Some(IndexedRows::Within(found)) => {
                let blocks = |rows: &mut dyn Iterator<Item = u32>| {
                    let mut blocks: Vec<u32> = rows.map(|row| row / BLOCK_ROWS as u32).collect();
                    blocks.dedup();
                    blocks
                };
                assert_eq!(blocks(&mut found.iter()), blocks(&mut rows.into_iter()), "{name}");
            }
        }
    }
}

#[test]
#[ignore = "writes the files of a version that has none yet"]
fn missing_files_are_written() {
    let values = values();
    let mut files = vec![("dictionary_v1.bin", Dictionary::encode(values.iter().map(Vec::as_slice)))];
    files.retain(|(name, _)| !path(name).exists());
    // A later builder may choose another form for a column whose file is there.
    for (name, form, distinct, code) in COLUMNS.into_iter().filter(|(name, ..)| !path(name).exists()) {
        let built = DimensionIndex::build(&codes(code), distinct);
        assert_eq!(built.form, form, "{name}: {}", built.reason);
        files.push((name, built.bytes));
    }
    for (name, bytes) in files {
        let mut file = File::create_new(path(name)).expect("the folder is writable");
        file.write_all(&bytes).expect("the folder is writable");
    }
}
