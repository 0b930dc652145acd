//! Regular expressions that are run as they are written.
//!
//! DataFusion 55 turns `x ~ 'a\\b'` into `x LIKE '%a\b%'`, in which the backslash means something else. Every operator and
//! every call of `REGEXP_LIKE` therefore becomes a call that its optimizer knows nothing about.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::functions::regex::regexp_like;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// `REGEXP_LIKE(text, pattern[, flags])`.
pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::clone(&REGEXP_LIKE)
}

static REGEXP_LIKE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Arc::new(PlainRegex { inner: regexp_like() }.into()));

/// Replaces the operators `~`, `~*`, `!~` and `!~*`.
#[derive(Debug)]
pub(super) struct PlainRegexOperators;

impl FunctionRewrite for PlainRegexOperators {
    fn name(&self) -> &str {
        "plain_regex_operators"
    }

    fn rewrite(&self, expr: Expr, _: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expr else { return Ok(Transformed::no(expr)) };
        let (negated, ignores_case) = match op {
            Operator::RegexMatch => (false, false),
            Operator::RegexIMatch => (false, true),
            Operator::RegexNotMatch => (true, false),
            Operator::RegexNotIMatch => (true, true),
            _ => return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right }))),
        };
        let mut arguments = vec![*left, *right];
        if ignores_case {
            arguments.push(Expr::Literal(ScalarValue::Utf8(Some("i".to_owned())), None));
        }
        let call = Expr::ScalarFunction(ScalarFunction::new_udf(function(), arguments));
        Ok(Transformed::yes(if negated { Expr::Not(Box::new(call)) } else { call }))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PlainRegex {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for PlainRegex {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.invoke_with_args(args)
    }
}
