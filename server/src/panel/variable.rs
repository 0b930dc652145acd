//! Variables of a dashboard. Their values are data: they become literals, and nothing else.

use serde::Deserialize;
use serde_json::Number;

use super::sight::Sight;
use super::sql_text;
use crate::error::ApiError;

/// What the user chose.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Variable {
    pub values: Vec<Scalar>,
    /// All there are, whatever `values` says.
    pub is_all: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Text(String),
    Number(Number),
    Flag(bool),
}

impl Scalar {
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }

    fn literal(&self) -> String {
        match self {
            Self::Text(text) => sql_text::text(text),
            Self::Number(number) => sql_text::number(&number.to_string()),
            Self::Flag(flag) => flag.to_string().to_uppercase(),
        }
    }
}

/// How `${name:format}` is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VariableFormat {
    Literals,
    Texts,
    Names,
    Raw,
    Csv,
    Regex,
    Pipe,
}

impl VariableFormat {
    fn of_name(name: Option<&str>) -> Result<Self, ApiError> {
        Ok(match name {
            None => Self::Literals,
            Some("singlequote" | "sqlstring") => Self::Texts,
            Some("doublequote") => Self::Names,
            Some("raw") => Self::Raw,
            Some("csv") => Self::Csv,
            Some("regex") => Self::Regex,
            Some("pipe") => Self::Pipe,
            Some(other) => {
                return Err(ApiError::invalid(format!(
                    "`{other}` is no format of a variable: use csv, singlequote, sqlstring, doublequote, raw, regex or pipe"
                )));
            }
        })
    }
}

/// The variable as it stands among the tokens of a statement.
pub fn in_statement(
    name: &str,
    variable: &Variable,
    format: Option<&str>,
    sight: Sight<'_>,
) -> Result<String, ApiError> {
    let values = &variable.values;
    if values.is_empty() {
        return match variable.is_all {
            true => Err(ApiError::invalid(format!(
                "variable `{name}` stands for all values: write $__conditionalAll(condition, ${name}) around its condition"
            ))),
            // Nothing was chosen, and nothing equals it.
            false => Ok("NULL".to_owned()),
        };
    }
    let each = |written: &dyn Fn(&Scalar) -> Result<String, ApiError>| -> Result<String, ApiError> {
        Ok(values.iter().map(written).collect::<Result<Vec<_>, _>>()?.join(", "))
    };
    match VariableFormat::of_name(format)? {
        VariableFormat::Literals => each(&|value| Ok(value.literal())),
        VariableFormat::Texts => each(&|value| Ok(sql_text::text(&value.text()))),
        VariableFormat::Names => each(&|value| known_name(name, &value.text(), sight)),
        VariableFormat::Raw => each(&|value| {
            let text = value.text();
            sql_text::as_number(&text).map_or_else(|| known_name(name, &text, sight), Ok)
        }),
        format @ (VariableFormat::Csv | VariableFormat::Regex | VariableFormat::Pipe) => {
            Ok(sql_text::text(&joined(values, format)))
        }
    }
}

/// The variable as a part of a text.
pub fn in_text(variable: &Variable, format: Option<&str>) -> Result<String, ApiError> {
    Ok(joined(&variable.values, VariableFormat::of_name(format)?))
}

fn joined(values: &[Scalar], format: VariableFormat) -> String {
    let texts = values.iter().map(Scalar::text);
    match format {
        VariableFormat::Pipe => texts.collect::<Vec<_>>().join("|"),
        VariableFormat::Regex => {
            let patterns: Vec<String> = texts.map(|text| escaped(&text)).collect();
            if let [pattern] = patterns.as_slice() { pattern.clone() } else { format!("({})", patterns.join("|")) }
        }
        _ => texts.collect::<Vec<_>>().join(","),
    }
}

fn known_name(variable: &str, name: &str, sight: Sight<'_>) -> Result<String, ApiError> {
    if sight.is_known(name) {
        return Ok(sql_text::name(name));
    }
    Err(ApiError::invalid(format!(
        "variable `{variable}` is `{name}`, which is neither a number nor the name of a datasource or column: only those can \
         stand here"
    )))
}

/// A pattern that matches the text and nothing else.
pub fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        // Before other characters a backslash may have a meaning of its own.
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
