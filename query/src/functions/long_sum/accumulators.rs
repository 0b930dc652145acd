use std::collections::HashMap;
use std::mem::size_of_val;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::fit;

/// One total; values may leave it again when a window moves on.
#[derive(Debug, Default)]
pub(super) struct PlainSum {
    total: i128,
    /// Values in the total; a sum of none is null.
    values: u64,
}

impl PlainSum {
    fn add(&mut self, values: &ArrayRef, sign: i128) -> u64 {
        let values = values.as_primitive::<Int64Type>();
        let sum: i128 = match values.null_count() {
            0 => values.values().iter().map(|value| i128::from(*value)).sum(),
            _ => values.iter().flatten().map(i128::from).sum(),
        };
        self.total += sign * sum;
        (values.len() - values.null_count()) as u64
    }
}

impl Accumulator for PlainSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values += self.add(&values[0], 1);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.values -= self.add(&values[0], -1);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for partial in states[0].as_primitive::<Decimal128Type>().iter().flatten() {
            self.total += partial;
            self.values += 1;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Decimal128((self.values > 0).then_some(self.total), 38, 0)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(if self.values > 0 { Some(fit(self.total)?) } else { None }))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The total of different values, each with how often a window holds it.
#[derive(Debug, Default)]
pub(super) struct DistinctSum {
    counts: HashMap<i64, u64>,
}

impl Accumulator for DistinctSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<Int64Type>().iter().flatten() {
            *self.counts.entry(value).or_default() += 1;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_primitive::<Int64Type>().iter().flatten() {
            let count = self.counts.get_mut(&value).expect("a window gives up only what it took");
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&value);
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in states[0].as_list::<i32>().iter().flatten() {
            self.update_batch(&[values])?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<ScalarValue> = self.counts.keys().map(|value| ScalarValue::Int64(Some(*value))).collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Int64))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let total = self.counts.keys().map(|value| i128::from(*value)).sum();
        Ok(ScalarValue::Int64(if self.counts.is_empty() { None } else { Some(fit(total)?) }))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.capacity() * size_of::<(i64, u64)>()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::Int64Array;

    use super::*;

    fn longs(values: &[Option<i64>]) -> [ArrayRef; 1] {
        [Arc::new(Int64Array::from(values.to_vec()))]
    }

    #[test]
    fn a_total_may_leave_64_bits_on_the_way_but_not_at_the_end() {
        let mut sum = PlainSum::default();
        sum.update_batch(&longs(&[Some(i64::MAX), Some(i64::MAX), None])).expect("128 bits hold it");
        let error = sum.evaluate().expect_err("64 bits do not").to_string();
        assert!(error.contains("SUM overflow: a total does not fit"), "{error}");
        sum.retract_batch(&longs(&[Some(i64::MAX)])).expect("a window may retract");
        assert_eq!(sum.evaluate().expect("it fits again"), ScalarValue::Int64(Some(i64::MAX)));
    }

    #[test]
    fn a_sum_of_nothing_is_null_also_after_merging() {
        let mut empty = PlainSum::default();
        let state = empty.state().expect("a state")[0].to_array().expect("an array");
        let mut merged = PlainSum::default();
        merged.merge_batch(&[state]).expect("states merge");
        assert_eq!(merged.evaluate().expect("null fits"), ScalarValue::Int64(None));
    }

    #[test]
    fn a_distinct_sum_counts_each_value_once_over_partitions() {
        let mut left = DistinctSum::default();
        left.update_batch(&longs(&[Some(1), Some(2), Some(2)])).expect("an update");
        let mut right = DistinctSum::default();
        right.update_batch(&longs(&[Some(2), Some(4), None])).expect("an update");
        let state = right.state().expect("a state")[0].to_array().expect("an array");
        left.merge_batch(&[state]).expect("states merge");
        assert_eq!(left.evaluate().expect("it fits"), ScalarValue::Int64(Some(7)));
    }
}
