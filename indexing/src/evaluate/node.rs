//! Tests joined by AND and OR.

use super::leaf::Leaf;
use crate::RowSet;

pub(super) enum Node<'a> {
    /// True of every row or of none.
    Constant(bool),
    And(Vec<Node<'a>>),
    Or(Vec<Node<'a>>),
    Leaf(Leaf<'a>),
}

impl<'a> Node<'a> {
    /// True where all parts are; parts that are the same for every row are left out.
    pub fn and(parts: Vec<Self>) -> Self {
        Self::join(parts, true, Self::And)
    }

    /// True where some part is; parts that are the same for every row are left out.
    pub fn or(parts: Vec<Self>) -> Self {
        Self::join(parts, false, Self::Or)
    }

    /// `neutral` is what a part may be without any effect; its opposite decides alone.
    fn join(mut parts: Vec<Self>, neutral: bool, join: impl FnOnce(Vec<Self>) -> Self) -> Self {
        if parts.iter().any(|part| matches!(part, Self::Constant(is) if *is != neutral)) {
            return Self::Constant(!neutral);
        }
        parts.retain(|part| !matches!(part, Self::Constant(_)));
        match parts.len() {
            0 => Self::Constant(neutral),
            1 => parts.remove(0),
            _ => join(parts),
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
    pub fn rows(&self, candidates: &RowSet) -> RowSet {
        match self {
            Self::Constant(true) => candidates.clone(),
            Self::Constant(false) => RowSet::none(candidates.row_count()),
            Self::Leaf(leaf) => leaf.rows(candidates, true),
            Self::And(parts) => {
                // What costs little goes first and leaves fewer candidates to what costs more.
                let mut rows = candidates.clone();
                for part in cheapest_first(parts, candidates) {
                    rows = part.rows(&rows);
                    if rows.is_empty() {
                        break;
                    }
                }
                rows
            }
            Self::Or(parts) => {
                let mut rows = RowSet::none(candidates.row_count());
                for part in cheapest_first(parts, candidates) {
                    // Rows that were found need not be looked for again.
                    let rest = candidates.and_not(&rows);
                    if rest.is_empty() {
                        break;
                    }
                    rows = rows.or(&part.rows(&rest));
                }
                rows
            }
        }
    }

    /// The rows of a segment for which it is true, found by looking at each row of each column.
    pub fn rows_by_scanning(&self, row_count: u32) -> RowSet {
        let all = RowSet::all(row_count);
        match self {
            Self::Constant(true) => all,
            Self::Constant(false) => RowSet::none(row_count),
            Self::Leaf(leaf) => leaf.rows(&all, false),
            Self::And(parts) => parts.iter().fold(all, |rows, part| rows.and(&part.rows_by_scanning(row_count))),
            Self::Or(parts) => {
                parts.iter().fold(RowSet::none(row_count), |rows, part| rows.or(&part.rows_by_scanning(row_count)))
            }
        }
    }
}

fn cheapest_first<'n, 'a>(parts: &'n [Node<'a>], candidates: &RowSet) -> impl Iterator<Item = &'n Node<'a>> {
    let mut costs: Vec<(f64, &Node<'a>)> = parts.iter().map(|part| (part.cost(candidates), part)).collect();
    costs.sort_by(|left, right| left.0.total_cmp(&right.0));
    costs.into_iter().map(|(_, part)| part)
}
