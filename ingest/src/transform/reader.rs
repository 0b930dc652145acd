//! Reads an expression's text into a tree whose parts have the types that they need.

mod calls;
mod place;
mod typed;

use henge_indexing::LikePattern;
use henge_segment_store::schema::DimensionType::{self, Boolean, Double, Long, String as Text};
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, Expr, Ident, TrimWhereField, UnaryOperator, Value, ValueWithSpan,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, Tokenizer};

use self::place::place;
pub(super) use self::typed::Typed;
use self::typed::{alike, cast, common_kind, number_kind, type_of, widened};
use super::node::{Arithmetic, Comparison, Node, TrimSide};
use super::{ExpressionError, TEXT_BYTES_MAX, guard};

/// Operators and calls within each other; chains of AND and OR count once.
const DEPTH_MAX: usize = 64;

/// Finds out what a name means.
type Resolve<'r> = &'r mut dyn FnMut(&str, Location) -> Result<Typed, ExpressionError>;

pub(super) fn read(text: &str, resolve: Resolve<'_>) -> Result<Typed, ExpressionError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(error(format!("the expression has more than {TEXT_BYTES_MAX} bytes"), None));
    }
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location();
    let tokens = tokens.map_err(|error| syntax(&ParserError::TokenizerError(error.to_string())))?;
    guard::check(&tokens)?;
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
    let expr = parser.parse_expr().map_err(|error| syntax(&error))?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let found = format!("expected the end of the expression, found `{}`", rest.token);
        return Err(error(found, Some(rest.span.start)));
    }
    Reader { resolve, depth: 0 }.read(&expr)
}

/// The parser's messages name the place.
fn syntax(error: &ParserError) -> ExpressionError {
    let message = match error {
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => message.clone(),
        ParserError::RecursionLimitExceeded => "the expression is nested too deeply".to_owned(),
    };
    ExpressionError { message, place: None }
}

fn error(message: String, place: Option<Location>) -> ExpressionError {
    let place = place.filter(|place| place.line > 0).map(|place| (place.line, place.column));
    ExpressionError { message, place }
}

struct Reader<'r> {
    resolve: Resolve<'r>,
    depth: usize,
}

type Read<T> = Result<T, ExpressionError>;

impl Reader<'_> {
    fn read(&mut self, expr: &Expr) -> Read<Typed> {
        if self.depth == DEPTH_MAX {
            return Err(error(format!("operators are nested more than {DEPTH_MAX} deep"), place(expr)));
        }
        self.depth += 1;
        let typed = self.read_one(expr);
        self.depth -= 1;
        typed
    }

    fn read_one(&mut self, expr: &Expr) -> Read<Typed> {
        let boolean = |node: Node| Ok(Typed::new(node, Boolean));
        match expr {
            Expr::Identifier(name) => self.name(std::slice::from_ref(name)),
            Expr::CompoundIdentifier(names) => self.name(names),
            Expr::Nested(inner) => self.read(inner),
            Expr::Value(value) => literal(value, ""),
            Expr::UnaryOp { op, expr: inner } => self.unary(*op, inner, expr),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, expr),
            Expr::IsNull(inner) => boolean(Node::IsNull(self.boxed(inner)?)),
            Expr::IsNotNull(inner) => boolean(not(Node::IsNull(self.boxed(inner)?))),
            Expr::IsTrue(inner) => boolean(Node::Is(self.as_boxed(inner, Boolean)?, true)),
            Expr::IsNotTrue(inner) => boolean(not(Node::Is(self.as_boxed(inner, Boolean)?, true))),
            Expr::IsFalse(inner) => boolean(Node::Is(self.as_boxed(inner, Boolean)?, false)),
            Expr::IsNotFalse(inner) => boolean(not(Node::Is(self.as_boxed(inner, Boolean)?, false))),
            Expr::IsNotDistinctFrom(left, right) => self.compare(Comparison::NotDistinct, left, right),
            Expr::IsDistinctFrom(left, right) => boolean(not(self.compare(Comparison::NotDistinct, left, right)?.node)),
            Expr::Between { expr, negated, low, high } => {
                let low = self.compare(Comparison::GreaterOrEqual, expr, low)?.node;
                let high = self.compare(Comparison::LessOrEqual, expr, high)?.node;
                boolean(not_if(*negated, Node::And(vec![low, high])))
            }
            Expr::InList { expr, list, negated } => {
                let tests = list.iter().map(|item| Ok(self.compare(Comparison::Equal, expr, item)?.node));
                let tests = tests.collect::<Read<_>>()?;
                boolean(not_if(*negated, Node::Or(tests)))
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                boolean(not_if(*negated, self.like(expr, pattern, escape_char.as_ref(), false)?))
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char } => {
                boolean(not_if(*negated, self.like(expr, pattern, escape_char.as_ref(), true)?))
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Cast { kind: CastKind::Cast, expr: inner, data_type, format: None, array: false } => {
                let kind = type_of(data_type).ok_or_else(|| {
                    error(format!("`{data_type}` is no type: use VARCHAR, BIGINT, DOUBLE, BOOLEAN"), place(inner))
                })?;
                let Typed { node, kind: from } = self.read(inner)?;
                Ok(Typed::new(from.map_or(Node::Null(kind), |from| cast(from, kind, node)), kind))
            }
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let text = self.as_boxed(expr, Text)?;
                let start = match substring_from {
                    Some(start) => self.as_boxed(start, Long)?,
                    None => Box::new(Node::Long(1)),
                };
                let length = substring_for.as_ref().map(|length| self.as_boxed(length, Long)).transpose()?;
                Ok(Typed::new(Node::Substring { text, start, length }, Text))
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters: None } => {
                let side = match trim_where {
                    None | Some(TrimWhereField::Both) => TrimSide::Both,
                    Some(TrimWhereField::Leading) => TrimSide::Start,
                    Some(TrimWhereField::Trailing) => TrimSide::End,
                };
                self.trim(side, expr, trim_what.as_deref())
            }
            Expr::Function(call) => self.call(call),
            _ => Err(error("this cannot be used in an expression over records".to_owned(), place(expr))),
        }
    }

    fn name(&mut self, names: &[Ident]) -> Read<Typed> {
        let path: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
        (self.resolve)(&path.join("."), names[0].span.start)
    }

    fn boxed(&mut self, expr: &Expr) -> Read<Box<Node>> {
        let Typed { node, kind } = self.read(expr)?;
        Ok(Box::new(if kind.is_none() { Node::Null(Boolean) } else { node }))
    }

    /// A part that has to be of a type.
    fn as_kind(&mut self, expr: &Expr, kind: DimensionType) -> Read<Node> {
        let typed = self.read(expr)?;
        typed.into(kind).map_err(|found| error(format!("expected {kind}, found {found}: CAST it"), place(expr)))
    }

    fn as_boxed(&mut self, expr: &Expr, kind: DimensionType) -> Read<Box<Node>> {
        self.as_kind(expr, kind).map(Box::new)
    }

    /// Any value as text, the way CAST makes it.
    fn as_text(&mut self, expr: &Expr) -> Read<Node> {
        let Typed { node, kind } = self.read(expr)?;
        Ok(match kind {
            None => Node::Null(Text),
            Some(Text) => node,
            Some(kind) => cast(kind, Text, node),
        })
    }

    fn unary(&mut self, op: UnaryOperator, inner: &Expr, expr: &Expr) -> Read<Typed> {
        match (op, inner) {
            (UnaryOperator::Not, _) => Ok(Typed::new(not(self.as_kind(inner, Boolean)?), Boolean)),
            // So that the least long can be written.
            (UnaryOperator::Minus, Expr::Value(value @ ValueWithSpan { value: Value::Number(..), .. })) => {
                literal(value, "-")
            }
            (UnaryOperator::Minus | UnaryOperator::Plus, _) => {
                let typed = self.read(inner)?;
                let kind = number_kind(&[&typed], "a sign", expr)?;
                let node = typed.into(kind).expect("it is a number of this type, or null");
                let is_minus = op == UnaryOperator::Minus;
                Ok(Typed::new(if is_minus { Node::Negate(kind, Box::new(node)) } else { node }, kind))
            }
            _ => Err(error(format!("the operator `{op}` cannot be used here"), place(expr))),
        }
    }

    fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr, expr: &Expr) -> Read<Typed> {
        use BinaryOperator as Op;
        let comparison = match op {
            Op::Eq => Some(Comparison::Equal),
            Op::NotEq => Some(Comparison::NotEqual),
            Op::Lt => Some(Comparison::Less),
            Op::LtEq => Some(Comparison::LessOrEqual),
            Op::Gt => Some(Comparison::Greater),
            Op::GtEq => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        if let Some(comparison) = comparison {
            return self.compare(comparison, left, right);
        }
        let arithmetic = match op {
            Op::And | Op::Or => return self.chain(op, expr),
            Op::StringConcat => {
                let parts = chain(op, expr).into_iter().map(|part| self.as_text(part)).collect::<Read<_>>()?;
                return Ok(Typed::new(Node::Concat(parts), Text));
            }
            Op::Plus => Arithmetic::Add,
            Op::Minus => Arithmetic::Subtract,
            Op::Multiply => Arithmetic::Multiply,
            Op::Divide => Arithmetic::Divide,
            Op::Modulo => Arithmetic::Remainder,
            _ => return Err(error(format!("the operator `{op}` cannot be used here"), place(expr))),
        };
        let (left, right) = (self.read(left)?, self.read(right)?);
        arithmetic_node(arithmetic, left, right, &format!("`{op}`"), expr)
    }

    fn chain(&mut self, op: &BinaryOperator, expr: &Expr) -> Read<Typed> {
        let parts = chain(op, expr).into_iter().map(|part| self.as_kind(part, Boolean)).collect::<Read<_>>()?;
        Ok(Typed::new(if *op == BinaryOperator::And { Node::And(parts) } else { Node::Or(parts) }, Boolean))
    }

    fn compare(&mut self, comparison: Comparison, left: &Expr, right: &Expr) -> Read<Typed> {
        let at = place(left);
        let (left, right) = (self.read(left)?, self.read(right)?);
        let kind = common_kind(&[&left, &right])
            .map_err(|(one, other)| error(format!("{one} and {other} cannot be compared without CAST"), at))?;
        let (left, right) = (Box::new(widened(left, kind)), Box::new(widened(right, kind)));
        Ok(Typed::new(Node::Compare(comparison, left, right), Boolean))
    }

    fn like(&mut self, expr: &Expr, pattern: &Expr, escape: Option<&ValueWithSpan>, is_ilike: bool) -> Read<Node> {
        let text = self.as_boxed(expr, Text)?;
        let wrong = |message: &str| error(message.to_owned(), place(pattern));
        let pattern_text = text_literal(pattern).ok_or_else(|| wrong("the pattern must be a literal"))?;
        let escape = match escape.map(|escape| &escape.value) {
            None => Some('\\'),
            Some(Value::SingleQuotedString(text)) if text.chars().count() <= 1 => text.chars().next(),
            Some(_) => return Err(wrong("ESCAPE takes one character")),
        };
        let pattern = LikePattern::new(pattern_text, escape, is_ilike).map_err(|cause| wrong(&cause.to_string()))?;
        Ok(Node::Like(text, pattern))
    }

    fn case(&mut self, operand: Option<&Expr>, branches: &[CaseWhen], otherwise: Option<&Expr>) -> Read<Typed> {
        let (mut conditions, mut values) = (Vec::new(), Vec::new());
        for CaseWhen { condition, result } in branches {
            conditions.push(match operand {
                None => self.as_kind(condition, Boolean)?,
                Some(operand) => self.compare(Comparison::Equal, operand, condition)?.node,
            });
            values.push(self.read(result)?);
        }
        values.push(match otherwise {
            Some(otherwise) => self.read(otherwise)?,
            None => Typed { node: Node::Null(Boolean), kind: None },
        });
        let first = branches.first().and_then(|branch| place(&branch.result));
        let (kind, values) = alike(values, first)?;
        Ok(Typed::new(Node::Case { kind, conditions, values }, kind))
    }

    fn trim(&mut self, side: TrimSide, text: &Expr, characters: Option<&Expr>) -> Read<Typed> {
        let text = self.as_boxed(text, Text)?;
        let characters = match characters {
            Some(characters) => self.as_boxed(characters, Text)?,
            None => Box::new(Node::Text(" ".into())),
        };
        Ok(Typed::new(Node::Trim { side, text, characters }, Text))
    }
}

fn not(node: Node) -> Node {
    Node::Not(Box::new(node))
}

fn not_if(negated: bool, node: Node) -> Node {
    if negated { not(node) } else { node }
}

fn arithmetic_node(arithmetic: Arithmetic, left: Typed, right: Typed, what: &str, expr: &Expr) -> Read<Typed> {
    let kind = number_kind(&[&left, &right], what, expr)?;
    let (left, right) = (Box::new(widened(left, kind)), Box::new(widened(right, kind)));
    Ok(Typed::new(Node::Arithmetic(arithmetic, kind, left, right), kind))
}

/// The operands of a chain of one operator, without a call for each: chains may be long.
fn chain<'e>(op: &BinaryOperator, expr: &'e Expr) -> Vec<&'e Expr> {
    let (mut parts, mut rest) = (Vec::new(), expr);
    while let Expr::BinaryOp { left, op: own, right } = rest
        && own == op
    {
        parts.push(&**right);
        rest = left;
    }
    parts.push(rest);
    parts.reverse();
    parts
}

fn literal(value: &ValueWithSpan, sign: &str) -> Read<Typed> {
    let at = Some(value.span.start);
    match &value.value {
        Value::Null => Ok(Typed { node: Node::Null(Boolean), kind: None }),
        Value::Boolean(flag) => Ok(Typed::new(Node::Boolean(*flag), Boolean)),
        Value::SingleQuotedString(text) => Ok(Typed::new(Node::Text(text.as_str().into()), Text)),
        Value::Number(digits, _) => {
            let signed = format!("{sign}{digits}");
            if let Ok(number) = signed.parse() {
                return Ok(Typed::new(Node::Long(number), Long));
            }
            let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
            match signed.parse::<f64>().ok().filter(|number| number.is_finite() && !is_whole) {
                Some(number) => Ok(Typed::new(Node::Double(number + 0.0), Double)),
                None => Err(error(format!("`{signed}` does not fit into 64 bits"), at)),
            }
        }
        other => Err(error(format!("`{other}` cannot be used in an expression over records"), at)),
    }
}

fn text_literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => Some(text),
        _ => None,
    }
}
