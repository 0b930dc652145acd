//! Groups by the numbers of several keys' values.

use henge_indexing::BLOCK_ROWS;

use super::group_table::ChainTable;

/// What the numbers of a key have at first.
const BITS_FIRST: u32 = 8;
/// What is left for numbers that are still to come when a key gets more bits.
const BITS_SPARE: u32 = 2;

/// A [`ChainTable`] of numbers that have few bits for as long as they are small: most groups are found by one look then.
#[derive(Debug)]
pub(super) struct NumberTable {
    /// For each key, what its numbers have at most.
    bits: Vec<u32>,
    table: ChainTable,
}

impl NumberTable {
    pub fn new(keys: usize) -> Self {
        let bits = vec![BITS_FIRST; keys];
        Self { table: table(&bits), bits }
    }

    pub fn keys(&self) -> usize {
        self.bits.len()
    }

    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// The numbers of the values of one key of some groups.
    pub fn numbers(&self, key: usize, groups: &[u32]) -> Vec<u32> {
        self.table.codes(key, groups)
    }

    /// The groups of `rows` combinations of numbers; new ones for those that were never seen.
    pub fn groups(&mut self, numbers: &[Vec<u32>], rows: usize) -> Vec<u32> {
        self.widen(numbers);
        groups_of(&mut self.table, numbers, rows)
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
    }

    fn widen(&mut self, numbers: &[Vec<u32>]) {
        let mut is_wide_enough = true;
        for (bits, numbers) in self.bits.iter_mut().zip(numbers) {
            let greatest = numbers.iter().max().copied().unwrap_or(0);
            let wanted = u32::BITS - greatest.leading_zeros();
            if wanted > *bits {
                *bits = (wanted + BITS_SPARE).min(u32::BITS);
                is_wide_enough = false;
            }
        }
        if is_wide_enough {
            return;
        }
        let groups: Vec<u32> = (0..self.table.len() as u32).collect();
        let numbers: Vec<Vec<u32>> = (0..self.keys()).map(|key| self.table.codes(key, &groups)).collect();
        self.table = table(&self.bits);
        // In the order in which they were seen first, groups get the numbers that they had.
        groups_of(&mut self.table, &numbers, groups.len());
    }
}

fn table(bits: &[u32]) -> ChainTable {
    let ends: Vec<Option<u32>> = bits.iter().map(|bits| 1_u32.checked_shl(*bits)).collect();
    ChainTable::new(&ends)
}

fn groups_of(table: &mut ChainTable, numbers: &[Vec<u32>], rows: usize) -> Vec<u32> {
    let mut groups = vec![0; rows];
    let mut block = [0; BLOCK_ROWS];
    for (place, groups) in groups.chunks_mut(BLOCK_ROWS).enumerate() {
        let start = place * BLOCK_ROWS;
        let end = start + groups.len();
        let codes: Vec<&[u32]> = numbers.iter().map(|numbers| &numbers[start..end]).collect();
        table.groups(&codes, &mut block);
        groups.copy_from_slice(&block[..groups.len()]);
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn groups_keep_their_places_while_numbers_outgrow_their_bits(
            calls in prop::collection::vec((0_u32..33, prop::collection::vec((0_u32..6, 0_u32..6, 0_u32..6), 0..40)), 1..12),
        ) {
            let mut table = NumberTable::new(3);
            let mut places: HashMap<Vec<u32>, u32> = HashMap::new();
            for (bits, rows) in calls {
                // Numbers near both ends of what so many bits hold.
                let last = 1_u64.checked_shl(bits).map_or(u32::MAX, |end| (end - 1) as u32);
                let number = |pick: u32| if pick < 3 { pick.min(last) } else { last - (pick - 3).min(last) };
                let rows: Vec<Vec<u32>> =
                    rows.iter().map(|row| vec![number(row.0), row.1, number(row.2)]).collect();
                let numbers: Vec<Vec<u32>> =
                    (0..3).map(|key| rows.iter().map(|row| row[key]).collect()).collect();
                let groups = table.groups(&numbers, rows.len());
                for (row, group) in rows.iter().zip(&groups) {
                    let next = places.len() as u32;
                    prop_assert_eq!(*places.entry(row.clone()).or_insert(next), *group);
                }
                for (key, numbers) in numbers.iter().enumerate() {
                    prop_assert_eq!(&table.numbers(key, &groups), numbers);
                }
            }
            prop_assert_eq!(table.len(), places.len());
        }
    }
}
