//! Casts of text to numbers: NULL where it is none, as in Druid. DataFusion's fail.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::{Cast, ScalarFunction, TryCast};
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF};

use super::{conversion, row_function};

static TEXT_TO_LONG: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let mut conversions = row_function::udfs(conversion::FUNCTIONS);
    conversions.find(|function| function.name() == "text_to_long").expect("it is one of them")
});

/// Replaces casts that are written; DataFusion adds its own later.
#[derive(Debug)]
pub(super) struct CastsOfText;

impl FunctionRewrite for CastsOfText {
    fn name(&self) -> &str {
        "casts_of_text"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        let Expr::Cast(Cast { expr: text, field }) = expr else { return Ok(Transformed::no(expr)) };
        let target = field.data_type();
        if !target.is_numeric() || !text.get_type(schema).is_ok_and(|kind| kind.is_string()) {
            return Ok(Transformed::no(Expr::Cast(Cast { expr: text, field })));
        }
        if *target == DataType::Int64 {
            let call = ScalarFunction::new_udf(Arc::clone(&TEXT_TO_LONG), vec![*text]);
            return Ok(Transformed::yes(Expr::ScalarFunction(call)));
        }
        Ok(Transformed::yes(Expr::TryCast(TryCast { expr: text, field })))
    }
}
