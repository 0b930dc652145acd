//! Strings whose codes are in a set: by the index, or by a scan of the codes.

use std::sync::Arc;

use crate::evaluate::code_test::{CodeTest, PassingRanks};
use crate::evaluate::column::TextColumn;
use crate::evaluate::cost;
use crate::evaluate::number_column::block_of;
use crate::evaluate::page::CodePage;
use crate::evaluate::row_collector::{Found, scan as scanned};
use crate::evaluate::way::{Note, Way};
use crate::packed::Distinct;
use crate::{BLOCK_ROWS, BlockMask, CodeSet, DimensionIndex, IndexedRows, PackedCodes, RowSet};

pub(in crate::evaluate) struct CodesLeaf<'a> {
    /// The column's name.
    name: &'a str,
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
    /// What that takes.
    ns: f64,
}

impl<'a> CodesLeaf<'a> {
    /// The rows whose code, null's among them, is in the set.
    pub fn new(name: &'a str, column: TextColumn<'a>, codes: Arc<CodeSet>) -> Self {
        Self { name, column, codes }
    }

    /// Takes in what another test of the same column says; false, and nothing changed, where it is of another column.
    pub fn take_in(&mut self, other: &Self, is_and: bool) -> bool {
        let is_same = self.name == other.name;
        if is_same {
            let codes = if is_and { self.codes.and(&other.codes) } else { self.codes.or(&other.codes) };
            self.codes = Arc::new(codes);
        }
        is_same
    }

    /// There is no such row.
    pub fn is_nothing(&self) -> bool {
        self.codes.is_empty()
    }

    pub fn cost(&self, candidates: &RowSet) -> f64 {
        let by_index = self.index_use().map_or(f64::INFINITY, |index| index.ns);
        by_index.min(cost::code_scan(candidates))
    }

    pub fn rows(&self, candidates: &RowSet, use_indexes: bool, note: Note<'_>) -> RowSet {
        if use_indexes
            && let Some(found) = self.index_use().filter(|index| index.ns <= cost::code_scan(candidates))
            && let Some(rows) = found.index.rows(&found.codes)
        {
            note(self.name, Way::Index);
            return match (rows, found.is_complement) {
                (IndexedRows::Exact(rows), false) if candidates.is_all() => rows,
                (IndexedRows::Exact(rows), false) => candidates.and(&rows),
                (IndexedRows::Exact(others), true) => candidates.and_not(&others),
                (IndexedRows::Within(rows), false) => self.scan(&candidates.and(&rows), true),
                (IndexedRows::Within(others), true) => {
                    let unclear = self.scan(&candidates.and(&others), true);
                    candidates.and_not(&others).or(&unclear)
                }
            };
        }
        note(self.name, Way::CodeScan);
        self.scan(candidates, use_indexes)
    }

    fn scan(&self, candidates: &RowSet, use_bounds: bool) -> RowSet {
        let mut scan = CodeScan { test: CodeTest::new(&self.codes), use_bounds, unpacked: Box::new([0; BLOCK_ROWS]) };
        scanned(candidates, |block, rows, mask| {
            let page = self.column.page(block);
            page.map_or(Found::None, |(page, block)| scan.block(page, block, rows, mask))
        })
    }

    /// What the index finds sooner: the rows of the set, or all others.
    fn index_use(&self) -> Option<IndexUse<'a>> {
        let TextColumn::Sorted { index: Some(index), .. } = &self.column else { return None };
        let ns = index.estimated_ns(&self.codes)?;
        let own = IndexUse { index, codes: self.codes.clone(), is_complement: false, ns };
        if self.codes.len() <= self.codes.distinct() / 2 {
            return Some(own);
        }
        let others = other_codes(&self.codes);
        let ns = index.estimated_ns(&others)?;
        Some(if ns < own.ns { IndexUse { index, codes: Arc::new(others), is_complement: true, ns } } else { own })
    }
}

/// All codes that are not in the set, null's among them.
fn other_codes(codes: &CodeSet) -> CodeSet {
    let values = codes.complement_of_values();
    if codes.contains(0) { values } else { values.or(&CodeSet::null(codes.distinct())) }
}

/// A scan of codes for those of a test.
struct CodeScan<'t> {
    test: CodeTest<'t>,
    /// Whether blocks may be decided by the least and the greatest of their codes.
    use_bounds: bool,
    unpacked: Box<[u32; BLOCK_ROWS]>,
}

impl CodeScan<'_> {
    fn packed_block(&mut self, codes: &PackedCodes, block: usize, rows: usize, mask: &mut BlockMask) -> Found {
        if self.use_bounds {
            let (least, greatest) = codes.bounds(block);
            let found = self.test.of_bounds(least, greatest);
            if found != Found::Mask {
                return found;
            }
            if let Some(runs) = codes.runs(block) {
                self.test.fill_runs(mask, runs);
                return Found::Mask;
            }
            if let Some(distinct) = codes.distinct(block) {
                return self.distinct_block(distinct, rows, mask);
            }
        }
        let unpacked_rows = codes.unpack(block, &mut self.unpacked);
        self.test.fill(mask, &self.unpacked[..unpacked_rows.min(rows)]);
        Found::Mask
    }

    /// Tests each code of a block once, and then the rows' ranks.
    fn distinct_block(&mut self, distinct: Distinct<'_, u32>, rows: usize, mask: &mut BlockMask) -> Found {
        let passing = PassingRanks::new(&self.test, distinct.words());
        if passing.count == 0 {
            return Found::None;
        }
        if passing.count == distinct.words().len() {
            return Found::All;
        }
        let ranks = &mut self.unpacked[..rows];
        if distinct.ranks(ranks).is_some() {
            passing.fill(mask, ranks);
        }
        Found::Mask
    }

    fn block(&mut self, page: CodePage<'_>, block: usize, rows: usize, mask: &mut BlockMask) -> Found {
        match page {
            CodePage::Packed(codes) => self.packed_block(codes, block, rows, mask),
            CodePage::Plain(codes) => {
                self.test.fill(mask, block_of(codes, block));
                Found::Mask
            }
        }
    }
}
