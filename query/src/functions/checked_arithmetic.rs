//! Integer `+`, `-`, `*` that fail where they leave 64 bits; DataFusion's wrap.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::compute::kernels::numeric::{add, mul, sub};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::physical_expr_common::datum::apply;

/// Replaces operators between integers.
#[derive(Debug)]
pub(super) struct CheckedIntegers;

impl FunctionRewrite for CheckedIntegers {
    fn name(&self) -> &str {
        "checked_integers"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        let is_integer = |expr: &Expr| expr.get_type(schema).is_ok_and(|kind| kind.is_integer());
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if function_of(op).is_some() && is_integer(&left) && is_integer(&right) =>
            {
                let function = function_of(op).expect("the guard found it");
                Ok(Transformed::yes(call(function, *left, *right)))
            }
            Expr::Negative(inner) if is_integer(&inner) => {
                let zero = Expr::Literal(ScalarValue::Int64(Some(0)), None);
                Ok(Transformed::yes(call(&SUBTRACT, zero, *inner)))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

static ADD: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Checked::function("checked_add", Operator::Plus));
static SUBTRACT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Checked::function("checked_subtract", Operator::Minus));
static MULTIPLY: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Checked::function("checked_multiply", Operator::Multiply));

fn function_of(operator: Operator) -> Option<&'static Arc<ScalarUDF>> {
    match operator {
        Operator::Plus => Some(&ADD),
        Operator::Minus => Some(&SUBTRACT),
        Operator::Multiply => Some(&MULTIPLY),
        _ => None,
    }
}

fn call(function: &Arc<ScalarUDF>, left: Expr, right: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), vec![left, right]))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    name: &'static str,
    operator: Operator,
    signature: Signature,
}

impl Checked {
    fn function(name: &'static str, operator: Operator) -> Arc<ScalarUDF> {
        Arc::new(Self { name, operator, signature: Signature::user_defined(Volatility::Immutable) }.into())
    }
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Any integers meet as 64 signed bits; an unsigned one beyond them fails in the cast.
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![DataType::Int64; types.len()])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return datafusion::common::internal_err!("{} takes two arguments", self.name);
        };
        match self.operator {
            Operator::Plus => apply(left, right, add),
            Operator::Minus => apply(left, right, sub),
            _ => apply(left, right, mul),
        }
    }

    fn is_strict(&self) -> bool {
        true
    }
}
