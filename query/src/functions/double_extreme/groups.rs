use std::mem::size_of_val;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::Extreme;

/// The least or the greatest number of each group.
#[derive(Debug)]
pub(super) struct GroupExtremes {
    extreme: Extreme,
    /// `None` until a group meets a number.
    found: Vec<Option<f64>>,
}

impl GroupExtremes {
    pub(super) fn new(extreme: Extreme) -> Self {
        Self { extreme, found: Vec::new() }
    }

    fn take_value(&mut self, group: usize, value: f64) {
        let found = &mut self.found[group];
        let is_better = found.is_none_or(|found| match self.extreme {
            Extreme::Least => value.total_cmp(&found).is_lt(),
            Extreme::Greatest => value.total_cmp(&found).is_gt(),
        });
        if is_better {
            *found = Some(value);
        }
    }
}

impl GroupsAccumulator for GroupExtremes {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.found.resize(total_num_groups, None);
        let values = values[0].as_primitive::<Float64Type>();
        for (row, group) in group_indices.iter().enumerate() {
            if passes(opt_filter, row) && values.is_valid(row) {
                self.take_value(*group, values.value(row));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.update_batch(values, group_indices, None, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(Float64Array::from(emit_to.take_needed(&mut self.found))))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = values[0].as_primitive::<Float64Type>().iter().enumerate();
        let kept = values.map(|(row, value)| value.filter(|_| passes(opt_filter, row)));
        Ok(vec![Arc::new(kept.collect::<Float64Array>())])
    }

    fn size(&self) -> usize {
        size_of_val(&self.found) + self.found.capacity() * size_of::<Option<f64>>()
    }
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extremes(extreme: Extreme, values: Vec<Option<f64>>, groups: &[usize]) -> Vec<Option<String>> {
        let count = groups.iter().max().map_or(0, |last| last + 1);
        let values: [ArrayRef; 1] = [Arc::new(Float64Array::from(values))];
        let mut partial = GroupExtremes::new(extreme);
        partial.update_batch(&values, groups, None, count).expect("an update");
        let mut whole = GroupExtremes::new(extreme);
        let groups: Vec<usize> = (0..count).collect();
        whole.merge_batch(&partial.state(EmitTo::All).expect("a state"), &groups, count).expect("states merge");
        let found = whole.evaluate(EmitTo::All).expect("an array");
        found.as_primitive::<Float64Type>().iter().map(|value| value.map(|value| format!("{value:?}"))).collect()
    }

    #[test]
    fn infinities_alone_are_answered_and_nan_is_the_greatest_in_any_order() {
        let values = vec![
            Some(f64::INFINITY),
            Some(f64::NEG_INFINITY),
            Some(f64::NAN),
            Some(1.0),
            Some(2.0),
            Some(f64::NAN),
            None,
            Some(f64::NAN),
        ];
        let groups = [0, 1, 2, 2, 3, 3, 4, 5];
        let text = |values: [Option<&str>; 6]| values.map(|value| value.map(str::to_owned)).to_vec();
        let least = text([Some("inf"), Some("-inf"), Some("1.0"), Some("2.0"), None, Some("NaN")]);
        assert_eq!(extremes(Extreme::Least, values.clone(), &groups), least);
        let greatest = text([Some("inf"), Some("-inf"), Some("NaN"), Some("NaN"), None, Some("NaN")]);
        assert_eq!(extremes(Extreme::Greatest, values, &groups), greatest);
    }

    #[test]
    fn what_a_filter_drops_is_not_part_of_the_state() {
        let values: [ArrayRef; 1] = [Arc::new(Float64Array::from(vec![Some(1.0), None, Some(3.0)]))];
        let filter = BooleanArray::from(vec![Some(true), Some(true), None]);
        let state = GroupExtremes::new(Extreme::Least).convert_to_state(&values, Some(&filter)).expect("a state");
        assert_eq!(state[0].as_primitive::<Float64Type>(), &Float64Array::from(vec![Some(1.0), None, None]));
    }
}
