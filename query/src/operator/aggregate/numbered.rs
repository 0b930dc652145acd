//! The groups of one segment's rows, by the numbers that a query has for the values of keys.

use super::accumulator::{Accumulator, Translation};
use super::names::{GroupNames, Names};
use super::segment_groups::SegmentGroups;
use super::translation::{by_code, translation};
use super::{AggregateFunction, Aggregation};
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

    /// For each accumulator that keeps codes, what these are called beyond the segment.
    pub fn translations(&self, aggregation: &Aggregation, names: &GroupNames) -> Vec<Option<Translation>> {
        let values = self.values.iter().zip(&names.values).zip(&aggregation.aggregates);
        let translated = values.map(|((values, names), aggregate)| {
            let (values, names) = (values.as_ref()?, names.as_ref()?);
            Some(values.translation(&aggregate.function, names))
        });
        translated.collect()
    }
}

impl NumberedCodes {
    /// To what the aggregate needs to know of each code.
    pub fn translation(&self, function: &AggregateFunction, names: &Names) -> Translation {
        translation(function, names, &self.codes, &self.numbers)
    }

    /// To other codes in the place of these, in their order.
    pub fn translation_to(&self, codes: &[u32]) -> Translation {
        Translation::Numbers(by_code(&self.codes, codes, 0))
    }
}
