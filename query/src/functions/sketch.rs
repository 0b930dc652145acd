//! Functions over sketches: aggregates that make them of values or merge them, and functions of what they say.

mod accumulator;
mod aggregate;
mod call;
mod decode;
mod scalar;

use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use datafusion::logical_expr::ScalarUDF;
use henge_segment_store::sketch::{Quantiles, Sketch, SketchError, SketchKind};

pub(super) use self::aggregate::functions as aggregates;
pub(crate) use self::aggregate::is_sketch_aggregate as is_aggregate;
#[cfg(test)]
pub(crate) use self::call::Rank;
pub(crate) use self::call::{SketchCall, SketchResult};
use crate::error::QueryError;

/// All functions but the aggregates.
pub(super) fn scalars() -> Vec<Arc<ScalarUDF>> {
    scalar::functions().into_iter().chain([decode::function()]).collect()
}

/// So many values of a group are kept one by one in any case, in 32 KiB: their quantiles are exact.
pub(crate) const EXACT_VALUES: usize = 4_096;

/// A sketch of no values, for a query's own use.
pub(crate) fn empty(kind: SketchKind) -> Result<Sketch, QueryError> {
    Ok(match kind {
        SketchKind::Quantiles { k } => Sketch::Quantiles(Quantiles::exact_up_to(EXACT_VALUES, k)?),
        kind => Sketch::new(kind)?,
    })
}

/// A field of sketches.
pub(crate) fn field(name: &str, kind: SketchKind, is_nullable: bool) -> Arc<Field> {
    Arc::new(kind.field(name, is_nullable))
}

impl From<SketchError> for QueryError {
    fn from(error: SketchError) -> Self {
        Self::plan(error.to_string())
    }
}
