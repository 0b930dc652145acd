//! The order of rows: keys that compare like the rows they stand for.
//!
//! A key is one or more 128-bit words. Each column puts its values there in as few bits as they need, the column that
//! sorts first into the highest ones. Comparing rows is comparing words, and rows are equal where their keys are.

use std::cmp::Ordering;

use crate::BLOCK_ROWS;

/// A part of every row's key: values from 0 on, in `bits` bits.
pub struct KeyField {
    values: Vec<u64>,
    bits: u32,
}

impl KeyField {
    /// Keeps the order of `values` in as few bits as their range needs.
    pub fn of(values: impl Iterator<Item = u64>) -> Self {
        let mut values: Vec<u64> = values.collect();
        let least = values.iter().copied().min().unwrap_or(0);
        values.iter_mut().for_each(|value| *value -= least);
        let greatest = values.iter().copied().max().unwrap_or(0);
        Self { values, bits: u64::BITS - greatest.leading_zeros() }
    }
}

/// Longs as unsigned numbers of the same order.
pub fn order_of_long(value: i64) -> u64 {
    value.cast_unsigned() ^ (1 << 63)
}

/// Doubles as unsigned numbers in IEEE 754 total order, so that -0.0 and 0.0 stay apart.
pub fn order_of_double(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

/// The rows' keys, `words` to a row.
pub struct RowKeys {
    words: usize,
    packed: Vec<u128>,
}

impl RowKeys {
    /// Puts the fields of `rows` rows together, the one that sorts first first.
    pub fn pack(fields: &[KeyField], rows: usize) -> Self {
        let mut places = Vec::new();
        let (mut word, mut free) = (0, u128::BITS);
        for field in fields {
            if field.bits > free {
                (word, free) = (word + 1, u128::BITS);
            }
            free -= field.bits;
            places.push((word, free));
        }
        let words = word + 1;
        let mut packed = vec![0_u128; words * rows];
        let columns: Vec<_> = fields.iter().zip(places).filter(|(field, _)| field.bits > 0).collect();
        // Some rows at a time, so that their words stay in the cache until they have all their fields.
        for (block, packed) in packed.chunks_mut(words * BLOCK_ROWS).enumerate() {
            for (field, (word, shift)) in &columns {
                let values = &field.values[block * BLOCK_ROWS..];
                let packed = packed.iter_mut().skip(*word).step_by(words);
                packed.zip(values).for_each(|(packed, &value)| *packed |= u128::from(value) << shift);
            }
        }
        Self { words, packed }
    }

    /// The key of one row.
    pub fn of(&self, row: u32) -> &[u128] {
        &self.packed[row as usize * self.words..][..self.words]
    }

    /// Row numbers by key, then by number.
    pub fn sorted_rows(&self) -> Vec<u32> {
        let rows = self.packed.len() / self.words;
        let mut order: Vec<Keyed> = (0..rows as u32).map(|row| (self.of(row)[0], row)).collect();
        let mut room = vec![(0, 0); if rows > COMPARED_MAX { rows } else { 0 }];
        self.sort_by_digits(&mut order, &mut room, u128::BITS);
        order.into_iter().map(|(_, row)| row).collect()
    }

    /// Sorts rows whose first words agree above the lowest `bits`: by the next digit, then within each of its values.
    ///
    /// Keys use their highest bits first and columns that sort first have few values, so two or three digits leave runs
    /// that are cheap to compare.
    fn sort_by_digits(&self, rows: &mut [Keyed], room: &mut [Keyed], bits: u32) {
        if rows.len() <= COMPARED_MAX || bits == 0 {
            return rows.sort_unstable_by(|left, right| self.compare(left, right));
        }
        let shift = bits - DIGIT_BITS;
        let digit = |(word, _): &Keyed| (word >> shift) as usize & (DIGITS - 1);
        let mut ends = [0_usize; DIGITS];
        rows.iter().for_each(|row| ends[digit(row)] += 1);
        if ends[digit(&rows[0])] == rows.len() {
            return self.sort_by_digits(rows, room, shift);
        }
        let mut next = [0_usize; DIGITS];
        let mut placed = 0;
        for (next, end) in next.iter_mut().zip(&mut ends) {
            *next = placed;
            placed += *end;
            *end = placed;
        }
        for row in rows.iter() {
            let place = &mut next[digit(row)];
            room[*place] = *row;
            *place += 1;
        }
        rows.copy_from_slice(room);
        let mut start = 0;
        for end in ends {
            if end - start > 1 {
                self.sort_by_digits(&mut rows[start..end], &mut room[start..end], shift);
            }
            start = end;
        }
    }

    fn compare(&self, left: &Keyed, right: &Keyed) -> Ordering {
        left.0.cmp(&right.0).then_with(|| self.of(left.1)[1..].cmp(&self.of(right.1)[1..])).then(left.1.cmp(&right.1))
    }
}

/// The first word of a row's key, and the row's number.
type Keyed = (u128, u32);

/// Rows are spread by eight bits of their keys at a time.
const DIGIT_BITS: u32 = 8;
const DIGITS: usize = 1 << DIGIT_BITS;
/// So few rows are in the cache and sooner compared than spread: their number is that of a digit's counters.
const COMPARED_MAX: usize = DIGITS;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unsigned_order_is_the_order_of_longs_and_doubles() {
        let longs = [i64::MIN, -2, -1, 0, 1, i64::MAX];
        assert!(longs.map(order_of_long).is_sorted());
        let doubles = [f64::NEG_INFINITY, -1.5, -f64::MIN_POSITIVE, -0.0, 0.0, 5e-324, 1.0, f64::MAX, f64::INFINITY];
        assert!(doubles.map(order_of_double).is_sorted_by(|left, right| left < right));
    }

    proptest! {
        #[test]
        fn keys_sort_rows_as_comparing_their_columns_does(
            rows in prop_oneof![
                prop::collection::vec((0_u64..3, any::<u64>(), any::<u64>(), 5_u64..8), 0..200),
                // More rows than are compared, many of them equal down to the second word.
                prop::collection::vec((0_u64..3, 0_u64..2, Just(7), 5_u64..8), 900..1_000),
                prop::collection::vec((0_u64..3, any::<u64>(), any::<u64>(), 5_u64..8), 900..1_000),
                prop::collection::vec((0_u64..1, 0_u64..2, 0_u64..1_000, u64::MAX - 9..u64::MAX), 900..1_000),
                // The first word is full down to its lowest bits.
                prop::collection::vec((0_u64..3, any::<u64>(), 0_u64..1 << 60, 5_u64..8), 900..1_000),
            ],
        ) {
            let fields = [
                KeyField::of(rows.iter().map(|row| row.0)),
                KeyField::of(rows.iter().map(|row| row.1)),
                KeyField::of(rows.iter().map(|row| row.2)),
                KeyField::of(rows.iter().map(|row| row.3)),
            ];
            let keys = RowKeys::pack(&fields, rows.len());
            let mut expected: Vec<u32> = (0..rows.len() as u32).collect();
            expected.sort_by_key(|&row| rows[row as usize]);
            prop_assert_eq!(keys.sorted_rows(), expected);
            for pair in rows.windows(2).enumerate() {
                let (at, pair) = (pair.0 as u32, pair.1);
                prop_assert_eq!(keys.of(at) == keys.of(at + 1), pair[0] == pair[1]);
            }
        }
    }
}
