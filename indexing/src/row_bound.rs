//! Rows that come before a given row in an order by several columns: what `ORDER BY ... LIMIT` needs, block by block.
//!
//! values of the given row -> its place in each column of a segment -> blocks that may hold such rows -> those rows

mod column_bound;
mod sort_column;

use std::cmp::Ordering;

use column_bound::ColumnBound;
pub use sort_column::Scratch;
use sort_column::SortColumn;

use crate::evaluate::Column;
use crate::evaluate::block_mask::NO_ROWS;
use crate::predicate::ValueKind;
use crate::{BlockMask, BlockRows};

/// In which direction rows are ordered by a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SortOrder {
    pub is_descending: bool,
    /// Whatever the direction.
    pub is_nulls_first: bool,
}

/// A value of a column that rows are ordered by, of the kind that the schema says.
///
/// Texts are ordered by their bytes, doubles in IEEE 754 total order, and `false` comes before `true`.
#[derive(Debug, Clone, PartialEq)]
pub enum SortValue {
    Null,
    Long(i64),
    Double(f64),
    Flag(bool),
    Text(Box<[u8]>),
}

/// The order of a segment's rows by some of its columns, the leading one first.
#[derive(Debug)]
pub struct RowOrder<'a> {
    columns: Vec<SortColumn<'a>>,
}

/// A row, of this segment or of another one, that rows are held against; made by [`RowOrder::bound`].
#[derive(Debug)]
pub struct RowBound {
    columns: Vec<ColumnBound>,
}

impl<'a> RowOrder<'a> {
    /// Orders by columns as they are stored, the kind of whose values the schema says. `None` where a column is stored in
    /// a wider kind than that.
    pub fn new(columns: impl IntoIterator<Item = (Column<'a>, ValueKind, SortOrder)>) -> Option<Self> {
        let columns = columns.into_iter().map(|(column, kind, order)| SortColumn::new(column, kind, order));
        Some(Self { columns: columns.collect::<Option<_>>()? })
    }

    /// The place that a row with these values has among the rows of this segment. One value for each column.
    pub fn bound(&self, values: &[SortValue]) -> RowBound {
        assert_eq!(values.len(), self.columns.len(), "one value for each column");
        RowBound { columns: self.columns.iter().zip(values).map(|(column, value)| column.bound(value)).collect() }
    }

    /// Whether a row of the segment may come before the bound, by what is known without reading it.
    pub fn may_precede(&self, bound: &RowBound) -> bool {
        self.is_less(bound, |column, bound| column.first(bound))
    }

    /// The same of the rows of one block.
    pub fn may_precede_in(&self, block: usize, bound: &RowBound) -> bool {
        self.is_less(bound, |column, bound| column.first_in(block, bound))
    }

    /// A row comes no sooner than the first value of each column: where that row would not come before the bound, none
    /// does.
    fn is_less(&self, bound: &RowBound, first: impl Fn(&SortColumn<'a>, &ColumnBound) -> Ordering) -> bool {
        let orders = self.columns.iter().zip(&bound.columns).map(|(column, bound)| first(column, bound));
        orders.into_iter().find(|order| order.is_ne()) == Some(Ordering::Less)
    }

    /// Those of a block's rows that come before the bound. Columns after the leading one are read where rows are level
    /// with the bound in all columns before.
    pub fn preceding(&self, block: usize, rows: &BlockMask, bound: &mut RowBound, scratch: &mut Scratch) -> BlockMask {
        let (mut preceding, mut level) = (NO_ROWS, *rows);
        for (column, bound) in self.columns.iter().zip(&mut bound.columns) {
            let split = column.split(block, &level, bound, scratch);
            preceding.iter_mut().zip(split.before).for_each(|(word, before)| *word |= before);
            level = split.level;
            if level == NO_ROWS {
                break;
            }
        }
        preceding
    }

    /// Puts the blocks first whose rows are likely to come first.
    pub fn sort_blocks(&self, blocks: &mut [(usize, BlockRows)]) {
        let Some(leading) = self.columns.first() else { return };
        match blocks.first().and_then(|(block, _)| leading.promise(*block)) {
            Some(_) => blocks.sort_by_cached_key(|(block, _)| leading.promise(*block)),
            // Rows arrive in the order of time, more or less, and it is the latest that are asked for.
            None if leading.order.is_descending => blocks.reverse(),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
