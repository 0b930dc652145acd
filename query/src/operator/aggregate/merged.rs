//! The groups of many segments brought together.

use henge_indexing::BLOCK_ROWS;

use super::Aggregation;
use super::accumulator::{Accumulator, Translation};
use super::group_table::ChainTable;
use super::names::GroupNames;
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
    /// By the only key: for each number its group, and for each group its number.
    Direct {
        group_of: Vec<u32>,
        numbers: Vec<u32>,
    },
    Chain(ChainTable),
}

const NO_GROUP: u32 = u32::MAX;

impl MergedGroups {
    pub fn new(aggregation: &Aggregation) -> Result<Self, QueryError> {
        let groups = match aggregation.keys.len() {
            0 => Numbering::One,
            1 => Numbering::Direct { group_of: Vec::new(), numbers: Vec::new() },
            keys => Numbering::Chain(ChainTable::new(&vec![None; keys])),
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
            Numbering::Chain(table) => table.len(),
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

    /// Adds all groups of another.
    ///
    /// # Errors
    /// An aggregate counts more values than it can.
    pub fn merge(&mut self, other: &Self, names: &GroupNames) -> Result<(), QueryError> {
        let groups: Vec<u32> = (0..other.len() as u32).collect();
        let numbers: Vec<Vec<u32>> = (0..other.keys()).map(|key| other.numbers(key, &groups)).collect();
        self.add(&numbers, &other.accumulators, &groups, names, &[])
    }

    /// The numbers of the values of one key of some groups.
    pub fn numbers(&self, key: usize, groups: &[u32]) -> Vec<u32> {
        match &self.groups {
            Numbering::One => Vec::new(),
            Numbering::Direct { numbers, .. } => groups.iter().map(|group| numbers[*group as usize]).collect(),
            Numbering::Chain(table) => table.codes(key, groups),
        }
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        let groups = match &self.groups {
            Numbering::One => 0,
            Numbering::Direct { group_of, numbers } => (group_of.capacity() + numbers.capacity()) * size_of::<u32>(),
            Numbering::Chain(table) => table.bytes(),
        };
        groups + self.accumulators.iter().map(Accumulator::bytes).sum::<usize>()
    }

    fn keys(&self) -> usize {
        match &self.groups {
            Numbering::One => 0,
            Numbering::Direct { .. } => 1,
            Numbering::Chain(table) => table.keys(),
        }
    }

    fn reach(&mut self) {
        let groups = self.len();
        self.accumulators.iter_mut().for_each(|accumulator| accumulator.reach(groups));
    }

    fn groups_of(&mut self, numbers: &[Vec<u32>], count: usize) -> Vec<u32> {
        match &mut self.groups {
            Numbering::One => vec![0; count],
            Numbering::Direct { group_of, numbers: known } => {
                let end = numbers[0].iter().max().map_or(0, |number| *number as usize + 1);
                if group_of.len() < end {
                    group_of.resize(end, NO_GROUP);
                }
                let group = |number: &u32| {
                    let group = &mut group_of[*number as usize];
                    if *group == NO_GROUP {
                        *group = known.len() as u32;
                        known.push(*number);
                    }
                    *group
                };
                numbers[0].iter().map(group).collect()
            }
            Numbering::Chain(table) => {
                let mut groups = vec![0; count];
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
        }
    }
}
