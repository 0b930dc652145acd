//! Aggregates of groups, as aggregates of parts of the groups brought together.
//!
//! A part's total of longs must fit 64 bits like that of the whole, and totals of doubles are rounded once more for each
//! part.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction as Call, Case, Cast};
use datafusion::logical_expr::{AggregateUDF, Expr, lit};
use henge_segment_store::schema::DimensionType;

use crate::functions::{SketchCall, SketchResult, sum};
use crate::operator::aggregate::{Aggregate, AggregateFunction, ColumnKind};

/// How parts become the whole.
pub(super) struct Merged {
    /// Aggregates over columns of [`name`]s, each with an alias.
    pub merges: Vec<Expr>,
    /// Over those aliases.
    pub result: Expr,
}

/// The column of a partial aggregate.
pub(super) fn name(place: usize) -> String {
    format!("$partial{place}")
}

/// Adds what is to be known of each part to `partials`; `None` where parts do not tell.
///
/// `original`: the aggregate as DataFusion has it.
pub(super) fn split(aggregate: &Aggregate, original: &Expr, partials: &mut Vec<Aggregate>) -> Option<Merged> {
    let mut part = |function: &AggregateFunction| {
        partials.push(Aggregate { function: function.clone(), filter: aggregate.filter.clone() });
        partials.len() - 1
    };
    let function = &aggregate.function;
    let merged = |func: Arc<AggregateUDF>, place: usize| {
        let merge = merge(func, column(name(place)), place);
        Merged { merges: vec![merge], result: total(place) }
    };
    Some(match function {
        AggregateFunction::CountRows | AggregateFunction::Count(_) => {
            let merged = merged(sum(), part(function));
            // Of no parts at all.
            Merged { result: or_zero(merged.result), ..merged }
        }
        AggregateFunction::Sum(_) | AggregateFunction::Min(_) | AggregateFunction::Max(_) => {
            merged(function_of(original)?, part(function))
        }
        AggregateFunction::Avg(input) if input.kind == ColumnKind::Value(DimensionType::Double) => {
            let (sum_place, count_place) =
                (part(&AggregateFunction::Sum(input.clone())), part(&AggregateFunction::Count(input.clone())));
            let merges = [sum_place, count_place].map(|place| merge(sum(), column(name(place)), place)).to_vec();
            Merged { merges, result: total(sum_place) / double(total(count_place)) }
        }
        AggregateFunction::Sketch(call, input) => {
            let sketch = SketchCall { result: SketchResult::Bytes, ..*call };
            let place = part(&AggregateFunction::Sketch(sketch, input.clone()));
            let Expr::AggregateFunction(call) = unaliased(original) else { return None };
            let arguments = std::iter::once(column(name(place))).chain(call.params.args.iter().skip(1).cloned());
            let merge = Call::new_udf(call.func.clone(), arguments.collect(), false, None, Vec::new(), None);
            Merged { merges: vec![Expr::AggregateFunction(merge).alias(total_name(place))], result: total(place) }
        }
        // The sum of a part may leave 64 bits where its average does not, and averages of parts are rounded.
        AggregateFunction::Avg(_) => return None,
        AggregateFunction::CountDistinct(_) | AggregateFunction::First(_) | AggregateFunction::Last(_) => return None,
    })
}

fn function_of(expr: &Expr) -> Option<Arc<AggregateUDF>> {
    match unaliased(expr) {
        Expr::AggregateFunction(call) => Some(call.func.clone()),
        _ => None,
    }
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        expr => expr,
    }
}

fn column(name: String) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn total_name(place: usize) -> String {
    format!("$total{place}")
}

fn total(place: usize) -> Expr {
    column(total_name(place))
}

fn merge(func: Arc<AggregateUDF>, argument: Expr, place: usize) -> Expr {
    let call = Call::new_udf(func, vec![argument], false, None, Vec::new(), None);
    Expr::AggregateFunction(call).alias(total_name(place))
}

fn or_zero(expr: Expr) -> Expr {
    let zero = lit(ScalarValue::Int64(Some(0)));
    let cases = vec![(Box::new(expr.clone().is_not_null()), Box::new(expr))];
    Expr::Case(Case { expr: None, when_then_expr: cases, else_expr: Some(Box::new(zero)) })
}

fn double(expr: Expr) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), DataType::Float64))
}
