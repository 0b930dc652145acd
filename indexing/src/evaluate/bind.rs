//! From a predicate to tests of the columns that a segment has.
//!
//! NOT is pushed down to the tests: then only the rows matter for which each part is true, and unknown is like false.

use super::column::{Column, TextColumn};
use super::key_ranges::KeyRanges;
use super::leaf::{CodesLeaf, CompareLeaf, KeysLeaf, Leaf, NullsLeaf, TextsLeaf};
use super::node::Node;
use super::number_column::NumberColumn;
use crate::CodeSet;
use crate::predicate::{NumberTest, Predicate, TextTest};
use crate::promotion::text_of_flag;

/// Binds predicates to the columns that `columns` gives.
pub(super) struct Binder<'f, F> {
    pub columns: &'f F,
    pub use_indexes: bool,
}

impl<F> Binder<'_, F> {
    /// The rows for which `predicate` is true, or for which it is false where `is_negated`.
    pub fn bind<'c, 'a, E>(&self, predicate: &'a Predicate, is_negated: bool) -> Result<Node<'a>, E>
    where
        'c: 'a,
        F: Fn(&str) -> Result<Column<'c>, E>,
    {
        Ok(match predicate {
            Predicate::Const(is) => Node::Constant(*is == Some(!is_negated)),
            Predicate::And(parts) | Predicate::Or(parts) => {
                let parts = parts.iter().map(|part| self.bind(part, is_negated)).collect::<Result<Vec<_>, E>>()?;
                match matches!(predicate, Predicate::And(_)) != is_negated {
                    true => Node::and(parts),
                    false => Node::or(parts),
                }
            }
            Predicate::Not(part) => self.bind(part, !is_negated)?,
            Predicate::IsNull(column) => nulls(column, (self.columns)(column)?, !is_negated),
            Predicate::Text { column, test } => self.text(column, (self.columns)(column)?, test, is_negated),
            Predicate::Long { column, test } => {
                let ranges = |column: &NumberColumn<'_>| match column {
                    NumberColumn::Longs(_) => Some(KeyRanges::of_longs(test)),
                    _ => None,
                };
                numbers(column, (self.columns)(column)?, is_negated, ranges)
            }
            Predicate::Double { column, test } => {
                let ranges = |column: &NumberColumn<'_>| match column {
                    NumberColumn::Longs(_) => Some(KeyRanges::of_longs_as_doubles(test)),
                    NumberColumn::Doubles(_) => Some(KeyRanges::of_doubles(test)),
                    _ => None,
                };
                numbers(column, (self.columns)(column)?, is_negated, ranges)
            }
            Predicate::Flag { column, is } => {
                let ranges = |column: &NumberColumn<'_>| match column {
                    NumberColumn::Flags(_) => Some(flags([*is])),
                    _ => None,
                };
                numbers(column, (self.columns)(column)?, is_negated, ranges)
            }
            Predicate::Columns { left, op, right, kind } => {
                let op = if is_negated { op.negated() } else { *op };
                match CompareLeaf::new(left, (self.columns)(left)?, op, (self.columns)(right)?, *kind) {
                    Some(leaf) => Node::leaf(Leaf::Compare(leaf)),
                    None => Node::Constant(false),
                }
            }
        })
    }

    fn text<'a>(&self, name: &'a str, column: Column<'a>, test: &'a TextTest, is_negated: bool) -> Node<'a> {
        let column = match column {
            Column::Text(column) => return self.strings(name, column, test, is_negated),
            column => column,
        };
        // Where the values are not stored as strings, what can be turned into a test of numbers is.
        let ranges = |column: &NumberColumn<'_>| match (column, test) {
            (NumberColumn::Flags(_), test) => {
                let mut matcher = test.matcher();
                Some(flags([true, false].into_iter().filter(|&is| matcher.matches(text_of_flag(is).as_bytes()))))
            }
            (NumberColumn::Longs(_), TextTest::In(texts)) => Some(KeyRanges::of_texts_as_longs(texts)),
            (NumberColumn::Doubles(_), TextTest::In(texts)) => Some(KeyRanges::of_texts_as_doubles(texts)),
            _ => None,
        };
        match number_column(&column) {
            None => Node::Constant(false),
            Some(numbers) => match ranges(&numbers) {
                Some(ranges) => keys(name, numbers, ranges, is_negated),
                None => Node::leaf(Leaf::Texts(TextsLeaf::new(name, column, test, is_negated, None))),
            },
        }
    }

    fn strings<'a>(&self, name: &'a str, column: TextColumn<'a>, test: &'a TextTest, is_negated: bool) -> Node<'a> {
        let codes = match self.use_indexes {
            true => column.known_codes(test),
            false => Ok(column.codes_by_reading_all(test).into()),
        };
        Node::leaf(match codes {
            Ok(codes) => {
                let codes = if is_negated { codes.complement_of_values().into() } else { codes };
                Leaf::Codes(CodesLeaf::new(name, column, codes))
            }
            Err(unread) => Leaf::Texts(TextsLeaf::new(name, Column::Text(column), test, is_negated, Some(unread))),
        })
    }
}

fn nulls<'a>(name: &'a str, column: Column<'a>, is_null: bool) -> Node<'a> {
    match column {
        Column::Missing => Node::Constant(is_null),
        Column::Text(column) => {
            let distinct = column.distinct();
            let codes = if is_null { CodeSet::null(distinct) } else { CodeSet::values(distinct) };
            Node::leaf(Leaf::Codes(CodesLeaf::new(name, column, codes.into())))
        }
        column => match number_column(&column) {
            Some(column) => Node::leaf(Leaf::Nulls(NullsLeaf::new(name, column, is_null))),
            None => Node::Constant(false),
        },
    }
}

/// A test of numbers as ranges, or no row where the column is of a kind that `ranges` gives none for.
fn numbers<'a>(
    name: &'a str,
    column: Column<'a>,
    is_negated: bool,
    ranges: impl FnOnce(&NumberColumn<'a>) -> Option<KeyRanges>,
) -> Node<'a> {
    let Some(column) = number_column(&column) else { return Node::Constant(false) };
    match ranges(&column) {
        Some(ranges) => keys(name, column, ranges, is_negated),
        None => Node::Constant(false),
    }
}

fn keys<'a>(name: &'a str, column: NumberColumn<'a>, ranges: KeyRanges, is_negated: bool) -> Node<'a> {
    let ranges = if is_negated { ranges.complement() } else { ranges };
    Node::leaf(Leaf::Keys(KeysLeaf::new(name, column, ranges)))
}

fn number_column<'a>(column: &Column<'a>) -> Option<NumberColumn<'a>> {
    match column {
        Column::Longs(column) => Some(NumberColumn::Longs(column.clone())),
        Column::Doubles(column) => Some(NumberColumn::Doubles(column.clone())),
        Column::Flags(column) => Some(NumberColumn::Flags(column.clone())),
        Column::Text(_) | Column::Missing => None,
    }
}

/// The keys of flags.
fn flags(flags: impl IntoIterator<Item = bool>) -> KeyRanges {
    KeyRanges::of_longs(&NumberTest::In(flags.into_iter().map(i64::from).collect()))
}
