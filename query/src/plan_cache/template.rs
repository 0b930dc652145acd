//! An optimised plan without the values of its filters and without the rows of its tables.
//!
//! It is made by DataFusion's own rules from a statement with typed placeholders, so no rule can have looked at a value:
//! whatever is put in their place, the plan computes what the statement says. One rule takes different expressions for
//! different values, see [`keeps_lists_apart`].

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, TableReference, internal_datafusion_err};
use datafusion::logical_expr::builder::LogicalTableSource;
use datafusion::logical_expr::expr::{InList, Placeholder};
use datafusion::logical_expr::{
    Between, BinaryExpr, Expr, LogicalPlan, Operator, TableProviderFilterPushDown, TableScan,
};

use super::shape::PlacedValue;
use super::value::{Value, sample};
use crate::catalog::QueryCatalog;

/// What a plan node, and an expression, takes in memory with what it points to: measured in round numbers, to bound a
/// cache and not to account for it.
const NODE_BYTES: usize = 1_000;
const EXPR_BYTES: usize = 300;

#[derive(Debug)]
pub(crate) struct Template {
    plan: LogicalPlan,
    tables: Vec<Table>,
    pub bytes: usize,
}

#[derive(Debug)]
struct Table {
    name: TableReference,
    schema: SchemaRef,
}

impl Template {
    /// `None` where a value may have become part of more than a filter.
    pub fn new(optimized: &LogicalPlan) -> Result<Option<Self>> {
        let (mut tables, mut bytes) = (Vec::<Table>::new(), 0);
        let mut is_filtering_only = true;
        optimized.apply_with_subqueries(|node| {
            bytes += NODE_BYTES;
            if let LogicalPlan::TableScan(scan) = node
                && !tables.iter().any(|table| table.name == scan.table_name)
            {
                tables.push(Table { name: scan.table_name.clone(), schema: scan.source.schema() });
            }
            let takes_values =
                matches!(node, LogicalPlan::TableScan(_) | LogicalPlan::Filter(_) | LogicalPlan::Join(_));
            node.apply_expressions(|expr| {
                expr.apply(|part| {
                    bytes += EXPR_BYTES;
                    is_filtering_only &= takes_values || !matches!(part, Expr::Placeholder(_));
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })?;
        if !is_filtering_only {
            return Ok(None);
        }
        // The snapshot would keep segments alive.
        let plan = optimized.clone().transform_up_with_subqueries(|node| match node {
            LogicalPlan::TableScan(scan) => {
                let source = Arc::new(LogicalTableSource::new(scan.source.schema()));
                Ok(Transformed::yes(LogicalPlan::TableScan(TableScan { source, ..scan })))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(Some(Self { plan: plan.data, tables, bytes }))
    }

    /// Whether the tables still have the columns that the plan was made for.
    pub fn fits(&self, catalog: &QueryCatalog<'_>) -> Result<bool> {
        for table in &self.tables {
            if catalog.table(&table.name)?.schema() != table.schema {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The plan over the tables of a catalog. `None` where a scan takes a filter of these values otherwise than that of
    /// others.
    pub fn bind(&self, values: &[PlacedValue], catalog: &QueryCatalog<'_>) -> Result<Option<LogicalPlan>> {
        let mut is_alike = true;
        let plan = self.plan.clone().transform_up_with_subqueries(|node| match node {
            LogicalPlan::TableScan(mut scan) => {
                scan.source = catalog.table(&scan.table_name)?;
                if scan.filters.iter().any(has_placeholder) {
                    let filters = scan.filters.iter().cloned().map(|filter| bound(filter, values));
                    let filters = filters.collect::<Result<Vec<_>>>()?;
                    is_alike &= support(&scan, &filters)? == support(&scan, &scan.filters)?;
                    scan.filters = filters;
                }
                Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
            }
            node @ (LogicalPlan::Filter(_) | LogicalPlan::Join(_)) => {
                node.map_expressions(|expr| bound(expr, values).map(Transformed::yes))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(is_alike.then_some(plan.data))
    }
}

fn support(scan: &TableScan, filters: &[Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
    scan.source.supports_filters_pushdown(&filters.iter().collect::<Vec<_>>())
}

/// Whether a plan with placeholders, fresh from its statement, can become one with any values: no rule would treat
/// literals in their place otherwise.
pub(crate) fn is_open_to_values(plan: &LogicalPlan, values: &[PlacedValue]) -> Result<bool> {
    Ok(compares_columns(plan, values)? && keeps_lists_apart(plan)?)
}

/// Whether it is after the rules, which may find out that a column is computed, or known.
pub(crate) fn is_still_open(optimized: &LogicalPlan, values: &[PlacedValue]) -> Result<bool> {
    Ok(compares_columns(optimized, values)? && has_all(optimized, values)?)
}

/// Whether every value is still there.
fn has_all(plan: &LogicalPlan, values: &[PlacedValue]) -> Result<bool> {
    let found = plan.get_parameter_names()?;
    Ok((1..=values.len()).all(|number| found.contains(&format!("${number}"))))
}

/// Whether no two lists can come to be tests of one column.
///
/// DataFusion makes `x IN ($1, $2) AND x IN ($3, $4)` false, for the lists have no item in common: it compares
/// placeholders by their names. Lists of different columns meet where one column was given two names, or where two are
/// joined by their equality, so that several lists are only told apart right above a table.
fn keeps_lists_apart(plan: &LogicalPlan) -> Result<bool> {
    let (mut lists, mut nodes, mut is_open, mut is_apart) = (0, 0, false, true);
    plan.apply_with_subqueries(|node| {
        let mut tested: Vec<Expr> = Vec::new();
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                if let Expr::InList(InList { expr, list, .. }) = part {
                    is_open |= list.iter().any(has_placeholder);
                    is_apart &= !tested.contains(expr);
                    tested.push(expr.as_ref().clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        if !tested.is_empty() {
            nodes += 1;
            lists += tested.len();
            is_apart &= matches!(node, LogicalPlan::Filter(filter) if is_table(&filter.input));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(!is_open || lists == 1 || nodes == 1 && is_apart)
}

fn is_table(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => is_table(&alias.input),
        plan => matches!(plan, LogicalPlan::TableScan(_)),
    }
}

/// Whether every value stands alone against a column, of a type for which DataFusion would take it as it is.
///
/// Elsewhere a rule may fold it, move it to the other side, or convert the column instead.
fn compares_columns(plan: &LogicalPlan, values: &[PlacedValue]) -> Result<bool> {
    let (mut compared, mut all) = (0, 0);
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                let operands: Vec<&Expr> = match part {
                    Expr::Placeholder(_) => {
                        all += 1;
                        Vec::new()
                    }
                    Expr::BinaryExpr(BinaryExpr { left, op, right })
                        if is_comparison(*op) && matches!(**left, Expr::Column(_)) =>
                    {
                        vec![right]
                    }
                    Expr::Between(Between { expr, low, high, .. }) if matches!(**expr, Expr::Column(_)) => {
                        vec![low, high]
                    }
                    Expr::InList(InList { expr, list, .. }) if matches!(**expr, Expr::Column(_)) => {
                        list.iter().collect()
                    }
                    _ => Vec::new(),
                };
                compared += operands.into_iter().filter(|operand| is_taken_as_it_is(operand, values)).count();
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(compared == all)
}

fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq)
}

fn is_taken_as_it_is(operand: &Expr, values: &[PlacedValue]) -> bool {
    let Expr::Placeholder(Placeholder { id, field: Some(field) }) = operand else { return false };
    value_of(id, values).is_some_and(|value| value.literal(field.data_type()).is_some())
}

fn has_placeholder(expr: &Expr) -> bool {
    expr.exists(|part| Ok(matches!(part, Expr::Placeholder(_)))).unwrap_or(true)
}

/// The expression with values in the place of its placeholders.
fn bound(expr: Expr, values: &[PlacedValue]) -> Result<Expr> {
    let bound = expr.transform_up(|part| match part {
        Expr::Placeholder(Placeholder { id, field: Some(field) }) => {
            let value = value_of(&id, values).and_then(|value| value.literal(field.data_type()));
            let value =
                value.ok_or_else(|| internal_datafusion_err!("{id} has no value of type {}", field.data_type()))?;
            Ok(Transformed::yes(Expr::Literal(value, None)))
        }
        other => Ok(Transformed::no(other)),
    });
    Ok(bound?.data)
}

fn value_of<'a>(id: &str, values: &'a [PlacedValue]) -> Option<&'a Value> {
    let number: usize = id.strip_prefix('$')?.parse().ok()?;
    values.get(number.checked_sub(1)?).map(|placed| &placed.value)
}

/// The filter with any values in the place of its placeholders.
pub(crate) fn sampled(filter: &Expr) -> Result<Option<Expr>> {
    if !has_placeholder(filter) {
        return Ok(None);
    }
    let sampled = filter.clone().transform_up(|part| match &part {
        Expr::Placeholder(Placeholder { field: Some(field), .. }) => Ok(match sample(field.data_type()) {
            Some(value) => Transformed::yes(value),
            None => Transformed::no(part),
        }),
        _ => Ok(Transformed::no(part)),
    });
    Ok(Some(sampled?.data))
}
