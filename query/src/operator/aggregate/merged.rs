//! The groups of many segments brought together.

use super::Aggregation;
use super::accumulator::stored::{put, take};
use super::accumulator::{Accumulator, Translation};
use super::names::GroupNames;
use super::number_table::NumberTable;
use crate::error::QueryError;

/// Groups by the numbers of their keys' values, with their aggregates.
#[derive(Debug)]
pub(super) struct MergedGroups {
    groups: Numbering,
    pub accumulators: Vec<Accumulator>,
}

#[derive(Debug)]
enum Numbering {
    One,
    /// By the only key: for each number, shifted to the right, its group, and for each group its number.
    Direct {
        shift: u32,
        group_of: Vec<u32>,
        numbers: Vec<u32>,
    },
    Table(NumberTable),
}

const NO_GROUP: u32 = u32::MAX;

impl MergedGroups {
    pub fn new(aggregation: &Aggregation) -> Result<Self, QueryError> {
        Self::of_part(aggregation, 0)
    }

    /// `shift`: so many of the lowest bits of an only key's numbers are the same in all groups.
    pub fn of_part(aggregation: &Aggregation, shift: u32) -> Result<Self, QueryError> {
        let groups = match aggregation.keys.len() {
            0 => Numbering::One,
            1 => Numbering::Direct { shift, group_of: Vec::new(), numbers: Vec::new() },
            keys => Numbering::Table(NumberTable::new(keys)),
        };
        let accumulators = aggregation.aggregates.iter().map(|aggregate| Accumulator::new(&aggregate.function));
        let mut accumulators = accumulators.collect::<Result<Vec<_>, QueryError>>()?;
        accumulators.iter_mut().for_each(|accumulator| accumulator.clear(false));
        let mut merged = Self { groups, accumulators };
        merged.reach();
        Ok(merged)
    }

    pub fn len(&self) -> usize {
        match &self.groups {
            Numbering::One => 1,
            Numbering::Direct { numbers, .. } => numbers.len(),
            Numbering::Table(table) => table.len(),
        }
    }

    /// Adds groups of other accumulators. `numbers`: for each key those of the groups' values.
    ///
    /// `translations`: for each accumulator that keeps codes, what they are called here.
    ///
    /// # Errors
    /// An aggregate counts more values than it can.
    pub fn add(
        &mut self,
        numbers: &[Vec<u32>],
        others: &[Accumulator],
        groups: &[u32],
        names: &GroupNames,
        translations: &[Option<Translation>],
    ) -> Result<(), QueryError> {
        let into = self.groups_of(numbers, groups.len());
        self.reach();
        for (place, (accumulator, other)) in self.accumulators.iter_mut().zip(others).enumerate() {
            let translation = translations.get(place).and_then(Option::as_ref);
            accumulator.merge(other, groups, &into, names.values[place].as_ref(), translation)?;
        }
        Ok(())
    }

    /// Adds some groups of another.
    ///
    /// # Errors
    /// An aggregate counts more values than it can.
    pub fn merge_some(&mut self, other: &Self, groups: &[u32], names: &GroupNames) -> Result<(), QueryError> {
        self.add(&other.all_numbers(groups), &other.accumulators, groups, names, &[])
    }

    /// Every group.
    pub fn all(&self) -> Vec<u32> {
        (0..self.len() as u32).collect()
    }

    /// For each key the numbers of its values of some groups.
    pub fn all_numbers(&self, groups: &[u32]) -> Vec<Vec<u32>> {
        (0..self.keys()).map(|key| self.numbers(key, groups)).collect()
    }

    /// The numbers of the values of one key of some groups.
    pub fn numbers(&self, key: usize, groups: &[u32]) -> Vec<u32> {
        match &self.groups {
            Numbering::One => Vec::new(),
            Numbering::Direct { numbers, .. } => groups.iter().map(|group| numbers[*group as usize]).collect(),
            Numbering::Table(table) => table.numbers(key, groups),
        }
    }

    /// Writes all groups: for each key the numbers of its values, then the state of each accumulator.
    pub fn store(&self, out: &mut Vec<u8>) {
        let groups = self.all();
        self.all_numbers(&groups).into_iter().for_each(|numbers| put(numbers.into_iter(), out));
        self.accumulators.iter().for_each(|accumulator| accumulator.store(&groups, out));
    }

    /// Adds groups that another has stored; `count` is how many.
    pub fn add_stored(
        &mut self,
        aggregation: &Aggregation,
        count: usize,
        mut bytes: &[u8],
        names: &GroupNames,
    ) -> Result<(), QueryError> {
        let numbers = aggregation.keys.iter().map(|_| take(&mut bytes, count)).collect::<Result<Vec<_>, _>>()?;
        let mut accumulators = Self::new(aggregation)?.accumulators;
        accumulators.iter_mut().try_for_each(|accumulator| accumulator.restore(count, &mut bytes))?;
        let groups: Vec<u32> = (0..count as u32).collect();
        self.add(&numbers, &accumulators, &groups, names, &[])
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        let groups = match &self.groups {
            Numbering::One => 0,
            Numbering::Direct { group_of, numbers, .. } => {
                (group_of.capacity() + numbers.capacity()) * size_of::<u32>()
            }
            Numbering::Table(table) => table.bytes(),
        };
        groups + self.accumulators.iter().map(Accumulator::bytes).sum::<usize>()
    }

    fn keys(&self) -> usize {
        match &self.groups {
            Numbering::One => 0,
            Numbering::Direct { .. } => 1,
            Numbering::Table(table) => table.keys(),
        }
    }

    fn reach(&mut self) {
        let groups = self.len();
        self.accumulators.iter_mut().for_each(|accumulator| accumulator.reach(groups));
    }

    fn groups_of(&mut self, numbers: &[Vec<u32>], count: usize) -> Vec<u32> {
        match &mut self.groups {
            Numbering::One => vec![0; count],
            Numbering::Direct { shift, group_of, numbers: known } => {
                let end = numbers[0].iter().max().map_or(0, |number| (*number >> *shift) as usize + 1);
                if group_of.len() < end {
                    group_of.resize(end, NO_GROUP);
                }
                let group = |number: &u32| {
                    let group = &mut group_of[(*number >> *shift) as usize];
                    if *group == NO_GROUP {
                        *group = known.len() as u32;
                        known.push(*number);
                    }
                    *group
                };
                numbers[0].iter().map(group).collect()
            }
            Numbering::Table(table) => table.groups(numbers, count),
        }
    }
}
