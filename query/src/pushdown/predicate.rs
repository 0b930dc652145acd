//! DataFusion's expressions as predicates: all of one or nothing, and the part of one that can be said.

use datafusion::arrow::datatypes::Schema;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{InList, Like, ScalarFunction};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use henge_indexing::{LikePattern, Predicate, RegexPattern, TextTest};

use super::merge::{all_of, any_of};
use super::operand::Operand;
use super::truth;

/// DataFusion knows no other, and this one even where no ESCAPE clause names it.
const LIKE_ESCAPE: char = '\\';

pub(super) struct Converter<'a> {
    /// The datasource's columns.
    pub schema: &'a Schema,
}

impl Converter<'_> {
    /// True, false and unknown for the same rows as the expression; `None` where a predicate cannot say that.
    pub fn exact(&self, expr: &Expr) -> Option<Predicate> {
        match expr {
            Expr::Alias(alias) => self.exact(&alias.expr),
            Expr::Literal(ScalarValue::Boolean(is), _) => Some(Predicate::Const(*is)),
            Expr::Literal(ScalarValue::Null, _) => Some(Predicate::Const(None)),
            Expr::Column(_) => self.operand(expr)?.compare(Operator::Eq, &ScalarValue::Boolean(Some(true))),
            Expr::Not(inner) => self.exact(inner).map(truth::not),
            Expr::IsNull(inner) => self.is_null(inner),
            Expr::IsNotNull(inner) => self.is_null(inner).map(truth::not),
            Expr::IsUnknown(inner) => truth::is_unknown(&self.exact(inner)?),
            Expr::IsNotUnknown(inner) => truth::is_unknown(&self.exact(inner)?).map(truth::not),
            Expr::IsTrue(inner) => truth::is_true(self.exact(inner)?),
            Expr::IsNotTrue(inner) => truth::is_true(self.exact(inner)?).map(truth::not),
            Expr::IsFalse(inner) => truth::is_true(truth::not(self.exact(inner)?)),
            Expr::IsNotFalse(inner) => truth::is_true(truth::not(self.exact(inner)?)).map(truth::not),
            Expr::BinaryExpr(BinaryExpr { op: op @ (Operator::And | Operator::Or), .. }) => {
                let parts = operands_of(expr, *op).into_iter().map(|part| self.exact(part));
                let parts = parts.collect::<Option<Vec<_>>>()?;
                Some(if *op == Operator::And { all_of(parts) } else { any_of(parts) })
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => self.comparison(left, *op, right),
            Expr::Between(between) => self.between(between),
            Expr::InList(list) => self.in_list(list),
            Expr::Like(like) => self.like(like),
            Expr::ScalarFunction(call) => self.call(call),
            _ => None,
        }
    }

    /// True at least of the rows for which the expression is; `None` where there is nothing to say.
    pub fn implied(&self, expr: &Expr) -> Option<Predicate> {
        if let Some(exact) = self.exact(expr) {
            return Some(exact);
        }
        match expr {
            Expr::Alias(alias) => self.implied(&alias.expr),
            Expr::IsTrue(inner) => self.implied(inner),
            Expr::BinaryExpr(BinaryExpr { op: Operator::And, .. }) => {
                let parts = operands_of(expr, Operator::And);
                let said: Vec<Predicate> = parts.into_iter().filter_map(|part| self.implied(part)).collect();
                (!said.is_empty()).then(|| all_of(said))
            }
            Expr::BinaryExpr(BinaryExpr { op: Operator::Or, .. }) => {
                let parts = operands_of(expr, Operator::Or).into_iter().map(|part| self.implied(part));
                parts.collect::<Option<Vec<_>>>().map(any_of)
            }
            _ => None,
        }
    }

    fn operand(&self, expr: &Expr) -> Option<Operand> {
        Operand::of(expr, self.schema)
    }

    fn is_null(&self, expr: &Expr) -> Option<Predicate> {
        match self.operand(expr) {
            Some(operand) => Some(operand.is_null()),
            None => truth::is_unknown(&self.exact(expr)?),
        }
    }

    fn comparison(&self, left: &Expr, op: Operator, right: &Expr) -> Option<Predicate> {
        match (left.as_literal(), right.as_literal()) {
            (None, Some(literal)) => match self.operand(left) {
                Some(operand) => operand.compare(op, literal),
                None => truth::compare(self.exact(left)?, op, self.exact(right)?),
            },
            (Some(literal), None) => match self.operand(right) {
                Some(operand) => operand.compare(op.swap()?, literal),
                None => truth::compare(self.exact(left)?, op, self.exact(right)?),
            },
            _ => match (self.operand(left), self.operand(right)) {
                (Some(left), Some(right)) => Operand::compare_columns(&left, op, &right),
                _ => truth::compare(self.exact(left)?, op, self.exact(right)?),
            },
        }
    }

    fn between(&self, between: &Between) -> Option<Predicate> {
        let low = self.comparison(&between.expr, Operator::GtEq, &between.low)?;
        let high = self.comparison(&between.expr, Operator::LtEq, &between.high)?;
        Some(negated(all_of(vec![low, high]), between.negated))
    }

    fn in_list(&self, list: &InList) -> Option<Predicate> {
        let literals = list.list.iter().map(Expr::as_literal).collect::<Option<Vec<_>>>()?;
        Some(negated(self.operand(&list.expr)?.any_of(&literals)?, list.negated))
    }

    fn like(&self, like: &Like) -> Option<Predicate> {
        if like.escape_char.is_some_and(|escape| escape != LIKE_ESCAPE) {
            return None;
        }
        let pattern = like.pattern.as_literal()?;
        if pattern.is_null() {
            return Some(Predicate::Const(None));
        }
        let pattern = pattern.try_as_str().flatten()?;
        let pattern = LikePattern::new(pattern, Some(LIKE_ESCAPE), like.case_insensitive).ok()?;
        Some(negated(self.text(&like.expr, TextTest::Like(pattern))?, like.negated))
    }

    fn call(&self, call: &ScalarFunction) -> Option<Predicate> {
        let texts = || call.args[1..].iter().map(|argument| argument.as_literal()?.try_as_str().flatten());
        let literals = texts().collect::<Option<Vec<&str>>>()?;
        let test = match (call.func.name(), literals.as_slice()) {
            ("regexp_like", [pattern]) => TextTest::Regex(RegexPattern::new(pattern).ok()?),
            // Anything else is an error, for DataFusion to tell.
            ("regexp_like", [pattern, flags]) if flags.chars().all(|flag| "ims".contains(flag)) => {
                let flagged = if flags.is_empty() { (*pattern).to_owned() } else { format!("(?{flags}){pattern}") };
                TextTest::Regex(RegexPattern::new(&flagged).ok()?)
            }
            ("starts_with", [prefix]) => TextTest::Prefix(prefix.as_bytes().into()),
            ("ends_with", [suffix]) => like_test(&format!("%{}", escaped(suffix)))?,
            ("contains", [part]) => like_test(&format!("%{}%", escaped(part)))?,
            _ => return None,
        };
        self.text(&call.args[0], test)
    }

    fn text(&self, expr: &Expr, test: TextTest) -> Option<Predicate> {
        let operand = self.operand(expr).filter(|operand| operand.reading.is_text())?;
        Some(Predicate::Text { column: operand.column, test })
    }
}

fn negated(predicate: Predicate, is_negated: bool) -> Predicate {
    if is_negated { truth::not(predicate) } else { predicate }
}

fn like_test(pattern: &str) -> Option<TextTest> {
    LikePattern::new(pattern, Some(LIKE_ESCAPE), false).ok().map(TextTest::Like)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | LIKE_ESCAPE) {
            escaped.push(LIKE_ESCAPE);
        }
        escaped.push(character);
    }
    escaped
}

/// What stands between the ANDs, or the ORs, of a chain.
fn operands_of(expr: &Expr, op: Operator) -> Vec<&Expr> {
    let mut operands = Vec::new();
    let mut pending = vec![expr];
    while let Some(next) = pending.pop() {
        match next {
            Expr::BinaryExpr(binary) if binary.op == op => {
                pending.extend([binary.right.as_ref(), binary.left.as_ref()])
            }
            other => operands.push(other),
        }
    }
    operands
}
