//! Which records are kept, and columns that are computed: SQL expressions over the fields of a record.
//!
//! text -> typed tree, once a spec -> columns of a batch of rows -> each row is kept, filtered or refused
//!
//! | | |
//! |---|---|
//! | names | a column that is read from a field, `__time` (milliseconds since 1970), else a field of the record, as text |
//! | logic | `AND`, `OR`, `NOT`, `= <> < <= > >=`, `BETWEEN`, `IN`, `LIKE`, `ILIKE`, `IS [NOT] NULL`, `TRUE`, `FALSE`, `DISTINCT FROM` |
//! | numbers | `+ - * / %`, `ABS`, `MOD` |
//! | texts | `\|\|`, `CONCAT`, `LOWER`, `UPPER`, `LENGTH`, `SUBSTRING`, `TRIM`, `LTRIM`, `RTRIM`, `BTRIM`, `REPLACE`, `REGEXP_LIKE`, `REGEXP_EXTRACT` |
//! | others | `CASE`, `COALESCE`, `NVL`, `NULLIF`, `CAST`, `TIME_FLOOR` |
//!
//! They mean what they mean in queries, nulls included. What has no answer, such as a division by zero or a sum beyond
//! 64 bits, refuses the record, but only where the answer depends on it: not in a branch of `CASE` that is not taken, and
//! not beside a `FALSE` that decides an `AND`.

mod arithmetic;
mod batch;
mod cast;
mod column;
mod evaluate;
mod guard;
mod names;
mod node;
mod reader;
mod target;
mod text_functions;

use std::fmt;
use std::sync::Arc;

use henge_segment_store::event::EventRow;
use henge_segment_store::ledger::Reason;
use henge_segment_store::schema::{DataSourceSchema, DimensionType};

use self::batch::Batch;
pub use self::batch::Pending;
use self::column::Failure;
pub use self::names::{Input, InputSource};
use self::names::{Names, Scope};
use self::node::Node;
use self::target::Target;
use crate::decode::Refusal;
use crate::spec::{FieldSource, InputSpec};

/// Longer expressions are refused; so are deeper ones.
pub const TEXT_BYTES_MAX: usize = 4 * 1024;
/// Expressions are parsed, and what was parsed is dropped, in as many calls within each other as they have operators.
const READING_STACK_BYTES: usize = 16 << 20;

/// Why an expression cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ExpressionError {
    message: String,
    /// Line and column, from 1; `None` where the message says it, or nobody knows.
    place: Option<(u64, u64)>,
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(out, "{} at line {line}, column {column}", self.message),
            None => out.write_str(&self.message),
        }
    }
}

/// A spec's row filter and computed columns, ready to run. Equal where their texts and the fields they read are.
#[derive(Debug, Clone, Default)]
pub struct Transform {
    filter: Option<Program>,
    columns: Vec<(Target, Program)>,
    inputs: Vec<Input>,
}

/// An expression that was understood.
#[derive(Debug, Clone)]
struct Program {
    text: Arc<str>,
    node: Node,
    /// Numbers of the inputs that it reads.
    reads: Vec<usize>,
}

/// An expression that cannot be one, and the column that it is of; `None` for the row filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    pub column: Option<String>,
    pub error: ExpressionError,
}

impl Transform {
    /// Reads all expressions of a spec. `schema` is as declared, parallel to `input`; all that is wrong is reported.
    pub fn read(schema: &DataSourceSchema, input: &InputSpec, filter: Option<&str>) -> Result<Self, Vec<Misread>> {
        if filter.is_none() && computed(schema, input).next().is_none() {
            return Ok(Self::default());
        }
        std::thread::scope(|scope| {
            let builder = std::thread::Builder::new().stack_size(READING_STACK_BYTES);
            let reading = builder.spawn_scoped(scope, || Self::read_here(schema, input, filter));
            reading.expect("the system can start a thread").join().expect("reading an expression does not panic")
        })
    }

    fn read_here(schema: &DataSourceSchema, input: &InputSpec, filter: Option<&str>) -> Result<Self, Vec<Misread>> {
        let mut names = Names::new(schema, input);
        let (mut columns, mut wrong) = (Vec::new(), Vec::new());
        for (target, column, text, kind) in computed(schema, input) {
            let Some(kind) = kind else {
                let message = "a sketch is not computed: name a field".to_owned();
                wrong
                    .push(Misread { column: Some(column.to_owned()), error: ExpressionError { message, place: None } });
                continue;
            };
            match names.read(text, kind, Scope::Column(column)) {
                Ok(program) => columns.push((target, program)),
                Err(error) => wrong.push(Misread { column: Some(column.to_owned()), error }),
            }
        }
        let filter = filter.map(|text| names.read(text, DimensionType::Boolean, Scope::Filter)).transpose();
        match filter {
            Ok(filter) if wrong.is_empty() => Ok(Self { filter, columns, inputs: names.into_inputs() }),
            Ok(_) => Err(wrong),
            Err(error) => {
                wrong.push(Misread { column: None, error });
                Err(wrong)
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.filter.is_none() && self.columns.is_empty()
    }

    /// The row filter as it was written.
    pub fn filter_text(&self) -> Option<&str> {
        self.filter.as_ref().map(|filter| &*filter.text)
    }

    /// What the expressions read. The decoder puts input number `n` behind the schema's dimensions, `n` further on.
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Whether the row filter reads this input.
    pub fn filter_reads(&self, input: usize) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.reads.contains(&input))
    }

    /// Decides on rows that were decoded, and fills in their computed columns. `pending` is parallel to `rows`; what is
    /// left there afterwards are the refusals of rows that are not kept.
    pub fn apply(&self, rows: &mut [EventRow], schema: &DataSourceSchema, pending: &mut [Pending]) {
        let batch = Batch::new(rows, &self.inputs, schema.dimensions.len());
        if let Some(filter) = &self.filter {
            filter.keep(&batch, pending);
        }
        for (target, program) in &self.columns {
            let values = program.node.evaluate(&batch);
            let name = target.name(schema);
            let open = rows.iter_mut().zip(&mut *pending).enumerate();
            for (index, (row, pending)) in open.filter(|(_, (_, pending))| pending.refusal.is_none()) {
                let written = target.write(&values, index, row, schema);
                pending.refusal = written.err().map(|failure| program.refusal(failure, &format!("`{name}`")));
            }
        }
    }
}

/// Computed columns: where each stands, its name, its expression and the type of its values.
fn computed<'s>(
    schema: &'s DataSourceSchema,
    input: &'s InputSpec,
) -> impl Iterator<Item = (Target, &'s str, &'s str, Option<DimensionType>)> {
    let dimensions = schema.dimensions.iter().zip(&input.dimensions).enumerate();
    let dimensions = dimensions.filter_map(|(index, (dimension, source))| match source {
        FieldSource::Expression(text) => {
            Some((Target::Dimension(index), dimension.name.as_str(), text.as_str(), Some(dimension.kind)))
        }
        _ => None,
    });
    let measures = schema.measures.iter().zip(&input.measures).enumerate();
    let measures = measures.filter_map(|(index, (measure, source))| match source {
        Some(FieldSource::Expression(text)) => {
            let kind = names::number_kind(measure.aggregation);
            Some((Target::Measure(index), measure.name.as_str(), text.as_str(), kind))
        }
        _ => None,
    });
    dimensions.chain(measures)
}

impl Program {
    /// Refuses rows for which the filter is not true. A row that is refused already is filtered all the same, if what the
    /// filter reads of it could be read.
    fn keep(&self, batch: &Batch, pending: &mut [Pending]) {
        let values = self.node.evaluate(batch);
        for (index, pending) in pending.iter_mut().enumerate().filter(|(_, pending)| pending.is_filter_readable) {
            match values.boolean(index) {
                Ok(Some(true)) => {}
                Ok(_) => pending.refusal = Some(Refusal::new(Reason::Filtered, "the row filter leaves it out")),
                Err(_) if pending.refusal.is_some() => {}
                Err(failure) => pending.refusal = Some(self.refusal(failure, "row filter")),
            }
        }
    }

    fn refusal(&self, failure: Failure, of: &str) -> Refusal {
        Refusal::new(Reason::ExpressionFailed, format!("{of}: {failure} in `{}`", self.text))
    }
}

impl PartialEq for Transform {
    fn eq(&self, other: &Self) -> bool {
        let texts = |transform: &Self| -> Vec<(Target, Arc<str>)> {
            transform.columns.iter().map(|(target, program)| (*target, program.text.clone())).collect()
        };
        self.filter_text() == other.filter_text() && texts(self) == texts(other) && self.inputs == other.inputs
    }
}

#[cfg(test)]
mod tests;
