//! Tests of truth, written so that the plan and its operators agree that they are never null.
//!
//! DataFusion plans `x IS TRUE` as `x IS NOT DISTINCT FROM true` and takes that for nullable where `x` is, which the logical
//! plan does not: an aggregation above finds another schema than it was promised, and refuses to be planned. `IS NULL` is
//! not nullable in both.
//!
//! ```text
//! x IS TRUE       NULLIF(x, false) IS NOT NULL        x IS NOT TRUE       NULLIF(x, false) IS NULL
//! x IS FALSE      NULLIF(x, true) IS NOT NULL         x IS NOT FALSE      NULLIF(x, true) IS NULL
//! x IS UNKNOWN    x IS NULL                           x IS NOT UNKNOWN    x IS NOT NULL
//! ```
//!
//! Filters of rows and of aggregates stay as they are, because our operators know them by their first form, and no schema
//! depends on them.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions::core::expr_fn::nullif;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// The last of the rules.
#[derive(Debug)]
pub(super) struct TruthTests;

impl OptimizerRule for TruthTests {
    fn name(&self) -> &str {
        "truth_tests"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if matches!(plan, LogicalPlan::Filter(_) | LogicalPlan::TableScan(_) | LogicalPlan::Join(_)) {
            return Ok(Transformed::no(plan));
        }
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(never_null(expr)?.update_data(|expr| name.restore(expr)))
        })
    }
}

fn never_null(expr: Expr) -> Result<Transformed<Expr>> {
    expr.transform_down(|part| {
        Ok(match part {
            Expr::IsTrue(operand) => Transformed::yes(nullif(*operand, lit(false)).is_not_null()),
            Expr::IsNotTrue(operand) => Transformed::yes(nullif(*operand, lit(false)).is_null()),
            Expr::IsFalse(operand) => Transformed::yes(nullif(*operand, lit(true)).is_not_null()),
            Expr::IsNotFalse(operand) => Transformed::yes(nullif(*operand, lit(true)).is_null()),
            Expr::IsUnknown(operand) => Transformed::yes(operand.is_null()),
            Expr::IsNotUnknown(operand) => Transformed::yes(operand.is_not_null()),
            Expr::AggregateFunction(_) => Transformed::new(part, false, TreeNodeRecursion::Jump),
            other => Transformed::no(other),
        })
    })
}
