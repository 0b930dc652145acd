//! How many rows count.

use super::stored::{put, take};
use crate::error::QueryError;
use crate::operator::aggregate::groups::Groups;

#[derive(Debug, Default)]
pub struct Counts {
    counts: Vec<i64>,
}

impl Counts {
    pub fn clear(&mut self) {
        self.counts.clear();
    }

    pub fn reach(&mut self, groups: usize) {
        if self.counts.len() < groups {
            self.counts.resize(groups, 0);
        }
    }

    pub fn add(&mut self, groups: Groups<'_>) {
        match groups {
            Groups::One { group, rows } => self.counts[group as usize] += rows as i64,
            Groups::Runs(runs) => {
                let mut start = 0;
                for (group, end) in runs {
                    self.counts[*group as usize] += (end - start) as i64;
                    start = *end;
                }
            }
            Groups::Each(groups) => groups.iter().for_each(|group| self.counts[*group as usize] += 1),
        }
    }

    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]) {
        for (from, to) in from.iter().zip(to) {
            self.counts[*to as usize] += other.counts[*from as usize];
        }
    }

    pub fn get(&self, group: usize) -> i64 {
        self.counts[group]
    }

    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        put(groups.iter().map(|group| self.counts[*group as usize]), out);
    }

    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        self.counts = take(bytes, groups)?;
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.counts.capacity() * size_of::<i64>()
    }
}
