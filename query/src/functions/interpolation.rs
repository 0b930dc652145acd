//! `INTERPOLATE(value, time) OVER (ORDER BY time)`: the value, and where it is null what lies on the line between the
//! nearest values before and after it. What has none on one side stays null.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, TimeUnit, TimestampMillisecondType};
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl};

use crate::error::QueryError;

const TIME: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

pub(super) fn function() -> Arc<WindowUDF> {
    Arc::new(WindowUDF::from(Interpolation { signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Interpolation {
    signature: Signature,
}

impl WindowUDFImpl for Interpolation {
    fn name(&self) -> &str {
        "interpolate"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [value, DataType::Timestamp(..) | DataType::Date32] if value.is_numeric() || value.is_null() => {
                Ok(vec![DataType::Float64, TIME])
            }
            _ => {
                Err(QueryError::plan("INTERPOLATE takes a number and a TIMESTAMP: INTERPOLATE(x, t) OVER (ORDER BY t)")
                    .into())
            }
        }
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Lines))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Float64, true)))
    }
}

#[derive(Debug)]
struct Lines;

impl PartitionEvaluator for Lines {
    fn evaluate_all(&mut self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let values = columns[0].as_primitive::<Float64Type>();
        let times = columns[1].as_primitive::<TimestampMillisecondType>();
        let point =
            |row: usize| (values.is_valid(row) && times.is_valid(row)).then(|| (times.value(row), values.value(row)));
        let mut filled: Vec<Option<f64>> =
            (0..rows).map(|row| values.is_valid(row).then(|| values.value(row))).collect();
        let mut last: Option<(usize, (i64, f64))> = None;
        for row in 0..rows {
            let Some(end) = point(row) else { continue };
            if let Some((start_row, start)) = last {
                let between = start_row + 1..row;
                for (value, at) in filled[between.clone()].iter_mut().zip(between) {
                    if value.is_none() && times.is_valid(at) {
                        *value = Some(on_line(start, end, times.value(at)));
                    }
                }
            }
            last = Some((row, end));
        }
        Ok(Arc::new(Float64Array::from(filled)))
    }
}

fn on_line(start: (i64, f64), end: (i64, f64), time: i64) -> f64 {
    if start.0 == end.0 {
        return start.1;
    }
    start.1 + (end.1 - start.1) * (time - start.0) as f64 / (end.0 - start.0) as f64
}
