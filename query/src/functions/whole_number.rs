//! Rounding of integers, which DataFusion does in doubles: inexact from 2^53 on.

use std::sync::{Arc, LazyLock};

use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF};

use super::row_function::{self, Kind, Row, RowFunction, Value};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "round_long",
        aliases: &[],
        usage: "ROUND(number[, -2])",
        parameters: &[Kind::Long, Kind::Long],
        required: 1,
        result: Kind::Long,
        bind: |_| Ok(Box::new(|row| rounded(row, true))),
    },
    RowFunction {
        name: "trunc_long",
        aliases: &[],
        usage: "TRUNCATE(number[, -2])",
        parameters: &[Kind::Long, Kind::Long],
        required: 1,
        result: Kind::Long,
        bind: |_| Ok(Box::new(|row| rounded(row, false))),
    },
];

static OF_LONGS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| row_function::udfs(FUNCTIONS).collect());

/// Replaces `ROUND`, `TRUNC`, `CEIL` and `FLOOR` of integers.
#[derive(Debug)]
pub(super) struct WholeNumbers;

impl FunctionRewrite for WholeNumbers {
    fn name(&self) -> &str {
        "whole_numbers"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        let Expr::ScalarFunction(mut call) = expr else { return Ok(Transformed::no(expr)) };
        let name = match call.func.name() {
            "round" | "ceil" | "floor" | "trunc" => call.func.name().to_owned(),
            _ => return Ok(Transformed::no(Expr::ScalarFunction(call))),
        };
        let is_whole = call.args.first().is_some_and(|of| of.get_type(schema).is_ok_and(|kind| kind.is_integer()));
        let of_longs = OF_LONGS.iter().find(|function| function.name().strip_suffix("_long") == Some(name.as_str()));
        Ok(match (is_whole, of_longs) {
            (true, Some(function)) => {
                Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), call.args)))
            }
            (true, None) if call.args.len() == 1 => Transformed::yes(call.args.remove(0)),
            _ => Transformed::no(Expr::ScalarFunction(call)),
        })
    }
}

/// To so many places behind the point; before it where they are negative.
fn rounded(row: &Row<'_>, is_nearest: bool) -> Result<Value, QueryError> {
    let places = if row.has(1) { row.long(1) } else { 0 };
    let number = i128::from(row.long(0));
    if places >= 0 {
        return Ok(Value::Long(row.long(0)));
    }
    // 10^20 is beyond every long, and half of it too.
    let Some(unit) = u32::try_from(places.unsigned_abs()).ok().filter(|places| *places < 20) else {
        return Ok(Value::Long(0));
    };
    let unit = 10_i128.pow(unit);
    let half = if is_nearest { unit / 2 } else { 0 };
    let result = (number.abs() + half) / unit * unit * number.signum();
    i64::try_from(result).map(Value::Long).map_err(|_| QueryError::plan(format!("ROUND of {number} leaves 64 bits")))
}
