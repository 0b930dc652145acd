//! Functions of the values of one row, said as plain Rust functions over typed arguments.
//!
//! Null in an argument makes null. What a batch of rows makes of text is bounded: the memory pool does not see it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float64Array, Float64Builder, Int64Array, Int64Builder, ListBuilder,
    StringViewArray, StringViewBuilder, TimestampMillisecondArray, TimestampMillisecondBuilder,
};
use datafusion::arrow::datatypes::{
    DataType, Field, FieldRef, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use henge_segment_store::time::TimestampMs;

use super::growing_text::RESULT_BYTES_MAX;
use crate::error::QueryError;

/// A function and what it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowFunction {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// One call, for whoever got it wrong.
    pub usage: &'static str,
    pub parameters: &'static [Kind],
    /// How many of them must be there; of the others a literal NULL means the default.
    pub required: usize,
    pub result: Kind,
    /// Reads what is constant in a call, once for a batch of rows.
    pub bind: fn(&Constants<'_>) -> Result<Body, QueryError>,
}

/// What a function does with each row.
pub(super) type Body = Box<dyn Fn(&Row<'_>) -> Result<Value, QueryError>>;

/// The type of an argument or a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Long,
    /// A long where all numbers of a call are, else a double.
    Number,
    Double,
    Boolean,
    Time,
    /// An array of texts; of results only.
    Texts,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Text(String),
    Long(i64),
    Double(f64),
    Boolean(bool),
    Time(TimestampMs),
    Texts(Vec<String>),
}

impl Value {
    pub fn text_or_null(text: Option<&str>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }

    pub fn long_or_null(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Long)
    }
}

pub(super) fn udfs(functions: &'static [RowFunction]) -> impl Iterator<Item = Arc<ScalarUDF>> {
    functions.iter().map(|function| Arc::new(ScalarUDF::from(RowUdf::new(function))))
}

/// The arguments that are literals.
pub(super) struct Constants<'a> {
    function: &'static RowFunction,
    arguments: &'a [ColumnarValue],
}

impl Constants<'_> {
    /// `None` where it is left out or NULL.
    pub fn text(&self, at: usize) -> Result<Option<&str>, QueryError> {
        match self.arguments.get(at) {
            None => Ok(None),
            Some(ColumnarValue::Scalar(value)) => Ok(value.try_as_str().flatten()),
            Some(ColumnarValue::Array(_)) => Err(QueryError::plan(format!(
                "argument {} of {} must be a literal: {}",
                at + 1,
                self.function.name.to_uppercase(),
                self.function.usage
            ))),
        }
    }

    pub fn required_text(&self, at: usize) -> Result<&str, QueryError> {
        self.text(at)?.ok_or_else(|| wrong_call(self.function.name, self.function.usage))
    }
}

/// The arguments of one row; none of them is null.
pub(super) struct Row<'a> {
    columns: &'a [Column],
    row: usize,
}

impl Row<'_> {
    /// Whether the argument was not left out.
    pub fn has(&self, at: usize) -> bool {
        self.columns.get(at).is_some_and(|column| !matches!(column, Column::LeftOut))
    }

    pub fn text(&self, at: usize) -> &str {
        match &self.columns[at] {
            Column::Text(values) => values.value(self.row),
            _ => "",
        }
    }

    pub fn is_long(&self, at: usize) -> bool {
        matches!(self.columns[at], Column::Long(_))
    }

    pub fn long(&self, at: usize) -> i64 {
        match &self.columns[at] {
            Column::Long(values) => values.value(self.row),
            _ => 0,
        }
    }

    pub fn double(&self, at: usize) -> f64 {
        match &self.columns[at] {
            Column::Double(values) => values.value(self.row),
            Column::Long(values) => values.value(self.row) as f64,
            _ => f64::NAN,
        }
    }

    pub fn time(&self, at: usize) -> TimestampMs {
        match &self.columns[at] {
            Column::Time(values) => TimestampMs(values.value(self.row)),
            _ => TimestampMs(0),
        }
    }
}

enum Column {
    Text(StringViewArray),
    Long(Int64Array),
    Double(Float64Array),
    Time(TimestampMillisecondArray),
    LeftOut,
}

impl Column {
    fn new(argument: &ColumnarValue, rows: usize, is_optional: bool) -> Result<Self> {
        if is_optional && matches!(argument, ColumnarValue::Scalar(value) if value.is_null()) {
            return Ok(Self::LeftOut);
        }
        let array = argument.to_array(rows)?;
        Ok(match array.data_type() {
            DataType::Utf8View => Self::Text(array.as_string_view().clone()),
            DataType::Int64 => Self::Long(array.as_primitive::<Int64Type>().clone()),
            DataType::Float64 => Self::Double(array.as_primitive::<Float64Type>().clone()),
            DataType::Timestamp(TimeUnit::Millisecond, None) => {
                Self::Time(array.as_primitive::<TimestampMillisecondType>().clone())
            }
            other => return Err(QueryError::internal(format!("an argument came as {other}")).into()),
        })
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(values) => values.is_null(row),
            Self::Long(values) => values.is_null(row),
            Self::Double(values) => values.is_null(row),
            Self::Time(values) => values.is_null(row),
            Self::LeftOut => false,
        }
    }
}

#[derive(Debug)]
struct RowUdf {
    function: &'static RowFunction,
    aliases: Vec<String>,
    signature: Signature,
}

impl RowUdf {
    fn new(function: &'static RowFunction) -> Self {
        let aliases = function.aliases.iter().map(|&alias| alias.to_owned()).collect();
        Self { function, aliases, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// Names are unique.
impl PartialEq for RowUdf {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for RowUdf {}

impl Hash for RowUdf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for RowUdf {
    fn name(&self) -> &str {
        self.function.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let parameters = self.function.parameters;
        if !(self.function.required..=parameters.len()).contains(&types.len()) {
            return Err(wrong_call(self.function.name, self.function.usage).into());
        }
        let mut numbers = types.iter().zip(parameters).filter(|(_, kind)| **kind == Kind::Number);
        let number = match numbers.all(|(kind, _)| kind.is_integer() || kind.is_null()) {
            true => DataType::Int64,
            false => DataType::Float64,
        };
        let coerced = types.iter().zip(parameters).map(|(given, kind)| {
            let is_taken = match kind {
                Kind::Text | Kind::Boolean | Kind::Texts => !given.is_nested(),
                Kind::Long => given.is_integer(),
                Kind::Number | Kind::Double => given.is_numeric(),
                Kind::Time => given.is_temporal() || given.is_string(),
            };
            let kind = if *kind == Kind::Number { number.clone() } else { arrow_type(*kind) };
            if is_taken || given.is_null() {
                Ok(kind)
            } else {
                Err(wrong_call(self.function.name, self.function.usage).into())
            }
        });
        coerced.collect()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        if self.function.result != Kind::Number {
            return Ok(arrow_type(self.function.result));
        }
        let mut numbers = types.iter().zip(self.function.parameters).filter(|(_, kind)| **kind == Kind::Number);
        Ok(if numbers.all(|(kind, _)| *kind == DataType::Int64) { DataType::Int64 } else { DataType::Float64 })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let required_null = args.args[..self.function.required]
            .iter()
            .any(|argument| matches!(argument, ColumnarValue::Scalar(value) if value.is_null()));
        if required_null {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from(args.return_type())?));
        }
        let body = (self.function.bind)(&Constants { function: self.function, arguments: &args.args })?;
        let columns = args.args.iter().enumerate();
        let columns = columns.map(|(at, argument)| Column::new(argument, rows, at >= self.function.required));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let mut results = Results::new(self.function, args.return_type(), rows)?;
        for row in 0..rows {
            let value = match columns.iter().any(|column| column.is_null(row)) {
                true => Value::Null,
                false => body(&Row { columns: &columns, row })?,
            };
            results.push(value)?;
        }
        let results = results.finish();
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&results, 0)?),
            false => ColumnarValue::Array(results),
        })
    }

    fn is_strict(&self) -> bool {
        self.function.required == self.function.parameters.len()
    }
}

/// What is said to whoever got a call wrong.
pub(super) fn wrong_call(name: &str, usage: &str) -> QueryError {
    QueryError::plan(format!("{} is called like {usage}", name.to_uppercase()))
}

fn arrow_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text => DataType::Utf8View,
        Kind::Long => DataType::Int64,
        Kind::Number | Kind::Double => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
        Kind::Time => DataType::Timestamp(TimeUnit::Millisecond, None),
        Kind::Texts => DataType::List(texts_field()),
    }
}

/// Of the items of an array of texts.
fn texts_field() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Utf8View, true))
}

struct Results {
    function: &'static RowFunction,
    builder: Builder,
    text_bytes: usize,
}

enum Builder {
    Text(StringViewBuilder),
    Long(Int64Builder),
    Double(Float64Builder),
    Boolean(BooleanBuilder),
    Time(TimestampMillisecondBuilder),
    Texts(ListBuilder<StringViewBuilder>),
}

impl Results {
    fn new(function: &'static RowFunction, kind: &DataType, rows: usize) -> Result<Self> {
        let builder = match kind {
            DataType::Utf8View => Builder::Text(StringViewBuilder::with_capacity(rows)),
            DataType::Int64 => Builder::Long(Int64Builder::with_capacity(rows)),
            DataType::Float64 => Builder::Double(Float64Builder::with_capacity(rows)),
            DataType::Boolean => Builder::Boolean(BooleanBuilder::with_capacity(rows)),
            DataType::Timestamp(..) => Builder::Time(TimestampMillisecondBuilder::with_capacity(rows)),
            DataType::List(_) => Builder::Texts(ListBuilder::new(StringViewBuilder::new()).with_field(texts_field())),
            other => return Err(QueryError::internal(format!("a result of type {other}")).into()),
        };
        Ok(Self { function, builder, text_bytes: 0 })
    }

    fn push(&mut self, value: Value) -> Result<(), QueryError> {
        match (&mut self.builder, value) {
            (Builder::Text(builder), Value::Text(text)) => {
                self.text_bytes += text.len();
                check_bytes(self.function.name, self.text_bytes)?;
                builder.append_value(text);
            }
            (Builder::Texts(builder), Value::Texts(texts)) => {
                self.text_bytes += texts.iter().map(|text| text.len() + size_of::<u128>()).sum::<usize>();
                check_bytes(self.function.name, self.text_bytes)?;
                builder.append_value(texts.into_iter().map(Some));
            }
            (Builder::Long(builder), Value::Long(value)) => builder.append_value(value),
            (Builder::Double(builder), Value::Double(value)) => builder.append_value(value),
            (Builder::Boolean(builder), Value::Boolean(value)) => builder.append_value(value),
            (Builder::Time(builder), Value::Time(value)) => builder.append_value(value.0),
            (Builder::Text(builder), _) => builder.append_null(),
            (Builder::Long(builder), _) => builder.append_null(),
            (Builder::Double(builder), _) => builder.append_null(),
            (Builder::Boolean(builder), _) => builder.append_null(),
            (Builder::Time(builder), _) => builder.append_null(),
            (Builder::Texts(builder), _) => builder.append_null(),
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self.builder {
            Builder::Text(mut builder) => Arc::new(builder.finish()),
            Builder::Long(mut builder) => Arc::new(builder.finish()),
            Builder::Double(mut builder) => Arc::new(builder.finish()),
            Builder::Boolean(mut builder) => Arc::new(builder.finish()),
            Builder::Time(mut builder) => Arc::new(builder.finish()),
            Builder::Texts(mut builder) => Arc::new(builder.finish()),
        }
    }
}

/// Refuses a text that a function is about to make, or a batch of them.
pub(super) fn check_bytes(name: &str, bytes: usize) -> Result<(), QueryError> {
    if bytes > RESULT_BYTES_MAX {
        return Err(QueryError::limit(format!(
            "{} would make more than {} MiB of text for one batch of rows: shorten its arguments",
            name.to_uppercase(),
            RESULT_BYTES_MAX >> 20
        )));
    }
    Ok(())
}
