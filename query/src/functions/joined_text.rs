//! `STRING_AGG(text, separator[, bytes])` and `LISTAGG`: the texts of a group in one, ascending, so that the answer does
//! not depend on the order of rows. Nulls do not count; more bytes than allowed are an error, as in Druid.

use std::collections::BTreeMap;
use std::mem::size_of_val;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;

use crate::error::QueryError;

/// Druid's default.
pub(super) const BYTES_DEFAULT: usize = 1_024;
/// The most that a call may allow each group.
pub(super) const BYTES_MAX: usize = 16 << 20;

pub(super) fn function() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(JoinedText { signature: Signature::user_defined(Volatility::Immutable) }))
}

fn usage() -> QueryError {
    QueryError::plan(format!(
        "STRING_AGG takes a text, a literal separator and optionally the most bytes, up to {BYTES_MAX}: \
         STRING_AGG(name, ', ', 1024)"
    ))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JoinedText {
    signature: Signature,
}

impl AggregateUDFImpl for JoinedText {
    fn name(&self) -> &str {
        "string_agg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [text, separator] if !text.is_nested() && separator.is_string() => {
                Ok(vec![DataType::Utf8View, DataType::Utf8])
            }
            [text, separator, bytes] if !text.is_nested() && separator.is_string() && bytes.is_integer() => {
                Ok(vec![DataType::Utf8View, DataType::Utf8, DataType::Int64])
            }
            _ => Err(usage().into()),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let literal =
            |at: usize| args.exprs.get(at).and_then(|expr| expr.downcast_ref::<Literal>()).map(Literal::value);
        let separator = literal(1).and_then(|value| value.try_as_str().flatten()).ok_or_else(usage)?.to_owned();
        let bytes_max = match (args.exprs.len(), literal(2)) {
            (2, _) => BYTES_DEFAULT,
            (_, Some(ScalarValue::Int64(Some(bytes)))) => {
                usize::try_from(*bytes).ok().filter(|bytes| *bytes <= BYTES_MAX).ok_or_else(usage)?
            }
            _ => return Err(usage().into()),
        };
        let is_distinct = args.is_distinct;
        Ok(Box::new(Texts { separator, bytes_max, is_distinct, counts: BTreeMap::new(), bytes: 0 }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let item = Field::new_list_field(DataType::Utf8, true);
        Ok(vec![Arc::new(Field::new_list(format_state_name(args.name, "texts"), item, true))])
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug)]
struct Texts {
    separator: String,
    bytes_max: usize,
    is_distinct: bool,
    /// How often each text came.
    counts: BTreeMap<String, u64>,
    /// Of the result so far.
    bytes: usize,
}

impl Texts {
    fn add(&mut self, text: &str) -> Result<(), QueryError> {
        if self.is_distinct && self.counts.contains_key(text) {
            return Ok(());
        }
        self.bytes += text.len() + if self.counts.is_empty() { 0 } else { self.separator.len() };
        if self.bytes > self.bytes_max {
            return Err(QueryError::limit(format!(
                "STRING_AGG makes more than {} bytes of a group: allow more with a third argument, up to {BYTES_MAX}",
                self.bytes_max
            )));
        }
        *self.counts.entry(text.to_owned()).or_default() += 1;
        Ok(())
    }

    fn texts(&self) -> impl Iterator<Item = &String> {
        self.counts.iter().flat_map(|(text, count)| (0..*count).map(move |_| text))
    }
}

impl Accumulator for Texts {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        for text in columns[0].as_string_view().iter().flatten() {
            self.add(text)?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for texts in states[0].as_list::<i32>().iter().flatten() {
            for text in texts.as_string::<i32>().iter().flatten() {
                self.add(text)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let texts: Vec<ScalarValue> = self.texts().map(|text| ScalarValue::Utf8(Some(text.clone()))).collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&texts, &DataType::Utf8))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let texts: Vec<&str> = self.texts().map(String::as_str).collect();
        Ok(ScalarValue::Utf8View((!texts.is_empty()).then(|| texts.join(&self.separator))))
    }

    fn size(&self) -> usize {
        let entry = size_of::<(String, u64)>();
        size_of_val(self) + self.separator.len() + self.bytes + self.counts.len() * entry
    }
}
