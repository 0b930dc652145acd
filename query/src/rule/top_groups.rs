use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, Sort, SubqueryAlias};

use super::node::AggregateNode;
use crate::operator::aggregate::TopGroups;

/// The sort over an aggregation that yields no more groups than the sort keeps, and those equal to the last of them.
///
/// `None` where the sort keeps all, or where its first key is computed above the aggregation.
pub(super) fn recognise(sort: &Sort) -> Result<Option<LogicalPlan>> {
    let (Some(count), Some(first)) = (sort.fetch.and_then(NonZeroUsize::new), sort.expr.first()) else {
        return Ok(None);
    };
    let top = |column| TopGroups { column, is_descending: !first.asc, is_nulls_first: first.nulls_first, count };
    let Some(column) = place(&first.expr, &sort.input) else { return Ok(None) };
    let input = limited(&sort.input, column, &top)?;
    Ok(input.map(|input| LogicalPlan::Sort(Sort { input: Arc::new(input), ..sort.clone() })))
}

/// The plan with `top` set in the aggregation below it, of which `column` is a column that is only passed on.
fn limited(plan: &LogicalPlan, column: usize, top: &dyn Fn(usize) -> TopGroups) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let Some(column) = place(&projection.expr[column], &projection.input) else { return Ok(None) };
            let Some(input) = limited(&projection.input, column, top)? else { return Ok(None) };
            let (expr, schema) = (projection.expr.clone(), projection.schema.clone());
            let projection = Projection::try_new_with_schema(expr, Arc::new(input), schema)?;
            Ok(Some(LogicalPlan::Projection(projection)))
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let Some(input) = limited(&alias.input, column, top)? else { return Ok(None) };
            let alias = SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?;
            Ok(Some(LogicalPlan::SubqueryAlias(alias)))
        }
        LogicalPlan::Extension(extension) => {
            let node = extension.node.as_any().downcast_ref::<AggregateNode>();
            Ok(node.map(|node| node.with_top(top(column)).into_plan()))
        }
        _ => Ok(None),
    }
}

/// Which column of the plan an expression is.
pub(super) fn place(expr: &Expr, plan: &LogicalPlan) -> Option<usize> {
    match expr {
        Expr::Alias(alias) => place(&alias.expr, plan),
        Expr::Column(column) => plan.schema().maybe_index_of_column(column),
        _ => None,
    }
}
