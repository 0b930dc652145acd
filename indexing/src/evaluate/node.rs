//! Tests joined by AND and OR.

use super::cost;
use super::leaf::Leaf;
use super::way::Note;
use crate::RowSet;

pub(super) enum Node<'a> {
    /// True of every row or of none.
    Constant(bool),
    And(Vec<Node<'a>>),
    Or(Vec<Node<'a>>),
    Leaf(Leaf<'a>),
}

impl<'a> Node<'a> {
    /// One test.
    pub fn leaf(leaf: Leaf<'a>) -> Self {
        if leaf.is_nothing() { Self::Constant(false) } else { Self::Leaf(leaf) }
    }

    /// True where all parts are. Parts that are the same for every row are left out, and tests of one column become one:
    /// `x >= 3 AND x < 5` is one range.
    pub fn and(parts: Vec<Self>) -> Self {
        Self::join(parts, true, Self::And)
    }

    /// True where some part is, simplified as [`and`](Self::and) is.
    pub fn or(parts: Vec<Self>) -> Self {
        Self::join(parts, false, Self::Or)
    }

    /// `is_and` is also what a part may be without any effect; its opposite decides alone.
    fn join(parts: Vec<Self>, is_and: bool, join: impl FnOnce(Vec<Self>) -> Self) -> Self {
        let mut joined: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::Constant(is) if is == is_and => {}
                Self::Constant(_) => return part,
                Self::Leaf(leaf) => {
                    let mut leaves = joined.iter_mut().filter_map(|part| match part {
                        Self::Leaf(earlier) => Some(earlier),
                        _ => None,
                    });
                    if !leaves.any(|earlier| earlier.take_in(&leaf, is_and)) {
                        joined.push(Self::Leaf(leaf));
                    }
                }
                part => joined.push(part),
            }
        }
        if is_and && joined.iter().any(|part| matches!(part, Self::Leaf(leaf) if leaf.is_nothing())) {
            return Self::Constant(false);
        }
        match joined.len() {
            0 => Self::Constant(is_and),
            1 => joined.remove(0),
            _ => join(joined),
        }
    }

    /// What it takes to test these candidates, in nanoseconds, roughly.
    fn cost(&self, candidates: &RowSet) -> f64 {
        match self {
            Self::Constant(_) => 0.0,
            Self::And(parts) | Self::Or(parts) => parts.iter().map(|part| part.cost(candidates)).sum(),
            Self::Leaf(leaf) => leaf.cost(candidates),
        }
    }

    /// The candidates for which it is true.
    pub fn rows(&self, candidates: &RowSet, note: Note<'_>) -> RowSet {
        match self {
            Self::Constant(true) => candidates.clone(),
            Self::Constant(false) => RowSet::none(candidates.row_count()),
            Self::Leaf(leaf) => leaf.rows(candidates, true, note),
            Self::And(parts) => {
                // What costs little goes first and leaves fewer candidates to what costs more.
                let mut rows = candidates.clone();
                for (_, part) in cheapest_first(parts, candidates) {
                    rows = part.rows(&rows, note);
                    if rows.is_empty() {
                        break;
                    }
                }
                rows
            }
            Self::Or(parts) => {
                let mut rows = RowSet::none(candidates.row_count());
                for (cost, part) in cheapest_first(parts, candidates) {
                    if rows.len() == candidates.len() {
                        break;
                    }
                    // Rows that were found need not be looked for again, if finding them costs more than leaving them out.
                    let found = match cost > cost::set_operation(candidates) {
                        true => part.rows(&candidates.and_not(&rows), note),
                        false => part.rows(candidates, note),
                    };
                    rows = rows.or(&found);
                }
                rows
            }
        }
    }

    /// The rows of a segment for which it is true, found by looking at each row of each column.
    pub fn rows_by_scanning(&self, row_count: u32, note: Note<'_>) -> RowSet {
        let all = RowSet::all(row_count);
        match self {
            Self::Constant(true) => all,
            Self::Constant(false) => RowSet::none(row_count),
            Self::Leaf(leaf) => leaf.rows(&all, false, note),
            Self::And(parts) => parts.iter().fold(all, |rows, part| rows.and(&part.rows_by_scanning(row_count, note))),
            Self::Or(parts) => {
                let none = RowSet::none(row_count);
                parts.iter().fold(none, |rows, part| rows.or(&part.rows_by_scanning(row_count, note)))
            }
        }
    }
}

/// The parts with what each costs.
fn cheapest_first<'n, 'a>(parts: &'n [Node<'a>], candidates: &RowSet) -> Vec<(f64, &'n Node<'a>)> {
    let mut costs: Vec<(f64, &Node<'a>)> = parts.iter().map(|part| (part.cost(candidates), part)).collect();
    costs.sort_by(|left, right| left.0.total_cmp(&right.0));
    costs
}
