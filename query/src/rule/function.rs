use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::AggregateFunction as Call;
use datafusion::logical_expr::utils::split_conjunction;
use henge_indexing::Predicate;
use henge_segment_store::schema::DimensionType;
use henge_segment_store::time::Interval;

use super::source::Source;
use crate::operator::aggregate::{Aggregate, AggregateFunction, ColumnKind, InputColumn};
use crate::pushdown::Pushdown;
use crate::scan::RowFilter;

/// A call over columns, with a filter that a predicate can say in full.
pub(super) fn recognise(expr: &Expr, source: &Source) -> Option<Aggregate> {
    let call = match expr {
        Expr::Alias(alias) => return recognise(&alias.expr, source),
        Expr::AggregateFunction(call) => call,
        _ => return None,
    };
    let is_plain = call.params.order_by.is_empty() && call.params.null_treatment.is_none();
    let function = is_plain.then(|| function(call, source)).flatten()?;
    let filter = match &call.params.filter {
        Some(filter) => Some(row_filter(filter, source)?),
        None => None,
    };
    Some(Aggregate { function, filter })
}

fn function(call: &Call, source: &Source) -> Option<AggregateFunction> {
    let [argument] = call.params.args.as_slice() else { return None };
    let argument = source.resolve(argument)?;
    let column = || source.column(&argument);
    match (call.func.name(), call.params.distinct) {
        ("count", false) if argument.as_literal().is_some_and(|literal| !literal.is_null()) => {
            Some(AggregateFunction::CountRows)
        }
        ("count", false) => column().map(AggregateFunction::Count),
        ("sum", false) => column().filter(is_number).map(AggregateFunction::Sum),
        ("avg", false) => average(&argument, source),
        ("min", _) => column().filter(|column| !is_text(column)).map(AggregateFunction::Min),
        ("max", _) => column().filter(|column| !is_text(column)).map(AggregateFunction::Max),
        _ => None,
    }
}

/// DataFusion averages doubles only, so longs come in a cast; the operator has no need of it.
fn average(argument: &Expr, source: &Source) -> Option<AggregateFunction> {
    let argument = match argument {
        Expr::Cast(cast) if *cast.field.data_type() == DataType::Float64 => cast.expr.as_ref(),
        argument => argument,
    };
    source.column(argument).filter(is_number).map(AggregateFunction::Avg)
}

fn is_number(column: &InputColumn) -> bool {
    matches!(column.kind, ColumnKind::Value(DimensionType::Long | DimensionType::Double))
}

fn is_text(column: &InputColumn) -> bool {
    column.kind == ColumnKind::Value(DimensionType::String)
}

fn row_filter(filter: &Expr, source: &Source) -> Option<RowFilter> {
    let filter = source.resolve(filter)?;
    let pushed = Pushdown::of_all(split_conjunction(&filter), &source.table().schema);
    let nothing = RowFilter { interval: Interval::ALL, predicate: Some(Predicate::Const(Some(false))) };
    pushed.is_exact.then(|| pushed.into_row_filter().unwrap_or(nothing))
}
