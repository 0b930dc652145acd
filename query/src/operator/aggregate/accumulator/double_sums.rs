//! Sums of doubles that are the same in any order: exact, and rounded once.

use hashbrown::HashMap;

use super::exact_double::{part_of, round};
use super::seen::Seen;
use super::stored::{put, take, take_one};
use crate::error::QueryError;
use crate::operator::aggregate::groups::Groups;

/// No value but zeros was added.
const NO_BIN: u8 = u8::MAX;
/// What the sum of another bin takes: lists have at most twice the room that they need, but for the shortest.
const OTHER_BYTES: usize = 4 * size_of::<(u8, i128)>();

#[derive(Debug, Default)]
pub struct DoubleSums {
    /// For each group the bin of the first value, and the sum of that bin's parts.
    bins: Vec<u8>,
    sums: Vec<i128>,
    /// For groups whose values are of several bins, the sums of the other ones.
    others: HashMap<u32, Vec<(u8, i128)>>,
    /// How many of those there are.
    other_count: usize,
    seen: Seen,
}

impl DoubleSums {
    pub fn clear(&mut self, is_every_row: bool) {
        self.bins.clear();
        self.sums.clear();
        self.others.clear();
        self.other_count = 0;
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
            return;
        }
        let others = self.others.entry(group as u32).or_default();
        match others.iter_mut().find(|other| other.0 == bin) {
            Some((_, sum)) => *sum += part,
            None => {
                others.push((bin, part));
                self.other_count += 1;
            }
        }
    }

    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32]) {
        self.seen.merge(&other.seen, from, to);
        for (from, to) in from.iter().zip(to) {
            let from = *from as usize;
            self.add_part(*to as usize, other.bins[from], other.sums[from]);
        }
        if other.others.is_empty() {
            return;
        }
        for (from, to) in from.iter().zip(to) {
            for (bin, sum) in other.others.get(from).into_iter().flatten() {
                self.add_part(*to as usize, *bin, *sum);
            }
        }
    }

    /// `None` where no value was seen.
    pub fn get(&self, group: usize) -> Option<f64> {
        self.seen.get(group).then(|| self.total(group))
    }

    /// 0.0 where no value was seen.
    pub fn total(&self, group: usize) -> f64 {
        let first = (self.bins[group], self.sums[group]);
        if first.0 == NO_BIN {
            return 0.0;
        }
        match self.others.get(&(group as u32)) {
            None => round(&[first]),
            Some(others) => round(&std::iter::once(first).chain(others.iter().copied()).collect::<Vec<_>>()),
        }
    }

    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        self.seen.store(groups, out);
        put(groups.iter().map(|group| self.bins[*group as usize]), out);
        put(groups.iter().map(|group| self.sums[*group as usize]), out);
        let others = || {
            let of_place = |(place, group): (usize, &u32)| {
                self.others.get(group).into_iter().flatten().map(move |(bin, sum)| (place as u32, *bin, *sum))
            };
            groups.iter().enumerate().flat_map(of_place)
        };
        put([others().count() as u64].into_iter(), out);
        put(others().map(|(place, _, _)| place), out);
        put(others().map(|(_, bin, _)| bin), out);
        put(others().map(|(_, _, sum)| sum), out);
    }

    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        self.clear(false);
        self.seen.restore(groups, bytes)?;
        self.bins = take(bytes, groups)?;
        self.sums = take(bytes, groups)?;
        let count = take_one::<u64>(bytes)? as usize;
        let (places, bins, sums) = (take(bytes, count)?, take(bytes, count)?, take(bytes, count)?);
        for ((place, bin), sum) in places.into_iter().zip(bins).zip(sums) {
            self.others.entry(place).or_default().push((bin, sum));
        }
        self.other_count = count;
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.bins.capacity()
            + self.sums.capacity() * size_of::<i128>()
            + self.others.capacity() * (size_of::<(u32, Vec<(u8, i128)>)>() + 1)
            + self.other_count * OTHER_BYTES
            + self.seen.bytes()
    }
}
