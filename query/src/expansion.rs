//! Refuses plans whose expressions grow beyond measure when the optimizer puts those of inner queries into outer ones.
//!
//! `SELECT s * s AS s FROM (SELECT s * s AS s FROM ..)` doubles with each level. The size that an expression would have
//! is counted here without building it, from the tables up.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::error::QueryError;
use crate::guard::EXPANDED_NODES_MAX;

pub(crate) fn check(plan: &LogicalPlan) -> Result<(), QueryError> {
    expand(plan).map(drop)
}

/// For each column that comes out of the plan, how many nodes its expression has down to the tables' columns.
fn expand(plan: &LogicalPlan) -> Result<Vec<usize>, QueryError> {
    let mut inputs = Vec::new();
    for input in plan.inputs() {
        inputs.push((input.schema().as_ref(), expand(input)?));
    }
    check_subqueries(plan)?;
    let size = |expr: &Expr| expanded_size(expr, &inputs);
    let sizes: Vec<usize> = match plan {
        LogicalPlan::Projection(projection) => projection.expr.iter().map(size).collect::<Result<_, _>>()?,
        LogicalPlan::Aggregate(aggregate) => {
            let groups = aggregate.group_expr.iter().map(size).collect::<Result<Vec<_>, _>>()?;
            aggregate.aggr_expr.iter().try_for_each(|expr| size(expr).map(drop))?;
            let totals = std::iter::repeat_n(1, aggregate.aggr_expr.len());
            groups.into_iter().chain(totals).collect()
        }
        other => {
            for expr in other.expressions() {
                size(&expr)?;
            }
            passed_through(plan.schema(), &inputs)
        }
    };
    let columns = plan.schema().fields().len();
    Ok(if sizes.len() == columns { sizes } else { vec![1; columns] })
}

/// Columns keep their size under their name or, where a node renames them all, in their place.
fn passed_through(schema: &DFSchema, inputs: &[(&DFSchema, Vec<usize>)]) -> Vec<usize> {
    let by_place = inputs.iter().filter(|(_, sizes)| sizes.len() == schema.fields().len());
    let by_place: Vec<&Vec<usize>> = by_place.map(|(_, sizes)| sizes).collect();
    let size = |(place, (qualifier, field)): (usize, (Option<&_>, &_))| {
        let field: &datafusion::arrow::datatypes::FieldRef = field;
        let named = inputs.iter().find_map(|(schema, sizes)| {
            schema.index_of_column_by_name(qualifier, field.name()).map(|found| sizes[found])
        });
        named.or_else(|| by_place.iter().map(|sizes| sizes[place]).max()).unwrap_or(1)
    };
    schema.iter().enumerate().map(size).collect()
}

/// Literals are not counted: a list of ten thousand is as cheap as it is long.
fn expanded_size(expr: &Expr, inputs: &[(&DFSchema, Vec<usize>)]) -> Result<usize, QueryError> {
    let mut size = 0_usize;
    let counted = expr.apply(|node| {
        size = size.saturating_add(match node {
            Expr::Literal(..) | Expr::Placeholder(_) | Expr::Alias(_) => 0,
            Expr::Column(column) => inputs
                .iter()
                .find_map(|(schema, sizes)| schema.maybe_index_of_column(column).map(|found| sizes[found]))
                .unwrap_or(1),
            _ => 1,
        });
        Ok(TreeNodeRecursion::Continue)
    });
    counted?;
    if size > EXPANDED_NODES_MAX {
        return Err(QueryError::limit(format!(
            "an expression has more than {EXPANDED_NODES_MAX} parts once those of inner queries are put into it: compute \
             it from fewer columns, or in fewer steps"
        )));
    }
    Ok(size)
}

fn check_subqueries(plan: &LogicalPlan) -> Result<(), QueryError> {
    let mut checked = Ok(());
    plan.apply_subqueries(|subquery| {
        checked = check(subquery);
        Ok(if checked.is_ok() { TreeNodeRecursion::Jump } else { TreeNodeRecursion::Stop })
    })?;
    checked
}
