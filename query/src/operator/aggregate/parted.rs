//! Merged groups in parts, each of which can be brought together with the same part of other threads on its own.

use std::sync::Arc;

use super::Aggregation;
use super::accumulator::{Accumulator, Translation};
use super::merged::MergedGroups;
use super::names::GroupNames;
use crate::error::QueryError;

/// Groups become parts from this many on: below, a thread brings them together in about a millisecond.
const SPLIT_FROM: usize = if cfg!(test) { 64 } else { 1 << 15 };
/// The tables of a few million groups' parts fit the caches of a core.
const PART_BITS: u32 = if cfg!(test) { 3 } else { 6 };
const PARTS: usize = 1 << PART_BITS;

/// In one part while they are few.
#[derive(Debug)]
pub(super) struct PartedGroups {
    aggregation: Arc<Aggregation>,
    parts: Vec<MergedGroups>,
}

impl PartedGroups {
    pub fn new(aggregation: &Arc<Aggregation>) -> Result<Self, QueryError> {
        Ok(Self { parts: vec![MergedGroups::new(aggregation)?], aggregation: aggregation.clone() })
    }

    /// As [`MergedGroups::add`].
    pub fn add(
        &mut self,
        numbers: &[Vec<u32>],
        others: &[Accumulator],
        groups: &[u32],
        names: &GroupNames,
        translations: &[Option<Translation>],
    ) -> Result<(), QueryError> {
        if let [only] = self.parts.as_mut_slice() {
            only.add(numbers, others, groups, names, translations)?;
            if only.len() > SPLIT_FROM {
                self.split(names)?;
            }
            return Ok(());
        }
        let rows = RowsByPart::new(numbers);
        for (place, part) in self.parts.iter_mut().enumerate() {
            let rows = rows.of(place);
            let pick = |values: &[u32]| rows.iter().map(|row| values[*row as usize]).collect::<Vec<u32>>();
            let numbers: Vec<Vec<u32>> = numbers.iter().map(|numbers| pick(numbers)).collect();
            part.add(&numbers, others, &pick(groups), names, translations)?;
        }
        Ok(())
    }

    pub fn is_split(&self) -> bool {
        self.parts.len() > 1
    }

    /// Makes parts of groups that have keys.
    pub fn split(&mut self, names: &GroupNames) -> Result<(), QueryError> {
        if self.is_split() {
            return Ok(());
        }
        let parts = (0..PARTS).map(|_| MergedGroups::of_part(&self.aggregation, PART_BITS));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let whole = std::mem::replace(&mut self.parts, parts);
        for whole in &whole {
            let groups = whole.all();
            self.add(&whole.all_numbers(&groups), &whole.accumulators, &groups, names, &[])?;
        }
        Ok(())
    }

    pub fn into_parts(self) -> Vec<MergedGroups> {
        self.parts
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(MergedGroups::bytes).sum()
    }
}

/// Combinations of numbers, sorted by the parts that they belong to.
struct RowsByPart {
    rows: Vec<u32>,
    /// Where those of each part end.
    ends: [usize; PARTS],
}

impl RowsByPart {
    fn new(numbers: &[Vec<u32>]) -> Self {
        let parts = parts_of(numbers);
        let mut ends = [0; PARTS];
        parts.iter().for_each(|part| ends[usize::from(*part)] += 1);
        let mut start = 0;
        for end in &mut ends {
            (*end, start) = (start, start + *end);
        }
        let mut rows = vec![0; parts.len()];
        for (row, part) in parts.iter().enumerate() {
            let end = &mut ends[usize::from(*part)];
            rows[*end] = row as u32;
            *end += 1;
        }
        Self { rows, ends }
    }

    fn of(&self, part: usize) -> &[u32] {
        let start = part.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.rows[start..self.ends[part]]
    }
}

/// The part of each combination: the lowest bits of an only key's number, which leaves the numbers of a part dense; of
/// several keys' numbers those of a hash.
fn parts_of(numbers: &[Vec<u32>]) -> Vec<u8> {
    match numbers {
        [] => Vec::new(),
        [only] => only.iter().map(|number| (number % PARTS as u32) as u8).collect(),
        [first, others @ ..] => {
            let mut hashes: Vec<u64> = first.iter().map(|number| mixed(0, *number)).collect();
            for numbers in others {
                hashes.iter_mut().zip(numbers).for_each(|(hash, number)| *hash = mixed(*hash, *number));
            }
            hashes.iter().map(|hash| (hash >> (u64::BITS - PART_BITS)) as u8).collect()
        }
    }
}

/// Fibonacci hashing: the highest bits depend on all of what was multiplied.
fn mixed(hash: u64, number: u32) -> u64 {
    (hash.rotate_left(32) ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
