//! Sums of longs: in 64 bits for as long as none can have left them, in 128 from then on.

use super::seen::Seen;
use super::stored::{put, take, take_one};
use crate::error::QueryError;
use crate::operator::aggregate::groups::Groups;

#[derive(Debug, Default)]
pub struct LongSums {
    /// Empty once the sums are wide.
    narrow: Vec<i64>,
    wide: Vec<i128>,
    is_wide: bool,
    /// No narrow sum is further from 0.
    magnitude: u64,
    seen: Seen,
}

impl LongSums {
    pub fn clear(&mut self, is_every_row: bool) {
        self.narrow.clear();
        self.wide.clear();
        self.is_wide = false;
        self.magnitude = 0;
        self.seen.clear(is_every_row);
    }

    pub fn reach(&mut self, groups: usize) {
        if self.is_wide {
            self.wide.resize(groups.max(self.wide.len()), 0);
        } else {
            self.narrow.resize(groups.max(self.narrow.len()), 0);
        }
        self.seen.reach(groups);
    }

    /// `magnitude`: no value is further from 0.
    pub fn add(&mut self, groups: Groups<'_>, values: &[i64], magnitude: u64) {
        self.seen.mark_all(groups);
        self.expect(u128::from(magnitude) * values.len() as u128);
        if self.is_wide {
            let sum = |values: &[i64]| values.iter().map(|value| i128::from(*value)).sum::<i128>();
            groups.for_each_run(values, |group, values| self.wide[group] += sum(values));
            return;
        }
        match groups {
            Groups::Each(groups) => {
                for (group, value) in groups.iter().zip(values) {
                    self.narrow[*group as usize] += value;
                }
            }
            _ => groups.for_each_run(values, |group, values| self.narrow[group] += values.iter().sum::<i64>()),
        }
    }

    /// Adds what values of a group come to together.
    pub fn add_total(&mut self, group: u32, total: i128) {
        self.seen.mark(group as usize);
        self.expect(total.unsigned_abs());
        if self.is_wide {
            self.wide[group as usize] += total;
        } else {
            self.narrow[group as usize] += total as i64;
        }
    }

    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]) {
        self.seen.merge(&other.seen, from, to);
        let pairs = from.iter().zip(to).map(|(from, to)| (*from as usize, *to as usize));
        if other.is_wide {
            self.widen();
            pairs.for_each(|(from, to)| self.wide[to] += other.wide[from]);
            return;
        }
        // Each group of the other is merged once.
        self.expect(other.magnitude.into());
        if self.is_wide {
            pairs.for_each(|(from, to)| self.wide[to] += i128::from(other.narrow[from]));
        } else {
            pairs.for_each(|(from, to)| self.narrow[to] += other.narrow[from]);
        }
    }

    /// `None` where no value was seen.
    pub fn get(&self, group: usize) -> Option<i128> {
        self.seen.get(group).then(|| self.total(group))
    }

    /// 0 where no value was seen.
    pub fn total(&self, group: usize) -> i128 {
        if self.is_wide { self.wide[group] } else { self.narrow[group].into() }
    }

    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        self.seen.store(groups, out);
        put([self.is_wide].into_iter(), out);
        put([self.magnitude].into_iter(), out);
        let groups = groups.iter().map(|group| *group as usize);
        match self.is_wide {
            true => put(groups.map(|group| self.wide[group]), out),
            false => put(groups.map(|group| self.narrow[group]), out),
        }
    }

    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        self.seen.restore(groups, bytes)?;
        self.is_wide = take_one(bytes)?;
        self.magnitude = take_one(bytes)?;
        (self.narrow, self.wide) = match self.is_wide {
            true => (Vec::new(), take(bytes, groups)?),
            false => (take(bytes, groups)?, Vec::new()),
        };
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.narrow.capacity() * size_of::<i64>() + self.wide.capacity() * size_of::<i128>() + self.seen.bytes()
    }

    /// Before sums move by at most `distance`.
    fn expect(&mut self, distance: u128) {
        if self.is_wide {
            return;
        }
        let magnitude = u128::from(self.magnitude) + distance;
        match u64::try_from(magnitude) {
            Ok(magnitude) if magnitude <= i64::MAX as u64 => self.magnitude = magnitude,
            _ => self.widen(),
        }
    }

    fn widen(&mut self) {
        if !self.is_wide {
            self.is_wide = true;
            self.wide.clear();
            self.wide.extend(self.narrow.iter().map(|sum| i128::from(*sum)));
            self.narrow = Vec::new();
        }
    }
}
