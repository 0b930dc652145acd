//! A set of numbers that are handed out one after the other, in the form that takes the least memory for its size.

use hashbrown::HashTable;

use crate::operator::aggregate::cell_hash::hash_of_cell;

/// Sets as large as this are looked at for a better form.
const MANY: usize = 64;

/// Most sets of a column that is almost unique hold one number.
#[derive(Debug, Default)]
pub enum NumberSet {
    #[default]
    Empty,
    One(u32),
    Listed(Box<HashTable<u32>>),
    /// Bit `i` of word `w` is number `w * 64 + i`.
    Bits(Box<Bits>),
}

#[derive(Debug)]
pub struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl NumberSet {
    /// Adds a number; all numbers are below `end`.
    #[inline]
    pub fn insert(&mut self, number: u32, end: u32) {
        match self {
            Self::Bits(bits) => bits.insert(number),
            Self::One(one) if *one == number => {}
            _ => self.insert_listed(number, end),
        }
    }

    #[inline(never)]
    fn insert_listed(&mut self, number: u32, end: u32) {
        match self {
            Self::Empty => *self = Self::One(number),
            Self::One(one) => {
                let mut table = HashTable::with_capacity(3);
                for number in [*one, number] {
                    table.insert_unique(hash_of_cell(number.into()), number, hash_of);
                }
                *self = Self::Listed(Box::new(table));
            }
            Self::Listed(table) => {
                table.entry(hash_of_cell(number.into()), |known| *known == number, hash_of).or_insert(number);
                // A table takes five bytes a slot, and its slots double.
                if table.len() >= MANY && table.len().is_power_of_two() && end as usize / 64 <= table.len() {
                    let mut bits = Bits { words: Vec::new(), len: 0 };
                    table.iter().for_each(|number| bits.insert(*number));
                    *self = Self::Bits(Box::new(bits));
                }
            }
            Self::Bits(bits) => bits.insert(number),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::One(_) => 1,
            Self::Listed(table) => table.len(),
            Self::Bits(bits) => bits.len,
        }
    }

    /// Visits the numbers, in no order.
    pub fn for_each(&self, mut visit: impl FnMut(u32)) {
        match self {
            Self::Empty => {}
            Self::One(number) => visit(*number),
            Self::Listed(table) => table.iter().for_each(|number| visit(*number)),
            Self::Bits(bits) => {
                for (place, word) in bits.words.iter().enumerate() {
                    let mut left = *word;
                    while left != 0 {
                        visit(place as u32 * 64 + left.trailing_zeros());
                        left &= left - 1;
                    }
                }
            }
        }
    }

    /// Adds all numbers of another set.
    pub fn merge(&mut self, other: &Self, end: u32) {
        match (&mut *self, other) {
            (Self::Bits(bits), Self::Bits(others)) => bits.merge(others),
            _ => other.for_each(|number| self.insert(number, end)),
        }
    }

    /// Memory taken outside of the value itself.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Empty | Self::One(_) => 0,
            Self::Listed(table) => size_of::<HashTable<u32>>() + table.capacity() * (size_of::<u32>() + 1),
            Self::Bits(bits) => size_of::<Bits>() + bits.words.capacity() * size_of::<u64>(),
        }
    }
}

impl Bits {
    #[inline]
    fn insert(&mut self, number: u32) {
        let (place, bit) = ((number / 64) as usize, 1 << (number % 64));
        if place >= self.words.len() {
            self.words.resize(place + 1, 0);
        }
        self.len += usize::from(self.words[place] & bit == 0);
        self.words[place] |= bit;
    }

    fn merge(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
        self.len = self.words.iter().map(|word| word.count_ones() as usize).sum();
    }
}

fn hash_of(number: &u32) -> u64 {
    hash_of_cell(u64::from(*number))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn numbers(set: &NumberSet) -> Vec<u32> {
        let mut numbers = Vec::new();
        set.for_each(|number| numbers.push(number));
        numbers.sort_unstable();
        numbers
    }

    proptest! {
        #[test]
        fn a_set_holds_each_number_once_in_any_form(
            end in prop::sample::select(vec![3_u32, 200, 10_000, 1_000_000]),
            left in prop::collection::vec(any::<u32>(), 0..400),
            right in prop::collection::vec(any::<u32>(), 0..400),
        ) {
            let mut sets = [NumberSet::default(), NumberSet::default()];
            for (set, wanted) in sets.iter_mut().zip([&left, &right]) {
                wanted.iter().for_each(|number| set.insert(number % end, end));
                let expected: BTreeSet<u32> = wanted.iter().map(|number| number % end).collect();
                prop_assert_eq!(set.len(), expected.len());
                prop_assert_eq!(numbers(set), expected.into_iter().collect::<Vec<_>>());
            }
            let [mut merged, other] = sets;
            merged.merge(&other, end);
            let expected: BTreeSet<u32> = left.iter().chain(&right).map(|number| number % end).collect();
            prop_assert_eq!(merged.len(), expected.len());
            prop_assert_eq!(numbers(&merged), expected.into_iter().collect::<Vec<_>>());
        }
    }
}
