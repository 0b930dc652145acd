//! `MILLIS_TO_TIMESTAMP` and `TIMESTAMP_TO_MILLIS`: the same 64 bits under the other type.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, cast,
};

const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    let to_timestamp = Millis::new("millis_to_timestamp", DataType::Int64, TIMESTAMP);
    let to_millis = Millis::new("timestamp_to_millis", TIMESTAMP, DataType::Int64);
    vec![Arc::new(to_timestamp.into()), Arc::new(to_millis.into())]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Millis {
    name: &'static str,
    signature: Signature,
    result: DataType,
}

impl Millis {
    fn new(name: &'static str, argument: DataType, result: DataType) -> Self {
        Self { name, signature: Signature::exact(vec![argument], Volatility::Immutable), result }
    }
}

impl ScalarUDFImpl for Millis {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.result.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        args.args[0].cast_to(&self.result, None)
    }

    /// As a cast, comparisons with `__time` can be turned around and pushed down.
    fn simplify(&self, mut args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(ExprSimplifyResult::Simplified(cast(args.remove(0), self.result.clone())))
    }
}
