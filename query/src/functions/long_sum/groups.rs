use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array};
use datafusion::arrow::datatypes::{Decimal128Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::{allocated, fit};

/// A total for each group.
#[derive(Debug, Default)]
pub(super) struct GroupSums {
    totals: Vec<i128>,
    /// Whether a group has met a value: a sum of none is null.
    is_set: Vec<bool>,
}

impl GroupSums {
    fn reach(&mut self, groups: usize) {
        self.totals.resize(groups, 0);
        self.is_set.resize(groups, false);
    }

    fn add(&mut self, group: usize, value: i128) {
        self.totals[group] += value;
        self.is_set[group] = true;
    }

    fn take(&mut self, emit_to: EmitTo) -> impl Iterator<Item = Option<i128>> {
        let totals = emit_to.take_needed(&mut self.totals);
        let is_set = emit_to.take_needed(&mut self.is_set);
        totals.into_iter().zip(is_set).map(|(total, is_set)| is_set.then_some(total))
    }
}

impl GroupsAccumulator for GroupSums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.reach(total_num_groups);
        let values = values[0].as_primitive::<Int64Type>();
        if opt_filter.is_none() && values.null_count() == 0 {
            for (group, value) in group_indices.iter().zip(values.values()) {
                self.add(*group, i128::from(*value));
            }
            return Ok(());
        }
        for (row, group) in group_indices.iter().enumerate() {
            if passes(opt_filter, row) && values.is_valid(row) {
                self.add(*group, i128::from(values.value(row)));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.reach(total_num_groups);
        for (group, partial) in group_indices.iter().zip(values[0].as_primitive::<Decimal128Type>().iter()) {
            if let Some(partial) = partial {
                self.add(*group, partial);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let totals = self.take(emit_to).map(|total| total.map(fit).transpose());
        Ok(Arc::new(totals.collect::<Result<Int64Array, _>>()?))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![decimals(self.take(emit_to))?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = values[0].as_primitive::<Int64Type>().iter().enumerate();
        let kept = values.map(|(row, value)| value.filter(|_| passes(opt_filter, row)).map(i128::from));
        Ok(vec![decimals(kept)?])
    }

    fn size(&self) -> usize {
        allocated(&self.totals) + allocated(&self.is_set)
    }
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

fn decimals(totals: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef> {
    Ok(Arc::new(totals.collect::<Decimal128Array>().with_precision_and_scale(38, 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longs(values: Vec<Option<i64>>) -> [ArrayRef; 1] {
        [Arc::new(Int64Array::from(values))]
    }

    #[test]
    fn groups_merge_beyond_64_bits_and_keep_null() {
        let mut partial = GroupSums::default();
        let values = longs(vec![Some(i64::MAX), Some(i64::MAX), None, Some(5)]);
        let filter = BooleanArray::from(vec![Some(true), Some(true), Some(true), None]);
        partial.update_batch(&values, &[0, 0, 1, 2], Some(&filter), 3).expect("128 bits hold it");
        let state = partial.state(EmitTo::All).expect("a state");

        let mut whole = GroupSums::default();
        whole.update_batch(&longs(vec![Some(-i64::MAX), Some(-7)]), &[0, 2], None, 3).expect("an update");
        whole.merge_batch(&state, &[0, 1, 2], 3).expect("states merge");
        let sums = whole.evaluate(EmitTo::All).expect("the totals fit");
        assert_eq!(sums.as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(i64::MAX), None, Some(-7)]));
    }

    #[test]
    fn the_first_groups_can_be_taken_alone() {
        let mut sums = GroupSums::default();
        sums.update_batch(&longs(vec![Some(1), Some(2), Some(3)]), &[0, 1, 2], None, 3).expect("an update");
        let first = sums.evaluate(EmitTo::First(2)).expect("the totals fit");
        assert_eq!(first.as_primitive::<Int64Type>(), &Int64Array::from(vec![1, 2]));
        let rest = sums.evaluate(EmitTo::All).expect("the totals fit");
        assert_eq!(rest.as_primitive::<Int64Type>(), &Int64Array::from(vec![3]));
    }
}
