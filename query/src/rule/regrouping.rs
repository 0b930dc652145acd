//! Aggregations by expressions, or behind filters that no predicate says: rows are grouped on codes by the columns that
//! the expressions are over, then DataFusion evaluates them for each group and groups those again.
//!
//! An expression is evaluated as often as its columns have combinations of values, not as often as there are rows.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Aggregate as AggregatePlan, Expr, Filter, LogicalPlan, Projection};
use henge_segment_store::schema::DimensionType;
use henge_segment_store::time::Granularity;

use super::node::AggregateNode;
use super::source::Source;
use super::{function, group_key, output, partial};
use crate::operator::aggregate::{Aggregation, ColumnKind, GroupKey, InputColumn};

/// Combinations of more columns could be as many as there are rows.
const ADDED_MAX: usize = 1;

/// The aggregation in two steps, the first of them ours; `None` where it cannot be.
pub(super) fn recognise(plan: &AggregatePlan) -> Result<Option<LogicalPlan>> {
    let Some(source) = Source::of(&plan.input).filter(|source| source.table().shortcuts.use_native_operators) else {
        return Ok(None);
    };
    let Some(steps) = Steps::of(plan, &source) else { return Ok(None) };
    steps.into_plan(plan, &source).map(Some)
}

/// What is computed in which step.
struct Steps {
    first: Aggregation,
    /// Over the keys of the first step.
    residual: Vec<Expr>,
    groups: Vec<Expr>,
    aggregates: Vec<partial::Merged>,
}

impl Steps {
    fn of(plan: &AggregatePlan, source: &Source) -> Option<Self> {
        let mut keys = Keys { source, found: Vec::new() };
        let groups =
            plan.group_expr.iter().map(|expr| keys.rewrite(source.resolve(expr)?)).collect::<Option<Vec<_>>>()?;
        let mut residual: Vec<Expr> = Vec::new();
        for filter in source.residual_filters() {
            let filter = keys.rewrite(filter.clone())?;
            if !residual.contains(&filter) {
                residual.push(filter);
            }
        }
        let is_plain = residual.is_empty() && groups.iter().all(|group| matches!(group, Expr::Column(_)));
        if is_plain || keys.added(&groups) > ADDED_MAX {
            return None;
        }
        let mut partials = Vec::new();
        let mut aggregates = Vec::new();
        for expr in &plan.aggr_expr {
            aggregates.push(partial::split(&function::recognise(expr, source)?, expr, &mut partials)?);
        }
        Some(Self { first: Aggregation { keys: keys.found, aggregates: partials }, residual, groups, aggregates })
    }

    fn into_plan(self, plan: &AggregatePlan, source: &Source) -> Result<LogicalPlan> {
        let filter = source.pushdown().into_row_filter();
        let schema = first_schema(&self.first)?;
        let mut input = AggregateNode::over(source.table(), self.first, filter, Arc::new(schema)).into_plan();
        if let Some(residual) = conjunction(self.residual) {
            input = LogicalPlan::Filter(Filter::try_new(residual, Arc::new(input))?);
        }
        let group = |(place, expr): (usize, Expr)| expr.alias(group_name(place));
        let groups: Vec<Expr> = self.groups.into_iter().enumerate().map(group).collect();
        let merges = self.aggregates.iter().flat_map(|aggregate| aggregate.merges.iter().cloned()).collect();
        let group_count = groups.len();
        let merged = AggregatePlan::try_new(Arc::new(input), groups, merges)?;
        let groups = (0..group_count).map(|place| column(group_name(place)));
        let results = groups.chain(self.aggregates.into_iter().map(|aggregate| aggregate.result));
        let named = plan.schema.iter().zip(results);
        let named = named.map(|((relation, field), expr)| expr.alias_qualified(relation.cloned(), field.name()));
        let projection = Projection::try_new(named.collect(), Arc::new(LogicalPlan::Aggregate(merged)))?;
        Ok(LogicalPlan::Projection(projection))
    }
}

/// Columns that no statement can name.
fn group_name(place: usize) -> String {
    format!("$group{place}")
}

fn key_name(place: usize) -> String {
    format!("$key{place}")
}

fn column(name: String) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

fn first_schema(first: &Aggregation) -> Result<DFSchema> {
    // Rows have times, and so do buckets of them; plans above know that.
    let keys = first.keys.iter().enumerate().map(|(at, key)| (key_name(at), !matches!(key, GroupKey::TimeBucket(_))));
    let names = keys.chain((0..first.aggregates.len()).map(|at| (partial::name(at), true)));
    let fields = names.zip(output::types(first)).map(|((name, is_nullable), kind)| Field::new(name, kind, is_nullable));
    DFSchema::try_from(Schema::new(fields.collect::<Vec<_>>()))
}

/// The keys of the first step, as they are found.
struct Keys<'s> {
    source: &'s Source,
    found: Vec<GroupKey>,
}

impl Keys<'_> {
    /// The expression over keys; `None` where it is over what rows should not be grouped by.
    fn rewrite(&mut self, expr: Expr) -> Option<Expr> {
        let mut is_possible = true;
        let rewritten = expr.transform_down(|node| {
            let leaf = match &node {
                Expr::Column(_) => {
                    let key = group_key::recognise(&node, self.source).filter(|key| self.is_discrete(key));
                    is_possible &= key.is_some();
                    key.map(|key| self.key(key))
                }
                Expr::ScalarFunction(call) => match group_key::recognise(&node, self.source) {
                    Some(key) => Some(self.key(key)),
                    None => match (call.func.name(), call.args.as_slice()) {
                        ("time_extract", [time, part]) if self.is_time(time) => part_bucket(part).map(|bucket| {
                            let mut call = call.clone();
                            call.args[0] = self.key(GroupKey::TimeBucket(bucket));
                            Expr::ScalarFunction(call)
                        }),
                        _ => None,
                    },
                },
                Expr::Cast(cast) if self.is_time(&cast.expr) && *cast.field.data_type() == DataType::Date32 => {
                    let mut cast = cast.clone();
                    *cast.expr = self.key(GroupKey::TimeBucket(bucket("P1D")));
                    Some(Expr::Cast(cast))
                }
                Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::GroupingSet(_)
                | Expr::OuterReferenceColumn(..) => {
                    is_possible = false;
                    None
                }
                _ => None,
            };
            Ok(match leaf {
                Some(leaf) => Transformed::new(leaf, true, TreeNodeRecursion::Jump),
                None if is_possible => Transformed::no(node),
                None => Transformed::new(node, false, TreeNodeRecursion::Stop),
            })
        });
        rewritten.ok().filter(|_| is_possible).map(|rewritten| rewritten.data)
    }

    fn key(&mut self, key: GroupKey) -> Expr {
        let known = self.found.iter().position(|found| *found == key);
        let place = known.unwrap_or_else(|| {
            self.found.push(key);
            self.found.len() - 1
        });
        column(key_name(place))
    }

    /// How many columns with many values rows are grouped by without the statement asking for it.
    fn added(&self, groups: &[Expr]) -> usize {
        let is_asked_for = |place: usize| groups.contains(&column(key_name(place)));
        let has_many = |key: &GroupKey| match key {
            GroupKey::TimeBucket(_) => false,
            GroupKey::Column(column) => column.kind != ColumnKind::Value(DimensionType::Boolean),
        };
        self.found.iter().enumerate().filter(|(place, key)| has_many(key) && !is_asked_for(*place)).count()
    }

    /// Times and measures have as many values as there are rows.
    fn is_discrete(&self, key: &GroupKey) -> bool {
        match key {
            GroupKey::TimeBucket(_) => true,
            GroupKey::Column(InputColumn { name, kind, .. }) => match kind {
                ColumnKind::Time | ColumnKind::Value(DimensionType::Double) | ColumnKind::Sketches => false,
                ColumnKind::Value(DimensionType::String | DimensionType::Boolean) => true,
                ColumnKind::Value(DimensionType::Long) => {
                    let schema = &self.source.table().snapshot.schema;
                    schema.dimensions.iter().any(|dimension| *dimension.name == **name)
                }
            },
        }
    }

    fn is_time(&self, expr: &Expr) -> bool {
        self.source.column(expr).is_some_and(|column| column.kind == ColumnKind::Time)
    }
}

/// Buckets of time within which a part of a date stays the same.
fn part_bucket(part: &Expr) -> Option<Granularity> {
    let part = part.as_literal()?.try_as_str().flatten()?.to_ascii_lowercase();
    match part.as_str() {
        "minute" => Some(bucket("PT1M")),
        "hour" => Some(bucket("PT1H")),
        "day" | "dow" | "isodow" | "doy" | "week" | "month" | "quarter" | "year" | "isoyear" | "decade" | "century"
        | "millennium" => Some(bucket("P1D")),
        _ => None,
    }
}

fn bucket(period: &str) -> Granularity {
    period.parse().expect("it is a period")
}
