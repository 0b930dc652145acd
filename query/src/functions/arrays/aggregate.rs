//! `ARRAY_AGG(x[, bytes])` and `ARRAY_CONCAT_AGG(items[, bytes])`: the values of a group in one array, ascending with nulls
//! first, so that the answer does not depend on the order of rows. More bytes than allowed are an error, as in Druid.

use std::collections::BTreeMap;
use std::mem::size_of_val;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;

use super::item::{Item, ItemKind, Items, column_of_arrays};
use crate::error::QueryError;
use crate::functions::joined_text::{BYTES_DEFAULT, BYTES_MAX};

pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    let function = |takes_arrays| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::from(ArrayAggregate { takes_arrays, signature }))
    };
    vec![function(false), function(true)]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ArrayAggregate {
    /// Whether the values are arrays, of which the items count.
    takes_arrays: bool,
    signature: Signature,
}

impl ArrayAggregate {
    fn usage(&self) -> QueryError {
        let call = if self.takes_arrays { "ARRAY_CONCAT_AGG(items, 1024)" } else { "ARRAY_AGG(name, 1024)" };
        QueryError::plan(format!(
            "{} takes {} and optionally the most bytes, up to {BYTES_MAX}: {call}",
            self.name().to_uppercase(),
            if self.takes_arrays { "arrays" } else { "values" },
        ))
    }
}

impl AggregateUDFImpl for ArrayAggregate {
    fn name(&self) -> &str {
        if self.takes_arrays { "array_concat_agg" } else { "array_agg" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let Some((value, rest)) = types.split_first() else { return Err(self.usage().into()) };
        let kind = ItemKind::widest([value]);
        let value = match (self.takes_arrays, value.is_nested()) {
            (true, true) => kind.arrow_list(),
            (false, false) => kind.arrow(),
            _ => return Err(self.usage().into()),
        };
        match rest {
            [] => Ok(vec![value]),
            [bytes] if bytes.is_integer() => Ok(vec![value, DataType::Int64]),
            _ => Err(self.usage().into()),
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(ItemKind::widest(&types[..1]).arrow_list())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let bytes_max = match args.exprs.get(1).map(|expr| expr.downcast_ref::<Literal>().map(Literal::value)) {
            None => BYTES_DEFAULT,
            Some(Some(ScalarValue::Int64(Some(bytes)))) => {
                usize::try_from(*bytes).ok().filter(|bytes| *bytes <= BYTES_MAX).ok_or_else(|| self.usage())?
            }
            Some(_) => return Err(self.usage().into()),
        };
        let kind = ItemKind::widest([args.return_field.data_type()]);
        let is_distinct = args.is_distinct;
        Ok(Box::new(Found { kind, bytes_max, is_distinct, is_begun: false, counts: BTreeMap::new(), bytes: 0 }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let kind = args.return_type().clone();
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "items"), kind, true))])
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug)]
struct Found {
    kind: ItemKind,
    bytes_max: usize,
    is_distinct: bool,
    /// Whether there was a row: of none the answer is null.
    is_begun: bool,
    /// How often each item came.
    counts: BTreeMap<Item, u64>,
    /// Of the result so far.
    bytes: usize,
}

impl Found {
    fn add(&mut self, item: Item) -> Result<(), QueryError> {
        if self.is_distinct && self.counts.contains_key(&item) {
            return Ok(());
        }
        self.bytes += item.bytes();
        if self.bytes > self.bytes_max {
            return Err(QueryError::limit(format!(
                "ARRAY_AGG makes more than {} bytes of a group: allow more with another argument, up to {BYTES_MAX}",
                self.bytes_max
            )));
        }
        *self.counts.entry(item).or_default() += 1;
        Ok(())
    }

    fn array(&self) -> Option<Vec<Item>> {
        let items = self.counts.iter().flat_map(|(item, count)| (0..*count).map(move |_| item.clone()));
        self.is_begun.then(|| items.collect())
    }
}

impl Accumulator for Found {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let (column, is_array) = (&columns[0], columns[0].data_type().is_nested());
        let items = Items::new(column, self.kind)?;
        for row in 0..column.len() {
            // A null array has no items, and a null is an item.
            if is_array && items.is_null(row) {
                continue;
            }
            self.is_begun = true;
            for item in items.array(row) {
                self.add(item)?;
            }
        }
        Ok(())
    }

    /// A partial result is an array.
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(&states[..1])
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&column_of_arrays(&[self.array()], self.kind), 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes + self.counts.len() * size_of::<(Item, u64)>()
    }
}
