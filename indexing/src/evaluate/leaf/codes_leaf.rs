//! Strings whose codes are in a set: by the index, or by a scan of the codes.

use std::sync::Arc;

use crate::evaluate::code_test::CodeTest;
use crate::evaluate::column::TextColumn;
use crate::evaluate::cost;
use crate::evaluate::number_column::{block_of, place_in_pages};
use crate::evaluate::row_collector::{Found, scan};
use crate::{BLOCK_ROWS, CodeSet, DimensionIndex, PackedCodes, RowSet};

pub(in crate::evaluate) struct CodesLeaf<'a> {
    column: TextColumn<'a>,
    codes: Arc<CodeSet>,
}

/// How an index gives the rows.
struct IndexUse<'a> {
    index: &'a DimensionIndex,
    /// The rows of these codes...
    codes: Arc<CodeSet>,
    /// ... are the ones looked for, or all others are.
    is_complement: bool,
    cost: f64,
}

impl<'a> CodesLeaf<'a> {
    /// The rows whose code, null's among them, is in the set.
    pub fn new(column: TextColumn<'a>, codes: Arc<CodeSet>) -> Self {
        Self { column, codes }
    }

    pub fn cost(&self, candidates: &RowSet) -> f64 {
        let by_index = self.index_use().map_or(f64::INFINITY, |index| index.cost);
        by_index.min(cost::code_scan(candidates))
    }

    pub fn rows(&self, candidates: &RowSet, use_indexes: bool) -> RowSet {
        if use_indexes
            && let Some(index) = self.index_use().filter(|index| index.cost <= cost::code_scan(candidates))
            && let Some(rows) = index.rows(candidates)
        {
            return rows;
        }
        let test = CodeTest::new(&self.codes);
        match &self.column {
            TextColumn::Sorted { codes, .. } => scan_packed(codes, &test, candidates, use_indexes),
            TextColumn::Growing { pages, .. } => scan_pages(pages, &test, candidates),
        }
    }

    /// The cheaper of the set and its complement.
    fn index_use(&self) -> Option<IndexUse<'a>> {
        let TextColumn::Sorted { index: Some(index), codes: column, .. } = &self.column else { return None };
        let rows = index.estimated_rows(&self.codes)?;
        let others = u64::from(column.len()).saturating_sub(rows);
        let is_complement = others < rows;
        let codes = if is_complement { Arc::new(other_codes(&self.codes)) } else { self.codes.clone() };
        let cost = cost::index(index, codes.len(), rows.min(others));
        Some(IndexUse { index, codes, is_complement, cost })
    }
}

impl IndexUse<'_> {
    fn rows(&self, candidates: &RowSet) -> Option<RowSet> {
        let rows = self.index.rows(&self.codes)?;
        Some(match (self.is_complement, candidates.is_all()) {
            (true, _) => candidates.and_not(&rows),
            (false, true) => rows,
            (false, false) => candidates.and(&rows),
        })
    }
}

/// All codes that are not in the set, null's among them.
fn other_codes(codes: &CodeSet) -> CodeSet {
    let values = codes.complement_of_values();
    if codes.contains(0) { values } else { values.or(&CodeSet::null(codes.distinct())) }
}

fn scan_packed(codes: &PackedCodes, test: &CodeTest<'_>, candidates: &RowSet, use_bounds: bool) -> RowSet {
    let mut unpacked = Box::new([0; BLOCK_ROWS]);
    scan(candidates, |block, rows, mask| {
        if use_bounds {
            let (least, greatest) = codes.bounds(block);
            let found = test.of_bounds(least, greatest);
            if found != Found::Mask {
                return found;
            }
            if let Some(runs) = codes.runs(block) {
                test.fill_runs(mask, runs);
                return Found::Mask;
            }
        }
        let unpacked_rows = codes.unpack(block, &mut unpacked);
        test.fill(mask, &unpacked[..unpacked_rows.min(rows)]);
        Found::Mask
    })
}

fn scan_pages(pages: &[&[u32]], test: &CodeTest<'_>, candidates: &RowSet) -> RowSet {
    let first_page_rows = pages.first().map_or(0, |page| page.len());
    scan(candidates, |block, _, mask| {
        let (page, block) = place_in_pages(block, first_page_rows);
        let Some(page) = pages.get(page) else { return Found::None };
        test.fill(mask, block_of(page, block));
        Found::Mask
    })
}
