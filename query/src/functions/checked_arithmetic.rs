//! Integer `+`, `-`, `*` that fail where they leave 64 bits; DataFusion's wrap.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::compute::kernels::numeric::{add, mul, sub};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr_common::datum::apply;

/// Replaces operators between integers. A tree of them becomes one call: planning a call within a call within a call
/// takes time cubic in their number.
#[derive(Debug)]
pub(super) struct CheckedIntegers;

impl FunctionRewrite for CheckedIntegers {
    fn name(&self) -> &str {
        "checked_integers"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        let is_integer =
            |expr: &Expr| formula_of(expr).is_some() || expr.get_type(schema).is_ok_and(|kind| kind.is_integer());
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if is_checked(op) && is_integer(&left) && is_integer(&right) =>
            {
                Ok(Transformed::yes(combine(*left, op, *right)))
            }
            Expr::Negative(inner) if is_integer(&inner) => {
                let zero = Expr::Literal(ScalarValue::Int64(Some(0)), None);
                Ok(Transformed::yes(combine(zero, Operator::Minus, *inner)))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

fn is_checked(operator: Operator) -> bool {
    matches!(operator, Operator::Plus | Operator::Minus | Operator::Multiply)
}

fn formula_of(expr: &Expr) -> Option<&Formula> {
    match expr {
        Expr::ScalarFunction(call) => call.func.inner().downcast_ref::<Formula>(),
        _ => None,
    }
}

/// One call for both sides, which may be calls already.
fn combine(left: Expr, operator: Operator, right: Expr) -> Expr {
    let (mut arguments, mut steps) = take_apart(left);
    let (right_arguments, right_steps) = take_apart(right);
    let shift = arguments.len();
    steps.extend(right_steps.into_iter().map(|step| match step {
        Step::Argument(place) => Step::Argument(place + shift),
        operator => operator,
    }));
    steps.push(Step::Operator(operator));
    arguments.extend(right_arguments);
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(Formula::new(steps).into()), arguments))
}

fn take_apart(expr: Expr) -> (Vec<Expr>, Vec<Step>) {
    match (formula_of(&expr).map(|formula| formula.steps.clone()), expr) {
        (Some(steps), Expr::ScalarFunction(call)) => (call.args, steps),
        (_, other) => (vec![other], vec![Step::Argument(0)]),
    }
}

/// What happens next to a stack of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// The argument at this place comes on top.
    Argument(usize),
    /// The two on top become one.
    Operator(Operator),
}

/// Operators over arguments, in postfix order.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Formula {
    steps: Vec<Step>,
    /// Tells formulas apart, because DataFusion tells expressions apart by their names.
    name: String,
    signature: Signature,
}

impl Formula {
    fn new(steps: Vec<Step>) -> Self {
        let mut name = "checked".to_owned();
        for step in &steps {
            match step {
                Step::Argument(place) => write!(name, " ${place}"),
                Step::Operator(operator) => write!(name, " {operator}"),
            }
            .expect("a string takes all text");
        }
        Self { steps, name, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Formula {
    fn name(&self) -> &str {
        &self.name
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
        let mut stack: Vec<ColumnarValue> = Vec::new();
        for step in &self.steps {
            let value = match step {
                Step::Argument(place) => args.args[*place].clone(),
                Step::Operator(operator) => {
                    let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                        return internal_err!("`{}` is not in postfix order", self.name);
                    };
                    match operator {
                        Operator::Plus => apply(&left, &right, add)?,
                        Operator::Minus => apply(&left, &right, sub)?,
                        _ => apply(&left, &right, mul)?,
                    }
                }
            };
            stack.push(value);
        }
        match (stack.pop(), stack.is_empty()) {
            (Some(value), true) => Ok(value),
            _ => internal_err!("`{}` is not in postfix order", self.name),
        }
    }

    fn is_strict(&self) -> bool {
        true
    }
}
