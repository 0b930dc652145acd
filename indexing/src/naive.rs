//! The reference that tests compare evaluation with: predicates row by row, by the book, however slow.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use regex_automata::meta;

use crate::predicate::{Comparison, LikePattern, NumberTest, Predicate, TextTest, ValueKind};
use crate::promotion::{text_of_double, text_of_flag, text_of_long};

/// A value of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Long(i64),
    Double(f64),
    Flag(bool),
}

/// Columns by name, one value or null a row. A column that is not there is null in every row.
pub type Columns = BTreeMap<String, Vec<Option<Value>>>;

/// The rows, ascending, for which a predicate is true.
pub fn matching_rows(predicate: &Predicate, row_count: u32, columns: &Columns) -> Vec<u32> {
    let mut regexes = Regexes::new();
    (0..row_count).filter(|&row| holds(predicate, columns, row, &mut regexes) == Some(true)).collect()
}

/// Compiled regular expressions by their text: compiling one for each row would take minutes.
type Regexes = HashMap<String, meta::Regex>;

/// Whether a predicate is true of one row; `None` where that is unknown.
fn holds(predicate: &Predicate, columns: &Columns, row: u32, regexes: &mut Regexes) -> Option<bool> {
    let value = |column: &str| columns.get(column).and_then(|values| values[row as usize].as_ref());
    match predicate {
        Predicate::Const(is) => *is,
        Predicate::And(parts) => all(parts.iter().map(|part| holds(part, columns, row, regexes))),
        Predicate::Or(parts) => {
            let negated = parts.iter().map(|part| holds(part, columns, row, regexes).map(|is| !is));
            all(negated).map(|is| !is)
        }
        Predicate::Not(part) => holds(part, columns, row, regexes).map(|is| !is),
        Predicate::IsNull(column) => Some(value(column).is_none()),
        Predicate::Text { column, test } => value(column).map(|value| text_holds(test, &text_of(value), regexes)),
        Predicate::Long { column, test } => match value(column)? {
            Value::Long(long) => Some(number_holds(test, long, i64::cmp)),
            _ => None,
        },
        Predicate::Double { column, test } => {
            value(column).and_then(double_of).map(|double| number_holds(test, &double, f64::total_cmp))
        }
        Predicate::Flag { column, is } => match value(column)? {
            Value::Flag(flag) => Some(flag == is),
            _ => None,
        },
        Predicate::Columns { left, op, right, kind } => compared(value(left)?, *op, value(right)?, *kind),
    }
}

/// SQL's AND: false where any is false, else unknown where any is unknown.
fn all(mut parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    parts
        .try_fold(Some(true), |all, part| match (all, part) {
            (_, Some(false)) => Err(()),
            (None, _) | (_, None) => Ok(None),
            _ => Ok(Some(true)),
        })
        .unwrap_or(Some(false))
}

fn compared(left: &Value, op: Comparison, right: &Value, kind: ValueKind) -> Option<bool> {
    let ordering = match (kind, left, right) {
        (ValueKind::Text, left, right) => text_of(left).cmp(&text_of(right)),
        (ValueKind::Long, Value::Long(left), Value::Long(right)) => left.cmp(right),
        (ValueKind::Double, left, right) => match (double_of(left)?, double_of(right)?) {
            (left, right) if left == right => Ordering::Equal,
            (left, right) => left.total_cmp(&right),
        },
        (ValueKind::Flag, Value::Flag(left), Value::Flag(right)) => left.cmp(right),
        _ => return None,
    };
    Some(match op {
        Comparison::Equal => ordering == Ordering::Equal,
        Comparison::NotEqual => ordering != Ordering::Equal,
        Comparison::Less => ordering == Ordering::Less,
        Comparison::LessOrEqual => ordering != Ordering::Greater,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::GreaterOrEqual => ordering != Ordering::Less,
    })
}

fn double_of(value: &Value) -> Option<f64> {
    match value {
        Value::Long(long) => Some(*long as f64),
        Value::Double(double) => Some(*double),
        Value::Text(_) | Value::Flag(_) => None,
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Long(long) => text_of_long(*long),
        Value::Double(double) => text_of_double(*double),
        Value::Flag(flag) => text_of_flag(*flag).to_owned(),
    }
}

fn number_holds<T>(test: &NumberTest<T>, value: &T, order: impl Fn(&T, &T) -> Ordering) -> bool {
    match test {
        NumberTest::In(items) => items.iter().any(|item| order(value, item) == Ordering::Equal),
        NumberTest::Range { lower, upper } => within(lower.as_ref(), upper.as_ref(), |bound| order(value, bound)),
    }
}

fn text_holds(test: &TextTest, text: &str, regexes: &mut Regexes) -> bool {
    let order = |bound: &[u8]| text.as_bytes().cmp(bound);
    match test {
        TextTest::In(texts) => texts.as_slice().iter().any(|item| **item == *text.as_bytes()),
        TextTest::Range { lower, upper } => {
            within(lower.as_ref().map(|lower| &**lower), upper.as_ref().map(|upper| &**upper), order)
        }
        TextTest::Prefix(prefix) => text.as_bytes().iter().take(prefix.len()).eq(prefix.iter()),
        TextTest::Like(pattern) => like(pattern, text, regexes),
        TextTest::Regex(pattern) => is_match(pattern.as_str(), text, regexes),
    }
}

fn within<T>(lower: Bound<T>, upper: Bound<T>, order: impl Fn(T) -> Ordering) -> bool {
    let is_above = match lower {
        Bound::Included(lower) => order(lower) != Ordering::Less,
        Bound::Excluded(lower) => order(lower) == Ordering::Greater,
        Bound::Unbounded => true,
    };
    let is_below = match upper {
        Bound::Included(upper) => order(upper) != Ordering::Greater,
        Bound::Excluded(upper) => order(upper) == Ordering::Less,
        Bound::Unbounded => true,
    };
    is_above && is_below
}

/// LIKE by trying every way in which a `%` can be filled; ILIKE as the regular expression that the SQL engine makes of it.
fn like(pattern: &LikePattern, text: &str, regexes: &mut Regexes) -> bool {
    let (pattern, escape, is_case_insensitive) = pattern.source();
    if !is_case_insensitive {
        let pattern: Vec<char> = pattern.chars().collect();
        return like_characters(&pattern, escape, &text.chars().collect::<Vec<_>>());
    }
    let mut regex = String::from("(?si)^");
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let literal = match character {
            _ if Some(character) == escape => characters.next().unwrap_or(character),
            '%' | '_' => {
                regex.push_str(if character == '%' { ".*" } else { "." });
                continue;
            }
            _ => character,
        };
        regex.push_str(&regex_syntax::escape(&literal.to_string()));
    }
    is_match(&(regex + "$"), text, regexes)
}

fn is_match(regex: &str, text: &str, regexes: &mut Regexes) -> bool {
    let compiled = regexes
        .entry(regex.to_owned())
        .or_insert_with(|| meta::Regex::new(regex).expect("patterns are read when they are made"));
    compiled.is_match(text)
}

fn like_characters(pattern: &[char], escape: Option<char>, text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [first, literal, rest @ ..] if Some(*first) == escape => {
            text.split_first().is_some_and(|(head, tail)| head == literal && like_characters(rest, escape, tail))
        }
        ['%', rest @ ..] if escape != Some('%') => {
            (0..=text.len()).any(|skipped| like_characters(rest, escape, &text[skipped..]))
        }
        ['_', rest @ ..] if escape != Some('_') => {
            text.split_first().is_some_and(|(_, tail)| like_characters(rest, escape, tail))
        }
        [literal, rest @ ..] => {
            text.split_first().is_some_and(|(head, tail)| head == literal && like_characters(rest, escape, tail))
        }
    }
}
