//! One of the columns that rows are ordered by.

use std::cmp::Ordering;

use super::column_bound::{ColumnBound, KeyBound, TextBound};
use super::{SortOrder, SortValue};
use crate::evaluate::block_mask::{NO_ROWS, fill_where, rows_of};
use crate::evaluate::number_column::{KeyBuffer, KeyZone, NumberColumn};
use crate::evaluate::row_texts::RowTexts;
use crate::evaluate::{Column, TextColumn};
use crate::predicate::ValueKind;
use crate::row_order::order_of_double;
use crate::{BLOCK_ROWS, BlockMask, Dictionary, PackedCodes};

/// A column as a segment stores it.
#[derive(Debug)]
pub(super) struct SortColumn<'a> {
    source: Source<'a>,
    pub order: SortOrder,
}

#[derive(Debug)]
enum Source<'a> {
    /// Null in every row.
    Nulls,
    Numbers(NumberColumn<'a>),
    /// Texts whose codes are in their order.
    Codes(&'a Dictionary, &'a PackedCodes),
    /// Texts that are read to be compared: of a growing dictionary, or stored as numbers or flags.
    Texts(Column<'a>),
}

/// Where blocks are unpacked to.
#[derive(Debug)]
pub struct Scratch {
    keys: KeyBuffer,
    codes: Box<[u32; BLOCK_ROWS]>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { keys: KeyBuffer::new(), codes: Box::new([0; BLOCK_ROWS]) }
    }
}

/// Rows of a block by how they stand to a bound.
pub(super) struct Split {
    pub before: BlockMask,
    pub level: BlockMask,
}

impl<'a> SortColumn<'a> {
    pub fn new(column: Column<'a>, kind: ValueKind, order: SortOrder) -> Option<Self> {
        let source = match (kind, column) {
            (_, Column::Missing) => Source::Nulls,
            (ValueKind::Text, Column::Text(TextColumn::Sorted { dictionary, codes, .. })) => {
                Source::Codes(dictionary, codes)
            }
            (ValueKind::Text, column) => Source::Texts(column),
            (ValueKind::Long, Column::Longs(column)) => Source::Numbers(NumberColumn::Longs(column)),
            (ValueKind::Double, Column::Longs(column)) => Source::Numbers(NumberColumn::LongsAsDoubles(column)),
            (ValueKind::Double, Column::Doubles(column)) => Source::Numbers(NumberColumn::Doubles(column)),
            (ValueKind::Flag, Column::Flags(column)) => Source::Numbers(NumberColumn::Flags(column)),
            _ => return None,
        };
        Some(Self { source, order })
    }

    /// The place of a value, which is of the column's kind.
    pub fn bound(&self, value: &SortValue) -> ColumnBound {
        let exact = |at| ColumnBound::Key(KeyBound { at, is_exact: true });
        match value {
            SortValue::Null => ColumnBound::Null,
            SortValue::Long(value) => exact(*value),
            SortValue::Double(value) => exact((order_of_double(*value) ^ 1 << 63).cast_signed()),
            SortValue::Flag(value) => exact(i64::from(*value)),
            SortValue::Text(text) => match &self.source {
                Source::Codes(dictionary, _) => match dictionary.find(text) {
                    Ok(code) => exact(i64::from(code)),
                    // The text lies between two codes.
                    Err(next) => {
                        let at = i64::from(next) - i64::from(self.order.is_descending);
                        ColumnBound::Key(KeyBound { at, is_exact: false })
                    }
                },
                source => {
                    let codes = match source {
                        Source::Texts(Column::Text(column)) => column.distinct() as usize + 1,
                        _ => 0,
                    };
                    ColumnBound::Text(TextBound { text: text.clone(), later_codes: vec![0; codes.div_ceil(64)] })
                }
            },
        }
    }

    /// How the first value of the segment may stand to the bound.
    pub fn first(&self, bound: &ColumnBound) -> Ordering {
        match &self.source {
            Source::Nulls => bound.order_of_nulls(self.order),
            Source::Numbers(column) => self.first_of_zone(column.total(), bound),
            Source::Codes(dictionary, _) => {
                let greatest = i64::from(dictionary.distinct());
                self.first_of_zone(Some(KeyZone { least: 1, greatest, has_nulls: true }), bound)
            }
            Source::Texts(_) => Ordering::Less,
        }
    }

    /// How the first value of a block may stand to the bound.
    pub fn first_in(&self, block: usize, bound: &ColumnBound) -> Ordering {
        match &self.source {
            Source::Nulls => bound.order_of_nulls(self.order),
            Source::Numbers(_) | Source::Codes(..) => self.first_of_zone(self.zone(block), bound),
            Source::Texts(_) => Ordering::Less,
        }
    }

    fn zone(&self, block: usize) -> Option<KeyZone> {
        match &self.source {
            Source::Numbers(column) => column.zone(block),
            Source::Codes(_, codes) => {
                let (least, greatest) = codes.bounds(block);
                Some(KeyZone { least: i64::from(least.max(1)), greatest: i64::from(greatest), has_nulls: least == 0 })
            }
            Source::Nulls | Source::Texts(_) => None,
        }
    }

    fn first_of_zone(&self, zone: Option<KeyZone>, bound: &ColumnBound) -> Ordering {
        let Some(zone) = zone else { return Ordering::Less };
        let nulls = zone.has_nulls.then(|| bound.order_of_nulls(self.order));
        let values = (zone.least <= zone.greatest).then(|| {
            let first = if self.order.is_descending { zone.greatest } else { zone.least };
            match bound {
                ColumnBound::Null => ColumnBound::order_of_values_to_null(self.order),
                ColumnBound::Key(bound) => bound.order(first, self.order.is_descending),
                ColumnBound::Text(_) => Ordering::Less,
            }
        });
        // A block of no rows has neither.
        nulls.into_iter().chain(values).min().unwrap_or(Ordering::Greater)
    }

    /// A number that is the smaller, the sooner the first row of the block comes; `None` where that is not known.
    pub fn promise(&self, block: usize) -> Option<i64> {
        let zone = self.zone(block)?;
        Some(match self.order {
            SortOrder { is_nulls_first: true, .. } if zone.has_nulls => i64::MIN,
            SortOrder { is_descending: true, .. } => !zone.greatest,
            SortOrder { is_descending: false, .. } => zone.least,
        })
    }

    /// Those of the rows that come before the bound, and those that are level with it.
    pub fn split(&self, block: usize, rows: &BlockMask, bound: &mut ColumnBound, scratch: &mut Scratch) -> Split {
        match &self.source {
            Source::Nulls => Split::of_orders(rows, |_| bound.order_of_nulls(self.order)),
            Source::Numbers(column) => {
                let valid = column.validity(block).unwrap_or([u64::MAX; BLOCK_ROWS / 64]);
                let values = match bound {
                    ColumnBound::Key(bound) => {
                        Split::of_keys(column.keys(block, &mut scratch.keys), *bound, bound.at, self.order)
                    }
                    _ => Split::of_one_order(ColumnBound::order_of_values_to_null(self.order)),
                };
                Split::of_values_and_nulls(rows, &valid, &values, bound.order_of_nulls(self.order))
            }
            Source::Codes(_, codes) => {
                let count = codes.unpack(block, &mut scratch.codes);
                let codes = &scratch.codes[..count];
                let mut valid = NO_ROWS;
                fill_where(&mut valid, codes, |code| code != 0);
                let values = match bound {
                    ColumnBound::Key(bound) => {
                        let at = u32::try_from(bound.at).expect("a code, or one past the last");
                        Split::of_keys(codes, *bound, at, self.order)
                    }
                    _ => Split::of_one_order(ColumnBound::order_of_values_to_null(self.order)),
                };
                Split::of_values_and_nulls(rows, &valid, &values, bound.order_of_nulls(self.order))
            }
            Source::Texts(Column::Text(column)) => {
                let codes = column.codes(block, &mut scratch.codes);
                let mut buffer = Vec::new();
                Split::of_orders(rows, |row| match (codes.get(row).copied().unwrap_or(0), &mut *bound) {
                    (0, bound) => bound.order_of_nulls(self.order),
                    (code, ColumnBound::Text(bound)) => {
                        bound.order_of_code(code, self.order.is_descending, || column.text(code, &mut buffer))
                    }
                    _ => ColumnBound::order_of_values_to_null(self.order),
                })
            }
            Source::Texts(column) => {
                let mut texts = RowTexts::new(column);
                let first_row = (block * BLOCK_ROWS) as u32;
                Split::of_orders(rows, |row| match (texts.get(first_row + row as u32), &*bound) {
                    (None, bound) => bound.order_of_nulls(self.order),
                    (Some(text), ColumnBound::Text(bound)) => bound.order(text, self.order.is_descending),
                    _ => ColumnBound::order_of_values_to_null(self.order),
                })
            }
        }
    }
}

impl Split {
    /// All rows alike.
    fn of_one_order(order: Ordering) -> Self {
        let all_if = |is| if is { [u64::MAX; BLOCK_ROWS / 64] } else { NO_ROWS };
        Self { before: all_if(order.is_lt()), level: all_if(order.is_eq()) }
    }

    /// Each of the rows as `order` says.
    fn of_orders(rows: &BlockMask, mut order: impl FnMut(usize) -> Ordering) -> Self {
        let mut split = Self { before: NO_ROWS, level: NO_ROWS };
        for row in rows_of(rows) {
            let mask = match order(row) {
                Ordering::Less => &mut split.before,
                Ordering::Equal => &mut split.level,
                Ordering::Greater => continue,
            };
            mask[row / 64] |= 1 << (row % 64);
        }
        split
    }

    /// All of a block's keys; `at` is the bound's.
    fn of_keys<T: Copy + Ord>(keys: &[T], bound: KeyBound, at: T, order: SortOrder) -> Self {
        let mut split = Self { before: NO_ROWS, level: NO_ROWS };
        match order.is_descending {
            true => fill_where(&mut split.before, keys, |key| key > at),
            false => fill_where(&mut split.before, keys, |key| key < at),
        }
        if bound.is_exact {
            fill_where(&mut split.level, keys, |key| key == at);
        }
        split
    }

    /// Those of the rows that are valid as `values` says, the others as nulls stand to the bound.
    fn of_values_and_nulls(rows: &BlockMask, valid: &BlockMask, values: &Self, nulls: Ordering) -> Self {
        let nulls = Self::of_one_order(nulls);
        let chosen = |values: &BlockMask, nulls: &BlockMask| -> BlockMask {
            std::array::from_fn(|word| rows[word] & (values[word] & valid[word] | nulls[word] & !valid[word]))
        };
        Self { before: chosen(&values.before, &nulls.before), level: chosen(&values.level, &nulls.level) }
    }
}
