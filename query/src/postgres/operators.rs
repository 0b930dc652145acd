//! Operators with schemas, collations, elements of arrays, and comparisons with any or all of an array.

use datafusion::sql::sqlparser::ast::{AccessExpr, BinaryOperator, Expr, Subscript, Value};
use datafusion::sql::sqlparser::tokenizer::Span;

use crate::dialect::calls::{call, long_of, string, text_of};
use crate::error::QueryError;

pub(super) fn rewrite(expr: &mut Expr) -> Result<(), QueryError> {
    let rewritten = match expr {
        Expr::Collate { expr: inner, .. } => Some((**inner).clone()),
        Expr::BinaryOp { op, .. } => {
            if let BinaryOperator::PGCustomBinaryOperator(name) = op
                && let Some(plain) = name.last().and_then(|name| plain(name))
            {
                *op = plain;
            }
            None
        }
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => within(left, right, false),
        Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => within(left, right, true),
        Expr::CompoundFieldAccess { root, access_chain } => match access_chain.as_slice() {
            [AccessExpr::Subscript(Subscript::Index { index })] => Some(element(root, index)),
            _ => None,
        },
        // PostgreSQL makes a time without a zone of it, of which there are none here.
        Expr::AtTimeZone { .. } => {
            return Err(QueryError::unsupported(
                "AT TIME ZONE cannot be used: SET TimeZone, or use TIME_FORMAT with a zone",
            ));
        }
        _ => None,
    };
    if let Some(rewritten) = rewritten {
        *expr = rewritten;
    }
    Ok(())
}

fn plain(name: &str) -> Option<BinaryOperator> {
    Some(match name {
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "!~~" => BinaryOperator::PGNotLikeMatch,
        "=" => BinaryOperator::Eq,
        "<>" | "!=" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        ">" => BinaryOperator::Gt,
        "+" => BinaryOperator::Plus,
        _ => return None,
    })
}

/// `x = ANY (array)` as `x IN (..)`.
fn within(value: &Expr, array: &Expr, negated: bool) -> Option<Expr> {
    let expr = Box::new(value.clone());
    match array {
        Expr::Subquery(subquery) => Some(Expr::InSubquery { expr, subquery: subquery.clone(), negated }),
        array => {
            let list = items(array)?;
            if list.is_empty() {
                return Some(Expr::Value(Value::Boolean(negated).with_span(Span::empty())));
            }
            Some(Expr::InList { expr, list, negated })
        }
    }
}

/// Those of `ARRAY[..]`, or of a text such as `{a,"b c"}`.
pub(super) fn items(array: &Expr) -> Option<Vec<Expr>> {
    match array {
        Expr::Array(array) => Some(array.elem.clone()),
        Expr::Nested(inner) => items(inner),
        Expr::Cast { expr, .. } => items(expr),
        literal => text_items(text_of(literal)?).map(|texts| texts.iter().map(|text| string(text)).collect()),
    }
}

/// The items of an array's text form; `None` where it is none, or holds arrays or nulls.
fn text_items(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut items = Vec::new();
    let (mut item, mut is_quoted) = (String::new(), false);
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => is_quoted = !is_quoted,
            '\\' => item.push(characters.next()?),
            ',' if !is_quoted => items.push(std::mem::take(&mut item)),
            '{' | '}' if !is_quoted => return None,
            other => item.push(other),
        }
    }
    if is_quoted {
        return None;
    }
    if !inner.is_empty() {
        items.push(item);
    }
    Some(items)
}

/// Counted from 1.
fn element(array: &Expr, index: &Expr) -> Expr {
    let known = items(array).zip(long_of(index));
    let found = known.and_then(|(items, at)| items.into_iter().nth(usize::try_from(at - 1).ok()?));
    found.unwrap_or_else(|| call("array_ordinal", vec![array.clone(), index.clone()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_arrays_are_read() {
        let items = |text: &str| text_items(text).map(|items| items.join("|"));
        let cases = [
            ("{}", Some("")),
            ("{a,b}", Some("a|b")),
            (r#"{"a,b","c\"d"}"#, Some("a,b|c\"d")),
            ("{{a}}", None),
            ("a,b", None),
            (r#"{"a}"#, None),
        ];
        for (text, expected) in cases {
            assert_eq!(items(text).as_deref(), expected, "{text}");
        }
    }
}
