//! Values whose texts pass a test, where finding their codes takes reading a dictionary, or there is none.

use std::sync::Arc;

use super::CodesLeaf;
use crate::RowSet;
use crate::evaluate::column::{Column, TextColumn};
use crate::evaluate::cost;
use crate::evaluate::row_texts::RowTexts;
use crate::evaluate::way::{Note, Way};
use crate::predicate::TextTest;

pub(in crate::evaluate) struct TextsLeaf<'a> {
    /// The column's name.
    name: &'a str,
    column: Column<'a>,
    test: &'a TextTest,
    is_negated: bool,
    /// Texts of the dictionary that would have to be read.
    unread_texts: Option<u32>,
}

impl<'a> TextsLeaf<'a> {
    /// Values that pass a test, or those that fail it. A dictionary has `unread_texts` texts to read before their codes are
    /// known; `None` where the column has no dictionary.
    pub fn new(
        name: &'a str,
        column: Column<'a>,
        test: &'a TextTest,
        is_negated: bool,
        unread_texts: Option<u32>,
    ) -> Self {
        Self { name, column, test, is_negated, unread_texts }
    }

    pub fn cost(&self, candidates: &RowSet) -> f64 {
        self.cost_by_dictionary(candidates).min(cost::row_texts(candidates))
    }

    fn cost_by_dictionary(&self, candidates: &RowSet) -> f64 {
        self.unread_texts.map_or(f64::INFINITY, |texts| cost::dictionary_scan(texts) + cost::code_scan(candidates))
    }

    pub fn rows(&self, candidates: &RowSet, use_indexes: bool, note: Note<'_>) -> RowSet {
        match &self.column {
            Column::Text(column) if self.cost_by_dictionary(candidates) <= cost::row_texts(candidates) => {
                let codes = column.read_codes(self.test);
                let codes = if self.is_negated { Arc::new(codes.complement_of_values()) } else { codes };
                CodesLeaf::new(self.name, column.clone(), codes).rows(candidates, use_indexes, note)
            }
            Column::Text(column) => {
                note(self.name, Way::TextScan);
                self.rows_by_code(column, candidates)
            }
            column => {
                note(self.name, Way::TextScan);
                let mut texts = RowTexts::new(column);
                let mut matcher = self.test.matcher();
                filter(candidates, |row| texts.get(row).is_some_and(|text| matcher.matches(text) != self.is_negated))
            }
        }
    }

    /// Reads the texts of the candidates only.
    fn rows_by_code(&self, column: &TextColumn<'a>, candidates: &RowSet) -> RowSet {
        let mut matcher = self.test.matcher();
        let mut buffer = Vec::new();
        let (mut last_code, mut last_passes) = (0, false);
        filter(candidates, |row| {
            let code = column.code(row);
            if code != last_code {
                // Neighbours are often equal.
                last_code = code;
                last_passes = code != 0 && matcher.matches(column.text(code, &mut buffer)) != self.is_negated;
            }
            last_passes
        })
    }
}

/// The candidates that pass a test of single rows.
pub(super) fn filter(candidates: &RowSet, mut passes: impl FnMut(u32) -> bool) -> RowSet {
    RowSet::from_sorted_rows(candidates.row_count(), candidates.iter().filter(|&row| passes(row)).collect())
}
