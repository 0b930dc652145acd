use std::mem::size_of_val;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::Decimal128Type;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use crate::error::QueryError;

/// One past the greatest of 38 digits.
const LIMIT: i128 = 10_i128.pow(38);

/// A total of decimals: exact, or an error. DataFusion's wraps around.
#[derive(Debug)]
pub(super) struct DecimalSum {
    precision: u8,
    scale: i8,
    total: i128,
    /// Values in the total; a sum of none is null.
    values: u64,
}

fn overflow() -> QueryError {
    QueryError::plan(
        "SUM overflow: the total has more than 38 digits: CAST to a DECIMAL of fewer decimals, or to DOUBLE",
    )
}

impl DecimalSum {
    /// Of the type that the result has.
    pub fn new(precision: u8, scale: i8) -> Self {
        Self { precision, scale, total: 0, values: 0 }
    }

    fn add(&mut self, value: i128) -> Result<(), QueryError> {
        self.total = self.total.checked_add(value).ok_or_else(overflow)?;
        Ok(())
    }
}

impl Accumulator for DecimalSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<Decimal128Type>().iter().flatten() {
            self.add(value)?;
            self.values += 1;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<Decimal128Type>().iter().flatten() {
            self.add(-value)?;
            self.values -= 1;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    /// A partial result is a sum: it adds like a value.
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.total.abs() >= LIMIT {
            return Err(overflow().into());
        }
        Ok(ScalarValue::Decimal128((self.values > 0).then_some(self.total), self.precision, self.scale))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::Decimal128Array;

    use super::*;

    #[test]
    fn a_total_beyond_38_digits_is_an_error_and_one_of_38_is_exact() {
        let greatest = LIMIT - 1;
        for (values, expected) in
            [(vec![greatest], Some(greatest)), (vec![greatest, 1], None), (vec![greatest; 3], None)]
        {
            let column: ArrayRef =
                Arc::new(Decimal128Array::from(values.clone()).with_precision_and_scale(38, 2).unwrap());
            let mut sum = DecimalSum::new(38, 2);
            let total = sum.update_batch(&[column]).and_then(|()| sum.evaluate());
            match expected {
                Some(total_expected) => {
                    assert_eq!(total.unwrap(), ScalarValue::Decimal128(Some(total_expected), 38, 2))
                }
                None => assert!(total.unwrap_err().to_string().contains("SUM overflow"), "{values:?}"),
            }
        }
    }
}
