//! How many different values were seen: by their codes within a segment, by their numbers across segments.

use super::number_set::NumberSet;
use super::stored::{put, take, take_one};
use crate::error::QueryError;
use crate::operator::aggregate::groups::Groups;

#[derive(Debug, Default)]
pub struct Distinct {
    sets: Vec<NumberSet>,
    /// All codes or numbers are below.
    end: u32,
}

impl Distinct {
    pub fn clear(&mut self) {
        self.sets.clear();
        self.end = 0;
    }

    pub fn reach(&mut self, groups: usize) {
        if self.sets.len() < groups {
            self.sets.resize_with(groups, NumberSet::default);
        }
    }

    /// Adds the codes of rows that are not null; all codes of the column are below `end`, if it is known.
    pub fn add(&mut self, groups: Groups<'_>, codes: &[u32], end: Option<u32>) {
        self.end = end.unwrap_or_else(|| codes.iter().fold(self.end, |end, code| end.max(code + 1)));
        groups.for_each_run(codes, |group, codes| {
            let set = &mut self.sets[group];
            let mut last = None;
            for code in codes {
                if last != Some(code) {
                    set.insert(*code, self.end);
                    last = Some(code);
                }
            }
        });
    }

    /// The codes that are in any set, ascending.
    pub fn codes(&self) -> Vec<u32> {
        let mut all = NumberSet::default();
        self.sets.iter().for_each(|set| all.merge(set, self.end));
        let mut codes = Vec::with_capacity(all.len());
        all.for_each(|code| codes.push(code));
        codes.sort_unstable();
        codes
    }

    /// `numbers`: what the other's codes are called here; `None` where both speak of the same numbers.
    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32], numbers: Option<&[u32]>) {
        self.end = self.end.max(match numbers {
            Some(numbers) => numbers.iter().max().map_or(0, |number| number + 1),
            None => other.end,
        });
        for (from, to) in from.iter().zip(to) {
            let (set, other) = (&mut self.sets[*to as usize], &other.sets[*from as usize]);
            match numbers {
                Some(numbers) => other.for_each(|code| set.insert(numbers[code as usize], self.end)),
                None => set.merge(other, self.end),
            }
        }
    }

    pub fn is_empty(&self, group: usize) -> bool {
        self.sets[group].len() == 0
    }

    /// Visits the codes or numbers of a group, in no order.
    pub fn for_each(&self, group: usize, visit: impl FnMut(u32)) {
        self.sets[group].for_each(visit);
    }

    pub fn get(&self, group: usize) -> i64 {
        self.sets[group].len() as i64
    }

    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        put([self.end].into_iter(), out);
        for group in groups {
            let set = &self.sets[*group as usize];
            put([set.len() as u32].into_iter(), out);
            set.for_each(|number| put([number].into_iter(), out));
        }
    }

    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        self.clear();
        self.end = take_one(bytes)?;
        self.reach(groups);
        for set in &mut self.sets {
            let count = take_one::<u32>(bytes)?;
            take(bytes, count as usize)?.into_iter().for_each(|number| set.insert(number, self.end));
        }
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.sets.capacity() * size_of::<NumberSet>() + self.sets.iter().map(NumberSet::bytes).sum::<usize>()
    }
}
