//! IN lists, written so that DataFusion's simplifier keeps their three-valued logic.
//!
//! It merges lists of one expression that meet in AND or OR, and takes an empty result for false, or true, where NULL is
//! tested and the answer is NULL: it looks at the texts of items only, so that two columns, or NULL and a value, count as
//! different for sure.
//!
//! ```text
//! x IN (1, NULL)              x IN (1) OR NULL
//! x IN (y, 1)                 x IN (1) OR x = y
//! x IN (0.0, 1.0)             x IN (1.0) OR x BETWEEN -0.0 AND 0.0        both zeros, as `=` finds them
//! x IN (1) AND x NOT IN (1)   x IS NULL AND NULL                          never true, but not always false
//! x NOT IN (1) OR x NOT IN (2)   x IS NOT NULL OR NULL                    never false, but not always true
//! ```

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, lit};
use datafusion::optimizer::simplify_expressions::{ExprSimplifier, SimplifyExpressions};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// The rules, with lists kept apart before the simplifier sees them.
pub(super) fn before_simplifying(
    rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>,
) -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let simplifier = SimplifyExpressions::new();
    let mut before = Vec::with_capacity(rules.len() + 1);
    for rule in rules {
        if rule.name() == simplifier.name() {
            before.push(Arc::new(InLists) as _);
        }
        before.push(rule);
    }
    before
}

#[derive(Debug)]
struct InLists;

impl OptimizerRule for InLists {
    fn name(&self) -> &str {
        "in_lists"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let names = NamePreserver::new(&plan);
        let constants = SimplifyContext::builder()
            .with_config_options(config.options())
            .with_query_execution_start_time(config.query_execution_start_time());
        let lists = Lists { constants: ExprSimplifier::new(constants.build()) };
        plan.map_expressions(|expr| {
            if !expr.exists(|part| Ok(matches!(part, Expr::InList(_))))? {
                return Ok(Transformed::no(expr));
            }
            let name = names.save(&expr);
            let kept = lists.kept_apart(expr.clone())?;
            Ok(if kept == expr { Transformed::no(expr) } else { Transformed::yes(name.restore(kept)) })
        })
    }
}

/// Writes lists anew.
struct Lists {
    /// Knows no columns.
    constants: ExprSimplifier,
}

impl Lists {
    /// The expression without lists that would be merged to nothing.
    fn kept_apart(&self, expr: Expr) -> Result<Expr> {
        match expr {
            Expr::Not(operand) => match negated(*operand) {
                Expr::Not(operand) => Ok(Expr::Not(Box::new(self.kept_apart(*operand)?))),
                pushed_down => self.kept_apart(pushed_down),
            },
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_chain(op) => {
                let mut operands = Vec::new();
                for operand in operands_of(BinaryExpr { left, op, right }) {
                    match self.kept_apart(operand)? {
                        Expr::BinaryExpr(nested) if nested.op == op => operands.extend(operands_of(nested)),
                        operand => operands.push(operand),
                    }
                }
                without_contradictions(&mut operands, op);
                Ok(joined(operands, op))
            }
            Expr::InList(list) => self.of_plain_items(list),
            other => other.map_children(|child| self.kept_apart(child).map(Transformed::yes)).data(),
        }
    }

    /// A list of literals, other than NULL and zeros of DOUBLE, and beside it what it says of others.
    fn of_plain_items(&self, InList { expr, list, negated }: InList) -> Result<Expr> {
        let expr = self.kept_apart(*expr)?;
        if expr.is_volatile() {
            return Ok(Expr::InList(InList { expr: Box::new(expr), list, negated }));
        }
        let mut plain = Vec::new();
        let mut others = Vec::new();
        for item in list {
            let item = self.folded(item)?;
            let other = match &item {
                Expr::Literal(value, _) if value.is_null() => lit(ScalarValue::Boolean(None)),
                Expr::Literal(ScalarValue::Float64(Some(0.0)), _) => expr.clone().between(lit(-0.0), lit(0.0)),
                Expr::Literal(..) | Expr::Placeholder(_) | Expr::ScalarSubquery(_) => {
                    plain.push(item);
                    continue;
                }
                _ => expr.clone().eq(self.kept_apart(item)?),
            };
            if !others.contains(&other) {
                others.push(other);
            }
        }
        if negated {
            others = others.into_iter().map(opposite_of_test).collect();
        }
        if !plain.is_empty() || others.is_empty() {
            others.insert(0, Expr::InList(InList { expr: Box::new(expr), list: plain, negated }));
        }
        Ok(joined(others, if negated { Operator::And } else { Operator::Or }))
    }

    /// An item without columns as the literal that it is, which its like may be compared with.
    fn folded(&self, item: Expr) -> Result<Expr> {
        let is_constant = |part: &Expr| match part {
            Expr::Column(_) | Expr::OuterReferenceColumn(..) | Expr::Placeholder(_) | Expr::ScalarSubquery(_) => false,
            part => !part.is_volatile_node(),
        };
        if matches!(item, Expr::Literal(..)) || item.exists(|part| Ok(!is_constant(part)))? {
            return Ok(item);
        }
        self.constants.simplify(item)
    }
}

fn is_chain(op: Operator) -> bool {
    matches!(op, Operator::And | Operator::Or)
}

/// The opposite, with NOT moved to where nothing can be moved below it: the simplifier does so too, and merges lists then.
fn negated(expr: Expr) -> Expr {
    match expr {
        Expr::Not(operand) => *operand,
        Expr::InList(list) => Expr::InList(InList { negated: !list.negated, ..list }),
        Expr::BinaryExpr(chain) if is_chain(chain.op) => {
            let opposite = if chain.op == Operator::And { Operator::Or } else { Operator::And };
            joined(operands_of(chain).into_iter().map(negated).collect(), opposite)
        }
        other => Expr::Not(Box::new(other)),
    }
}

/// What a chain of one operator combines, in order, however it is nested.
fn operands_of(chain: BinaryExpr) -> Vec<Expr> {
    let op = chain.op;
    let (mut operands, mut pending) = (Vec::new(), vec![*chain.right, *chain.left]);
    while let Some(next) = pending.pop() {
        match next {
            Expr::BinaryExpr(BinaryExpr { left, op: same, right }) if same == op => pending.extend([*right, *left]),
            operand => operands.push(operand),
        }
    }
    operands
}

fn joined(operands: Vec<Expr>, op: Operator) -> Expr {
    let pair = |left: Expr, right| Expr::BinaryExpr(BinaryExpr { left: Box::new(left), op, right: Box::new(right) });
    operands.into_iter().reduce(pair).expect("a chain has operands")
}

fn opposite_of_test(test: Expr) -> Expr {
    match test {
        Expr::Between(mut between) => {
            between.negated = true;
            Expr::Between(between)
        }
        Expr::BinaryExpr(equality) => Expr::BinaryExpr(BinaryExpr { op: Operator::NotEq, ..equality }),
        unknown => unknown,
    }
}

/// Replaces lists of one expression that leave it no value by what says so of every value but NULL.
fn without_contradictions(operands: &mut Vec<Expr>, op: Operator) {
    let contradicted: Vec<Expr> = tested_by_lists(operands)
        .into_iter()
        .filter(|tested| !tested.is_volatile() && !can_agree(&lists_of(tested, operands), op))
        .cloned()
        .collect();
    for tested in contradicted {
        operands.retain(|operand| !matches!(operand, Expr::InList(list) if *list.expr == tested));
        let known = if op == Operator::And { tested.is_null() } else { tested.is_not_null() };
        let unknown = Box::new(lit(ScalarValue::Boolean(None)));
        operands.push(Expr::BinaryExpr(BinaryExpr { left: Box::new(known), op, right: unknown }));
    }
}

/// What lists are asked about, each once.
fn tested_by_lists(operands: &[Expr]) -> Vec<&Expr> {
    let mut seen = HashSet::new();
    let tested = operands.iter().filter_map(|operand| match operand {
        Expr::InList(list) => Some(list.expr.as_ref()),
        _ => None,
    });
    tested.filter(|tested| seen.insert(*tested)).collect()
}

fn lists_of<'a>(tested: &Expr, operands: &'a [Expr]) -> Vec<&'a InList> {
    let list = |operand: &'a Expr| match operand {
        Expr::InList(list) if *list.expr == *tested => Some(list),
        _ => None,
    };
    operands.iter().filter_map(list).collect()
}

/// Whether an item is left where lists of one expression meet: of AND, one that every IN has and no NOT IN; of OR, one
/// that every NOT IN has.
fn can_agree(lists: &[&InList], op: Operator) -> bool {
    let (having, without): (Vec<&InList>, Vec<&InList>) =
        lists.iter().partition(|list| list.negated == (op == Operator::Or));
    let Some(narrowest) = having.iter().min_by_key(|list| list.list.len()) else { return true };
    let is_left = |item: &Expr| {
        having.iter().all(|list| list.list.contains(item))
            && (op == Operator::Or || !without.iter().any(|list| list.list.contains(item)))
    };
    narrowest.list.iter().any(is_left)
}
