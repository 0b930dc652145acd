//! Refuses aggregates and groups of sketches that would take their bytes for values.

use datafusion::arrow::datatypes::Field;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Distinct, Expr, ExprSchemable, LogicalPlan};
use henge_segment_store::sketch::{SKETCH_TYPE_KEY, SketchKind};

use crate::error::QueryError;
use crate::functions::is_sketch_aggregate;

/// What can be asked of sketches.
pub(crate) const ADVICE: &str = "APPROX_COUNT_DISTINCT_DS_HLL, APPROX_COUNT_DISTINCT_DS_THETA or APPROX_QUANTILE_DS";

pub(crate) fn check(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        match node {
            LogicalPlan::Aggregate(aggregate) => {
                let input = aggregate.input.schema();
                for expr in &aggregate.aggr_expr {
                    check_calls(expr, input)?;
                }
                for key in keys(&aggregate.group_expr) {
                    check_key(&key.to_field(input)?.1)?;
                }
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                input.schema().fields().iter().try_for_each(|field| check_key(field))?;
            }
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map(drop)
}

fn keys(group_expr: &[Expr]) -> Vec<&Expr> {
    match group_expr {
        [Expr::GroupingSet(sets)] => sets.distinct_expr(),
        keys => keys.iter().collect(),
    }
}

/// Equal sketches are of equal values at best by chance: nobody can mean the groups of their bytes.
fn check_key(field: &Field) -> Result<()> {
    match kind_of(field) {
        None => Ok(()),
        Some(kind) => Err(QueryError::plan(format!(
            "`{}` holds {} sketches, of which there are no groups: ask {ADVICE} of them",
            field.name(),
            kind.family()
        ))
        .into()),
    }
}

fn kind_of(field: &Field) -> Option<SketchKind> {
    let type_name = field.metadata().get(SKETCH_TYPE_KEY)?;
    [SketchKind::HLL, SketchKind::THETA, SketchKind::QUANTILES].into_iter().find(|kind| kind.type_name() == type_name)
}

/// Says of functions that DataFusion finds no form of what they were given.
pub(crate) fn explained(error: DataFusionError) -> DataFusionError {
    let text = error.message();
    let function = text.split_once("Function '").and_then(|(_, rest)| rest.split_once('\''));
    match function {
        Some((name, _)) if text.contains("received Binary") => {
            let name = name.to_uppercase();
            QueryError::plan(format!("{name} takes no sketches: ask {ADVICE} of them")).into()
        }
        _ => error,
    }
}

fn check_calls(expr: &Expr, input: &DFSchema) -> Result<()> {
    expr.apply(|expr| {
        if let Expr::AggregateFunction(call) = expr
            && let Some(refusal) = refusal(call, input)
        {
            return Err(refusal.into());
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map(drop)
}

/// `None` of a call that sketches may be given, or that is given none.
fn refusal(call: &AggregateFunction, input: &DFSchema) -> Option<QueryError> {
    let is_count = call.func.name() == "count" && !call.params.distinct;
    if is_count || is_sketch_aggregate(&call.func) {
        return None;
    }
    let argument = call.params.args.first()?;
    let (_, field) = argument.to_field(input).ok()?;
    let kind = kind_of(&field)?;
    let name = field.name();
    let advice = match kind {
        SketchKind::Hll { .. } => format!("APPROX_COUNT_DISTINCT_DS_HLL({name})"),
        SketchKind::Theta { .. } => format!("APPROX_COUNT_DISTINCT_DS_THETA({name})"),
        SketchKind::Quantiles { .. } => format!("APPROX_QUANTILE_DS({name}, 0.5)"),
    };
    let function = match call.params.distinct {
        true => format!("{}(DISTINCT)", call.func.name().to_uppercase()),
        false => call.func.name().to_uppercase(),
    };
    let family = kind.family();
    Some(QueryError::plan(format!(
        "{function} is not of sketches, and `{name}` holds {family} sketches of values: ask {advice}"
    )))
}
