//! Sums of doubles that are the same in any order: exact, and rounded once.

use hashbrown::HashMap;

use super::exact_double::{part_of, round};
use super::seen::Seen;
use crate::operator::aggregate::groups::Groups;

/// No value but zeros was added.
const NO_BIN: u8 = u8::MAX;

#[derive(Debug, Default)]
pub struct DoubleSums {
    /// For each group the bin of the first value, and the sum of that bin's parts.
    bins: Vec<u8>,
    sums: Vec<i128>,
    /// The sums of the other bins.
    others: HashMap<(u32, u8), i128>,
    seen: Seen,
}

impl DoubleSums {
    pub fn clear(&mut self, is_every_row: bool) {
        self.bins.clear();
        self.sums.clear();
        self.others.clear();
        self.seen.clear(is_every_row);
    }

    pub fn reach(&mut self, groups: usize) {
        if self.bins.len() < groups {
            self.bins.resize(groups, NO_BIN);
            self.sums.resize(groups, 0);
        }
        self.seen.reach(groups);
    }

    pub fn add(&mut self, groups: Groups<'_>, values: &[f64]) {
        self.seen.mark_all(groups);
        if let Groups::Each(groups) = groups {
            for (group, value) in groups.iter().zip(values) {
                let (bin, part) = part_of(*value);
                self.add_part(*group as usize, bin, part);
            }
            return;
        }
        groups.for_each_run(values, |group, values| {
            let (mut last, mut sum) = (self.bins[group], 0);
            for value in values {
                let (bin, part) = part_of(*value);
                if bin != last {
                    self.add_part(group, last, sum);
                    (last, sum) = (bin, 0);
                }
                sum += part;
            }
            self.add_part(group, last, sum);
        });
    }

    #[inline]
    fn add_part(&mut self, group: usize, bin: u8, part: i128) {
        if self.bins[group] == bin {
            self.sums[group] += part;
        } else {
            self.add_to_other(group, bin, part);
        }
    }

    #[inline(never)]
    fn add_to_other(&mut self, group: usize, bin: u8, part: i128) {
        if part == 0 {
            return;
        }
        if self.bins[group] == NO_BIN {
            self.bins[group] = bin;
            self.sums[group] = part;
        } else {
            *self.others.entry((group as u32, bin)).or_default() += part;
        }
    }

    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]) {
        self.seen.merge(&other.seen, from, to);
        for (from, to) in from.iter().zip(to) {
            let from = *from as usize;
            self.add_part(*to as usize, other.bins[from], other.sums[from]);
        }
        if !other.others.is_empty() {
            let places: HashMap<u32, u32> = from.iter().copied().zip(to.iter().copied()).collect();
            for ((group, bin), sum) in &other.others {
                if let Some(to) = places.get(group) {
                    self.add_part(*to as usize, *bin, *sum);
                }
            }
        }
    }

    /// To ask for the groups' sums.
    pub fn totals(&self) -> Totals<'_> {
        let mut others: Vec<(u32, u8, i128)> =
            self.others.iter().map(|((group, bin), sum)| (*group, *bin, *sum)).collect();
        others.sort_unstable();
        Totals { sums: self, others }
    }

    pub fn bytes(&self) -> usize {
        self.bins.capacity()
            + self.sums.capacity() * size_of::<i128>()
            + self.others.capacity() * (size_of::<((u32, u8), i128)>() + 1)
            + self.seen.bytes()
    }
}

/// The sums of groups as doubles.
pub struct Totals<'s> {
    sums: &'s DoubleSums,
    /// By group.
    others: Vec<(u32, u8, i128)>,
}

impl Totals<'_> {
    /// `None` where no value was seen.
    pub fn get(&self, group: usize) -> Option<f64> {
        self.sums.seen.get(group).then(|| self.total(group))
    }

    /// 0.0 where no value was seen.
    pub fn total(&self, group: usize) -> f64 {
        let first = (self.sums.bins[group], self.sums.sums[group]);
        if first.0 == NO_BIN {
            return 0.0;
        }
        let start = self.others.partition_point(|other| (other.0 as usize) < group);
        let others = self.others[start..].iter().take_while(|other| other.0 as usize == group);
        let mut bins = others.map(|(_, bin, sum)| (*bin, *sum)).peekable();
        if bins.peek().is_none() {
            return round(&[first]);
        }
        round(&std::iter::once(first).chain(bins).collect::<Vec<_>>())
    }
}
