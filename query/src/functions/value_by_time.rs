//! `EARLIEST_BY(value, time)` and `LATEST_BY(value, time)`: the value of the row with the least or the greatest time;
//! `LAST_OVER_TIME(value, time)`: the latest that is not null.
//!
//! Rows without a time do not count. Where several rows have that time, a value is taken before null, then the least for
//! the earliest and the greatest for the latest: the answer does not depend on the order of the rows.

use std::cmp::Ordering;
use std::mem::size_of_val;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit, TimestampMillisecondType};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use crate::error::QueryError;

const TIME: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    let function = |end, skips_nulls| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::from(ValueByTime { end, skips_nulls, signature }))
    };
    vec![function(End::Earliest, false), function(End::Latest, false), function(End::Latest, true)]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum End {
    Earliest,
    Latest,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ValueByTime {
    end: End,
    skips_nulls: bool,
    signature: Signature,
}

impl AggregateUDFImpl for ValueByTime {
    fn name(&self) -> &str {
        match self.end {
            _ if self.skips_nulls => "last_over_time",
            End::Earliest => "earliest_by",
            End::Latest => "latest_by",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [value, DataType::Timestamp(..) | DataType::Date32 | DataType::Null] => Ok(vec![value.clone(), TIME]),
            _ => {
                let name = self.name().to_uppercase();
                Err(QueryError::plan(format!("{name} takes a value and a TIMESTAMP: {name}(bytes, __time)")).into())
            }
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(types[0].clone())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let nothing = ScalarValue::try_from(args.return_field.data_type())?;
        Ok(Box::new(ByTime { end: self.end, skips_nulls: self.skips_nulls, time: None, value: nothing }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let value = Field::new(format_state_name(args.name, "value"), args.return_type().clone(), true);
        let time = Field::new(format_state_name(args.name, "time"), TIME, true);
        Ok(vec![Arc::new(value), Arc::new(time)])
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug)]
struct ByTime {
    end: End,
    skips_nulls: bool,
    /// Of the row that the value is from; `None` before the first.
    time: Option<i64>,
    value: ScalarValue,
}

impl ByTime {
    /// Whether one row is taken before another, by how their times and then their values compare.
    fn prefers(&self, ordering: Ordering) -> bool {
        match self.end {
            End::Earliest => ordering.is_lt(),
            End::Latest => ordering.is_gt(),
        }
    }

    /// Null is the last to be taken.
    fn nulls_first(&self) -> bool {
        self.end == End::Latest
    }

    fn compare_values(&self, left: &ScalarValue, right: &ScalarValue) -> Ordering {
        let null = if self.nulls_first() { Ordering::Less } else { Ordering::Greater };
        match (left.is_null(), right.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => null,
            (false, true) => null.reverse(),
            (false, false) => left.partial_cmp(right).expect("values of one column compare"),
        }
    }
}

impl Accumulator for ByTime {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let values = columns[0].as_ref();
        let times = columns[1].as_primitive::<TimestampMillisecondType>();
        let options = SortOptions { descending: false, nulls_first: self.nulls_first() };
        let compare = make_comparator(values, values, options)?;
        let by_time = |left: usize, right: usize| times.value(left).cmp(&times.value(right));
        let better = |left: usize, right: usize| {
            let ordering = by_time(left, right).then_with(|| compare(left, right));
            if self.prefers(ordering) { left } else { right }
        };
        let rows = (0..values.len()).filter(|row| times.is_valid(*row) && !(self.skips_nulls && values.is_null(*row)));
        let Some(row) = rows.reduce(better) else { return Ok(()) };
        let (time, value) = (times.value(row), ScalarValue::try_from_array(values, row)?);
        let is_better = self
            .time
            .is_none_or(|known| self.prefers(time.cmp(&known).then_with(|| self.compare_values(&value, &self.value))));
        if is_better {
            (self.time, self.value) = (Some(time), value);
        }
        Ok(())
    }

    /// A partial result is one row: its value and its time.
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value.clone(), ScalarValue::TimestampMillisecond(self.time, None)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) - size_of_val(&self.value) + self.value.size()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, TimestampMillisecondArray};

    use super::*;

    fn answer(end: End, batches: &[&[(Option<i64>, Option<i64>)]]) -> ScalarValue {
        let mut whole = ByTime { end, skips_nulls: false, time: None, value: ScalarValue::Int64(None) };
        for batch in batches {
            let mut part = ByTime { end, skips_nulls: false, time: None, value: ScalarValue::Int64(None) };
            let values: ArrayRef = Arc::new(batch.iter().map(|row| row.0).collect::<Int64Array>());
            let times: ArrayRef = Arc::new(batch.iter().map(|row| row.1).collect::<TimestampMillisecondArray>());
            part.update_batch(&[values, times]).unwrap();
            let states: Vec<ArrayRef> = part.state().unwrap().iter().map(|state| state.to_array().unwrap()).collect();
            whole.merge_batch(&states).unwrap();
        }
        whole.evaluate().unwrap()
    }

    #[test]
    fn the_value_is_that_of_the_outermost_time_in_any_order_of_the_rows() {
        let rows = [(Some(7), Some(2)), (Some(3), Some(2)), (None, Some(2)), (Some(9), None), (Some(5), Some(1))];
        for turn in 0..rows.len() {
            let mut turned = rows;
            turned.rotate_left(turn);
            for cut in 0..rows.len() {
                let batches = [&turned[..cut], &turned[cut..]];
                assert_eq!(answer(End::Latest, &batches), ScalarValue::Int64(Some(7)), "{turned:?} cut at {cut}");
                assert_eq!(answer(End::Earliest, &batches), ScalarValue::Int64(Some(5)), "{turned:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn null_is_taken_only_where_nothing_else_has_that_time() {
        let rows: &[(Option<i64>, Option<i64>)] =
            &[(Some(1), Some(1)), (None, Some(2)), (Some(4), Some(0)), (None, Some(0))];
        assert_eq!(answer(End::Latest, &[rows]), ScalarValue::Int64(None));
        assert_eq!(answer(End::Earliest, &[rows]), ScalarValue::Int64(Some(4)));
        assert_eq!(answer(End::Earliest, &[&[(Some(1), None)]]), ScalarValue::Int64(None));
    }
}
