//! What a call of a sketch aggregate asks for, once its parameters are known.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::AggregateFunction;
use henge_segment_store::sketch::SketchKind;

use super::aggregate::SketchAggregate;
use crate::error::QueryError;

/// A sketch, and what is to be known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SketchCall {
    pub kind: SketchKind,
    pub result: SketchResult,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SketchResult {
    /// How many values are different, as a whole number.
    Count,
    Quantile(Rank),
    /// The sketch itself.
    Bytes,
}

/// A fraction from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Rank(u64);

impl Rank {
    pub fn new(rank: f64) -> Option<Self> {
        (0.0..=1.0).contains(&rank).then(|| Self((rank + 0.0).to_bits()))
    }

    pub fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl SketchCall {
    /// `None` of a call of any other function, and where its parameters are no constants or wrong.
    pub fn of(call: &AggregateFunction) -> Option<Self> {
        let function = call.func.inner().downcast_ref::<SketchAggregate>()?;
        let parameters = call.params.args.get(1..)?.iter().map(Expr::as_literal).collect::<Option<Vec<_>>>()?;
        function.call(&parameters).ok()
    }

    pub fn data_type(&self) -> DataType {
        match self.result {
            SketchResult::Count => DataType::Int64,
            SketchResult::Quantile(_) => DataType::Float64,
            SketchResult::Bytes => DataType::Binary,
        }
    }

    /// In the words of SQL.
    pub fn shown(&self, column: &str) -> String {
        match (self.kind, self.result) {
            (SketchKind::Hll { lg_k }, SketchResult::Bytes) => format!("DS_HLL({column}, {lg_k})"),
            (SketchKind::Hll { lg_k }, _) => format!("APPROX_COUNT_DISTINCT_DS_HLL({column}, {lg_k})"),
            (SketchKind::Theta { lg_k }, SketchResult::Bytes) => format!("DS_THETA({column}, {})", 1 << lg_k),
            (SketchKind::Theta { lg_k }, _) => format!("APPROX_COUNT_DISTINCT_DS_THETA({column}, {})", 1 << lg_k),
            (SketchKind::Quantiles { k }, SketchResult::Quantile(rank)) => {
                format!("APPROX_QUANTILE_DS({column}, {}, {k})", rank.get())
            }
            (SketchKind::Quantiles { k }, _) => format!("DS_QUANTILES_SKETCH({column}, {k})"),
        }
    }
}

/// A whole number among a call's parameters.
pub(super) fn whole(name: &str, what: &str, value: &ScalarValue) -> Result<i64, QueryError> {
    match value.cast_to(&DataType::Int64) {
        Ok(ScalarValue::Int64(Some(whole))) => Ok(whole),
        _ => Err(QueryError::plan(format!("{what} of {name} must be a whole number, not {value}"))),
    }
}

/// A fraction among them.
pub(super) fn rank(name: &str, value: &ScalarValue) -> Result<Rank, QueryError> {
    match value.cast_to(&DataType::Float64) {
        Ok(ScalarValue::Float64(Some(rank))) => Rank::new(rank),
        _ => None,
    }
    .ok_or_else(|| QueryError::plan(format!("the rank of {name} must lie between 0 and 1, not be {value}")))
}
