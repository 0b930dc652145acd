//! The distinct numbers among many, where they are few enough to be worth a dictionary.

use hashbrown::HashMap;

/// Numbers are looked up in a table instead of a hash map where the table has at most this many places a number.
const TABLE_PLACES_MAX: usize = 2;
/// From here on it is worth asking whether the numbers repeat at all.
const PROBE: usize = 1 << 16;

/// Each distinct number once, and for every number its place among them.
#[derive(Debug, PartialEq)]
pub struct NumberDictionary {
    /// Strictly ascending.
    pub distinct: Vec<i64>,
    pub places: Vec<u32>,
}

impl NumberDictionary {
    /// `None` where more than half of the numbers are distinct.
    pub fn of(numbers: &[i64]) -> Option<Self> {
        let (least, greatest) = (*numbers.iter().min()?, *numbers.iter().max()?);
        let dictionary = match usize::try_from(greatest.abs_diff(least)) {
            Ok(span) if span < numbers.len() * TABLE_PLACES_MAX => Self::by_table(numbers, least, span + 1),
            _ => Self::by_hash(numbers)?,
        };
        (dictionary.distinct.len() <= numbers.len().div_ceil(2)).then_some(dictionary)
    }

    fn by_table(numbers: &[i64], least: i64, size: usize) -> Self {
        let above = |number: &i64| number.abs_diff(least) as usize;
        let mut table = vec![0_u32; size];
        numbers.iter().for_each(|number| table[above(number)] = 1);
        let mut distinct = Vec::new();
        for (above, place) in table.iter_mut().enumerate() {
            if *place == 1 {
                *place = distinct.len() as u32;
                distinct.push(least + above as i64);
            }
        }
        Self { distinct, places: numbers.iter().map(|number| table[above(number)]).collect() }
    }

    fn by_hash(numbers: &[i64]) -> Option<Self> {
        let mut found: HashMap<i64, u32> = HashMap::new();
        let mut places = Vec::with_capacity(numbers.len());
        for (at, number) in numbers.iter().enumerate() {
            let next = found.len() as u32;
            places.push(*found.entry(*number).or_insert(next));
            if at == PROBE && found.len() > PROBE / 8 * 7 || found.len() > numbers.len().div_ceil(2) {
                return None;
            }
        }
        let mut sorted: Vec<(i64, u32)> = found.into_iter().collect();
        sorted.sort_unstable();
        let mut ranks = vec![0_u32; sorted.len()];
        for (rank, (_, found)) in sorted.iter().enumerate() {
            ranks[*found as usize] = rank as u32;
        }
        places.iter_mut().for_each(|place| *place = ranks[*place as usize]);
        Some(Self { distinct: sorted.into_iter().map(|(number, _)| number).collect(), places })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_dictionary_is_the_sorted_distinct_numbers(
            numbers in prop::collection::vec(prop_oneof![-3_i64..3, Just(i64::MIN), Just(i64::MAX)], 1..50),
            narrow in any::<bool>(),
        ) {
            let numbers: Vec<i64> = numbers.into_iter().filter(|number| !narrow || number.abs_diff(0) < 10).collect();
            let distinct: Vec<i64> = BTreeSet::from_iter(numbers.iter().copied()).into_iter().collect();
            match NumberDictionary::of(&numbers) {
                Some(dictionary) => {
                    let read: Vec<i64> = dictionary.places.iter().map(|place| distinct[*place as usize]).collect();
                    prop_assert_eq!(read, numbers);
                    prop_assert_eq!(dictionary.distinct, distinct);
                }
                None => prop_assert!(numbers.is_empty() || distinct.len() > numbers.len().div_ceil(2)),
            }
        }
    }

    #[test]
    fn numbers_that_hardly_repeat_have_none() {
        let rows = PROBE as i64 * 3;
        let distinct_where = |number_of: fn(i64) -> i64| {
            let numbers: Vec<i64> = (0..rows).map(|row| number_of(row) * 1_000_003).collect();
            NumberDictionary::of(&numbers).map(|dictionary| dictionary.distinct.len())
        };
        assert_eq!(distinct_where(|row| row), None);
        assert_eq!(distinct_where(|row| row - row % 3 / 2), None);
        assert_eq!(distinct_where(|row| row / 3), Some(PROBE));
    }
}
