//! `APPROX_COUNT_DISTINCT_DS_HLL(x[, lgK[, type]])`, `APPROX_COUNT_DISTINCT_DS_THETA(x[, size])`,
//! `APPROX_QUANTILE_DS(x, rank[, k])`, and `DS_HLL`, `DS_THETA`, `DS_QUANTILES_SKETCH`, which yield the sketches themselves.
//!
//! `x` is a column or any expression, or sketches of the same kind, which are merged.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Signature, Volatility};
use henge_segment_store::sketch::{SketchError, SketchKind};

use super::accumulator::SketchAccumulator;
use super::call::{rank, whole};
use super::{SketchCall, SketchResult, field};
use crate::error::QueryError;

pub(crate) fn functions() -> Vec<Arc<AggregateUDF>> {
    let all = [
        (Function::CountHll, &["approx_count_distinct", "approx_count_distinct_builtin", "approx_distinct"] as &[_]),
        (Function::CountTheta, &[]),
        (Function::Quantile, &["approx_quantile"]),
        (Function::Hll, &[]),
        (Function::Theta, &[]),
        (Function::Quantiles, &[]),
    ];
    let function = |(function, aliases): (Function, &[&str])| {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::from(SketchAggregate { function, aliases, signature }))
    };
    all.into_iter().map(function).collect()
}

/// Whether a function takes sketches.
pub(crate) fn is_sketch_aggregate(function: &AggregateUDF) -> bool {
    function.inner().is::<SketchAggregate>()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    CountHll,
    CountTheta,
    Quantile,
    Hll,
    Theta,
    Quantiles,
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct SketchAggregate {
    function: Function,
    aliases: Vec<String>,
    signature: Signature,
}

impl SketchAggregate {
    /// What is asked for with these parameters.
    pub(super) fn call(&self, parameters: &[&ScalarValue]) -> Result<SketchCall, QueryError> {
        let name = self.name().to_uppercase();
        let kind_of =
            |place: usize, what: &str, default: SketchKind, kind: fn(i64) -> Result<SketchKind, SketchError>| {
                match parameters.get(place) {
                    Some(value) => Ok::<_, QueryError>(kind(whole(&name, what, value)?)?),
                    None => Ok(default),
                }
            };
        let hll = || kind_of(0, "lgK", SketchKind::HLL, SketchKind::hll);
        let theta = || kind_of(0, "the size", SketchKind::THETA, SketchKind::theta);
        let (kind, result) = match self.function {
            Function::CountHll => (hll()?, SketchResult::Count),
            Function::Hll => (hll()?, SketchResult::Bytes),
            Function::CountTheta => (theta()?, SketchResult::Count),
            Function::Theta => (theta()?, SketchResult::Bytes),
            Function::Quantile => {
                let rank = parameters.first().ok_or_else(|| self.usage()).and_then(|value| rank(&name, value))?;
                (kind_of(1, "k", SketchKind::QUANTILES, SketchKind::quantiles)?, SketchResult::Quantile(rank))
            }
            Function::Quantiles => {
                (kind_of(0, "k", SketchKind::QUANTILES, SketchKind::quantiles)?, SketchResult::Bytes)
            }
        };
        Ok(SketchCall { kind, result })
    }

    fn usage(&self) -> QueryError {
        QueryError::plan(match self.function {
            Function::CountHll => "APPROX_COUNT_DISTINCT_DS_HLL takes a value, lgK and HLL_4: (user_id, 12, 'HLL_4')",
            Function::Hll => "DS_HLL takes a value, lgK and HLL_4: DS_HLL(user_id, 12, 'HLL_4')",
            Function::CountTheta => "APPROX_COUNT_DISTINCT_DS_THETA takes a value and a size: (user_id, 16384)",
            Function::Theta => "DS_THETA takes a value and a size: DS_THETA(user_id, 16384)",
            Function::Quantile => "APPROX_QUANTILE_DS takes a number, a rank and k: (latency_ms, 0.99, 200)",
            Function::Quantiles => "DS_QUANTILES_SKETCH takes a number and k: (latency_ms, 200)",
        })
    }

    /// How many arguments there may be.
    fn arguments(&self) -> std::ops::RangeInclusive<usize> {
        match self.function {
            Function::CountHll | Function::Hll => 1..=3,
            Function::CountTheta | Function::Theta | Function::Quantiles => 1..=2,
            Function::Quantile => 2..=3,
        }
    }

    fn ranks(&self) -> bool {
        matches!(self.function, Function::Quantile | Function::Quantiles)
    }

    /// The type that a value is taken in.
    fn value_type(&self, given: &DataType) -> Result<DataType, QueryError> {
        Ok(match given {
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
            kind if self.ranks() => match kind {
                kind if kind.is_numeric() || kind.is_null() => DataType::Float64,
                kind => {
                    let name = self.name().to_uppercase();
                    let advice = "CAST the argument to DOUBLE";
                    return Err(QueryError::plan(format!("{name} ranks numbers, not {kind}: {advice}")));
                }
            },
            kind if kind.is_integer() => DataType::Int64,
            kind if kind.is_numeric() => DataType::Float64,
            DataType::Boolean => DataType::Boolean,
            DataType::Timestamp(..) | DataType::Date32 => DataType::Timestamp(TimeUnit::Millisecond, None),
            _ => DataType::Utf8View,
        })
    }
}

impl AggregateUDFImpl for SketchAggregate {
    fn name(&self) -> &str {
        match self.function {
            Function::CountHll => "approx_count_distinct_ds_hll",
            Function::CountTheta => "approx_count_distinct_ds_theta",
            Function::Quantile => "approx_quantile_ds",
            Function::Hll => "ds_hll",
            Function::Theta => "ds_theta",
            Function::Quantiles => "ds_quantiles_sketch",
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if !self.arguments().contains(&types.len()) {
            return Err(self.usage().into());
        }
        let parameters: &[DataType] = match self.function {
            Function::CountHll | Function::Hll => &[DataType::Int64, DataType::Utf8],
            Function::CountTheta | Function::Theta | Function::Quantiles => &[DataType::Int64],
            Function::Quantile => &[DataType::Float64, DataType::Int64],
        };
        let value = self.value_type(&types[0])?;
        Ok(std::iter::once(value).chain(parameters.iter().cloned()).take(types.len()).collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.function {
            Function::CountHll | Function::CountTheta => DataType::Int64,
            Function::Quantile => DataType::Float64,
            Function::Hll | Function::Theta | Function::Quantiles => DataType::Binary,
        })
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        Ok(match self.function {
            Function::Hll => field(self.name(), SketchKind::HLL, true),
            Function::Theta => field(self.name(), SketchKind::THETA, true),
            Function::Quantiles => field(self.name(), SketchKind::QUANTILES, true),
            _ => {
                let types: Vec<DataType> = arguments.iter().map(|argument| argument.data_type().clone()).collect();
                Arc::new(Field::new(self.name(), self.return_type(&types)?, true))
            }
        })
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct && self.ranks() {
            let name = self.name().to_uppercase();
            return Err(QueryError::unsupported(format!("{name} takes no DISTINCT: it ranks all values")).into());
        }
        let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
        let parameter = |expr: &Arc<dyn datafusion::physical_plan::PhysicalExpr>| match expr.evaluate(&nothing) {
            Ok(ColumnarValue::Scalar(value)) => Ok(value),
            _ => Err(QueryError::plan(format!("all but the first argument of {} must be constants", self.name()))),
        };
        let parameters = args.exprs[1..].iter().map(parameter).collect::<Result<Vec<_>, _>>()?;
        Ok(Box::new(SketchAccumulator::new(self.call(&parameters.iter().collect::<Vec<_>>())?)?))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format_state_name(args.name, "sketch"), DataType::Binary, true))])
    }

    /// Of no rows.
    fn default_value(&self, kind: &DataType) -> Result<ScalarValue> {
        match self.function {
            Function::CountHll | Function::CountTheta => Ok(ScalarValue::Int64(Some(0))),
            _ => ScalarValue::try_from(kind),
        }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}
