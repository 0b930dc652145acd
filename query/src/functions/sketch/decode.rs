//! `DECODE_BASE64_COMPLEX('HLLSketch', text)`: a sketch from base64, as answers show it and as others export it.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::array::{AsArray, BinaryArray};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use henge_segment_store::sketch::{Sketch, SketchKind};

use super::field;
use crate::error::QueryError;

pub(crate) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Decode { signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Decode {
    signature: Signature,
}

impl ScalarUDFImpl for Decode {
    fn name(&self) -> &str {
        "decode_base64_complex"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types.len() {
            2 => Ok(vec![DataType::Utf8, DataType::Utf8View]),
            _ => Err(usage().into()),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let name = args.scalar_arguments.first().copied().flatten().ok_or_else(usage)?;
        Ok(field(self.name(), kind(name)?, true))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let ColumnarValue::Scalar(name) = &args.args[0] else { return Err(usage().into()) };
        let kind = kind(name)?;
        let is_scalar = matches!(args.args[1], ColumnarValue::Scalar(_));
        let texts = args.args[1].to_array(if is_scalar { 1 } else { args.number_rows })?;
        let sketches = texts.as_string_view().iter().map(|text| text.map(|text| decoded(text, kind)).transpose());
        let sketches = sketches.collect::<Result<BinaryArray, QueryError>>()?;
        if is_scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&sketches, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(sketches)))
    }
}

fn usage() -> QueryError {
    QueryError::plan(
        "DECODE_BASE64_COMPLEX takes a type and text: ('HLLSketch', 'AgEHDA...'), or 'thetaSketch' or 'KllDoublesSketch'",
    )
}

fn kind(name: &ScalarValue) -> Result<SketchKind, QueryError> {
    match name.try_as_str().flatten() {
        Some("HLLSketch" | "HLLSketchBuild" | "HLLSketchMerge") => Ok(SketchKind::HLL),
        Some("thetaSketch") => Ok(SketchKind::THETA),
        Some("KllDoublesSketch") => Ok(SketchKind::QUANTILES),
        _ => Err(usage()),
    }
}

/// The bytes, once they are known to be such a sketch.
fn decoded(text: &str, kind: SketchKind) -> Result<Vec<u8>, QueryError> {
    let bytes = STANDARD.decode(text).map_err(|error| QueryError::plan(format!("a sketch is not base64: {error}")))?;
    let sketch = Sketch::read(&bytes)?;
    let fits = matches!(
        (&sketch, kind),
        (Sketch::Hll(_), SketchKind::Hll { .. })
            | (Sketch::Theta(_), SketchKind::Theta { .. })
            | (Sketch::Quantiles(_), SketchKind::Quantiles { .. })
    );
    if fits { Ok(bytes) } else { Err(QueryError::plan(format!("the text is a {} sketch", sketch.family()))) }
}
