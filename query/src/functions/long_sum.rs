//! `SUM` of integers, added in 128 bits: exact in any order, and an error where the total does not fit a BIGINT.
//!
//! DataFusion's wraps. Sums of decimals are exact, too, and an error beyond 38 digits. Sums of doubles remain DataFusion's.

mod accumulators;
mod decimal;
mod groups;

use std::mem::size_of_val;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use self::accumulators::{DistinctSum, PlainSum};
use self::decimal::DecimalSum;
use self::groups::GroupSums;
use crate::error::QueryError;
use crate::sketch_use::ADVICE;

/// A partial sum on its way between partitions: 2^63 values of 2^63 are below 10^38.
const STATE: DataType = DataType::Decimal128(38, 0);

pub(super) fn function() -> Arc<AggregateUDF> {
    let sum = LongSum { general: Sum::new(), signature: Signature::user_defined(Volatility::Immutable) };
    Arc::new(AggregateUDF::from(sum))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct LongSum {
    /// For everything but integers.
    general: Sum,
    signature: Signature,
}

impl LongSum {
    fn is_long(argument: &FieldRef) -> bool {
        argument.data_type() == &DataType::Int64
    }
}

impl AggregateUDFImpl for LongSum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let coerced = match types {
            [kind] if kind.is_integer() || kind.is_null() => DataType::Int64,
            [kind] if kind.is_floating() => DataType::Float64,
            [kind @ (DataType::Decimal128(..) | DataType::Decimal256(..))] => kind.clone(),
            [DataType::Binary] => {
                return Err(QueryError::plan(format!("SUM takes no sketches: ask {ADVICE} of them")).into());
            }
            [kind] => {
                return Err(QueryError::plan(format!(
                    "SUM adds numbers, not {kind}: CAST the argument to BIGINT, DOUBLE or DECIMAL"
                ))
                .into());
            }
            _ => return Err(QueryError::plan("SUM takes one argument").into()),
        };
        Ok(vec![coerced])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.general.return_type(types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if let (DataType::Decimal128(precision, scale), false) = (args.return_field.data_type(), args.is_distinct) {
            return Ok(Box::new(DecimalSum::new(*precision, *scale)));
        }
        match (Self::is_long(&args.expr_fields[0]), args.is_distinct) {
            (false, _) => self.general.accumulator(args),
            (true, true) => Ok(Box::<DistinctSum>::default()),
            (true, false) => Ok(Box::<PlainSum>::default()),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let is_exact = matches!(args.return_field.data_type(), DataType::Decimal128(..)) && !args.is_distinct;
        if !is_exact && !Self::is_long(&args.expr_fields[0]) {
            return self.general.create_sliding_accumulator(args);
        }
        self.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        if !Self::is_long(&args.input_fields[0]) {
            return self.general.state_fields(args);
        }
        let state = if args.is_distinct {
            Field::new_list(
                format_state_name(args.name, "sum distinct"),
                Field::new_list_field(DataType::Int64, true),
                true,
            )
        } else {
            Field::new(format_state_name(args.name, "sum"), STATE, true)
        };
        Ok(vec![Arc::new(state)])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct && !matches!(args.return_field.data_type(), DataType::Decimal128(..))
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        if !Self::is_long(&args.expr_fields[0]) {
            return self.general.create_groups_accumulator(args);
        }
        Ok(Box::<GroupSums>::default())
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

/// The total as a BIGINT. The error names no total: of several, the one found first would depend on where rows lie.
pub(crate) fn fit(total: i128) -> Result<i64, QueryError> {
    i64::try_from(total).map_err(|_| {
        QueryError::plan(
            "SUM overflow: a total does not fit a BIGINT: write SUM(CAST(x AS DECIMAL(38, 0))) for an exact total, or \
             SUM(CAST(x AS DOUBLE)) for an approximate one",
        )
    })
}

fn allocated<T>(values: &Vec<T>) -> usize {
    size_of_val(values) + values.capacity() * size_of::<T>()
}
