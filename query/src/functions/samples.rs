//! `INCREASE`, `RATE`, `DELTA` and `TIME_WEIGHTED_AVERAGE` of a series of samples: a value and the time of its row.
//!
//! A group should hold one series: group by what tells series apart, and add up outside. The samples of a group are kept
//! until its end, ordered by time; of several with the same time the greatest counts. Nulls do not count.

use std::cmp::Ordering;
use std::mem::size_of_val;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{
    DataType, Field, FieldRef, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::long_sum::fit;
use crate::error::QueryError;

const TIME: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

pub(super) fn functions() -> impl Iterator<Item = Arc<AggregateUDF>> {
    [Question::Increase, Question::Rate, Question::Delta, Question::TimeWeightedAverage].into_iter().map(|question| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::from(OfSamples { question, signature }))
    })
}

/// What is asked of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Question {
    /// How much a counter grew; where it falls it began again at zero.
    Increase,
    /// Its growth a second, from the first sample to the last.
    Rate,
    /// The last value less the first.
    Delta,
    /// Each value counts for the time until the next sample.
    TimeWeightedAverage,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OfSamples {
    question: Question,
    signature: Signature,
}

impl AggregateUDFImpl for OfSamples {
    fn name(&self) -> &str {
        match self.question {
            Question::Increase => "increase",
            Question::Rate => "rate",
            Question::Delta => "delta",
            Question::TimeWeightedAverage => "time_weighted_average",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [value, DataType::Timestamp(..) | DataType::Date32] if value.is_integer() || value.is_null() => {
                Ok(vec![DataType::Int64, TIME])
            }
            [value, DataType::Timestamp(..) | DataType::Date32] if value.is_numeric() => {
                Ok(vec![DataType::Float64, TIME])
            }
            _ => {
                let name = self.name().to_uppercase();
                Err(QueryError::plan(format!("{name} takes a number and a TIMESTAMP: {name}(requests, __time)")).into())
            }
        }
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match self.question {
            Question::Increase | Question::Delta => types[0].clone(),
            Question::Rate | Question::TimeWeightedAverage => DataType::Float64,
        })
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let is_long = *args.expr_fields[0].data_type() == DataType::Int64;
        Ok(Box::new(Samples { question: self.question, is_long, samples: Vec::new() }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = |name: &str, kind: DataType| {
            let item = Field::new_list_field(kind, true);
            Arc::new(Field::new_list(format_state_name(args.name, name), item, true))
        };
        Ok(vec![list("values", args.input_fields[0].data_type().clone()), list("times", DataType::Int64)])
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

#[derive(Debug)]
struct Samples {
    question: Question,
    is_long: bool,
    samples: Vec<(i64, Number)>,
}

/// Of one kind in a series.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Long(i64),
    Double(f64),
}

impl Number {
    fn double(self) -> f64 {
        match self {
            Self::Long(value) => value as f64,
            Self::Double(value) => value,
        }
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Long(left), Self::Long(right)) => left.cmp(&right),
            (left, right) => left.double().total_cmp(&right.double()),
        }
    }
}

/// The numbers of a column, null where it has none.
fn numbers(values: &ArrayRef) -> Box<dyn Iterator<Item = Option<Number>> + '_> {
    match values.data_type() {
        DataType::Int64 => Box::new(values.as_primitive::<Int64Type>().iter().map(|value| value.map(Number::Long))),
        _ => Box::new(values.as_primitive::<Float64Type>().iter().map(|value| value.map(Number::Double))),
    }
}

impl Samples {
    /// In the order of time, one for each time.
    fn series(&self) -> Vec<(i64, Number)> {
        let mut series = self.samples.clone();
        series.sort_by(|left, right| left.0.cmp(&right.0).then_with(|| right.1.compare(left.1)));
        series.dedup_by_key(|sample| sample.0);
        series
    }

    fn increase(series: &[(i64, Number)]) -> Result<ScalarValue, QueryError> {
        let pairs = || series.windows(2).map(|pair| (pair[0].1, pair[1].1));
        if let Some((_, Number::Long(_))) = series.first() {
            let grown = pairs().map(|pair| match pair {
                (Number::Long(before), Number::Long(after)) if after >= before => {
                    i128::from(after) - i128::from(before)
                }
                (_, Number::Long(after)) => after.into(),
                (_, Number::Double(_)) => 0,
            });
            return Ok(ScalarValue::Int64(Some(fit(grown.sum())?)));
        }
        let grown = pairs().map(|(before, after)| match (before.double(), after.double()) {
            (before, after) if after >= before => after - before,
            (_, after) => after,
        });
        Ok(ScalarValue::Float64(Some(grown.sum())))
    }

    fn delta(first: Number, last: Number) -> Result<ScalarValue, QueryError> {
        Ok(match (first, last) {
            (Number::Long(first), Number::Long(last)) => {
                ScalarValue::Int64(Some(fit(i128::from(last) - i128::from(first))?))
            }
            (first, last) => ScalarValue::Float64(Some(last.double() - first.double())),
        })
    }

    fn average(series: &[(i64, Number)]) -> f64 {
        let weighted = series.windows(2).map(|pair| pair[0].1.double() * (pair[1].0 - pair[0].0) as f64);
        weighted.sum::<f64>() / (series[series.len() - 1].0 - series[0].0) as f64
    }

    fn nothing(&self) -> ScalarValue {
        match (self.question, self.is_long) {
            (Question::Increase | Question::Delta, true) => ScalarValue::Int64(None),
            _ => ScalarValue::Float64(None),
        }
    }
}

impl Accumulator for Samples {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let times = columns[1].as_primitive::<TimestampMillisecondType>().iter();
        let samples = numbers(&columns[0]).zip(times).filter_map(|(number, time)| Some((time?, number?)));
        self.samples.extend(samples);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, times) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for (values, times) in values.iter().zip(times.iter()).filter_map(|(values, times)| Some((values?, times?))) {
            let times = times.as_primitive::<Int64Type>().iter();
            self.samples.extend(numbers(&values).zip(times).filter_map(|(number, time)| Some((time?, number?))));
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let value = |number: Number| match number {
            Number::Long(value) => ScalarValue::Int64(Some(value)),
            Number::Double(value) => ScalarValue::Float64(Some(value)),
        };
        let values: Vec<ScalarValue> = self.samples.iter().map(|sample| value(sample.1)).collect();
        let times: Vec<ScalarValue> = self.samples.iter().map(|sample| ScalarValue::Int64(Some(sample.0))).collect();
        let kind = if self.is_long { DataType::Int64 } else { DataType::Float64 };
        Ok(vec![
            ScalarValue::List(ScalarValue::new_list_nullable(&values, &kind)),
            ScalarValue::List(ScalarValue::new_list_nullable(&times, &DataType::Int64)),
        ])
    }

    /// Null where there are too few samples to tell: fewer than two, or none for an average.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let series = self.series();
        let (first, last) = match series.as_slice() {
            [first, .., last] => (*first, *last),
            [(_, only)] if self.question == Question::TimeWeightedAverage => {
                return Ok(ScalarValue::Float64(Some(only.double())));
            }
            _ => return Ok(self.nothing()),
        };
        let seconds = (last.0 - first.0) as f64 / 1_000.0;
        Ok(match self.question {
            Question::Increase => Self::increase(&series)?,
            Question::Delta => Self::delta(first.1, last.1)?,
            Question::TimeWeightedAverage => ScalarValue::Float64(Some(Self::average(&series))),
            Question::Rate => match Self::increase(&series)? {
                ScalarValue::Int64(Some(grown)) => ScalarValue::Float64(Some(grown as f64 / seconds)),
                ScalarValue::Float64(Some(grown)) => ScalarValue::Float64(Some(grown / seconds)),
                _ => self.nothing(),
            },
        })
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.samples.capacity() * size_of::<(i64, Number)>()
    }
}
