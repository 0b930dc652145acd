//! Two columns compared row by row.

use super::texts_leaf::filter;
use crate::evaluate::block_mask::{NO_ROWS, intersect};
use crate::evaluate::column::{Column, TextColumn};
use crate::evaluate::cost;
use crate::evaluate::joint_ranks::joint_ranks;
use crate::evaluate::key_ranges::key_of_double;
use crate::evaluate::number_column::{KeyBuffer, NumberColumn};
use crate::evaluate::row_collector::{Found, scan};
use crate::evaluate::row_texts::RowTexts;
use crate::predicate::{Comparison, ValueKind};
use crate::{BLOCK_ROWS, BlockMask, RowSet};

pub(in crate::evaluate) struct CompareLeaf<'a> {
    /// The left column's name.
    pub name: &'a str,
    op: Comparison,
    sides: Sides<'a>,
}

enum Sides<'a> {
    /// Keys of one kind.
    Keys(NumberColumn<'a>, NumberColumn<'a>),
    /// Keys of doubles.
    Doubles(NumberColumn<'a>, NumberColumn<'a>),
    Texts(Column<'a>, Column<'a>),
}

impl<'a> CompareLeaf<'a> {
    /// The rows where both columns have a value and `left op right`. `None` where a column's values are of no kind that
    /// can be promoted to `kind`, so that there is no such row.
    pub fn new(name: &'a str, left: Column<'a>, op: Comparison, right: Column<'a>, kind: ValueKind) -> Option<Self> {
        let sides = match kind {
            ValueKind::Text if matches!((&left, &right), (Column::Missing, _) | (_, Column::Missing)) => return None,
            ValueKind::Text => Sides::Texts(left, right),
            ValueKind::Double => Sides::Doubles(keys_of(left, kind)?, keys_of(right, kind)?),
            ValueKind::Long | ValueKind::Flag => Sides::Keys(keys_of(left, kind)?, keys_of(right, kind)?),
        };
        Some(Self { name, op, sides })
    }

    pub fn cost(&self, candidates: &RowSet) -> f64 {
        match &self.sides {
            Sides::Keys(..) | Sides::Doubles(..) => 2.0 * cost::key_scan(candidates),
            Sides::Texts(Column::Text(left), Column::Text(right)) => {
                cost_by_ranks(left, right, candidates).min(2.0 * cost::row_texts(candidates))
            }
            Sides::Texts(..) => 2.0 * cost::row_texts(candidates),
        }
    }

    pub fn rows(&self, candidates: &RowSet, use_indexes: bool) -> RowSet {
        match &self.sides {
            Sides::Keys(left, right) => compare_keys(left, self.op, right, candidates, |key| key),
            Sides::Doubles(left, right) => compare_keys(left, self.op, right, candidates, with_one_zero),
            Sides::Texts(Column::Text(left), Column::Text(right))
                if use_indexes && cost_by_ranks(left, right, candidates) < 2.0 * cost::row_texts(candidates) =>
            {
                compare_ranks(left, self.op, right, candidates)
            }
            Sides::Texts(left, right) => {
                let (mut left, mut right) = (RowTexts::new(left), RowTexts::new(right));
                filter(candidates, |row| {
                    let (Some(left), Some(right)) = (left.get(row), right.get(row)) else { return false };
                    self.op.holds(left.cmp(right))
                })
            }
        }
    }
}

fn keys_of(column: Column<'_>, kind: ValueKind) -> Option<NumberColumn<'_>> {
    match (kind, column) {
        (ValueKind::Long, Column::Longs(column)) => Some(NumberColumn::Longs(column)),
        (ValueKind::Double, Column::Longs(column)) => Some(NumberColumn::LongsAsDoubles(column)),
        (ValueKind::Double, Column::Doubles(column)) => Some(NumberColumn::Doubles(column)),
        (ValueKind::Flag, Column::Flags(column)) => Some(NumberColumn::Flags(column)),
        _ => None,
    }
}

fn cost_by_ranks(left: &TextColumn<'_>, right: &TextColumn<'_>, candidates: &RowSet) -> f64 {
    let texts = left.distinct().saturating_add(right.distinct());
    // Each text is read and compared.
    2.0 * cost::dictionary_scan(texts) + 2.0 * cost::code_scan(candidates)
}

/// The key of a double, where -0.0 has that of 0.0.
fn with_one_zero(key: i64) -> i64 {
    key + i64::from(key == key_of_double(-0.0))
}

/// Compares what `key_of` makes of the keys.
fn compare_keys(
    left: &NumberColumn<'_>,
    op: Comparison,
    right: &NumberColumn<'_>,
    candidates: &RowSet,
    key_of: impl Fn(i64) -> i64 + Copy,
) -> RowSet {
    let (mut left_buffer, mut right_buffer) = (KeyBuffer::new(), KeyBuffer::new());
    scan(candidates, |block, rows, mask| {
        let left_keys = left.keys(block, &mut left_buffer);
        let right_keys = right.keys(block, &mut right_buffer);
        let rows = rows.min(left_keys.len()).min(right_keys.len());
        fill_compared(mask, &left_keys[..rows], op, &right_keys[..rows], key_of);
        for validity in [left.validity(block), right.validity(block)].into_iter().flatten() {
            intersect(mask, &validity);
        }
        Found::Mask
    })
}

fn compare_ranks(left: &TextColumn<'_>, op: Comparison, right: &TextColumn<'_>, candidates: &RowSet) -> RowSet {
    let (left_ranks, right_ranks) = joint_ranks(left, right);
    let rank = |ranks: &[u32], code: u32| ranks.get(code as usize).copied().unwrap_or(0);
    let (mut left_buffer, mut right_buffer) = (Box::new([0; BLOCK_ROWS]), Box::new([0; BLOCK_ROWS]));
    scan(candidates, |block, rows, mask| {
        let left_codes = left.codes(block, &mut left_buffer);
        let right_codes = right.codes(block, &mut right_buffer);
        for (row, (&left, &right)) in left_codes.iter().zip(right_codes).take(rows).enumerate() {
            let (left, right) = (rank(&left_ranks, left), rank(&right_ranks, right));
            let holds = left != 0 && right != 0 && op.holds(left.cmp(&right));
            mask[row / 64] |= u64::from(holds) << (row % 64);
        }
        Found::Mask
    })
}

/// The rows, in place of `mask`, where a comparison holds.
fn fill_compared(
    mask: &mut BlockMask,
    left: &[i64],
    op: Comparison,
    right: &[i64],
    key_of: impl Fn(i64) -> i64 + Copy,
) {
    *mask = NO_ROWS;
    match op {
        Comparison::Equal => fill_pairs(mask, left, right, |left, right| key_of(left) == key_of(right)),
        Comparison::NotEqual => fill_pairs(mask, left, right, |left, right| key_of(left) != key_of(right)),
        Comparison::Less => fill_pairs(mask, left, right, |left, right| key_of(left) < key_of(right)),
        Comparison::LessOrEqual => fill_pairs(mask, left, right, |left, right| key_of(left) <= key_of(right)),
        Comparison::Greater => fill_pairs(mask, left, right, |left, right| key_of(left) > key_of(right)),
        Comparison::GreaterOrEqual => fill_pairs(mask, left, right, |left, right| key_of(left) >= key_of(right)),
    }
}

fn fill_pairs(mask: &mut BlockMask, left: &[i64], right: &[i64], holds: impl Fn(i64, i64) -> bool) {
    for ((word, left), right) in mask.iter_mut().zip(left.chunks(64)).zip(right.chunks(64)) {
        let pairs = left.iter().zip(right).enumerate();
        *word = pairs.fold(0, |word, (at, (&left, &right))| word | u64::from(holds(left, right)) << at);
    }
}
