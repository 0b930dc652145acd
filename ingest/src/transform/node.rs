//! The typed tree of an expression.

use henge_indexing::LikePattern;
use henge_segment_store::schema::DimensionType;
use henge_segment_store::time::Granularity;
use regex::Regex;

/// An expression whose parts have the types that they need.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// By its number.
    Input(usize),
    Null(DimensionType),
    Boolean(bool),
    Long(i64),
    Double(f64),
    Text(Box<str>),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    IsNull(Box<Node>),
    /// `IS TRUE` or `IS FALSE`, never null.
    Is(Box<Node>, bool),
    Compare(Comparison, Box<Node>, Box<Node>),
    Arithmetic(Arithmetic, DimensionType, Box<Node>, Box<Node>),
    Negate(DimensionType, Box<Node>),
    Absolute(DimensionType, Box<Node>),
    /// The value behind the first condition that is true, else the last of the values.
    Case {
        kind: DimensionType,
        conditions: Vec<Node>,
        values: Vec<Node>,
    },
    /// The first that is not null.
    Coalesce(DimensionType, Vec<Node>),
    /// To another type; a long as a double among them.
    Cast {
        to: DimensionType,
        value: Box<Node>,
    },
    Like(Box<Node>, LikePattern),
    RegexLike(Box<Node>, Regex),
    RegexExtract {
        text: Box<Node>,
        pattern: Regex,
        group: usize,
    },
    Concat(Vec<Node>),
    Lower(Box<Node>),
    Upper(Box<Node>),
    Length(Box<Node>),
    Substring {
        text: Box<Node>,
        start: Box<Node>,
        length: Option<Box<Node>>,
    },
    Trim {
        side: TrimSide,
        text: Box<Node>,
        characters: Box<Node>,
    },
    Replace {
        text: Box<Node>,
        wanted: Box<Node>,
        replacement: Box<Node>,
    },
    TimeFloor(Box<Node>, Granularity),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Nulls are equal to each other and to nothing else.
    NotDistinct,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TrimSide {
    Both,
    Start,
    End,
}
