//! The types of parts of an expression, and which go together.

use henge_segment_store::schema::DimensionType::{self, Boolean, Double, Long, String as Text};
use sqlparser::ast::{DataType, Expr};
use sqlparser::tokenizer::Location;

use super::place::place;
use super::{Read, error};
use crate::transform::node::Node;

/// A tree and the type of its values; `None` is a null that fits every type.
#[derive(Debug, Clone)]
pub(in crate::transform) struct Typed {
    pub node: Node,
    pub kind: Option<DimensionType>,
}

impl Typed {
    pub fn new(node: Node, kind: DimensionType) -> Self {
        Self { node, kind: Some(kind) }
    }

    /// The tree of values of another type, where that loses nothing; else the type that they have.
    pub fn into(self, kind: DimensionType) -> Result<Node, DimensionType> {
        match self.kind {
            None => Ok(Node::Null(kind)),
            Some(own) if own == kind => Ok(self.node),
            Some(Long) if kind == Double => Ok(cast(Long, Double, self.node)),
            Some(own) => Err(own),
        }
    }
}

pub(super) fn cast(from: DimensionType, to: DimensionType, node: Node) -> Node {
    if from == to { node } else { Node::Cast { to, value: Box::new(node) } }
}

pub(super) fn widened(typed: Typed, kind: DimensionType) -> Node {
    typed.into(kind).expect("the common type holds all values")
}

/// The type that holds the values of all; else two that do not go together. Nulls alone are texts.
pub(super) fn common_kind(parts: &[&Typed]) -> Result<DimensionType, (DimensionType, DimensionType)> {
    let mut kinds = parts.iter().filter_map(|typed| typed.kind);
    let first = kinds.next().unwrap_or(Text);
    kinds.try_fold(first, |common, kind| match (common, kind) {
        (common, kind) if common == kind => Ok(common),
        (Long, Double) | (Double, Long) => Ok(Double),
        pair => Err(pair),
    })
}

/// Trees of values of one type, and that type. `at`: where to say that there is none.
pub(super) fn alike(values: Vec<Typed>, at: Option<Location>) -> Read<(DimensionType, Vec<Node>)> {
    let kind = common_kind(&values.iter().collect::<Vec<_>>())
        .map_err(|(one, other)| error(format!("the values are {one} and {other}: CAST them to one type"), at))?;
    Ok((kind, values.into_iter().map(|value| widened(value, kind)).collect()))
}

/// Long or double, as the parts are; `what` takes them, for the message that they are no numbers.
pub(super) fn number_kind(parts: &[&Typed], what: &str, expr: &Expr) -> Read<DimensionType> {
    if let Some(other) = parts.iter().filter_map(|typed| typed.kind).find(|kind| !matches!(kind, Long | Double)) {
        return Err(error(format!("{what} takes numbers, found {other}: CAST it to BIGINT or DOUBLE"), place(expr)));
    }
    let is_double = parts.iter().any(|typed| typed.kind == Some(Double));
    Ok(if is_double { Double } else { Long })
}

pub(super) fn type_of(kind: &DataType) -> Option<DimensionType> {
    match kind {
        DataType::BigInt(_) | DataType::Int(_) | DataType::Integer(_) => Some(Long),
        DataType::Double(_) | DataType::DoublePrecision | DataType::Float(_) | DataType::Real => Some(Double),
        DataType::Varchar(None) | DataType::Char(None) | DataType::Text | DataType::String(None) => Some(Text),
        DataType::Boolean | DataType::Bool => Some(Boolean),
        DataType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("long") => Some(Long),
        _ => None,
    }
}
