//! Numbers and flags in ranges.

use crate::evaluate::block_mask::{NO_ROWS, fill_where, first_rows, intersect};
use crate::evaluate::cost;
use crate::evaluate::key_ranges::KeyRanges;
use crate::evaluate::number_column::{KeyBuffer, KeyZone, NumberColumn};
use crate::evaluate::row_collector::{Found, scan};
use crate::{BLOCK_ROWS, BlockMask, RowSet};

/// More ranges than this are searched by halving.
const RANGES_MAX: usize = 4;

pub(in crate::evaluate) struct KeysLeaf<'a> {
    /// The column's name.
    pub name: &'a str,
    column: NumberColumn<'a>,
    ranges: KeyRanges,
}

impl<'a> KeysLeaf<'a> {
    /// The rows that are not null and whose key lies in a range.
    pub fn new(name: &'a str, column: NumberColumn<'a>, ranges: KeyRanges) -> Self {
        Self { name, column, ranges }
    }

    /// Takes in what another test of the same column says; false, and nothing changed, where it is of another column.
    pub fn take_in(&mut self, other: &Self, is_and: bool) -> bool {
        let is_same = self.name == other.name;
        if is_same {
            self.ranges = if is_and { self.ranges.and(&other.ranges) } else { self.ranges.or(&other.ranges) };
        }
        is_same
    }

    /// There is no such row.
    pub fn is_nothing(&self) -> bool {
        self.ranges.as_slice().is_empty()
    }

    pub fn cost(&self, candidates: &RowSet) -> f64 {
        match self.column.total().map_or(Found::Mask, |zone| found_by_zone(&self.ranges, zone)) {
            Found::Mask => cost::key_scan(candidates),
            Found::None | Found::All => 0.0,
        }
    }

    pub fn rows(&self, candidates: &RowSet, use_zones: bool) -> RowSet {
        if use_zones && let Some(zone) = self.column.total() {
            match found_by_zone(&self.ranges, zone) {
                Found::None => return RowSet::none(candidates.row_count()),
                Found::All => return candidates.clone(),
                Found::Mask => {}
            }
        }
        let mut buffer = KeyBuffer::new();
        scan(candidates, |block, rows, mask| {
            let mut ranges = self.ranges.as_slice();
            if use_zones && let Some(zone) = self.column.zone(block) {
                let found = found_by_zone(&self.ranges, zone);
                if found != Found::Mask {
                    return found;
                }
                ranges = self.ranges.between(zone.least, zone.greatest);
            }
            if let NumberColumn::Flags(column) = &self.column {
                let (flags, values) = column.values(block);
                fill_flags(mask, &values, flags.min(rows), ranges);
            } else {
                let keys = self.column.keys(block, &mut buffer);
                fill_in_ranges(mask, &keys[..keys.len().min(rows)], ranges);
            }
            if let Some(validity) = self.column.validity(block) {
                intersect(mask, &validity);
            }
            Found::Mask
        })
    }
}

/// What is certain of rows whose keys lie in a zone; [`Found::Mask`] is nothing.
fn found_by_zone(ranges: &KeyRanges, zone: KeyZone) -> Found {
    match ranges.between(zone.least, zone.greatest) {
        [] => Found::None,
        [(least, greatest)] if *least <= zone.least && zone.greatest <= *greatest && !zone.has_nulls => Found::All,
        _ => Found::Mask,
    }
}

fn fill_in_ranges(mask: &mut BlockMask, keys: &[i64], ranges: &[(i64, i64)]) {
    let width = |(least, greatest): (i64, i64)| greatest.wrapping_sub(least).cast_unsigned();
    match ranges {
        [] => *mask = NO_ROWS,
        [range] => {
            let (least, width) = (range.0, width(*range));
            fill_where(mask, keys, |key: i64| key.wrapping_sub(least).cast_unsigned() <= width);
        }
        [first, ..] if ranges.len() <= RANGES_MAX => {
            // Unused places hold the first range once more.
            let mut four = [*first; RANGES_MAX];
            four[..ranges.len()].copy_from_slice(ranges);
            let four = four.map(|range| (range.0, width(range)));
            fill_where(mask, keys, |key: i64| {
                let is_in = |(least, width): (i64, u64)| key.wrapping_sub(least).cast_unsigned() <= width;
                is_in(four[0]) | is_in(four[1]) | is_in(four[2]) | is_in(four[3])
            });
        }
        _ => fill_where(mask, keys, |key: i64| {
            let range = ranges.partition_point(|range| range.1 < key);
            ranges.get(range).is_some_and(|range| range.0 <= key)
        }),
    }
}

/// Flags have the keys 0 and 1.
fn fill_flags(mask: &mut BlockMask, values: &BlockMask, rows: usize, ranges: &[(i64, i64)]) {
    let is_in = |key| ranges.iter().any(|&(least, greatest)| least <= key && key <= greatest);
    let (if_true, if_false) = (is_in(1), is_in(0));
    let all = first_rows(rows);
    for word in 0..BLOCK_ROWS / 64 {
        let flags = if if_true { values[word] } else { 0 };
        let others = if if_false { !values[word] } else { 0 };
        mask[word] = (flags | others) & all[word];
    }
}
