//! What sketches say: `HLL_SKETCH_ESTIMATE(s[, round])`, `THETA_SKETCH_ESTIMATE(s)`, `HLL_SKETCH_UNION(s, s..)`,
//! `THETA_SKETCH_UNION`, `_INTERSECT` and `_NOT`, `DS_GET_QUANTILE(s, rank)`, `DS_GET_QUANTILES(s, rank, rank..)`,
//! `DS_RANK(s, value)`, `DS_CDF(s, value, value..)` and `DS_HISTOGRAM(s, value, value..)`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, Float64Builder, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use henge_segment_store::sketch::{Quantiles, Sketch, SketchError, SketchKind, Theta};

use super::field;
use crate::error::QueryError;

pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    let function = |function| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::from(SketchFunction { function, signature }))
    };
    Function::ALL.into_iter().map(function).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    HllEstimate,
    HllUnion,
    ThetaEstimate,
    ThetaUnion,
    ThetaIntersect,
    ThetaNot,
    Quantile,
    Quantiles,
    Rank,
    Cdf,
    Histogram,
}

impl Function {
    const ALL: [Self; 11] = [
        Self::HllEstimate,
        Self::HllUnion,
        Self::ThetaEstimate,
        Self::ThetaUnion,
        Self::ThetaIntersect,
        Self::ThetaNot,
        Self::Quantile,
        Self::Quantiles,
        Self::Rank,
        Self::Cdf,
        Self::Histogram,
    ];

    /// Of these the arguments after the first are numbers, of the others sketches.
    fn takes_numbers(self) -> bool {
        matches!(self, Self::Quantile | Self::Quantiles | Self::Rank | Self::Cdf | Self::Histogram)
    }

    fn takes(self, arguments: usize) -> bool {
        match self {
            Self::HllEstimate => arguments == 1 || arguments == 2,
            Self::ThetaEstimate => arguments == 1,
            Self::Quantile | Self::Rank => arguments == 2,
            _ => arguments > 1,
        }
    }

    fn usage(self) -> &'static str {
        match self {
            Self::HllEstimate => "HLL_SKETCH_ESTIMATE takes a sketch: HLL_SKETCH_ESTIMATE(DS_HLL(user_id)[, TRUE])",
            Self::HllUnion => "HLL_SKETCH_UNION takes HLL sketches",
            Self::ThetaEstimate => "THETA_SKETCH_ESTIMATE takes a sketch: THETA_SKETCH_ESTIMATE(DS_THETA(user_id))",
            Self::ThetaUnion => "THETA_SKETCH_UNION takes theta sketches",
            Self::ThetaIntersect => "THETA_SKETCH_INTERSECT takes theta sketches",
            Self::ThetaNot => "THETA_SKETCH_NOT takes theta sketches: the first without the others",
            Self::Quantile => "DS_GET_QUANTILE takes a sketch and a rank: DS_GET_QUANTILE(s, 0.99)",
            Self::Quantiles => "DS_GET_QUANTILES takes a sketch and ranks: DS_GET_QUANTILES(s, 0.5, 0.99)",
            Self::Rank => "DS_RANK takes a sketch and a value: DS_RANK(s, 250.0)",
            Self::Cdf => "DS_CDF takes a sketch and ascending values: DS_CDF(s, 10.0, 100.0)",
            Self::Histogram => "DS_HISTOGRAM takes a sketch and ascending values: DS_HISTOGRAM(s, 10.0, 100.0)",
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SketchFunction {
    function: Function,
    signature: Signature,
}

impl ScalarUDFImpl for SketchFunction {
    fn name(&self) -> &str {
        match self.function {
            Function::HllEstimate => "hll_sketch_estimate",
            Function::HllUnion => "hll_sketch_union",
            Function::ThetaEstimate => "theta_sketch_estimate",
            Function::ThetaUnion => "theta_sketch_union",
            Function::ThetaIntersect => "theta_sketch_intersect",
            Function::ThetaNot => "theta_sketch_not",
            Function::Quantile => "ds_get_quantile",
            Function::Quantiles => "ds_get_quantiles",
            Function::Rank => "ds_rank",
            Function::Cdf => "ds_cdf",
            Function::Histogram => "ds_histogram",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let rest = match self.function {
            Function::HllEstimate => DataType::Boolean,
            function if function.takes_numbers() => DataType::Float64,
            _ => DataType::Binary,
        };
        let is_sketch = |kind: &DataType| {
            matches!(kind, DataType::Binary | DataType::BinaryView | DataType::LargeBinary | DataType::Null)
        };
        let sketches = if rest == DataType::Binary { types.len() } else { 1 };
        let is_flag = |kind: &DataType| rest != DataType::Boolean || kind.is_null() || *kind == rest;
        let fits = types.iter().take(sketches).all(is_sketch) && types.iter().skip(sketches).all(is_flag);
        if !self.function.takes(types.len()) || !fits {
            return Err(QueryError::plan(self.function.usage()).into());
        }
        Ok(std::iter::once(DataType::Binary).chain(std::iter::repeat_n(rest, types.len() - 1)).collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.function {
            Function::HllEstimate | Function::ThetaEstimate | Function::Quantile | Function::Rank => DataType::Float64,
            Function::HllUnion | Function::ThetaUnion | Function::ThetaIntersect | Function::ThetaNot => {
                DataType::Binary
            }
            Function::Quantiles | Function::Cdf | Function::Histogram => DataType::Utf8View,
        })
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(match self.function {
            Function::HllUnion => field(self.name(), SketchKind::HLL, true),
            Function::ThetaUnion | Function::ThetaIntersect | Function::ThetaNot => {
                field(self.name(), SketchKind::THETA, true)
            }
            _ => Arc::new(Field::new(self.name(), self.return_type(&[])?, true)),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_scalar { 1 } else { args.number_rows };
        let columns = args.args.iter().map(|argument| argument.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let result: ArrayRef = match self.function {
            Function::HllEstimate | Function::ThetaEstimate | Function::Quantile | Function::Rank => {
                let mut numbers = Float64Builder::with_capacity(rows);
                for row in 0..rows {
                    numbers.append_option(self.number(&columns, row)?);
                }
                Arc::new(numbers.finish())
            }
            Function::Quantiles | Function::Cdf | Function::Histogram => {
                let mut texts = StringViewBuilder::with_capacity(rows);
                for row in 0..rows {
                    texts.append_option(self.numbers(&columns, row)?.map(|numbers| array_text(&numbers)));
                }
                Arc::new(texts.finish())
            }
            Function::HllUnion | Function::ThetaUnion | Function::ThetaIntersect | Function::ThetaNot => {
                let mut sketches = BinaryBuilder::with_capacity(rows, 0);
                for row in 0..rows {
                    sketches.append_option(self.combined(&columns, row)?.map(|sketch| sketch.to_bytes()));
                }
                Arc::new(sketches.finish())
            }
        };
        if is_scalar {
            return Ok(ColumnarValue::Scalar(datafusion::common::ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }
}

impl SketchFunction {
    /// Null where the sketch is null, or says nothing.
    fn number(&self, columns: &[ArrayRef], row: usize) -> Result<Option<f64>, QueryError> {
        let Some(sketch) = sketch_at(&columns[0], row)? else { return Ok(None) };
        Ok(match (self.function, sketch) {
            (Function::HllEstimate, Sketch::Hll(hll)) => {
                let is_rounded =
                    columns.get(1).is_some_and(|flags| flags.is_valid(row) && flags.as_boolean().value(row));
                Some(if is_rounded { hll.estimate().round() } else { hll.estimate() })
            }
            (Function::ThetaEstimate, Sketch::Theta(theta)) => Some(theta.estimate()),
            (Function::Quantile, Sketch::Quantiles(quantiles)) => match number_at(&columns[1], row) {
                Some(rank) => quantile(&quantiles, rank)?,
                None => None,
            },
            (Function::Rank, Sketch::Quantiles(quantiles)) => {
                number_at(&columns[1], row).and_then(|value| quantiles.rank(value))
            }
            (_, other) => return Err(self.refused(&other)),
        })
    }

    /// Null where the sketch is.
    fn numbers(&self, columns: &[ArrayRef], row: usize) -> Result<Option<Vec<Option<f64>>>, QueryError> {
        let Some(sketch) = sketch_at(&columns[0], row)? else { return Ok(None) };
        let Sketch::Quantiles(quantiles) = sketch else { return Err(self.refused(&sketch)) };
        let given: Vec<Option<f64>> = columns[1..].iter().map(|column| number_at(column, row)).collect();
        if self.function == Function::Quantiles {
            let found = given.into_iter().map(|rank| rank.map_or(Ok(None), |rank| quantile(&quantiles, rank)));
            return found.collect::<Result<_, _>>().map(Some);
        }
        let Some(fractions) = fractions(&quantiles, &given)? else { return Ok(None) };
        if self.function == Function::Cdf {
            return Ok(Some(fractions.into_iter().map(Some).collect()));
        }
        let counts = fractions.iter().map(|fraction| fraction * quantiles.count() as f64);
        let mut before = 0.0;
        let counts = counts.map(|count| {
            let between = count - before;
            before = count;
            Some(between)
        });
        Ok(Some(counts.collect()))
    }

    /// Null sketches are left out; null where all are, and for the difference where the first is.
    fn combined(&self, columns: &[ArrayRef], row: usize) -> Result<Option<Sketch>, QueryError> {
        let mut whole: Option<Sketch> = None;
        for (place, column) in columns.iter().enumerate() {
            let Some(sketch) = sketch_at(column, row)? else {
                match (self.function, place) {
                    (Function::ThetaNot, 0) => return Ok(None),
                    _ => continue,
                }
            };
            whole = Some(match (whole, sketch, self.function) {
                (None, sketch @ Sketch::Hll(_), Function::HllUnion) => sketch,
                (None, sketch @ Sketch::Theta(_), function) if function != Function::HllUnion => sketch,
                (Some(Sketch::Theta(left)), Sketch::Theta(right), Function::ThetaIntersect) => {
                    Sketch::Theta(left.intersect(&right))
                }
                (Some(Sketch::Theta(left)), Sketch::Theta(right), Function::ThetaNot) => {
                    Sketch::Theta(left.without(&right))
                }
                (Some(mut union), sketch, Function::HllUnion | Function::ThetaUnion) => {
                    union.merge(&sketch)?;
                    union
                }
                (_, other, _) => return Err(self.refused(&other)),
            });
        }
        Ok(match (whole, self.function) {
            // The size of a theta sketch does not stand in its bytes.
            (Some(Sketch::Theta(union)), Function::ThetaUnion) => Some(Sketch::Theta(limited(union))),
            (whole, _) => whole,
        })
    }

    fn refused(&self, sketch: &Sketch) -> QueryError {
        let wanted = match self.function {
            Function::HllEstimate | Function::HllUnion => "HLL",
            Function::ThetaEstimate | Function::ThetaUnion | Function::ThetaIntersect | Function::ThetaNot => "theta",
            Function::Quantile | Function::Quantiles | Function::Rank | Function::Cdf | Function::Histogram => {
                "quantiles"
            }
        };
        SketchError::OtherKind { wanted, found: sketch.family() }.into()
    }
}

/// As large as a union is in Druid where nothing is said.
fn limited(union: Theta) -> Theta {
    match SketchKind::THETA {
        SketchKind::Theta { lg_k } => union.limited(lg_k),
        _ => union,
    }
}

/// Druid's text of an array of numbers.
fn array_text(numbers: &[Option<f64>]) -> String {
    let text = |number: &Option<f64>| number.map_or_else(|| "null".to_owned(), |number| format!("{number:?}"));
    format!("[{}]", numbers.iter().map(text).collect::<Vec<_>>().join(", "))
}

/// For each split the fraction of values up to it, and all of them at the end; `None` of no values.
fn fractions(quantiles: &Quantiles, splits: &[Option<f64>]) -> Result<Option<Vec<f64>>, QueryError> {
    let splits = splits.iter().copied().collect::<Option<Vec<f64>>>();
    let splits = splits.filter(|splits| splits.windows(2).all(|pair| pair[0] < pair[1]));
    let splits = splits.ok_or_else(|| QueryError::plan("the values that split a sketch must ascend"))?;
    let fractions: Option<Vec<f64>> = splits.into_iter().map(|split| quantiles.rank(split)).collect();
    Ok(fractions.filter(|_| quantiles.count() > 0).map(|mut fractions| {
        fractions.push(1.0);
        fractions
    }))
}

fn quantile(quantiles: &Quantiles, rank: f64) -> Result<Option<f64>, QueryError> {
    if !(0.0..=1.0).contains(&rank) {
        return Err(QueryError::plan(format!("a rank must lie between 0 and 1, not be {rank}")));
    }
    Ok(quantiles.quantile(rank))
}

fn sketch_at(column: &ArrayRef, row: usize) -> Result<Option<Sketch>, QueryError> {
    let column = column.as_binary::<i32>();
    Ok(if column.is_valid(row) { Some(Sketch::read(column.value(row))?) } else { None })
}

fn number_at(column: &ArrayRef, row: usize) -> Option<f64> {
    let column = column.as_primitive::<Float64Type>();
    column.is_valid(row).then(|| column.value(row))
}
