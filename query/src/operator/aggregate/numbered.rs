//! The groups of one segment's rows, by the numbers that a query has for the values of keys.

use super::accumulator::Accumulator;
use super::names::GroupNames;
use super::segment_groups::SegmentGroups;
use crate::error::QueryError;

/// What is needed to add groups to those of other segments.
#[derive(Debug)]
pub(super) struct NumberedGroups {
    /// As the accumulators call them.
    pub groups: Vec<u32>,
    /// For each key the numbers of the groups' values.
    pub keys: Vec<Vec<u32>>,
    /// For each accumulator that keeps codes, the numbers of these.
    pub values: Vec<Option<NumberedCodes>>,
}

/// Codes, ascending, with their numbers.
#[derive(Debug)]
pub(super) struct NumberedCodes {
    codes: Vec<u32>,
    pub numbers: Vec<u32>,
}

impl NumberedGroups {
    /// # Errors
    /// The segment has values of a kind that is not promoted to that of a key or an aggregate.
    pub fn new(
        groups: &SegmentGroups<'_>,
        accumulators: &[Accumulator],
        names: &GroupNames,
    ) -> Result<Self, QueryError> {
        let used = groups.table().used();
        let keys = names.keys.iter().zip(groups.keys()).enumerate();
        let keys = keys.map(|(place, (names, key))| names.numbers(key, &groups.table().codes(place, &used)));
        let keys = keys.collect::<Result<_, _>>()?;
        let mut values = Vec::new();
        for (place, accumulator) in accumulators.iter().enumerate() {
            let coded = accumulator.codes().zip(names.values[place].as_ref()).zip(groups.value_key(place));
            let coded = coded.map(|((codes, names), key)| {
                let numbers = names.numbers(key, &codes)?;
                Ok::<_, QueryError>(NumberedCodes { codes, numbers })
            });
            values.push(coded.transpose()?);
        }
        Ok(Self { groups: used, keys, values })
    }

    /// For each accumulator that keeps codes, for each code up to the last its number.
    pub fn translations(&self) -> Vec<Option<Vec<u32>>> {
        self.values.iter().map(|values| values.as_ref().map(|values| values.translated_to(&values.numbers))).collect()
    }
}

impl NumberedCodes {
    /// For each code up to the last what stands in its place in `targets`.
    pub fn translated_to(&self, targets: &[u32]) -> Vec<u32> {
        let mut target_of = vec![0; self.codes.last().map_or(0, |code| *code as usize + 1)];
        self.codes.iter().zip(targets).for_each(|(code, target)| target_of[*code as usize] = *target);
        target_of
    }
}
