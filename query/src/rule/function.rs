use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{AggregateFunction as Call, Case, Cast};
use datafusion::logical_expr::utils::split_conjunction;
use henge_indexing::Predicate;
use henge_segment_store::schema::DimensionType;
use henge_segment_store::sketch::SketchKind;
use henge_segment_store::time::Interval;

use super::formula;
use super::source::Source;
use crate::functions::SketchCall;
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
    if !call.params.order_by.is_empty() || call.params.null_treatment.is_some() {
        return None;
    }
    let arguments = call.params.args.iter().map(|argument| source.resolve(argument)).collect::<Option<Vec<_>>>()?;
    let mut argument = match (call.func.name(), arguments.as_slice()) {
        ("earliest_by" | "latest_by", [value, time]) => {
            source.column(time).filter(|column| column.kind == ColumnKind::Time)?;
            value.clone()
        }
        ("earliest_by" | "latest_by", _) => return None,
        (_, [value, ..]) if SketchCall::of(call).is_some() => value.clone(),
        (_, [argument]) => argument.clone(),
        _ => return None,
    };
    let mut filters = match &call.params.filter {
        Some(filter) => vec![source.resolve(filter)?],
        None => Vec::new(),
    };
    let is_filter = |(condition, _): &(Expr, Expr)| {
        skips_nulls(call) && row_filter(std::slice::from_ref(condition), source).is_some()
    };
    if let Some((condition, value)) = conditional(&argument).filter(is_filter) {
        filters.push(condition);
        argument = value;
    }
    let filter = match filters.as_slice() {
        [] => None,
        filters => Some(row_filter(filters, source)?),
    };
    Some(Aggregate { function: function(call, &argument, source)?, filter })
}

/// `CASE WHEN condition THEN value END`: null, which no function counts, wherever a filter would take the row away.
fn conditional(argument: &Expr) -> Option<(Expr, Expr)> {
    if let Expr::Cast(cast) = argument {
        let (condition, value) = conditional(&cast.expr)?;
        return Some((condition, Expr::Cast(Cast { expr: Box::new(value), ..cast.clone() })));
    }
    let Expr::Case(Case { expr: None, when_then_expr, else_expr }) = argument else { return None };
    let is_null = |expr: &Expr| expr.as_literal().is_some_and(ScalarValue::is_null);
    let [(condition, value)] = when_then_expr.as_slice() else { return None };
    else_expr.as_deref().is_none_or(is_null).then(|| (condition.as_ref().clone(), value.as_ref().clone()))
}

/// The value of the latest row may be null.
fn skips_nulls(call: &Call) -> bool {
    !matches!(call.func.name(), "earliest_by" | "latest_by")
}

fn function(call: &Call, argument: &Expr, source: &Source) -> Option<AggregateFunction> {
    if let Some(sketch) = SketchCall::of(call) {
        return sketched(sketch, call, argument, source);
    }
    let column = || source.column(argument);
    let input = || column().or_else(|| formula::recognise(argument, source));
    match (call.func.name(), call.params.distinct) {
        ("count", false) if argument.as_literal().is_some_and(|literal| !literal.is_null()) => {
            Some(AggregateFunction::CountRows)
        }
        ("count", false) => input().map(AggregateFunction::Count),
        ("count", true) => column().map(AggregateFunction::CountDistinct),
        ("sum", false) => input().filter(is_number).map(AggregateFunction::Sum),
        ("avg", false) => average(argument, source),
        ("min", _) => input().map(AggregateFunction::Min),
        ("earliest_by", false) => column().map(AggregateFunction::First),
        ("latest_by", false) => column().map(AggregateFunction::Last),
        ("max", _) => input().map(AggregateFunction::Max),
        _ => None,
    }
}

/// DataFusion averages doubles only, so longs come in a cast; the operator has no need of it.
fn average(argument: &Expr, source: &Source) -> Option<AggregateFunction> {
    let argument = without_cast(argument);
    let input = source.column(argument).or_else(|| formula::recognise(argument, source));
    input.filter(is_number).map(AggregateFunction::Avg)
}

/// The number that a cast makes a double of.
fn without_cast(argument: &Expr) -> &Expr {
    match argument {
        Expr::Cast(cast) if *cast.field.data_type() == DataType::Float64 => cast.expr.as_ref(),
        argument => argument,
    }
}

fn sketched(sketch: SketchCall, call: &Call, argument: &Expr, source: &Source) -> Option<AggregateFunction> {
    if let Some((input, stored)) = source.sketches(argument) {
        // DataFusion says what is wrong where they are of another family.
        return stored.coarser(sketch.kind).map(|_| AggregateFunction::Sketch(sketch, input));
    }
    let input = match sketch.kind {
        SketchKind::Quantiles { .. } if call.params.distinct => return None,
        SketchKind::Quantiles { .. } => source.column(without_cast(argument)).filter(is_number)?,
        SketchKind::Hll { .. } | SketchKind::Theta { .. } => source.column(argument)?,
    };
    Some(AggregateFunction::Sketch(sketch, input))
}

fn is_number(column: &InputColumn) -> bool {
    matches!(column.kind, ColumnKind::Value(DimensionType::Long | DimensionType::Double))
}

/// `filters`: resolved.
fn row_filter(filters: &[Expr], source: &Source) -> Option<RowFilter> {
    let pushed = Pushdown::of_all(filters.iter().flat_map(split_conjunction), &source.table().schema);
    let nothing = RowFilter { interval: Interval::ALL, predicate: Some(Predicate::Const(Some(false))) };
    pushed.is_exact.then(|| pushed.into_row_filter().unwrap_or(nothing))
}
