use std::mem::size_of_val;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMillisecondType};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;
use henge_segment_store::sketch::{HashedValue, HllHash, Quantiles, Sketch, ThetaHasher};

use super::{SketchCall, SketchResult, empty};
use crate::error::QueryError;

/// A sketch of a group, for DataFusion's aggregations.
#[derive(Debug)]
pub(super) struct SketchAccumulator {
    call: SketchCall,
    sketch: Sketch,
    hasher: ThetaHasher,
}

impl SketchAccumulator {
    pub fn new(call: SketchCall) -> Result<Self, QueryError> {
        Ok(Self { call, sketch: empty(call.kind)?, hasher: ThetaHasher::default() })
    }

    fn add(&mut self, value: HashedValue<'_>) {
        match &mut self.sketch {
            Sketch::Hll(hll) => hll.add(HllHash::of(value)),
            Sketch::Theta(theta) => {
                if let Some(hash) = self.hasher.hash(value) {
                    theta.add(hash);
                }
            }
            Sketch::Quantiles(_) => unreachable!("quantiles are of doubles"),
        }
    }
}

impl Accumulator for SketchAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = &values[0];
        if *values.data_type() == DataType::Binary {
            return self.merge_batch(std::slice::from_ref(values));
        }
        if let Sketch::Quantiles(quantiles) = &mut self.sketch {
            values.as_primitive::<Float64Type>().iter().flatten().for_each(|value| quantiles.add(value));
            return Ok(());
        }
        let rows = (0..values.len()).filter(|row| values.is_valid(*row));
        match values.data_type() {
            DataType::Utf8View => {
                let texts = values.as_string_view();
                rows.for_each(|row| self.add(HashedValue::Text(texts.value(row).as_bytes())));
            }
            DataType::Int64 => {
                let longs = values.as_primitive::<Int64Type>();
                rows.for_each(|row| self.add(HashedValue::Long(longs.value(row))));
            }
            DataType::Timestamp(..) => {
                let times = values.as_primitive::<TimestampMillisecondType>();
                rows.for_each(|row| self.add(HashedValue::Long(times.value(row))));
            }
            DataType::Float64 => {
                let doubles = values.as_primitive::<Float64Type>();
                rows.for_each(|row| self.add(HashedValue::Double(doubles.value(row))));
            }
            DataType::Boolean => {
                let flags = values.as_boolean();
                rows.for_each(|row| self.add(HashedValue::Long(flags.value(row).into())));
            }
            other => return Err(QueryError::internal(format!("{other} was not coerced for a sketch")).into()),
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for bytes in states[0].as_binary::<i32>().iter().flatten() {
            let sketch = Sketch::read(bytes).map_err(QueryError::from)?;
            self.sketch.merge(&sketch).map_err(QueryError::from)?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.sketch.to_bytes()))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let rank = |quantiles: &Quantiles| match self.call.result {
            SketchResult::Quantile(rank) => quantiles.quantile(rank.get()),
            _ => None,
        };
        Ok(match (&self.sketch, self.call.result) {
            (sketch, SketchResult::Bytes) => ScalarValue::Binary(Some(sketch.to_bytes())),
            (Sketch::Hll(hll), _) => ScalarValue::Int64(Some(hll.estimate().round() as i64)),
            (Sketch::Theta(theta), _) => ScalarValue::Int64(Some(theta.estimate().round() as i64)),
            (Sketch::Quantiles(quantiles), _) => ScalarValue::Float64(rank(quantiles)),
        })
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sketch.bytes()
    }
}
