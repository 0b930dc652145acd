use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchemaRef, Result};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::logical_expr::{Expr, LogicalPlan};
use henge_segment_store::schema::{Aggregation, DimensionType, TIME_COLUMN};
use henge_segment_store::sketch::SketchKind;
use henge_segment_store::timeline::SegmentView;

use crate::operator::aggregate::{ColumnKind, InputColumn};
use crate::pushdown::Pushdown;
use crate::scan::RowFilter;
use crate::table::SnapshotTable;

/// The rows below an operator: those of one datasource that pass filters, with columns computed from its own.
pub(super) struct Source {
    provider: Arc<dyn TableProvider>,
    /// Over the datasource's columns.
    filters: Vec<Expr>,
    schema: DFSchemaRef,
    /// What each column of `schema` is, over the datasource's columns.
    columns: Vec<Expr>,
}

impl Source {
    /// Looks through projections, filters and aliases; `None` where anything else lies above the datasource.
    pub fn of(plan: &LogicalPlan) -> Option<Self> {
        match plan {
            LogicalPlan::TableScan(scan) if scan.fetch.is_none() => {
                let provider =
                    source_as_provider(&scan.source).ok().filter(|provider| provider.is::<SnapshotTable>())?;
                let own = |name: &String| Expr::Column(Column::from_name(name));
                let columns = scan.projected_schema.fields().iter().map(|field| own(field.name())).collect();
                let schema = scan.projected_schema.clone();
                Some(Self { provider, filters: scan.filters.clone(), schema, columns })
            }
            LogicalPlan::SubqueryAlias(alias) => Some(Self { schema: alias.schema.clone(), ..Self::of(&alias.input)? }),
            LogicalPlan::Projection(projection) => {
                let input = Self::of(&projection.input)?;
                let columns = projection.expr.iter().map(|expr| input.resolve(expr)).collect::<Option<_>>()?;
                Some(Self { schema: projection.schema.clone(), columns, ..input })
            }
            LogicalPlan::Filter(filter) => {
                let mut input = Self::of(&filter.input)?;
                let predicate = input.resolve(&filter.predicate)?;
                input.filters.extend(split_conjunction_owned(predicate));
                Some(input)
            }
            _ => None,
        }
    }

    /// What the columns of the plan are, over the datasource's columns.
    pub fn columns(&self) -> &[Expr] {
        &self.columns
    }

    /// The place in the datasource's schema of the column that an expression over the plan is.
    pub fn own_column(&self, expr: &Expr) -> Option<usize> {
        self.own_column_of(&self.resolve(expr)?)
    }

    /// The same of a resolved expression.
    pub fn own_column_of(&self, resolved: &Expr) -> Option<usize> {
        let Expr::Column(column) = resolved else { return None };
        self.table().schema.index_of(&column.name).ok()
    }

    /// The segments to read of the rows that pass a filter; `None` lets no row pass.
    pub fn segments(&self, filter: Option<&RowFilter>) -> Vec<SegmentView> {
        let table = self.table();
        match filter {
            Some(filter) if table.shortcuts.use_indexes => filter.chosen(&table.snapshot),
            Some(_) => table.snapshot.segments.clone(),
            None => Vec::new(),
        }
    }

    pub fn table(&self) -> &SnapshotTable {
        self.provider.downcast_ref().expect("the source was made of such a table")
    }

    /// The expression over the datasource's columns, without the names it has on the way.
    pub fn resolve(&self, expr: &Expr) -> Option<Expr> {
        let resolve = |node: Expr| -> Result<Transformed<Expr>> {
            Ok(match node {
                Expr::Column(column) => {
                    let place = self.schema.index_of_column(&column)?;
                    Transformed::yes(self.columns[place].clone())
                }
                Expr::Alias(alias) => Transformed::yes(*alias.expr),
                Expr::Cast(cast) if self.has_type(&cast.expr, cast.field.data_type()) => Transformed::yes(*cast.expr),
                node => Transformed::no(node),
            })
        };
        expr.clone().transform_up(resolve).ok().map(|resolved| resolved.data)
    }

    /// Whether a resolved expression is a column of that type.
    fn has_type(&self, expr: &Expr, kind: &DataType) -> bool {
        let Expr::Column(column) = expr else { return false };
        self.table().schema.field_with_name(&column.name).is_ok_and(|field| field.data_type() == kind)
    }

    /// Filters that no predicate can say in full.
    pub fn residual_filters(&self) -> impl Iterator<Item = &Expr> {
        self.filters.iter().filter(|filter| !Pushdown::of(filter, &self.table().schema).is_exact)
    }

    /// What the filters, and the reader's rights, say together; inexact where a filter is.
    pub fn pushdown(&self) -> Pushdown {
        self.table().pushdown(&self.filters)
    }

    /// The column of sketches that a resolved expression is, and which those are.
    pub fn sketches(&self, expr: &Expr) -> Option<(InputColumn, SketchKind)> {
        let Expr::Column(column) = expr else { return None };
        let measures = &self.table().snapshot.schema.measures;
        let measure = measures.iter().find(|measure| measure.name == column.name)?;
        match measure.aggregation {
            Aggregation::Sketch(sketch) => Some((InputColumn::own(&column.name, ColumnKind::Sketches), sketch.kind)),
            _ => None,
        }
    }

    /// The column of the datasource that a resolved expression is; `None` of sketches.
    pub fn column(&self, expr: &Expr) -> Option<InputColumn> {
        let Expr::Column(column) = expr else { return None };
        let field = self.table().schema.field_with_name(&column.name).ok()?;
        let kind = match field.data_type() {
            DataType::Timestamp(..) if column.name == TIME_COLUMN => ColumnKind::Time,
            DataType::Utf8View => ColumnKind::Value(DimensionType::String),
            DataType::Int64 => ColumnKind::Value(DimensionType::Long),
            DataType::Float64 => ColumnKind::Value(DimensionType::Double),
            DataType::Boolean => ColumnKind::Value(DimensionType::Boolean),
            _ => return None,
        };
        Some(InputColumn::own(&column.name, kind))
    }
}
