//! What a query asks of a row, as data: tests of columns, joined by AND, OR and NOT in SQL's three-valued logic.
//!
//! Texts compare byte by byte. Tests of doubles see IEEE 754 total order: -0.0 is less than 0.0 and not equal to it, a
//! NaN equals only a NaN of the same bits, negative NaNs lie below -infinity and positive ones above infinity. The SQL
//! engine (DataFusion 55) compares so too, but for zeros, which it makes equal: a test for it names both of them where
//! one is a bound or an item. Two columns of doubles are compared as the engine does.

mod like_pattern;
mod like_segments;
mod pattern_shape;
mod regex_pattern;
mod text_test;

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

pub use like_pattern::LikePattern;
pub(crate) use pattern_shape::{PatternShape, PlaceSearch};
pub use regex_pattern::RegexPattern;
pub use text_test::{TextTest, Texts};

/// A condition on the columns of a row; true, false or unknown for each row.
///
/// A test of a null is unknown, and so is its negation. A column that the rows do not have is null in every row.
///
/// ```
/// # use henge_indexing::{Predicate, TextTest};
/// let elsewhere = Predicate::Not(Box::new(Predicate::Text { column: "region".into(), test: TextTest::equal("eu") }));
/// let unknown = Predicate::IsNull("region".into());
/// let not_eu = Predicate::Or(vec![elsewhere, unknown]);
/// # let _ = not_eu;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// The same for every row; `None` is unknown.
    Const(Option<bool>),
    /// True of no predicates at all.
    And(Vec<Predicate>),
    /// False of no predicates at all.
    Or(Vec<Predicate>),
    /// Unknown where the predicate is.
    Not(Box<Predicate>),
    /// True or false, never unknown.
    IsNull(Arc<str>),
    /// A test of a column that the schema calls a string. Where it is stored as numbers or booleans, those are tested
    /// as texts.
    Text { column: Arc<str>, test: TextTest },
    /// A test of a long column, times in milliseconds among them.
    Long { column: Arc<str>, test: NumberTest<i64> },
    /// A test of a column that the schema calls a double. Where it is stored as longs, those are tested as doubles.
    Double { column: Arc<str>, test: NumberTest<f64> },
    /// Equality with a boolean.
    Flag { column: Arc<str>, is: bool },
    /// Compares two columns of a row, both of them as values of the kind that the schema finds for the two.
    Columns { left: Arc<str>, op: Comparison, right: Arc<str>, kind: ValueKind },
}

/// What a column's values are to a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    Text,
    Long,
    Double,
    Flag,
}

/// A test of a number. `x <> 5` is `Not` of `In`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NumberTest<T> {
    /// Equal to one of these, in any order; one item is plain equality.
    In(Vec<T>),
    /// Between two bounds; no number where they cross.
    Range { lower: Bound<T>, upper: Bound<T> },
}

impl<T> NumberTest<T> {
    /// `x op value`; `None` for [`Comparison::NotEqual`], which is a negation.
    pub fn compare(op: Comparison, value: T) -> Option<Self> {
        let (lower, upper) = match op {
            Comparison::Equal => return Some(Self::In(vec![value])),
            Comparison::NotEqual => return None,
            Comparison::Less => (Bound::Unbounded, Bound::Excluded(value)),
            Comparison::LessOrEqual => (Bound::Unbounded, Bound::Included(value)),
            Comparison::Greater => (Bound::Excluded(value), Bound::Unbounded),
            Comparison::GreaterOrEqual => (Bound::Included(value), Bound::Unbounded),
        };
        Some(Self::Range { lower, upper })
    }
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether it is true of two values of this order.
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }

    /// True exactly where this one is false.
    pub fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// The same with its two sides exchanged.
    pub fn swapped(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("a pattern of {bytes} bytes is longer than {bytes_max}")]
    TooLong { bytes: usize, bytes_max: usize },
    #[error("the regular expression cannot be read: {detail}")]
    Syntax { detail: String },
    #[error("the regular expression takes more than {bytes_max} bytes when compiled")]
    TooLarge { bytes_max: usize },
}

#[cfg(test)]
pub(crate) mod tests;
