//! Predicates in the words of SQL, for `EXPLAIN`.

use std::fmt::{self, Write};
use std::ops::Bound;

use henge_indexing::{Comparison, NumberTest, Predicate, TextTest};
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::time::TimestampMs;

/// Items of a list that are written out.
const ITEMS_MAX: usize = 3;

/// The predicate as text. Long lists are cut short.
pub(crate) fn shown(predicate: &Predicate) -> String {
    let mut out = String::new();
    write(predicate, &mut out).expect("text takes everything");
    out
}

fn write(predicate: &Predicate, out: &mut String) -> fmt::Result {
    match predicate {
        Predicate::Const(None) => out.write_str("NULL"),
        Predicate::Const(Some(is)) => out.write_str(if *is { "TRUE" } else { "FALSE" }),
        Predicate::And(parts) => write_chain(parts, " AND ", "TRUE", out),
        Predicate::Or(parts) => write_chain(parts, " OR ", "FALSE", out),
        Predicate::Not(inner) => write_negated(inner, out),
        Predicate::IsNull(column) => write!(out, "{column} IS NULL"),
        Predicate::Text { column, test } => write_text(column, test, out),
        Predicate::Long { column, test } if &**column == TIME_COLUMN => {
            write_number(column, test, |millis| format!("'{}'", TimestampMs(*millis)), out)
        }
        Predicate::Long { column, test } => write_number(column, test, i64::to_string, out),
        Predicate::Double { column, test } => write_number(column, test, |double| format!("{double:?}"), out),
        Predicate::Flag { column, is: true } => out.write_str(column),
        Predicate::Flag { column, is: false } => write!(out, "NOT {column}"),
        Predicate::Columns { left, op, right, .. } => write!(out, "{left} {} {right}", symbol(*op)),
    }
}

fn write_chain(parts: &[Predicate], join: &str, nothing: &str, out: &mut String) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.write_str(join)?;
        }
        match part {
            Predicate::And(_) | Predicate::Or(_) => write_enclosed(part, out)?,
            part => write(part, out)?,
        }
    }
    if parts.is_empty() { out.write_str(nothing) } else { Ok(()) }
}

fn write_enclosed(predicate: &Predicate, out: &mut String) -> fmt::Result {
    out.write_char('(')?;
    write(predicate, out)?;
    out.write_char(')')
}

fn write_negated(predicate: &Predicate, out: &mut String) -> fmt::Result {
    if let Predicate::IsNull(column) = predicate {
        return write!(out, "{column} IS NOT NULL");
    }
    out.write_str("NOT ")?;
    write_enclosed(predicate, out)
}

fn write_text(column: &str, test: &TextTest, out: &mut String) -> fmt::Result {
    let quoted = |text: &[u8]| format!("'{}'", String::from_utf8_lossy(text).replace('\'', "''"));
    match test {
        TextTest::In(texts) => write_list(column, texts.as_slice(), |text| quoted(text), out),
        TextTest::Range { lower, upper } => write_range(column, lower, upper, |text| quoted(text), out),
        TextTest::Prefix(prefix) => write!(out, "STARTS_WITH({column}, {})", quoted(prefix)),
        TextTest::Like(pattern) => {
            let operator = if pattern.is_case_insensitive() { "ILIKE" } else { "LIKE" };
            write!(out, "{column} {operator} {}", quoted(pattern.as_str().as_bytes()))
        }
        TextTest::Regex(pattern) => write!(out, "REGEXP_LIKE({column}, {})", quoted(pattern.as_str().as_bytes())),
    }
}

fn write_number<T>(column: &str, test: &NumberTest<T>, value: impl Fn(&T) -> String, out: &mut String) -> fmt::Result {
    match test {
        NumberTest::In(items) => write_list(column, items, value, out),
        NumberTest::Range { lower, upper } => write_range(column, lower, upper, value, out),
    }
}

fn write_list<T>(column: &str, items: &[T], value: impl Fn(&T) -> String, out: &mut String) -> fmt::Result {
    if let [item] = items {
        return write!(out, "{column} = {}", value(item));
    }
    let shown: Vec<String> = items.iter().take(ITEMS_MAX).map(value).collect();
    write!(out, "{column} IN ({}", shown.join(", "))?;
    if items.len() > ITEMS_MAX {
        write!(out, ", and {} more", items.len() - ITEMS_MAX)?;
    }
    out.write_char(')')
}

fn write_range<T>(
    column: &str,
    lower: &Bound<T>,
    upper: &Bound<T>,
    value: impl Fn(&T) -> String,
    out: &mut String,
) -> fmt::Result {
    let lower = match lower {
        Bound::Included(bound) => Some((">=", value(bound))),
        Bound::Excluded(bound) => Some((">", value(bound))),
        Bound::Unbounded => None,
    };
    let upper = match upper {
        Bound::Included(bound) => Some(("<=", value(bound))),
        Bound::Excluded(bound) => Some(("<", value(bound))),
        Bound::Unbounded => None,
    };
    match (lower, upper) {
        (None, None) => write!(out, "{column} IS NOT NULL"),
        (Some((op, bound)), None) | (None, Some((op, bound))) => write!(out, "{column} {op} {bound}"),
        (Some((op, bound)), Some((upper_op, upper))) => {
            write!(out, "{column} {op} {bound} AND {column} {upper_op} {upper}")
        }
    }
}

fn symbol(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}
