//! What the names in expressions mean.

use henge_segment_store::schema::{Aggregation, DataSourceSchema, DimensionType, TIME_COLUMN};
use sqlparser::tokenizer::Location;

use super::node::Node;
use super::reader::{self, Typed};
use super::{ExpressionError, Program};
use crate::spec::{FieldSource, InputSpec};

/// A value that expressions read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub source: InputSource,
    pub kind: DimensionType,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputSource {
    /// The event time, in milliseconds since 1970.
    Time,
    Field(FieldSource),
}

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope<'s> {
    /// In the expression of this column, whose own name means the record's field there.
    Column(&'s str),
    /// In the row filter, which sees computed columns too.
    Filter,
}

/// The names of one spec, and the inputs that its expressions were found to read.
pub(super) struct Names<'s> {
    columns: Vec<(&'s str, Meaning<'s>)>,
    inputs: Vec<Input>,
}

/// What a column's name means.
enum Meaning<'s> {
    /// Read from there.
    Field(&'s FieldSource, DimensionType),
    /// Computed; `None` until its expression is read.
    Computed(Option<Typed>),
}

impl<'s> Names<'s> {
    pub(super) fn new(schema: &'s DataSourceSchema, input: &'s InputSpec) -> Self {
        let dimensions = schema.dimensions.iter().zip(&input.dimensions);
        let dimensions = dimensions.map(|(dimension, source)| (dimension.name.as_str(), source, dimension.kind));
        let measures = schema.measures.iter().zip(&input.measures).filter_map(|(measure, source)| {
            Some((measure.name.as_str(), source.as_ref()?, number_kind(measure.aggregation)?))
        });
        let columns = dimensions.chain(measures).map(|(name, source, kind)| match source {
            FieldSource::Expression(_) => (name, Meaning::Computed(None)),
            source => (name, Meaning::Field(source, kind)),
        });
        Self { columns: columns.collect(), inputs: Vec::new() }
    }

    /// Reads an expression that has to give values of `kind`.
    pub(super) fn read(
        &mut self,
        text: &str,
        kind: DimensionType,
        scope: Scope<'_>,
    ) -> Result<Program, ExpressionError> {
        let mut reads = Vec::new();
        let typed = reader::read(text, &mut |name, place| self.resolve(name, place, scope, &mut reads))?;
        if let Scope::Column(column) = scope
            && let Some((_, Meaning::Computed(known))) = self.columns.iter_mut().find(|(name, _)| *name == column)
        {
            *known = Some(typed.clone());
        }
        let node = typed.into(kind).map_err(|found| ExpressionError {
            message: format!("the expression gives values of type {found}, and {kind} is needed: CAST it"),
            place: None,
        })?;
        Ok(Program { text: text.into(), node, reads })
    }

    pub(super) fn into_inputs(self) -> Vec<Input> {
        self.inputs
    }

    fn resolve(
        &mut self,
        name: &str,
        place: Location,
        scope: Scope<'_>,
        reads: &mut Vec<usize>,
    ) -> Result<Typed, ExpressionError> {
        let error = |message: String| ExpressionError { message, place: Some((place.line, place.column)) };
        if name == TIME_COLUMN {
            return Ok(self.input(InputSource::Time, DimensionType::Long, reads));
        }
        let own = matches!(scope, Scope::Column(column) if column == name);
        let meaning = self.columns.iter().find(|(column, _)| *column == name && !own).map(|(_, meaning)| meaning);
        match meaning {
            Some(Meaning::Field(source, kind)) => {
                let source = InputSource::Field((*source).clone());
                Ok(self.input(source, *kind, reads))
            }
            Some(Meaning::Computed(Some(typed))) if scope == Scope::Filter => {
                let typed = typed.clone();
                typed.node.inputs(&mut |input| note(reads, input));
                Ok(typed)
            }
            // Its own problem is reported already.
            Some(Meaning::Computed(None)) if scope == Scope::Filter => {
                Ok(Typed { node: Node::Null(DimensionType::String), kind: None })
            }
            Some(Meaning::Computed(_)) => Err(error(format!("`{name}` is computed itself: write its expression here"))),
            None => {
                let source = FieldSource::parse(name).map_err(error)?;
                Ok(self.input(InputSource::Field(source), DimensionType::String, reads))
            }
        }
    }

    fn input(&mut self, source: InputSource, kind: DimensionType, reads: &mut Vec<usize>) -> Typed {
        let input = Input { source, kind };
        let index = self.inputs.iter().position(|known| *known == input).unwrap_or_else(|| {
            self.inputs.push(input);
            self.inputs.len() - 1
        });
        note(reads, index);
        Typed { node: Node::Input(index), kind: Some(kind) }
    }
}

/// The type of a measure's values; `None` for sketches, which are no values.
pub(super) fn number_kind(aggregation: Aggregation) -> Option<DimensionType> {
    match aggregation {
        Aggregation::Sketch(_) => None,
        aggregation if aggregation.is_long() => Some(DimensionType::Long),
        _ => Some(DimensionType::Double),
    }
}

fn note(reads: &mut Vec<usize>, input: usize) {
    if !reads.contains(&input) {
        reads.push(input);
    }
}
