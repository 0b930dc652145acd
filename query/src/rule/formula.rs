use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::DFSchema;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::physical_expr::create_physical_expr;
use henge_segment_store::schema::DimensionType;

use super::source::Source;
use crate::operator::aggregate::{ColumnKind, Formula, InputColumn};

/// What DataFusion can evaluate for each row by itself: arithmetic, CASE, functions; `None` of values that the operator
/// does not aggregate, which strings are.
pub(super) fn recognise(resolved: &Expr, source: &Source) -> Option<InputColumn> {
    let schema = &source.table().schema;
    let places = resolved.column_refs().into_iter().map(|column| schema.index_of(&column.name).ok());
    let places = places.collect::<Option<BTreeSet<usize>>>()?;
    if places.is_empty() || resolved.is_volatile() {
        return None;
    }
    let columns = Arc::new(schema.project(&places.into_iter().collect::<Vec<_>>()).ok()?);
    let known = DFSchema::try_from(columns.clone()).ok()?;
    let kind = match resolved.get_type(&known).ok()? {
        DataType::Timestamp(TimeUnit::Millisecond, None) => ColumnKind::Time,
        DataType::Int64 => ColumnKind::Value(DimensionType::Long),
        DataType::Float64 => ColumnKind::Value(DimensionType::Double),
        DataType::Boolean => ColumnKind::Value(DimensionType::Boolean),
        _ => return None,
    };
    let (props, context) = (ExecutionProps::new(), PhysicalPlanningContext::default());
    let expression = create_physical_expr(resolved, &known, &props, &context).ok()?;
    let formula = Arc::new(Formula { expression, columns });
    Some(InputColumn { name: resolved.to_string().into(), kind, formula: Some(formula) })
}
