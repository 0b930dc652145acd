//! Functions of texts. Lengths and places are in UTF-16, as in queries and in Java.

use std::borrow::Cow;

use regex::Regex;

use super::batch::Batch;
use super::column::{Cell, Column, Failure, Texts};
use super::node::{Node, TrimSide};
use crate::decode::STRING_BYTES_MAX;

/// Evaluates one of the nodes below; others are evaluated elsewhere.
pub(super) fn evaluate(node: &Node, batch: &Batch) -> Column {
    match node {
        Node::Like(text, pattern) => matches(text, batch, |text| pattern.matches(text.as_bytes())),
        Node::RegexLike(text, pattern) => matches(text, batch, |text| pattern.is_match(text)),
        Node::RegexExtract { text, pattern, group } => extract(&text.evaluate(batch), pattern, *group),
        Node::Concat(parts) => concat(parts, batch),
        Node::Lower(text) => each(&text.evaluate(batch), |text, out| out.push_str(&text.to_lowercase())),
        Node::Upper(text) => each(&text.evaluate(batch), |text, out| out.push_str(&text.to_uppercase())),
        Node::Length(text) => {
            let length = |text: &str| text.encode_utf16().count() as i64;
            Column::Longs(text.evaluate(batch).texts().iter().map(|cell| cell.map(|text| text.map(length))).collect())
        }
        Node::Substring { text, start, length } => substring(text, start, length.as_deref(), batch),
        Node::Trim { side, text, characters } => trim(*side, &text.evaluate(batch), &characters.evaluate(batch)),
        Node::Replace { text, wanted, replacement } => {
            replace(&text.evaluate(batch), &wanted.evaluate(batch), &replacement.evaluate(batch))
        }
        _ => unreachable!("only functions of texts are left"),
    }
}

fn matches(text: &Node, batch: &Batch, test: impl Fn(&str) -> bool) -> Column {
    let texts = text.evaluate(batch);
    Column::Booleans(texts.texts().iter().map(|cell| cell.map(|text| text.map(&test))).collect())
}

fn each(column: &Column, write: impl Fn(&str, &mut String)) -> Column {
    let mut texts = Texts::default();
    for cell in column.texts().iter() {
        texts.push(|out| cell.map(|text| text.map(|text| write(text, out))));
    }
    Column::Texts(texts)
}

fn extract(column: &Column, pattern: &Regex, group: usize) -> Column {
    let mut texts = Texts::default();
    for cell in column.texts().iter() {
        let found = |text| pattern.captures(text)?.get(group).map(|part| part.as_str());
        texts.push_copy(cell.map(|text| text.and_then(found)));
    }
    Column::Texts(texts)
}

/// Null where a part is.
fn concat(parts: &[Node], batch: &Batch) -> Column {
    let columns: Vec<Cow<'_, Column>> = parts.iter().map(|part| part.evaluate(batch)).collect();
    let mut texts = Texts::default();
    for row in 0..batch.rows {
        texts.push(|out| {
            let start = out.len();
            let mut is_null = false;
            for column in &columns {
                match column.texts().get(row)? {
                    Some(part) if out.len() - start + part.len() <= STRING_BYTES_MAX => out.push_str(part),
                    Some(_) => return Err(Failure::TextTooLong),
                    None => is_null = true,
                }
            }
            Ok((!is_null).then_some(()))
        });
    }
    Column::Texts(texts)
}

fn substring(text: &Node, start: &Node, length: Option<&Node>, batch: &Batch) -> Column {
    let (text, start) = (text.evaluate(batch), start.evaluate(batch));
    let length = length.map(|length| length.evaluate(batch));
    let mut texts = Texts::default();
    for row in 0..batch.rows {
        texts.push(|out| {
            let length = length.as_ref().map_or(Ok(Some(i64::MAX)), |length| length.longs()[row])?;
            let (Some(text), Some(start), Some(length)) = (text.texts().get(row)?, start.longs()[row]?, length) else {
                return Ok(None);
            };
            let mut place = 1_i64;
            let end = start.saturating_add(length);
            for character in text.chars() {
                let next = place + character.len_utf16() as i64;
                if place >= start && next <= end {
                    out.push(character);
                }
                place = next;
            }
            Ok(Some(()))
        });
    }
    Column::Texts(texts)
}

fn trim(side: TrimSide, text: &Column, characters: &Column) -> Column {
    let mut texts = Texts::default();
    for (text, characters) in text.texts().iter().zip(characters.texts().iter()) {
        texts.push_copy(both(text, characters).map(|both| {
            both.map(|(text, characters)| {
                let is_cut = |character| characters.contains(character);
                match side {
                    TrimSide::Both => text.trim_matches(is_cut),
                    TrimSide::Start => text.trim_start_matches(is_cut),
                    TrimSide::End => text.trim_end_matches(is_cut),
                }
            })
        }));
    }
    Column::Texts(texts)
}

fn replace(text: &Column, wanted: &Column, replacement: &Column) -> Column {
    let mut texts = Texts::default();
    let pairs = wanted.texts().iter().zip(replacement.texts().iter());
    for (text, (wanted, replacement)) in text.texts().iter().zip(pairs) {
        texts.push(|out| {
            let (Some(text), Some((wanted, replacement))) = (text?, both(wanted, replacement)?) else {
                return Ok(None);
            };
            replace_into(text, wanted, replacement, out).map(Some)
        });
    }
    Column::Texts(texts)
}

/// Nothing is found in the place of an empty text. Ends as soon as the result is too long.
fn replace_into(text: &str, wanted: &str, replacement: &str, out: &mut String) -> Result<(), Failure> {
    if wanted.is_empty() {
        out.push_str(text);
        return Ok(());
    }
    let start = out.len();
    let mut parts = text.split(wanted);
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        out.push_str(replacement);
        out.push_str(part);
        if out.len() - start > STRING_BYTES_MAX {
            return Err(Failure::TextTooLong);
        }
    }
    Ok(())
}

fn both<'t>(left: Cell<&'t str>, right: Cell<&'t str>) -> Cell<(&'t str, &'t str)> {
    Ok(left?.zip(right?))
}
