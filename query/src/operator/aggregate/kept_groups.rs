//! Groups of one segment's rows, apart from the segment and from the query that found them.

use std::sync::Weak;

use super::accumulator::{Accumulator, Translation};
use super::names::GroupNames;
use super::numbered::NumberedGroups;
use super::parted::PartedGroups;
use super::text_numbers::TextNumbers;
use super::{AggregateFunction, Aggregation};
use crate::error::QueryError;

/// Merges as the groups do that it was made of.
#[derive(Debug)]
pub(crate) struct KeptGroups {
    /// For each key the codes of the groups, and what they stand for.
    keys: Vec<(Vec<u32>, Meaning)>,
    accumulators: Vec<Accumulator>,
    /// For each accumulator that still keeps codes, what they stand for.
    values: Vec<Option<Meaning>>,
    groups: Vec<u32>,
}

/// What codes stand for. Code 0 is null.
#[derive(Debug)]
pub(super) enum Meaning {
    /// They are numbers of the column's strings, for as long as those are known by them.
    Texts(Weak<TextNumbers>),
    /// Numbers, by which the code from 1 on stands for each.
    Values(Box<[u64]>),
}

impl KeptGroups {
    /// `found`: of accumulators of the aggregation.
    ///
    /// # Errors
    /// An aggregate is not supported.
    pub(super) fn new(
        aggregation: &Aggregation,
        found: &NumberedGroups,
        accumulators: &[Accumulator],
        names: &GroupNames,
    ) -> Result<Self, QueryError> {
        let keys = found.keys.iter().zip(&names.keys).map(|(numbers, names)| names.keep(numbers)).collect();
        let groups: Vec<u32> = (0..found.groups.len() as u32).collect();
        let mut kept = Self { keys, accumulators: Vec::new(), values: Vec::new(), groups };
        for (place, (aggregate, accumulator)) in aggregation.aggregates.iter().zip(accumulators).enumerate() {
            let names = names.values[place].as_ref();
            let coded = found.values[place].as_ref().zip(names).map(|(values, names)| match &aggregate.function {
                // What is kept are sketches, which no longer need the codes.
                function @ AggregateFunction::Sketch(..) => (values.translation(function, names), None),
                _ => {
                    let (codes, meaning) = names.keep(&values.numbers);
                    (values.translation_to(&codes), Some(meaning))
                }
            });
            let (translation, meaning) = coded.unzip();
            let mut own = Accumulator::new(&aggregate.function)?;
            own.clear(false);
            own.reach(kept.groups.len());
            own.merge(accumulator, &found.groups, &kept.groups, names, translation.as_ref())?;
            kept.accumulators.push(own);
            kept.values.push(meaning.flatten());
        }
        Ok(kept)
    }

    /// Whether the strings of a query are known by the same numbers still.
    pub(super) fn fits(&self, names: &GroupNames) -> bool {
        let keys = self.keys.iter().zip(&names.keys).all(|((_, meaning), names)| names.knows(meaning));
        let mut values = self.values.iter().zip(&names.values);
        keys && values.all(|pair| match pair {
            (Some(meaning), Some(names)) => names.knows(meaning),
            (meaning, _) => meaning.is_none(),
        })
    }

    /// Adds the groups to others, for a query whose names they fit.
    ///
    /// # Errors
    /// As [`PartedGroups::add`].
    pub(super) fn add_to(&self, merged: &mut PartedGroups, names: &GroupNames) -> Result<(), QueryError> {
        let keys = self.keys.iter().zip(&names.keys).map(|((codes, meaning), names)| match names.numbers_of(meaning) {
            None => codes.clone(),
            Some(numbers) => codes.iter().map(|code| numbers[*code as usize]).collect(),
        });
        let keys: Vec<Vec<u32>> = keys.collect();
        let values = self.values.iter().zip(&names.values);
        let translations =
            values.map(|(meaning, names)| names.as_ref()?.numbers_of(meaning.as_ref()?).map(Translation::Numbers));
        let translations: Vec<Option<Translation>> = translations.collect();
        merged.add(&keys, &self.accumulators, &self.groups, names, &translations)
    }

    /// Memory taken.
    pub fn bytes(&self) -> usize {
        let keys = self.keys.iter().map(|(codes, meaning)| codes.capacity() * size_of::<u32>() + meaning.bytes());
        let accumulators = self.accumulators.iter().map(|accumulator| size_of::<Accumulator>() + accumulator.bytes());
        let values = self.values.iter().flatten().map(Meaning::bytes);
        let groups = self.groups.capacity() * size_of::<u32>();
        size_of::<Self>() + keys.sum::<usize>() + accumulators.sum::<usize>() + values.sum::<usize>() + groups
    }
}

impl Meaning {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Texts(_) => 0,
                Self::Values(values) => size_of_val(&**values),
            }
    }
}
