//! One test of one column, or one comparison of two, bound to the columns of a segment.

mod codes_leaf;
mod compare_leaf;
mod keys_leaf;
mod nulls_leaf;
mod texts_leaf;

pub(super) use codes_leaf::CodesLeaf;
pub(super) use compare_leaf::CompareLeaf;
pub(super) use keys_leaf::KeysLeaf;
pub(super) use nulls_leaf::NullsLeaf;
pub(super) use texts_leaf::TextsLeaf;

use super::way::{Note, Way};
use crate::RowSet;

pub(super) enum Leaf<'a> {
    /// Strings whose codes are in a set.
    Codes(CodesLeaf<'a>),
    /// Values whose texts pass a test.
    Texts(TextsLeaf<'a>),
    /// Numbers and flags in ranges.
    Keys(KeysLeaf<'a>),
    /// Numbers and flags that are null, or are not.
    Nulls(NullsLeaf<'a>),
    /// Two columns.
    Compare(CompareLeaf<'a>),
}

impl Leaf<'_> {
    /// Takes in what another test says, joined by AND or by OR; false, and nothing changed, where that cannot be one test.
    pub fn take_in(&mut self, other: &Self, is_and: bool) -> bool {
        match (self, other) {
            (Self::Codes(leaf), Self::Codes(other)) => leaf.take_in(other, is_and),
            (Self::Keys(leaf), Self::Keys(other)) => leaf.take_in(other, is_and),
            _ => false,
        }
    }

    /// It is known that there is no such row.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::Codes(leaf) => leaf.is_nothing(),
            Self::Keys(leaf) => leaf.is_nothing(),
            Self::Texts(_) | Self::Nulls(_) | Self::Compare(_) => false,
        }
    }

    /// What it takes to test these candidates, in nanoseconds, roughly.
    pub fn cost(&self, candidates: &RowSet) -> f64 {
        match self {
            Self::Codes(leaf) => leaf.cost(candidates),
            Self::Texts(leaf) => leaf.cost(candidates),
            Self::Keys(leaf) => leaf.cost(candidates),
            Self::Nulls(leaf) => leaf.cost(candidates),
            Self::Compare(leaf) => leaf.cost(candidates),
        }
    }

    /// The candidates for which the test is true.
    pub fn rows(&self, candidates: &RowSet, use_indexes: bool, note: Note<'_>) -> RowSet {
        match self {
            Self::Codes(leaf) => leaf.rows(candidates, use_indexes, note),
            Self::Texts(leaf) => leaf.rows(candidates, use_indexes, note),
            Self::Keys(leaf) => {
                note(leaf.name, Way::NumberScan);
                leaf.rows(candidates, use_indexes)
            }
            Self::Nulls(leaf) => {
                note(leaf.name, Way::NullScan);
                leaf.rows(candidates, use_indexes)
            }
            Self::Compare(leaf) => {
                note(leaf.name, Way::Comparison);
                leaf.rows(candidates, use_indexes)
            }
        }
    }
}
