//! The value of each group's row with the least or the greatest time, by keys in the order of the values.

use super::stored::{put, take};
use crate::error::QueryError;
use crate::operator::aggregate::groups::Groups;

/// Of several rows at that time a value is taken before null, then the least of the earliest, the greatest of the latest:
/// the same in any order of the rows.
#[derive(Debug)]
pub struct ByTime {
    /// Times and keys are kept xor this: the earliest is the latest of the complements.
    flip: i64,
    latest: Vec<TimedKey>,
}

/// Compares as rows are preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct TimedKey {
    time: i64,
    is_value: bool,
    key: i64,
}

/// Before any row.
const NOTHING: TimedKey = TimedKey { time: i64::MIN, is_value: false, key: i64::MIN };

impl ByTime {
    pub fn earliest() -> Self {
        Self { flip: -1, latest: Vec::new() }
    }

    pub fn latest() -> Self {
        Self { flip: 0, latest: Vec::new() }
    }

    pub fn is_last(&self) -> bool {
        self.flip == 0
    }

    pub fn clear(&mut self) {
        self.latest.clear();
    }

    pub fn reach(&mut self, groups: usize) {
        if self.latest.len() < groups {
            self.latest.resize(groups, NOTHING);
        }
    }

    /// Keys are of no meaning where `nulls` is true.
    pub fn add(&mut self, groups: Groups<'_>, times: &[i64], keys: &[i64], nulls: &[bool]) {
        let flip = self.flip;
        let row = |row: usize| match nulls[row] {
            false => TimedKey { time: times[row] ^ flip, is_value: true, key: keys[row] ^ flip },
            true => TimedKey { time: times[row] ^ flip, ..NOTHING },
        };
        match groups {
            Groups::One { group, rows } => self.take(group, (0..rows).map(row)),
            Groups::Runs(runs) => {
                let mut start = 0;
                for (group, end) in runs {
                    self.take(*group, (start..*end).map(row));
                    start = *end;
                }
            }
            Groups::Each(groups) => {
                for (place, group) in groups.iter().enumerate() {
                    self.take(*group, std::iter::once(row(place)));
                }
            }
        }
    }

    fn take(&mut self, group: u32, rows: impl Iterator<Item = TimedKey>) {
        let latest = &mut self.latest[group as usize];
        *latest = rows.fold(*latest, TimedKey::max);
    }

    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]) {
        for (from, to) in from.iter().zip(to) {
            self.take(*to, std::iter::once(other.latest[*from as usize]));
        }
    }

    /// `None` where the row has no value, or no row was seen.
    pub fn get(&self, group: usize) -> Option<i64> {
        let TimedKey { is_value, key, .. } = self.latest[group];
        is_value.then_some(key ^ self.flip)
    }

    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        let latest = || groups.iter().map(|group| self.latest[*group as usize]);
        put(latest().map(|latest| latest.time), out);
        put(latest().map(|latest| latest.is_value), out);
        put(latest().map(|latest| latest.key), out);
    }

    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        let (times, are_values, keys) = (take(bytes, groups)?, take(bytes, groups)?, take(bytes, groups)?);
        let rows = times.into_iter().zip(are_values).zip(keys);
        self.latest = rows.map(|((time, is_value), key)| TimedKey { time, is_value, key }).collect();
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.latest.capacity() * size_of::<TimedKey>()
    }
}
