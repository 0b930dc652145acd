//! `REGEXP_EXTRACT`, `REGEXP_REPLACE` and `STRING_TO_ARRAY`: what a pattern finds anywhere in a text. Patterns are literals, and take time in
//! proportion to the text.

use regex::{Regex, RegexBuilder};

use super::row_function::{Body, Constants, Kind, RowFunction, Value, check_bytes};
use crate::error::QueryError;

/// Of one compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "regexp_extract",
        aliases: &[],
        usage: "REGEXP_EXTRACT(text, 'id=([0-9]+)'[, 1])",
        parameters: &[Kind::Text, Kind::Text, Kind::Long],
        required: 2,
        result: Kind::Text,
        bind: extract,
    },
    RowFunction {
        name: "regexp_replace",
        aliases: &[],
        usage: "REGEXP_REPLACE(text, '[0-9]+', '#')",
        parameters: &[Kind::Text, Kind::Text, Kind::Text],
        required: 3,
        result: Kind::Text,
        bind: replace,
    },
    RowFunction {
        name: "string_to_array",
        aliases: &["string_to_mv"],
        usage: "STRING_TO_ARRAY(text, ', ?')",
        parameters: &[Kind::Text, Kind::Text],
        required: 2,
        result: Kind::Texts,
        bind: pieces,
    },
];

pub(super) fn compile(pattern: &str) -> Result<Regex, QueryError> {
    RegexBuilder::new(pattern).size_limit(PATTERN_BYTES_MAX).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            QueryError::limit("a regular expression is too large: shorten its repetitions")
        }
        other => {
            let detail = other.to_string();
            let detail = detail.lines().next_back().unwrap_or_default();
            QueryError::plan(format!("'{pattern}' is not a regular expression: {detail}"))
        }
    })
}

/// Null where nothing is found, or not in that group.
fn extract(constants: &Constants<'_>) -> Result<Body, QueryError> {
    let pattern = compile(constants.required_text(1)?)?;
    Ok(Box::new(move |row| {
        let group = if row.has(2) { row.long(2) } else { 0 };
        let Some(group) = usize::try_from(group).ok().filter(|group| *group < pattern.captures_len()) else {
            return Err(QueryError::plan(format!(
                "REGEXP_EXTRACT was asked for group {group}, and the pattern has {}",
                pattern.captures_len() - 1
            )));
        };
        if group == 0 {
            return Ok(Value::text_or_null(pattern.find(row.text(0)).map(|found| found.as_str())));
        }
        let found = pattern.captures(row.text(0)).and_then(|groups| groups.get(group));
        Ok(Value::text_or_null(found.map(|found| found.as_str())))
    }))
}

/// What stands between the separators, without empty texts at the end, as Java has it.
fn pieces(constants: &Constants<'_>) -> Result<Body, QueryError> {
    let separator = compile(constants.required_text(1)?)?;
    Ok(Box::new(move |row| {
        let mut pieces: Vec<String> = separator.split(row.text(0)).map(str::to_owned).collect();
        while pieces.len() > 1 && pieces.last().is_some_and(String::is_empty) {
            pieces.pop();
        }
        Ok(Value::Texts(pieces))
    }))
}

fn replace(constants: &Constants<'_>) -> Result<Body, QueryError> {
    let pattern = compile(constants.required_text(1)?)?;
    let replacement = Replacement::parse(constants.required_text(2)?, &pattern)?;
    Ok(Box::new(move |row| {
        let text = row.text(0);
        let (mut replaced, mut end) = (String::new(), 0);
        for groups in pattern.captures_iter(text) {
            let found = groups.get(0).expect("a match has a whole");
            replaced.push_str(&text[end..found.start()]);
            for piece in &replacement.pieces {
                match piece {
                    Piece::Text(text) => replaced.push_str(text),
                    Piece::Group(group) => replaced.push_str(groups.get(*group).map_or("", |group| group.as_str())),
                }
            }
            end = found.end();
            check_bytes("regexp_replace", replaced.len())?;
        }
        replaced.push_str(&text[end..]);
        Ok(Value::Text(replaced))
    }))
}

/// As Java writes it: `$1` is a group, and a backslash takes the next character as it is.
struct Replacement {
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    Group(usize),
}

impl Replacement {
    fn parse(text: &str, pattern: &Regex) -> Result<Self, QueryError> {
        let fail = || {
            QueryError::plan(format!(
                "'{text}' is not a replacement: `$1` to `$9` are groups of the pattern, which has {}, and `\\$` is a dollar",
                pattern.captures_len() - 1
            ))
        };
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => plain.push(characters.next().ok_or_else(fail)?),
                '$' => {
                    let group = characters.next().and_then(|digit| digit.to_digit(10)).ok_or_else(fail)? as usize;
                    if group >= pattern.captures_len() {
                        return Err(fail());
                    }
                    pieces.extend([Piece::Text(std::mem::take(&mut plain)), Piece::Group(group)]);
                }
                other => plain.push(other),
            }
        }
        pieces.push(Piece::Text(plain));
        Ok(Self { pieces })
    }
}
