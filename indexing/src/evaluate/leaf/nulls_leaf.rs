//! Numbers and flags that are null, or are not.

use crate::evaluate::block_mask::first_rows;
use crate::evaluate::cost;
use crate::evaluate::number_column::NumberColumn;
use crate::evaluate::row_collector::{Found, scan};
use crate::{BLOCK_ROWS, RowSet};

pub(in crate::evaluate) struct NullsLeaf<'a> {
    /// The column's name.
    pub name: &'a str,
    column: NumberColumn<'a>,
    is_null: bool,
}

impl<'a> NullsLeaf<'a> {
    /// The rows that are null, or those that are not.
    pub fn new(name: &'a str, column: NumberColumn<'a>, is_null: bool) -> Self {
        Self { name, column, is_null }
    }

    pub fn cost(&self, candidates: &RowSet) -> f64 {
        cost::null_scan(candidates)
    }

    pub fn rows(&self, candidates: &RowSet, use_zones: bool) -> RowSet {
        let no_nulls = if self.is_null { Found::None } else { Found::All };
        scan(candidates, |block, rows, mask| {
            if use_zones && self.column.zone(block).is_some_and(|zone| !zone.has_nulls) {
                return no_nulls;
            }
            let Some(validity) = self.column.validity(block) else { return no_nulls };
            let all = first_rows(rows);
            for word in 0..BLOCK_ROWS / 64 {
                mask[word] = all[word] & if self.is_null { !validity[word] } else { validity[word] };
            }
            Found::Mask
        })
    }
}
