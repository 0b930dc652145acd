//! Text functions whose results are larger than their arguments: applied to their own results they double each time,
//! unseen by the memory pool. Each is asked for an upper bound of its result before it runs.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::{is_null, nullif, or};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::functions::string::concat;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};

use crate::error::QueryError;

/// Of one result for one batch of rows.
pub(super) const RESULT_BYTES_MAX: usize = 64 << 20;

/// The bounded form of a function that needs one.
pub(super) fn bounded(function: &Arc<ScalarUDF>) -> Option<Arc<ScalarUDF>> {
    let growth = match function.name() {
        "concat" | "concat_ws" => Growth::Joined,
        "replace" => Growth::Replaced,
        _ => return None,
    };
    let aliases = function.aliases().to_vec();
    Some(Arc::new(Bounded { inner: Arc::clone(function), growth, aliases }.into()))
}

/// Replaces `||` between texts.
#[derive(Debug)]
pub(super) struct BoundedConcatenation;

impl FunctionRewrite for BoundedConcatenation {
    fn name(&self) -> &str {
        "bounded_concatenation"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right })
                if is_text(&left, schema) && is_text(&right, schema) =>
            {
                Ok(Transformed::yes(concatenate(*left, *right)))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

fn is_text(expr: &Expr, schema: &DFSchema) -> bool {
    is_concatenation(expr) || expr.get_type(schema).is_ok_and(|kind| !kind.is_nested())
}

fn is_concatenation(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if call.func == *CONCATENATE)
}

/// A chain becomes one call: planning a call within a call within a call takes time cubic in their number.
fn concatenate(left: Expr, right: Expr) -> Expr {
    let mut parts = Vec::new();
    for side in [left, right] {
        match side {
            Expr::ScalarFunction(call) if call.func == *CONCATENATE => parts.extend(call.args),
            other => parts.push(other),
        }
    }
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&CONCATENATE), parts))
}

static CONCATENATE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(Bounded { inner: concat(), growth: Growth::JoinedUnlessNull, aliases: Vec::new() }.into())
});

/// How the size of a result follows from the sizes of the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Growth {
    /// All arguments one after the other; null counts as empty.
    Joined,
    /// The same, but null makes null, as `||` wants it.
    JoinedUnlessNull,
    /// Each occurrence of the second argument in the first becomes the third.
    Replaced,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
    aliases: Vec<String>,
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        match self.growth {
            Growth::JoinedUnlessNull => "||",
            Growth::Joined | Growth::Replaced => self.inner.name(),
        }
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let field = self.inner.return_field_from_args(args)?;
        Ok(match self.growth {
            Growth::JoinedUnlessNull => Arc::new(field.as_ref().clone().with_nullable(true)),
            Growth::Joined | Growth::Replaced => field,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.check_size(&args)?;
        if self.growth != Growth::JoinedUnlessNull {
            return self.inner.invoke_with_args(args);
        }
        let rows = args.number_rows;
        let mut has_null = BooleanArray::from(vec![false; rows]);
        for argument in &args.args {
            has_null = or(&has_null, &is_null(&argument.to_array(rows)?)?)?;
        }
        let joined = self.inner.invoke_with_args(args)?.into_array(rows)?;
        Ok(ColumnarValue::Array(nullif(&joined, &has_null)?))
    }
}

impl Bounded {
    fn check_size(&self, args: &ScalarFunctionArgs) -> Result<(), QueryError> {
        let sizes: Vec<usize> = args.args.iter().map(|argument| text_bytes(argument, args.number_rows)).collect();
        let bytes = match self.growth {
            // The separator of CONCAT_WS, the first argument, may stand between any two others.
            Growth::Joined | Growth::JoinedUnlessNull => {
                let separators = if self.inner.name() == "concat_ws" { sizes.len().saturating_sub(2) } else { 1 };
                sizes.iter().skip(1).sum::<usize>() + sizes.first().map_or(0, |first| first.saturating_mul(separators))
            }
            Growth::Replaced => {
                let longest = args.args.get(2).map_or(0, longest_text);
                let shortest_found = args.args.get(1).and_then(constant_length).unwrap_or(1).max(1);
                // An empty text is found once before each character and at the end of each row.
                let occurrences = sizes[0] / shortest_found + args.number_rows;
                sizes[0].saturating_add(occurrences.saturating_mul(longest))
            }
        };
        if bytes > RESULT_BYTES_MAX {
            return Err(QueryError::limit(format!(
                "{} would make more than {} MiB of text for one batch of rows: shorten its arguments",
                self.name().to_uppercase(),
                RESULT_BYTES_MAX >> 20
            )));
        }
        Ok(())
    }
}

/// The bytes of all values; what is not text becomes at most 64 bytes of it.
fn text_bytes(argument: &ColumnarValue, rows: usize) -> usize {
    match argument {
        ColumnarValue::Scalar(value) => value.try_as_str().flatten().map_or(64, str::len).saturating_mul(rows),
        ColumnarValue::Array(array) => lengths(array).sum(),
    }
}

fn longest_text(argument: &ColumnarValue) -> usize {
    match argument {
        ColumnarValue::Scalar(value) => value.try_as_str().flatten().map_or(64, str::len),
        ColumnarValue::Array(array) => lengths(array).max().unwrap_or(0),
    }
}

fn constant_length(argument: &ColumnarValue) -> Option<usize> {
    match argument {
        ColumnarValue::Scalar(value) => value.try_as_str().flatten().map(str::len),
        ColumnarValue::Array(_) => None,
    }
}

fn lengths(array: &ArrayRef) -> Box<dyn Iterator<Item = usize> + '_> {
    match array.data_type() {
        DataType::Utf8View => Box::new(array.as_string_view().lengths().map(|length| length as usize)),
        DataType::Utf8 => Box::new(array.as_string::<i32>().offsets().lengths()),
        DataType::LargeUtf8 => Box::new(array.as_string::<i64>().offsets().lengths()),
        _ => Box::new(std::iter::repeat_n(64, array.len())),
    }
}
