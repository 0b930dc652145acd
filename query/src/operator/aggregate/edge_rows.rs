//! The rows of a block that may be the first or the last of their groups by time. Those are few where rows of a group lie
//! side by side, and only their values have to be looked at.

use henge_indexing::{BLOCK_ROWS, LongColumn};

use super::accumulator::{Accumulator, Edge};
use super::groups::Groups;
use super::picks::Picks;

/// Where a group's rows do not lie side by side, looking for its edge costs about as much as one aggregate does.
const AGGREGATES_MIN: usize = 2;

/// What a thread needs for any segment's blocks.
#[derive(Debug)]
pub(super) struct EdgeRows {
    first: GroupEdges,
    last: GroupEdges,
    times: [Box<[i64; BLOCK_ROWS]>; 2],
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
        let times = || Box::new([0; BLOCK_ROWS]);
        Self { first: GroupEdges::new(-1), last: GroupEdges::new(0), times: [times(), times()] }
    }

    /// Starts with no rows, for aggregates that all rows count for.
    pub fn clear<'a>(&mut self, aggregates: impl Iterator<Item = &'a Accumulator>) {
        self.first.clear();
        self.last.clear();
        for edge in aggregates.filter_map(Accumulator::edge) {
            self.of_mut(edge).aggregates += 1;
        }
    }

    /// Looks at the times of the next block. `group_count`: groups are below it.
    pub fn find(
        &mut self,
        block: usize,
        times: &LongColumn<'_>,
        picks: &Picks,
        groups: Groups<'_>,
        group_count: usize,
    ) {
        let are_apart = matches!(groups, Groups::Each(_));
        let aggregates_min = if are_apart { AGGREGATES_MIN } else { 1 };
        let [unpacked, picked] = &mut self.times;
        let edges = [&mut self.first, &mut self.last];
        let is_wanted = edges.map(|edge| {
            edge.is_found = edge.aggregates >= aggregates_min;
            edge.is_found
        });
        if is_wanted.contains(&true) {
            let times = picks.of(times.values(block, unpacked), picked);
            let wanted = [&mut self.first, &mut self.last].into_iter().filter(|edge| edge.is_found);
            wanted.for_each(|edge| edge.find(times, picks, groups, group_count));
        }
    }

    /// The rows of the block to look at, with their groups; `None` for all.
    pub fn of(&self, edge: Edge) -> Option<(&Picks, Groups<'_>)> {
        let edge = match edge {
            Edge::First => &self.first,
            Edge::Last => &self.last,
        };
        edge.is_found.then(|| (&edge.picks, Groups::Each(&edge.groups[..edge.picks.len()])))
    }

    fn of_mut(&mut self, edge: Edge) -> &mut GroupEdges {
        match edge {
            Edge::First => &mut self.first,
            Edge::Last => &mut self.last,
        }
    }

    /// Memory taken for groups.
    pub fn bytes(&self) -> usize {
        (self.first.last.capacity() + self.last.last.capacity()) * size_of::<i64>()
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
    fn find(&mut self, times: &[i64], picks: &Picks, groups: Groups<'_>, group_count: usize) {
        if self.last.len() < group_count {
            self.last.resize(group_count, i64::MIN);
        }
        let (flip, last) = (self.flip, &mut self.last);
        groups.for_each_run(times, |group, times| {
            last[group] = times.iter().fold(last[group], |last, time| last.max(time ^ flip));
        });
        let (mut number, mut len) = (0, 0);
        groups.for_each_run(times, |group, times| {
            for time in times {
                (self.numbers[len], self.groups[len]) = (number, group as u32);
                number += 1;
                len += usize::from(time ^ flip == last[group]);
            }
        });
        picks.keep(&self.numbers[..len], &mut self.picks);
    }
}
