//! What `LATEST(text, 10)` and its like keep of a text: so many bytes, as far as they are whole characters. Other values
//! are kept as they are.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::QueryError;

pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(FirstBytes { signature: Signature::any(2, Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FirstBytes {
    signature: Signature,
}

impl ScalarUDFImpl for FirstBytes {
    fn name(&self) -> &str {
        "first_bytes"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let value = types.first().cloned().unwrap_or(DataType::Null);
        Ok(if value.is_string() { DataType::Utf8View } else { value })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value, ColumnarValue::Scalar(ScalarValue::Int64(Some(bytes)))] = args.args.as_slice() else {
            return Err(QueryError::plan("the most bytes of a text are a literal number").into());
        };
        let bytes = usize::try_from(*bytes).map_err(|_| QueryError::plan("a text has no less than 0 bytes"))?;
        if !value.data_type().is_string() {
            return Ok(value.clone());
        }
        let texts: ArrayRef = cast(&value.to_array(args.number_rows)?, &DataType::Utf8View)?;
        let first = |text: Option<&str>| text.map(|text| text[..text.floor_char_boundary(bytes)].to_owned());
        let texts = texts.as_string_view().iter().map(first).collect::<StringViewArray>();
        Ok(ColumnarValue::Array(Arc::new(texts)))
    }

    fn simplify(&self, mut args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if args.is_empty() || info.get_data_type(&args[0])?.is_string() {
            return Ok(ExprSimplifyResult::Original(args));
        }
        Ok(ExprSimplifyResult::Simplified(args.swap_remove(0)))
    }
}
