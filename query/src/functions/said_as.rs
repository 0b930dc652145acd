//! `said_as(x, 'DOUBLE')` is `x` under a name of its own: how the dialect tells expressions apart.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::dialect::SAID_AS;
use crate::error::QueryError;

pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(SaidAs { signature: Signature::any(2, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SaidAs {
    signature: Signature,
}

fn of_nothing() -> QueryError {
    QueryError::internal("whatever is said has a first argument")
}

impl ScalarUDFImpl for SaidAs {
    fn name(&self) -> &str {
        SAID_AS
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().ok_or_else(|| of_nothing().into())
    }

    /// What is known of the column stays known.
    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        args.arg_fields.first().cloned().ok_or_else(|| of_nothing().into())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        args.args.into_iter().next().ok_or_else(|| of_nothing().into())
    }

    fn simplify(&self, mut args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(ExprSimplifyResult::Simplified(args.swap_remove(0)))
    }
}
