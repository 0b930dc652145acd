//! Indexes of any bytes.

use bytes::Bytes;

use crate::{BLOCK_ROWS, BlockRows, CodeSet, DimensionIndex, IndexedRows, RowSet};

/// Of the columns whose indexes are read: a few bytes can be an index of 2^31 rows.
const ROWS_MAX: u32 = 1 << 16;
/// Codes that are looked up one by one.
const CODES_READ: u32 = 40;

/// Reads a [`DimensionIndex`] for the column that its bytes claim, rows and distinct values modulo 2^16.
pub fn dimension_index(bytes: &[u8]) -> bool {
    let Some((_, numbers)) = bytes.split_first_chunk::<2>() else { return false };
    let Some((numbers, _)) = numbers.as_chunks::<4>().0.split_first_chunk::<2>() else { return false };
    let [row_count, distinct] = numbers.map(|number| u32::from_le_bytes(number) % ROWS_MAX);
    let Ok(index) = DimensionIndex::decode(Bytes::copy_from_slice(bytes), row_count, distinct) else { return false };
    index.form();
    for wanted in code_sets(distinct) {
        let estimate = index.estimated_rows(&wanted);
        assert_eq!(estimate.is_some(), index.estimated_ns(&wanted).is_some());
        if let Some(found) = index.rows(&wanted) {
            assert!(estimate.is_some());
            read(found, row_count);
        }
    }
    for code in (0..CODES_READ).chain(distinct.saturating_sub(1)..distinct + 2).chain([u32::MAX - 1, u32::MAX]) {
        if let Some(found) = index.rows_of(code) {
            read(found, row_count);
        }
    }
    let codes: Vec<u32> = (0..row_count).map(|row| row / 3 % (distinct + 1)).collect();
    let _ = index.verify(&codes);
    true
}

fn code_sets(distinct: u32) -> impl Iterator<Item = CodeSet> {
    let step = |step: u32| CodeSet::from_codes(distinct, (0..=distinct).filter(|code| code % step == 1).collect());
    let sets = [CodeSet::none(distinct), CodeSet::null(distinct), CodeSet::values(distinct)];
    let parts = [CodeSet::from_range(distinct, distinct / 3..distinct / 2 + 1), step(2), step(97)];
    sets.into_iter().chain(parts)
}

/// Rows lie in the segment, and where only blocks are known, they are whole ones.
fn read(found: IndexedRows, row_count: u32) {
    let (IndexedRows::Exact(rows) | IndexedRows::Within(rows)) = &found;
    assert_eq!(rows.row_count(), row_count);
    assert_eq!(rows.iter().count() as u64, rows.len());
    assert!(rows.iter().last().is_none_or(|last| last < row_count));
    assert_eq!(rows.and(&RowSet::all(row_count)).len(), rows.len());
    if let IndexedRows::Within(rows) = &found {
        assert!(rows.blocks().all(|(block, rows)| block * BLOCK_ROWS < row_count as usize && rows == BlockRows::All));
    }
}
