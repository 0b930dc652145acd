//! `MIN` and `MAX` by groups that know infinities and NaN.
//!
//! DataFusion's start from the largest and the smallest finite DOUBLE, which they answer for groups of infinities alone, and
//! what they answer where there is NaN depends on the order of rows. Here numbers are in the order that `ORDER BY` and
//! MIN and MAX of all rows have: infinities are less and greater than all others, and NaN is greater still. Everything
//! but DOUBLE remains DataFusion's.

mod groups;

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, SetMonotonicity, Signature,
    StatisticsArgs,
};

use self::groups::GroupExtremes;

pub(super) fn functions() -> [Arc<AggregateUDF>; 2] {
    [(min_udaf(), Extreme::Least), (max_udaf(), Extreme::Greatest)]
        .map(|(general, extreme)| Arc::new(AggregateUDF::from(DoubleExtreme { general, extreme })))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Extreme {
    Least,
    Greatest,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DoubleExtreme {
    general: Arc<AggregateUDF>,
    extreme: Extreme,
}

impl AggregateUDFImpl for DoubleExtreme {
    fn name(&self) -> &str {
        self.general.name()
    }

    fn signature(&self) -> &Signature {
        self.general.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.general.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.general.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.general.accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.general.create_sliding_accumulator(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.general.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        if args.return_field.data_type() != &DataType::Float64 {
            return self.general.create_groups_accumulator(args);
        }
        Ok(Box::new(GroupExtremes::new(self.extreme)))
    }

    fn is_descending(&self) -> Option<bool> {
        self.general.is_descending()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.general.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn value_from_stats(&self, statistics: &StatisticsArgs) -> Option<ScalarValue> {
        self.general.value_from_stats(statistics)
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.general.inner().set_monotonicity(data_type)
    }
}
