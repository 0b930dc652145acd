//! The least or the greatest of values, by keys in their order.

use super::seen::Seen;
use super::stored::{put, take};
use crate::error::QueryError;
use crate::operator::aggregate::groups::Groups;

#[derive(Debug)]
pub struct Extremes {
    /// Keys are kept xor this: what is least of all is greatest of their complements.
    flip: i64,
    greatest: Vec<i64>,
    seen: Seen,
}

impl Extremes {
    pub fn least() -> Self {
        Self { flip: -1, greatest: Vec::new(), seen: Seen::default() }
    }

    pub fn greatest() -> Self {
        Self { flip: 0, greatest: Vec::new(), seen: Seen::default() }
    }

    pub fn clear(&mut self, is_every_row: bool) {
        self.greatest.clear();
        self.seen.clear(is_every_row);
    }

    pub fn reach(&mut self, groups: usize) {
        if self.greatest.len() < groups {
            self.greatest.resize(groups, i64::MIN);
        }
        self.seen.reach(groups);
    }

    pub fn add(&mut self, groups: Groups<'_>, keys: &[i64]) {
        self.seen.mark_all(groups);
        let flip = self.flip;
        match groups {
            Groups::Each(groups) => {
                for (group, key) in groups.iter().zip(keys) {
                    let greatest = &mut self.greatest[*group as usize];
                    *greatest = (*greatest).max(key ^ flip);
                }
            }
            _ => groups.for_each_run(keys, |group, keys| {
                let greatest = keys.iter().map(|key| key ^ flip).max().unwrap_or(i64::MIN);
                self.greatest[group] = self.greatest[group].max(greatest);
            }),
        }
    }

    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]) {
        self.seen.merge(&other.seen, from, to);
        for (from, to) in from.iter().zip(to) {
            let greatest = &mut self.greatest[*to as usize];
            *greatest = (*greatest).max(other.greatest[*from as usize]);
        }
    }

    /// `None` where no value was seen.
    pub fn get(&self, group: usize) -> Option<i64> {
        self.seen.get(group).then(|| self.greatest[group] ^ self.flip)
    }

    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        self.seen.store(groups, out);
        put(groups.iter().map(|group| self.greatest[*group as usize]), out);
    }

    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        self.seen.restore(groups, bytes)?;
        self.greatest = take(bytes, groups)?;
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.greatest.capacity() * size_of::<i64>() + self.seen.bytes()
    }
}
