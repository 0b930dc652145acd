use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::common::{Column, DFSchema, DFSchemaRef, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, Sort};
use henge_indexing::SortOrder;

use super::rows_node::RowsNode;
use super::source::Source;
use crate::operator::RowsTask;
use crate::operator::scan_top::{ROWS_MAX, SortKey, TopRowsTask};

/// The sort over an operator of ours that yields only the rows which the sort keeps, already in their order. What else
/// was computed of all rows is computed of those.
///
/// `None` where the sort keeps all or too many, where it sorts by more than columns, or where rows are not a
/// datasource's that pass a filter which a predicate can say in full.
pub(super) fn recognise(sort: &Sort) -> Result<Option<LogicalPlan>> {
    let Some(count) = sort.fetch.filter(|count| *count <= ROWS_MAX).and_then(NonZeroUsize::new) else {
        return Ok(None);
    };
    let Some(source) = Source::of(&sort.input) else { return Ok(None) };
    let table = source.table();
    let pushed = source.pushdown();
    let is_ours = table.shortcuts.use_native_operators && pushed.is_exact;
    // What is different for each row may be so for each that the sort drops.
    if !is_ours || source.columns().iter().any(Expr::is_volatile) {
        return Ok(None);
    }
    let Some(sorted) = sort.expr.iter().map(|key| source.own_column(&key.expr)).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let plan = Output::of(&source, &sort.input, &sorted)?;
    let order = sorted.iter().zip(&sort.expr).map(|(column, key)| SortKey {
        column: plan.columns.iter().position(|own| own == column).expect("the output has the columns that sort"),
        order: SortOrder { is_descending: !key.asc, is_nulls_first: key.nulls_first },
    });
    let order = order.collect();
    let filter = pushed.into_row_filter();
    let segments = source.segments(filter.as_ref());
    let output = Arc::new(table.schema.project(&plan.columns)?);
    let use_indexes = table.shortcuts.use_indexes;
    let task = Arc::new(RowsTask::TopRows(TopRowsTask { filter, segments, order, count, output, use_indexes }));
    let segments_total = table.snapshot.segments.len();
    let node = RowsNode { name: table.name.clone(), segments_total, task, schema: plan.schema.clone() };
    let input = Arc::new(plan.above(node.into_plan())?);
    Ok(Some(LogicalPlan::Sort(Sort { input, ..sort.clone() })))
}

/// What the operator yields, and what is made of it.
struct Output {
    /// Places in the datasource's schema.
    columns: Vec<usize>,
    schema: DFSchemaRef,
    /// `None` where the operator's columns are those that are wanted.
    projection: Option<(Vec<Expr>, DFSchemaRef)>,
}

impl Output {
    /// `input`: the plan that is replaced. `sorted`: places of the columns that rows are ordered by.
    fn of(source: &Source, input: &LogicalPlan, sorted: &[usize]) -> Result<Self> {
        let wanted = input.schema();
        let table = &source.table().schema;
        let places = source.columns().iter().zip(wanted.fields()).map(|(column, field)| {
            let place = source.own_column_of(column)?;
            (table.field(place).name() == field.name()).then_some(place)
        });
        if let Some(columns) = places.collect::<Option<Vec<usize>>>() {
            let is_each_once = columns.iter().collect::<BTreeSet<_>>().len() == columns.len();
            if is_each_once && sorted.iter().all(|column| columns.contains(column)) {
                return Ok(Self { columns, schema: wanted.clone(), projection: None });
            }
        }
        let mut columns: BTreeSet<usize> = sorted.iter().copied().collect();
        for expr in source.columns() {
            columns.extend(expr.column_refs().into_iter().filter_map(|column| table.index_of(&column.name).ok()));
        }
        let columns: Vec<usize> = columns.into_iter().collect();
        let schema = Arc::new(DFSchema::try_from(table.project(&columns)?)?);
        let named = source.columns().iter().zip(wanted.iter()).map(|(expr, (relation, field))| match expr {
            Expr::Column(Column { name, relation: None, .. }) if relation.is_none() && name == field.name() => {
                expr.clone()
            }
            expr => expr.clone().alias_qualified(relation.cloned(), field.name()),
        });
        Ok(Self { columns, schema, projection: Some((named.collect(), wanted.clone())) })
    }

    /// The plan with the schema of the one that is replaced.
    fn above(&self, node: LogicalPlan) -> Result<LogicalPlan> {
        let Some((exprs, schema)) = &self.projection else { return Ok(node) };
        let projection = Projection::try_new_with_schema(exprs.clone(), Arc::new(node), schema.clone())?;
        Ok(LogicalPlan::Projection(projection))
    }
}
