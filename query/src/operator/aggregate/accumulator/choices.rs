//! One string of each group's: the least or the greatest, or that of the first or the last row by time.
//!
//! Among rows of the same time null loses against any string; of strings the first takes the least, the last the greatest,
//! so that the choice does not depend on the order of rows. Least and greatest strings are a first and a last where all
//! rows are of one time and none is null.

use std::cmp::Ordering;

use super::stored::{put, take};
use crate::error::QueryError;
use crate::operator::aggregate::groups::Groups;

/// No row was seen.
const NOTHING: u32 = u32::MAX;
const NULL: u32 = 0;

/// Strings by their codes within a segment, by their numbers across segments.
#[derive(Debug)]
pub struct Choices {
    is_last: bool,
    times: Vec<i64>,
    chosen: Vec<u32>,
}

/// The order of the strings that two codes or numbers stand for.
pub type Compare<'c> = &'c dyn Fn(u32, u32) -> Ordering;

impl Choices {
    pub fn first() -> Self {
        Self { is_last: false, times: Vec::new(), chosen: Vec::new() }
    }

    pub fn last() -> Self {
        Self { is_last: true, times: Vec::new(), chosen: Vec::new() }
    }

    pub fn is_last(&self) -> bool {
        self.is_last
    }

    pub fn clear(&mut self) {
        self.times.clear();
        self.chosen.clear();
    }

    pub fn reach(&mut self, groups: usize) {
        if self.chosen.len() < groups {
            self.times.resize(groups, 0);
            self.chosen.resize(groups, NOTHING);
        }
    }

    /// `times`: `None` where all are the same.
    pub fn add(&mut self, groups: Groups<'_>, codes: &[u32], times: Option<&[i64]>, compare: Compare<'_>) {
        let mut row = 0;
        groups.for_each_run(codes, |group, codes| {
            for code in codes {
                self.offer(group, times.map_or(0, |times| times[row]), *code, compare);
                row += 1;
            }
        });
    }

    /// `numbers`: what the other's codes are called here; `None` where both speak of the same numbers.
    pub fn merge(&mut self, other: &Self, from: &[u32], to: &[u32], numbers: Option<&[u32]>, compare: Compare<'_>) {
        for (from, to) in from.iter().zip(to) {
            let chosen = match other.chosen[*from as usize] {
                NOTHING => continue,
                code => numbers.map_or(code, |numbers| numbers[code as usize]),
            };
            self.offer(*to as usize, other.times[*from as usize], chosen, compare);
        }
    }

    #[inline]
    fn offer(&mut self, group: usize, time: i64, code: u32, compare: Compare<'_>) {
        let (best_time, best) = (&mut self.times[group], &mut self.chosen[group]);
        let wanted = if self.is_last { Ordering::Greater } else { Ordering::Less };
        let is_better = match *best {
            NOTHING => true,
            _ if time != *best_time => time.cmp(best_time) == wanted,
            best if code == best || code == NULL => false,
            NULL => true,
            best => compare(code, best) == wanted,
        };
        if is_better {
            (*best_time, *best) = (time, code);
        }
    }

    /// The codes that were chosen, ascending.
    pub fn codes(&self) -> Vec<u32> {
        let mut codes: Vec<u32> = self.chosen.iter().copied().filter(|code| *code != NOTHING).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// 0 where null was chosen, or no row was seen.
    pub fn get(&self, group: usize) -> u32 {
        match self.chosen[group] {
            NOTHING => NULL,
            code => code,
        }
    }

    pub fn store(&self, groups: &[u32], out: &mut Vec<u8>) {
        put(groups.iter().map(|group| self.times[*group as usize]), out);
        put(groups.iter().map(|group| self.chosen[*group as usize]), out);
    }

    pub fn restore(&mut self, groups: usize, bytes: &mut &[u8]) -> Result<(), QueryError> {
        self.times = take(bytes, groups)?;
        self.chosen = take(bytes, groups)?;
        Ok(())
    }

    pub fn bytes(&self) -> usize {
        self.times.capacity() * size_of::<i64>() + self.chosen.capacity() * size_of::<u32>()
    }
}
