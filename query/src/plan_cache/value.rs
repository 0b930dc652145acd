//! A value of a statement that its plan need not know.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use henge_segment_store::time::TimestampMs;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    /// Not zero: for a double column a list with a zero in it is read otherwise than one without.
    Long(i64),
    /// Finite and not zero.
    Double(f64),
    Time(TimestampMs),
}

const TIME: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

impl Value {
    /// Stands for the value in a shape; values of different marks make different plans.
    pub fn mark(&self) -> &'static str {
        match self {
            Self::Text(_) => "\u{1}text ",
            Self::Long(_) => "\u{1}long ",
            Self::Double(_) => "\u{1}double ",
            Self::Time(_) => "\u{1}time ",
        }
    }

    /// The literal that DataFusion makes of the value where it is compared with a column of type `kind`; `None` where it
    /// would rather change the column's type, or may fail.
    pub fn literal(&self, kind: &DataType) -> Option<ScalarValue> {
        Some(match (self, kind) {
            (Self::Text(text), DataType::Utf8View) => ScalarValue::Utf8View(Some(text.clone())),
            (Self::Long(value), DataType::Int64) => ScalarValue::Int64(Some(*value)),
            // Rounded to the nearest double, as Arrow does.
            (Self::Long(value), DataType::Float64) => ScalarValue::Float64(Some(*value as f64)),
            (Self::Double(value), DataType::Float64) => ScalarValue::Float64(Some(*value)),
            (Self::Time(time), kind) if *kind == TIME => ScalarValue::TimestampMillisecond(Some(time.0), None),
            _ => return None,
        })
    }
}

/// Any value of a type, to find out how a filter is treated whatever its values are.
pub(crate) fn sample(kind: &DataType) -> Option<Expr> {
    let value = match kind {
        DataType::Utf8View => ScalarValue::Utf8View(Some("a".to_owned())),
        DataType::Int64 => ScalarValue::Int64(Some(1)),
        DataType::Float64 => ScalarValue::Float64(Some(1.0)),
        kind if *kind == TIME => ScalarValue::TimestampMillisecond(Some(1), None),
        _ => return None,
    };
    Some(Expr::Literal(value, None))
}
