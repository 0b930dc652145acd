//! `TIME_FLOOR` and `TIME_CEIL`: the bucket of an instant, in a zone, from an origin.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::interval_arithmetic::Interval as ValueInterval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use henge_segment_store::time::{Granularity, Interval, TimestampMs, time_zone};
use jiff::tz::TimeZone;

use crate::error::QueryError;

const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let function = |edge| Arc::new(ScalarUDF::from(TimeBucket { edge, signature: signature() }));
    vec![function(Edge::Start), function(Edge::End)]
}

/// The time and the buckets of `TIME_FLOOR(time, ..)`; `None` of any other call, and where its constants are none or wrong.
pub(crate) fn time_floor(call: &ScalarFunction) -> Option<(&Expr, Granularity)> {
    let function = call.func.inner().downcast_ref::<TimeBucket>().filter(|function| function.edge == Edge::Start)?;
    let (time, constants) = call.args.split_first()?;
    let constants: Option<Vec<&ScalarValue>> = constants.iter().map(Expr::as_literal).collect();
    Some((time, function.granularity(&constants?).ok()?))
}

fn signature() -> Signature {
    Signature::user_defined(Volatility::Immutable)
}

/// Which end of its bucket an instant becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Edge {
    Start,
    /// An instant that starts a bucket stays where it is.
    End,
}

/// `(time, period[, origin[, zone]])`; all but the time are constants.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TimeBucket {
    edge: Edge,
    signature: Signature,
}

impl ScalarUDFImpl for TimeBucket {
    fn name(&self) -> &str {
        match self.edge {
            Edge::Start => "time_floor",
            Edge::End => "time_ceil",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        if !(2..=4).contains(&types.len()) {
            return Err(self.usage().into());
        }
        Ok([TIMESTAMP, DataType::Utf8, TIMESTAMP, DataType::Utf8][..types.len()].to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(TIMESTAMP)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constants: Vec<&ScalarValue> = args.args[1..]
            .iter()
            .map(|argument| match argument {
                ColumnarValue::Scalar(value) => Ok(value),
                ColumnarValue::Array(_) => Err(self.usage()),
            })
            .collect::<Result<_, _>>()?;
        let granularity = self.granularity(&constants)?;
        match &args.args[0] {
            ColumnarValue::Scalar(ScalarValue::TimestampMillisecond(time, None)) => {
                let moved = time.map(|time| self.buckets(&granularity).edge_of(TimestampMs(time))).transpose()?;
                Ok(ColumnarValue::Scalar(ScalarValue::TimestampMillisecond(moved.map(|time| time.0), None)))
            }
            ColumnarValue::Scalar(other) => Ok(ColumnarValue::Scalar(other.cast_to(&TIMESTAMP)?)),
            ColumnarValue::Array(times) => {
                let times = times.as_primitive::<TimestampMillisecondType>();
                let mut buckets = self.buckets(&granularity);
                let moved = times.iter().map(|time| match time {
                    Some(time) => buckets.edge_of(TimestampMs(time)).map(|edge| Some(edge.0)),
                    None => Ok(None),
                });
                let moved = moved.collect::<Result<PrimitiveArray<TimestampMillisecondType>, _>>()?;
                Ok(ColumnarValue::Array(Arc::new(moved)))
            }
        }
    }

    /// `TIME_FLOOR(t, p) = start` is `start <= t AND t < next start`, which can prune segments.
    fn preimage(&self, args: &[Expr], literal: &Expr, _: &SimplifyContext) -> Result<PreimageResult> {
        let constants: Option<Vec<&ScalarValue>> = args[1..].iter().map(|argument| argument.as_literal()).collect();
        let (Edge::Start, Some(constants)) = (self.edge, constants) else { return Ok(PreimageResult::None) };
        let Some(ScalarValue::TimestampMillisecond(Some(start), None)) = literal.as_literal() else {
            return Ok(PreimageResult::None);
        };
        let start = TimestampMs(*start);
        let granularity = self.granularity(&constants)?;
        if !start.is_storable() || granularity.floor(start) != start {
            return Ok(PreimageResult::None);
        }
        let next = granularity.next(start);
        let value = |time: TimestampMs| ScalarValue::TimestampMillisecond(Some(time.0), None);
        let interval = Box::new(ValueInterval::try_new(value(start), value(next))?);
        Ok(PreimageResult::Range { expr: args[0].clone(), interval })
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        Ok(inputs[0].sort_properties)
    }
}

impl TimeBucket {
    fn usage(&self) -> QueryError {
        let name = self.name().to_uppercase();
        QueryError::plan(format!(
            "{name} takes a time and a constant ISO-8601 period, then optionally an origin and a zone: {name}(__time, 'PT1H')"
        ))
    }

    /// From period, origin and zone, as far as they are given; null stands for the default.
    fn granularity(&self, constants: &[&ScalarValue]) -> Result<Granularity> {
        let period = constants.first().and_then(|period| period.try_as_str()).flatten().ok_or_else(|| self.usage())?;
        let origin = match constants.get(1) {
            Some(ScalarValue::TimestampMillisecond(origin, _)) => origin.map(TimestampMs),
            _ => None,
        };
        if origin.is_some_and(|origin| !origin.is_storable()) {
            return Err(QueryError::plan("the origin lies outside the years 1 to 9999").into());
        }
        let zone = match constants.get(2).and_then(|zone| zone.try_as_str().flatten()) {
            Some(name) => time_zone(name).map_err(|error| QueryError::plan(error.to_string()))?,
            None => TimeZone::UTC,
        };
        let granularity = Granularity::period(period, origin, zone);
        Ok(granularity.map_err(|error| QueryError::plan(error.to_string()))?)
    }

    fn buckets<'a>(&self, granularity: &'a Granularity) -> Buckets<'a> {
        Buckets { granularity, edge: self.edge, last: None }
    }
}

fn outside() -> QueryError {
    QueryError::plan("a time lies outside the years 1 to 9999")
}

/// Neighbouring rows mostly share a bucket, so the last one is asked first.
struct Buckets<'a> {
    granularity: &'a Granularity,
    edge: Edge,
    last: Option<Interval>,
}

impl Buckets<'_> {
    fn edge_of(&mut self, time: TimestampMs) -> Result<TimestampMs, QueryError> {
        let bucket = match self.last {
            Some(bucket) if bucket.contains(time) => bucket,
            _ if time.is_storable() => self.granularity.bucket(time),
            _ => return Err(outside()),
        };
        self.last = Some(bucket);
        let edge = match self.edge {
            Edge::Start => bucket.start(),
            Edge::End if time == bucket.start() => time,
            Edge::End if bucket.contains(time) => bucket.end(),
            // Clocks were set back across the bucket's edge.
            Edge::End => self.granularity.ceil(time),
        };
        if edge.is_storable() { Ok(edge) } else { Err(outside()) }
    }
}
