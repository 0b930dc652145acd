//! What steps of an evaluation take, in nanoseconds on one fast core, measured by `benches/predicate.rs`.
//!
//! Only their proportions matter: they decide which of two ways to the same rows is taken, and what goes first.

use crate::{BLOCK_ROWS, RowSet};

/// To look at a block's bounds or zone.
const BLOCK: f64 = 20.0;
/// To put the bits of 64 rows of two sets together.
const WORD: f64 = 1.0;
/// To unpack a row's code and look it up.
const CODE: f64 = 0.6;
/// To unpack a row's number and compare it.
const KEY: f64 = 1.0;
/// To get at the text of one row.
const ROW_TEXT: f64 = 80.0;
/// To read the next text of a dictionary and test it.
const NEXT_TEXT: f64 = 8.0;

/// To scan the candidates' codes.
pub(super) fn code_scan(candidates: &RowSet) -> f64 {
    blocks(candidates) * (BLOCK + CODE * BLOCK_ROWS as f64)
}

/// To scan the candidates' numbers.
pub(super) fn key_scan(candidates: &RowSet) -> f64 {
    blocks(candidates) * (BLOCK + KEY * BLOCK_ROWS as f64)
}

/// To put two sets of rows together.
pub(super) fn set_operation(candidates: &RowSet) -> f64 {
    WORD * f64::from(candidates.row_count()) / 64.0
}

/// To look only at which of the candidates are null.
pub(super) fn null_scan(candidates: &RowSet) -> f64 {
    blocks(candidates) * BLOCK
}

/// To read texts of a dictionary one after another.
pub(super) fn dictionary_scan(texts: u32) -> f64 {
    NEXT_TEXT * f64::from(texts)
}

/// To test the text of each candidate.
pub(super) fn row_texts(candidates: &RowSet) -> f64 {
    code_scan(candidates) + ROW_TEXT * candidates.len() as f64
}

/// Blocks that have candidates, at most.
fn blocks(candidates: &RowSet) -> f64 {
    let all = u64::from(candidates.row_count()).div_ceil(BLOCK_ROWS as u64);
    all.min(candidates.len()) as f64
}
