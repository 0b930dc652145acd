//! The groups that a value was seen of: the aggregates of the others are null.

use super::stored::{put, take};
use crate::error::QueryError;
use crate::operator::aggregate::groups::Groups;

#[derive(Debug, Default)]
pub struct Seen {
    /// No group is asked for that a value was not seen of.
    is_every: bool,
    marks: Vec<bool>,
}

impl Seen {
    pub fn clear(&mut self, is_every: bool) {
        self.is_every = is_every;
        self.marks.clear();
    }

    pub fn reach(&mut self, groups: usize) {
        if !self.is_every && self.marks.len() < groups {
            self.marks.resize(groups, false);
        }
    }

    pub fn mark(&mut self, group: usize) {
        if !self.is_every {
            self.marks[group] = true;
        }
    }

    pub fn mark_all(&mut self, groups: Groups<'_>) {
        if self.is_every {
            return;
        }
        match groups {
            Groups::One { group, rows } => self.marks[group as usize] |= rows > 0,
            Groups::Runs(runs) => runs.iter().for_each(|(group, _)| self.marks[*group as usize] = true),
            Groups::Each(groups) => groups.iter().for_each(|group| self.marks[*group as usize] = true),
        }
    }

    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]) {
        for (from, to) in from.iter().zip(to) {
            if other.get(*from as usize) {
                self.mark(*to as usize);
            }
        }
    }

    pub fn get(&self, group: usize) -> bool {
        self.is_every || self.marks[group]
    }

    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        put(groups.iter().map(|group| self.get(*group as usize)), out);
    }

    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        *self = Self { is_every: false, marks: take(bytes, groups)? };
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.marks.capacity()
    }
}
