//! One side of a comparison: a column, and what the expression reads its values as.

use std::ops::Bound;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, Operator};
use henge_indexing::{Comparison, NumberTest, Predicate, TextTest, ValueKind};

use super::TimeSpan;
use super::time_span::{day_span, millis_span};

/// Each item of such a list becomes a test of its own.
const SEPARATE_TESTS_MAX: usize = 100;

/// A column of the datasource behind casts that are exact, or that a predicate can make as well.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub column: Arc<str>,
    pub reading: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Text,
    /// A long or a boolean, as DataFusion writes it; a predicate writes it alike.
    ValueAsText,
    Long,
    Double,
    /// Rounded to the nearest double, which a predicate does alike.
    LongAsDouble,
    Flag,
    /// Milliseconds.
    Time,
    Day,
}

impl Operand {
    pub fn of(expr: &Expr, schema: &Schema) -> Option<Self> {
        let (inner, kind) = match expr {
            Expr::Cast(cast) => (cast.expr.as_ref(), Some(cast.field.data_type())),
            Expr::TryCast(cast) => (cast.expr.as_ref(), Some(cast.field.data_type())),
            _ => (expr, None),
        };
        let Some(kind) = kind else { return Self::of_column(inner, schema) };
        let operand = Self::of(inner, schema)?;
        let reading = operand.reading.cast_to(kind)?;
        Some(Self { reading, ..operand })
    }

    fn of_column(expr: &Expr, schema: &Schema) -> Option<Self> {
        let Expr::Column(column) = expr else { return None };
        let field = schema.field_with_name(&column.name).ok()?;
        let reading = match field.data_type() {
            DataType::Utf8View => Reading::Text,
            DataType::Int64 => Reading::Long,
            DataType::Float64 => Reading::Double,
            DataType::Boolean => Reading::Flag,
            DataType::Timestamp(TimeUnit::Millisecond, None) => Reading::Time,
            _ => return None,
        };
        Some(Self { column: column.name.as_str().into(), reading })
    }

    /// What `operand op literal` says; `None` where a predicate cannot say it.
    pub fn compare(&self, op: Operator, literal: &ScalarValue) -> Option<Predicate> {
        match (op, literal.is_null()) {
            (Operator::IsDistinctFrom, true) => Some(self.is_not_null()),
            (Operator::IsNotDistinctFrom, true) => Some(self.is_null()),
            (Operator::IsDistinctFrom, false) => {
                Some(Predicate::Not(Box::new(self.compare(Operator::IsNotDistinctFrom, literal)?)))
            }
            (Operator::IsNotDistinctFrom, false) => {
                Some(Predicate::And(vec![self.is_not_null(), self.compare(Operator::Eq, literal)?]))
            }
            (op, true) => comparison(op).map(|_| Predicate::Const(None)),
            (op, false) => match comparison(op)? {
                Comparison::NotEqual => Some(Predicate::Not(Box::new(self.test(Comparison::Equal, literal)?))),
                op => self.test(op, literal),
            },
        }
    }

    pub fn is_null(&self) -> Predicate {
        Predicate::IsNull(self.column.clone())
    }

    pub fn is_not_null(&self) -> Predicate {
        Predicate::Not(Box::new(self.is_null()))
    }

    /// Any comparison but inequality, with a value.
    fn test(&self, op: Comparison, literal: &ScalarValue) -> Option<Predicate> {
        let column = self.column.clone();
        Some(match self.reading {
            Reading::Text | Reading::ValueAsText => {
                let text = literal.try_as_str().flatten()?;
                Predicate::Text { column, test: text_test(op, text)? }
            }
            Reading::Long => Predicate::Long { column, test: NumberTest::compare(op, long(literal)?)? },
            Reading::Double | Reading::LongAsDouble => {
                let ScalarValue::Float64(Some(value)) = literal else { return None };
                Predicate::Double { column, test: double_test(op, *value)? }
            }
            Reading::Flag => {
                let (ScalarValue::Boolean(Some(is)), Comparison::Equal) = (literal, op) else { return None };
                Predicate::Flag { column, is: *is }
            }
            Reading::Time => self.within(millis_span(op, literal)?),
            Reading::Day => self.within(day_span(op, literal)?),
        })
    }

    /// Times of a span.
    fn within(&self, span: TimeSpan) -> Predicate {
        let (first, last) = span.bounds();
        let bound = |at: i64, open: i64| if at == open { Bound::Unbounded } else { Bound::Included(at) };
        let test = NumberTest::Range { lower: bound(first, i64::MIN), upper: bound(last, i64::MAX) };
        match first > last {
            true => Predicate::Long { column: self.column.clone(), test: NumberTest::In(Vec::new()) },
            false => Predicate::Long { column: self.column.clone(), test },
        }
    }

    /// What `operand IN (literals)` says.
    pub fn any_of(&self, literals: &[&ScalarValue]) -> Option<Predicate> {
        let (nulls, values): (Vec<&ScalarValue>, Vec<&ScalarValue>) =
            literals.iter().partition(|literal| literal.is_null());
        let column = self.column.clone();
        let found = match self.reading {
            Reading::Text | Reading::ValueAsText => {
                let texts = values.iter().map(|value| value.try_as_str().flatten());
                Predicate::Text { column, test: TextTest::any_of(texts.collect::<Option<Vec<_>>>()?) }
            }
            Reading::Long => {
                let longs = values.iter().map(|value| long(value)).collect::<Option<Vec<_>>>()?;
                Predicate::Long { column, test: NumberTest::In(longs) }
            }
            Reading::Double | Reading::LongAsDouble => {
                // In a list DataFusion, unlike elsewhere, tells the zeros apart.
                let double = |value: &&ScalarValue| match value {
                    ScalarValue::Float64(value) => value.filter(|value| *value != 0.0),
                    _ => None,
                };
                Predicate::Double { column, test: NumberTest::In(values.iter().map(double).collect::<Option<_>>()?) }
            }
            Reading::Time => {
                let spans = values.iter().map(|value| millis_span(Comparison::Equal, value));
                let bounds = spans.collect::<Option<Vec<_>>>()?.into_iter().map(TimeSpan::bounds);
                // Between two milliseconds there is nothing.
                let millis = bounds.filter(|(first, last)| first == last).map(|(first, _)| first);
                Predicate::Long { column, test: NumberTest::In(millis.collect()) }
            }
            Reading::Flag | Reading::Day if values.len() > SEPARATE_TESTS_MAX => return None,
            Reading::Flag | Reading::Day => {
                let equal = values.iter().map(|value| self.test(Comparison::Equal, value));
                Predicate::Or(equal.collect::<Option<Vec<_>>>()?)
            }
        };
        Some(if nulls.is_empty() { found } else { Predicate::Or(vec![found, Predicate::Const(None)]) })
    }

    /// What `left op right` says of two columns.
    pub fn compare_columns(left: &Self, op: Operator, right: &Self) -> Option<Predicate> {
        let kind = match (left.reading, right.reading) {
            (left, right) if left.is_text() && right.is_text() => ValueKind::Text,
            (left, right) if left.is_double() && right.is_double() => ValueKind::Double,
            (Reading::Long, Reading::Long) | (Reading::Time, Reading::Time) => ValueKind::Long,
            (Reading::Flag, Reading::Flag) => ValueKind::Flag,
            _ => return None,
        };
        let columns = |op| Predicate::Columns { left: left.column.clone(), op, right: right.column.clone(), kind };
        Some(match op {
            Operator::IsNotDistinctFrom => Predicate::Or(vec![
                Predicate::And(vec![left.is_null(), right.is_null()]),
                Predicate::And(vec![left.is_not_null(), right.is_not_null(), columns(Comparison::Equal)]),
            ]),
            Operator::IsDistinctFrom => {
                Predicate::Not(Box::new(Self::compare_columns(left, Operator::IsNotDistinctFrom, right)?))
            }
            op => columns(comparison(op)?),
        })
    }
}

impl Reading {
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::ValueAsText)
    }

    fn is_double(self) -> bool {
        matches!(self, Self::Double | Self::LongAsDouble)
    }

    /// Behind a cast; `None` where it may round, fail, or write a value otherwise than a predicate does.
    fn cast_to(self, kind: &DataType) -> Option<Self> {
        let is_text = matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        match self {
            Self::Text | Self::ValueAsText if is_text => Some(self),
            Self::Long | Self::Flag if is_text => Some(Self::ValueAsText),
            Self::Long if *kind == DataType::Int64 => Some(Self::Long),
            Self::Long if *kind == DataType::Float64 => Some(Self::LongAsDouble),
            Self::Double if *kind == DataType::Float64 => Some(Self::Double),
            Self::Time if *kind == DataType::Int64 => Some(Self::Long),
            Self::Time if *kind == DataType::Timestamp(TimeUnit::Millisecond, None) => Some(Self::Time),
            Self::Time if *kind == DataType::Date32 => Some(Self::Day),
            _ => None,
        }
    }
}

fn comparison(op: Operator) -> Option<Comparison> {
    Some(match op {
        Operator::Eq => Comparison::Equal,
        Operator::NotEq => Comparison::NotEqual,
        Operator::Lt => Comparison::Less,
        Operator::LtEq => Comparison::LessOrEqual,
        Operator::Gt => Comparison::Greater,
        Operator::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn text_test(op: Comparison, text: &str) -> Option<TextTest> {
    let bytes: Box<[u8]> = text.as_bytes().into();
    let (lower, upper) = match op {
        Comparison::Equal => return Some(TextTest::equal(text)),
        Comparison::NotEqual => return None,
        Comparison::Less => (Bound::Unbounded, Bound::Excluded(bytes)),
        Comparison::LessOrEqual => (Bound::Unbounded, Bound::Included(bytes)),
        Comparison::Greater => (Bound::Excluded(bytes), Bound::Unbounded),
        Comparison::GreaterOrEqual => (Bound::Included(bytes), Bound::Unbounded),
    };
    Some(TextTest::Range { lower, upper })
}

/// Predicates tell -0.0 from 0.0, which DataFusion takes for equal. In the order of all else the two agree.
fn double_test(op: Comparison, value: f64) -> Option<NumberTest<f64>> {
    if value != 0.0 {
        return NumberTest::compare(op, value);
    }
    match op {
        Comparison::Equal => Some(NumberTest::In(vec![-0.0, 0.0])),
        Comparison::Less | Comparison::GreaterOrEqual => NumberTest::compare(op, -0.0),
        Comparison::LessOrEqual | Comparison::Greater => NumberTest::compare(op, 0.0),
        Comparison::NotEqual => None,
    }
}

/// Integers of every width: DataFusion has brought both sides to one type, mostly 64 bits.
fn long(literal: &ScalarValue) -> Option<i64> {
    match literal {
        ScalarValue::Int64(value) => *value,
        ScalarValue::Int32(value) => value.map(i64::from),
        ScalarValue::Int16(value) => value.map(i64::from),
        ScalarValue::Int8(value) => value.map(i64::from),
        _ => None,
    }
}
