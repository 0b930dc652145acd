//! Parts of texts that hold JSON.

use serde_json::Value as Json;

use super::row_function::{Body, Constants, Kind, Row, RowFunction, Value};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "json_value",
        aliases: &[],
        usage: "JSON_VALUE(text, '$.a.b[0]' [RETURNING BIGINT])",
        parameters: &[Kind::Text, Kind::Text],
        required: 2,
        result: Kind::Text,
        bind: |constants| bind(constants, scalar),
    },
    RowFunction {
        name: "json_query",
        aliases: &[],
        usage: "JSON_QUERY(text, '$.a.b[0]')",
        parameters: &[Kind::Text, Kind::Text],
        required: 2,
        result: Kind::Text,
        bind: |constants| bind(constants, |json| Value::Text(json.to_string())),
    },
    RowFunction {
        name: "parse_json",
        aliases: &[],
        usage: "PARSE_JSON('{\"a\": 1}')",
        parameters: &[Kind::Text],
        required: 1,
        result: Kind::Text,
        bind: |_| {
            Ok(Box::new(|row| match serde_json::from_str::<Json>(row.text(0)) {
                Ok(json) => Ok(Value::Text(json.to_string())),
                Err(error) => {
                    Err(QueryError::plan(format!("a text is not JSON ({error}): use TRY_PARSE_JSON for NULL instead")))
                }
            }))
        },
    },
    RowFunction {
        name: "try_parse_json",
        aliases: &[],
        usage: "TRY_PARSE_JSON('{\"a\": 1}')",
        parameters: &[Kind::Text],
        required: 1,
        result: Kind::Text,
        bind: |_| {
            Ok(Box::new(|row| {
                let json = serde_json::from_str::<Json>(row.text(0));
                Ok(json.map_or(Value::Null, |json| Value::Text(json.to_string())))
            }))
        },
    },
];

/// Null for text that is no JSON, and where the path leads nowhere.
fn bind(constants: &Constants<'_>, show: fn(&Json) -> Value) -> Result<Body, QueryError> {
    let path = Path::parse(constants.required_text(1)?)?;
    Ok(Box::new(move |row: &Row<'_>| {
        let json: Option<Json> = serde_json::from_str(row.text(0)).ok();
        Ok(json.as_ref().and_then(|json| path.find(json)).map_or(Value::Null, show))
    }))
}

/// Numbers and booleans in the words of JSON; null for null, arrays and objects.
fn scalar(json: &Json) -> Value {
    match json {
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(_) | Json::Bool(_) => Value::Text(json.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => Value::Null,
    }
}

/// `$`, then members as `.name` or `['name']` and items as `[0]`.
#[derive(Debug, PartialEq)]
pub(super) struct Path {
    steps: Vec<Step>,
}

#[derive(Debug, PartialEq)]
enum Step {
    Member(String),
    Item(usize),
}

impl Path {
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let fail = || {
            QueryError::plan(format!(
                "'{text}' is not a JSON path: write one of members and items, such as $.a['b c'][0]"
            ))
        };
        let mut rest = text.strip_prefix('$').ok_or_else(fail)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                if end == 0 {
                    // Druid says `$.` for the whole.
                    if after.is_empty() && steps.is_empty() {
                        break;
                    }
                    return Err(fail());
                }
                steps.push(Step::Member(after[..end].to_owned()));
                rest = &after[end..];
                continue;
            }
            let inner = rest.strip_prefix('[').ok_or_else(fail)?;
            if let Some(quote) = inner.chars().next().filter(|quote| matches!(quote, '\'' | '"')) {
                let (name, after) = inner[1..].split_once(quote).ok_or_else(fail)?;
                steps.push(Step::Member(name.to_owned()));
                rest = after.strip_prefix(']').ok_or_else(fail)?;
            } else {
                let (item, after) = inner.split_once(']').ok_or_else(fail)?;
                steps.push(Step::Item(item.parse().map_err(|_| fail())?));
                rest = after;
            }
        }
        Ok(Self { steps })
    }

    pub fn find<'j>(&self, json: &'j Json) -> Option<&'j Json> {
        self.steps.iter().try_fold(json, |json, step| match step {
            Step::Member(name) => json.as_object()?.get(name),
            Step::Item(item) => json.as_array()?.get(*item),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_members_and_items() {
        let json: Json = serde_json::from_str(r#"{"a": {"b c": [10, {"d": "x"}]}, "": 1}"#).unwrap();
        let cases = [
            ("$.a['b c'][0]", Some("10")),
            (r#"$["a"]["b c"][1].d"#, Some("\"x\"")),
            ("$.a.d", None),
            ("$.a[0]", None),
            ("$['']", Some("1")),
        ];
        for (path, expected) in cases {
            let found = Path::parse(path).unwrap().find(&json).map(Json::to_string);
            assert_eq!(found.as_deref(), expected, "{path}");
        }
        for path in ["", "a", "$a", "$..a", "$[", "$[x]", "$['a", "$.a."] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }
}
