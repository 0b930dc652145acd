//! What a text of JSON consists of: `JSON_KEYS`, `JSON_PATHS`, `JSON_QUERY_ARRAY`, `JSON_MERGE`, and `TO_JSON_STRING`.

use std::fmt::Write;

use serde_json::Value as Json;

use super::json_text::Path;
use super::row_function::{Body, Constants, Kind, Row, RowFunction, Value, check_bytes};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "json_keys",
        aliases: &[],
        usage: "JSON_KEYS(text, '$.a')",
        parameters: &[Kind::Text, Kind::Text],
        required: 2,
        result: Kind::Texts,
        bind: |constants| at_path(constants, keys),
    },
    RowFunction {
        name: "json_paths",
        aliases: &[],
        usage: "JSON_PATHS(text)",
        parameters: &[Kind::Text],
        required: 1,
        result: Kind::Texts,
        bind: |_| {
            Ok(Box::new(|row| match parsed(row, 0) {
                Some(json) => paths(&json).map(Value::Texts),
                None => Ok(Value::Null),
            }))
        },
    },
    RowFunction {
        name: "json_query_array",
        aliases: &[],
        usage: "JSON_QUERY_ARRAY(text, '$.a')",
        parameters: &[Kind::Text, Kind::Text],
        required: 2,
        result: Kind::Texts,
        bind: |constants| at_path(constants, members),
    },
    RowFunction {
        name: "json_merge",
        aliases: &[],
        usage: "JSON_MERGE(text, other)",
        parameters: &[Kind::Text, Kind::Text],
        required: 2,
        result: Kind::Text,
        bind: |_| Ok(Box::new(merged)),
    },
    RowFunction {
        name: "to_json_string",
        aliases: &[],
        usage: "TO_JSON_STRING(value)",
        parameters: &[Kind::Text],
        required: 1,
        result: Kind::Text,
        bind: |_| {
            Ok(Box::new(|row| {
                let json = parsed(row, 0).unwrap_or_else(|| Json::String(row.text(0).to_owned()));
                Ok(Value::Text(json.to_string()))
            }))
        },
    },
];

fn parsed(row: &Row<'_>, at: usize) -> Option<Json> {
    serde_json::from_str(row.text(at)).ok()
}

/// Null for text that is no JSON, and where the path leads nowhere.
fn at_path(constants: &Constants<'_>, show: fn(&Json) -> Value) -> Result<Body, QueryError> {
    let path = Path::parse(constants.required_text(1)?)?;
    Ok(Box::new(move |row: &Row<'_>| {
        let json = parsed(row, 0);
        Ok(json.as_ref().and_then(|json| path.find(json)).map_or(Value::Null, show))
    }))
}

/// In the order of the text; null of what is no object.
fn keys(json: &Json) -> Value {
    match json {
        Json::Object(members) => Value::Texts(members.keys().cloned().collect()),
        _ => Value::Null,
    }
}

/// Each as JSON; what is no array is one by itself.
fn members(json: &Json) -> Value {
    match json {
        Json::Array(items) => Value::Texts(items.iter().map(Json::to_string).collect()),
        Json::Null => Value::Null,
        other => Value::Texts(vec![other.to_string()]),
    }
}

/// Where the values are that hold no others.
fn paths(json: &Json) -> Result<Vec<String>, QueryError> {
    let (mut found, mut open, mut bytes) = (Vec::new(), vec![("$".to_owned(), json)], 0);
    while let Some((path, json)) = open.pop() {
        // Long names of outer members are in the paths of all inner ones.
        bytes += path.len();
        check_bytes("json_paths", bytes)?;
        // The last one is taken first.
        match json {
            Json::Object(members) => open.extend(members.iter().rev().map(|(name, json)| (member(&path, name), json))),
            Json::Array(items) => {
                open.extend(items.iter().enumerate().rev().map(|(at, json)| (format!("{path}[{at}]"), json)));
            }
            _ => found.push(path),
        }
    }
    Ok(found)
}

fn member(path: &str, name: &str) -> String {
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let mut path = path.to_owned();
    let written = match is_plain {
        true => write!(path, ".{name}"),
        false => write!(path, "['{name}']"),
    };
    written.expect("a string takes all text");
    path
}

/// The members of both; of those of one name the second's. Null where one is no JSON, and the second where one is no object.
fn merged(row: &Row<'_>) -> Result<Value, QueryError> {
    let (Some(first), Some(second)) = (parsed(row, 0), parsed(row, 1)) else { return Ok(Value::Null) };
    Ok(Value::Text(match (first, second) {
        (Json::Object(mut first), Json::Object(second)) => {
            first.extend(second);
            Json::Object(first).to_string()
        }
        (_, second) => second.to_string(),
    }))
}
