//! `CAST(time AS VARCHAR)` and `CAST(time AS DATE)` as the clocks of a zone have it: `2026-01-01 00:00:00`, with
//! milliseconds where there are any. The dialect writes them as calls before types are known, so other values are cast as
//! ever.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Date32Array, StringViewBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, TimeUnit, TimestampMillisecondType};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use henge_segment_store::time::{TimePattern, TimestampMs, time_zone};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::error::QueryError;

const MILLIS: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);
const DAY_MS: i64 = 86_400_000;

pub(super) fn functions() -> [Arc<ScalarUDF>; 2] {
    [TO_TEXT.clone(), Arc::new(ScalarUDF::from(ZonedCast::to(Target::Date)))]
}

static TO_TEXT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(ScalarUDF::from(ZonedCast::to(Target::Text))));

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Text,
    Date,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ZonedCast {
    target: Target,
    signature: Signature,
}

impl ZonedCast {
    fn to(target: Target) -> Self {
        Self { target, signature: Signature::any(2, Volatility::Immutable) }
    }

    fn arrow(&self) -> DataType {
        match self.target {
            Target::Text => DataType::Utf8View,
            Target::Date => DataType::Date32,
        }
    }

    fn cast_times(&self, times: &ArrayRef, zone: &TimeZone) -> Result<ArrayRef> {
        let times = cast(times, &MILLIS)?;
        let times = times.as_primitive::<TimestampMillisecondType>();
        Ok(match self.target {
            Target::Date => {
                let days = times.iter().map(|time| time.map(|time| day(time, zone)).transpose());
                Arc::new(days.collect::<Result<Date32Array, QueryError>>()?)
            }
            Target::Text => {
                let [whole, with_millis] = ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm:ss.SSS"]
                    .map(|pattern| TimePattern::parse(pattern).expect("it is a pattern"));
                let mut texts = StringViewBuilder::with_capacity(times.len());
                let mut text = String::new();
                for time in times.iter() {
                    let Some(time) = time else {
                        texts.append_null();
                        continue;
                    };
                    text.clear();
                    let pattern = if time.rem_euclid(1_000) == 0 { &whole } else { &with_millis };
                    pattern.write(TimestampMs(time), zone, &mut text).ok_or_else(outside)?;
                    texts.append_value(&text);
                }
                Arc::new(texts.finish())
            }
        })
    }
}

fn outside() -> QueryError {
    QueryError::plan("a time lies outside the years 1 to 9999")
}

fn day(time: i64, zone: &TimeZone) -> Result<i32, QueryError> {
    let instant = Timestamp::from_millisecond(time).map_err(|_| outside())?;
    let local = time + i64::from(zone.to_offset(instant).seconds()) * 1_000;
    i32::try_from(local.div_euclid(DAY_MS)).map_err(|_| outside())
}

impl ScalarUDFImpl for ZonedCast {
    fn name(&self) -> &str {
        match self.target {
            Target::Text => "text_in_zone",
            Target::Date => "date_in_zone",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, zone] = args.args.as_slice() else { return Err(QueryError::internal("a cast has a zone").into()) };
        if !matches!(value.data_type(), DataType::Timestamp(..)) {
            return value.cast_to(&self.arrow(), None);
        }
        let zone = match zone {
            ColumnarValue::Scalar(zone) => zone.try_as_str().flatten().unwrap_or("UTC").to_owned(),
            ColumnarValue::Array(_) => return Err(QueryError::plan("the zone of a cast is a literal").into()),
        };
        let zone = time_zone(&zone).map_err(|error| QueryError::plan(error.to_string()))?;
        Ok(ColumnarValue::Array(self.cast_times(&value.to_array(args.number_rows)?, &zone)?))
    }

    /// Of other values it is a cast, which predicates know.
    fn simplify(&self, mut args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if args.len() != 2 || matches!(info.get_data_type(&args[0])?, DataType::Timestamp(..)) {
            return Ok(ExprSimplifyResult::Original(args));
        }
        let value = Box::new(args.swap_remove(0));
        let field = Arc::new(Field::new("", self.arrow(), true));
        Ok(ExprSimplifyResult::Simplified(Expr::Cast(Cast { expr: value, field })))
    }
}

/// Writes times in UTC as Druid does, where DataFusion would put a `T` between date and time.
#[derive(Debug)]
pub(super) struct CastsOfTimes;

impl FunctionRewrite for CastsOfTimes {
    fn name(&self) -> &str {
        "casts_of_times"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        let Expr::Cast(cast) = expr else { return Ok(Transformed::no(expr)) };
        let is_time = || cast.expr.get_type(schema).is_ok_and(|kind| matches!(kind, DataType::Timestamp(..)));
        if !cast.field.data_type().is_string() || !is_time() {
            return Ok(Transformed::no(Expr::Cast(cast)));
        }
        let call = ScalarFunction::new_udf(Arc::clone(&TO_TEXT), vec![*cast.expr, lit("UTC")]);
        Ok(Transformed::yes(Expr::ScalarFunction(call)))
    }
}
