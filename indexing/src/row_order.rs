//! The order of rows: keys that compare like the rows they stand for.
//!
//! A key is one or more 128-bit words. Each column puts its values there in as few bits as they need, the column that
//! sorts first into the highest ones. Comparing rows is comparing words, and rows are equal where their keys are.

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
        for (field, (word, shift)) in fields.iter().zip(places).filter(|(field, _)| field.bits > 0) {
            for (row, &value) in field.values.iter().enumerate() {
                packed[row * words + word] |= u128::from(value) << shift;
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
        let mut order: Vec<(u128, u32)> = (0..rows as u32).map(|row| (self.of(row)[0], row)).collect();
        order.sort_unstable_by(|left, right| {
            left.0
                .cmp(&right.0)
                .then_with(|| self.of(left.1)[1..].cmp(&self.of(right.1)[1..]))
                .then(left.1.cmp(&right.1))
        });
        order.into_iter().map(|(_, row)| row).collect()
    }
}

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
            rows in prop::collection::vec((0_u64..3, any::<u64>(), any::<u64>(), 5_u64..8), 0..200),
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
