//! The rows of a block that may be the first or the last of their groups by time. Those are few where rows of a group lie
//! side by side, and only their values have to be looked at.

use henge_indexing::BLOCK_ROWS;

use super::accumulator::{Accumulator, Edge};
use super::counted_rows::CountedRows;
use super::groups::Groups;
use super::picks::Picks;

/// Where a group's rows do not lie side by side, looking for its edge costs about as much as one aggregate does.
const AGGREGATES_MIN: usize = 2;

/// What a thread needs for any segment's blocks.
#[derive(Debug)]
pub(super) struct EdgeRows {
    /// By [`Edge`].
    edges: [GroupEdges; 2],
    times: Box<[i64; BLOCK_ROWS]>,
}

/// The rows at one edge, as far as they have been seen.
#[derive(Debug)]
struct GroupEdges {
    /// Times are compared xor this: the first is the last of the complements.
    flip: i64,
    /// How many aggregates take these rows only.
    aggregates: usize,
    /// For each group the last time.
    last: Vec<i64>,
    /// Whether the block's rows were looked at; if not, all of them may be at the edge.
    is_found: bool,
    picks: Picks,
    numbers: Box<[u16; BLOCK_ROWS]>,
    groups: Box<[u32; BLOCK_ROWS]>,
}

impl EdgeRows {
    pub fn new() -> Self {
        Self { edges: [GroupEdges::new(-1), GroupEdges::new(0)], times: Box::new([0; BLOCK_ROWS]) }
    }

    /// Starts with no rows, for aggregates that all rows count for.
    pub fn clear<'a>(&mut self, aggregates: impl Iterator<Item = &'a Accumulator>) {
        self.edges.iter_mut().for_each(GroupEdges::clear);
        for edge in aggregates.filter_map(Accumulator::edge) {
            self.edges[edge as usize].aggregates += 1;
        }
    }

    /// Looks at the times of the next block's rows. `group_count`: groups are below it.
    pub fn find(&mut self, rows: CountedRows<'_>, group_count: usize) {
        let are_apart = matches!(rows.groups, Groups::Each(_));
        let aggregates_min = if are_apart { AGGREGATES_MIN } else { 1 };
        for edge in &mut self.edges {
            edge.is_found = edge.aggregates >= aggregates_min;
            if edge.is_found {
                edge.find(rows.picks.of(rows.times, &mut self.times), rows, group_count);
            }
        }
    }

    /// Those of the block's rows that are to be looked at.
    pub fn of<'r>(&'r self, edge: Edge, rows: CountedRows<'r>) -> CountedRows<'r> {
        let edge = &self.edges[edge as usize];
        match edge.is_found {
            true => CountedRows { picks: &edge.picks, groups: Groups::Each(&edge.groups[..edge.picks.len()]), ..rows },
            false => rows,
        }
    }

    /// Memory taken for groups.
    pub fn bytes(&self) -> usize {
        self.edges.iter().map(|edge| edge.last.capacity() * size_of::<i64>()).sum()
    }
}

impl GroupEdges {
    fn new(flip: i64) -> Self {
        Self {
            flip,
            aggregates: 0,
            last: Vec::new(),
            is_found: false,
            picks: Picks::new(),
            numbers: Box::new([0; BLOCK_ROWS]),
            groups: Box::new([0; BLOCK_ROWS]),
        }
    }

    fn clear(&mut self) {
        self.aggregates = 0;
        self.last.clear();
        self.is_found = false;
    }

    /// Rows older than one that was seen before need not be looked at; those of the same time may be preferred.
    fn find(&mut self, times: &[i64], rows: CountedRows<'_>, group_count: usize) {
        if self.last.len() < group_count {
            self.last.resize(group_count, i64::MIN);
        }
        let (flip, last) = (self.flip, &mut self.last);
        rows.groups.for_each_run(times, |group, times| {
            last[group] = times.iter().fold(last[group], |last, time| last.max(time ^ flip));
        });
        let (mut number, mut len) = (0, 0);
        rows.groups.for_each_run(times, |group, times| {
            for time in times {
                (self.numbers[len], self.groups[len]) = (number, group as u32);
                number += 1;
                len += usize::from(time ^ flip == last[group]);
            }
        });
        rows.picks.keep(&self.numbers[..len], &mut self.picks);
    }
}
