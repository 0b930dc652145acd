//! Values that a client binds to the `?` of a statement.

use henge_query::request::Parameter;
use henge_segment_store::time::TimestampMs;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use crate::error::ApiError;

/// A value and the SQL type that it is meant to be of.
#[derive(Debug, Deserialize)]
pub(super) struct TypedValue {
    #[serde(rename = "type")]
    sql_type: String,
    #[serde(default)]
    value: Value,
}

impl TypedValue {
    /// The parameter of a statement that stands at `at`, from 0.
    pub fn read(self, at: usize) -> Result<Parameter, ApiError> {
        let Self { sql_type, value } = self;
        if value.is_null() {
            return Ok(Parameter::Null);
        }
        let parsed = match sql_type.to_ascii_uppercase().as_str() {
            "VARCHAR" | "CHAR" | "ANY" | "OTHER" => match &value {
                Value::String(text) => Some(Parameter::String(text.clone())),
                Value::Number(_) | Value::Bool(_) => Some(Parameter::String(value.to_string())),
                _ => None,
            },
            "BIGINT" | "INTEGER" | "SMALLINT" | "TINYINT" => {
                value.as_i64().or_else(|| value.as_str()?.trim().parse().ok()).map(Parameter::Long)
            }
            "DOUBLE" | "FLOAT" | "REAL" | "DECIMAL" | "NUMERIC" => {
                value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).map(Parameter::Double)
            }
            "BOOLEAN" => value.as_bool().or_else(|| value.as_str()?.trim().parse().ok()).map(Parameter::Boolean),
            "TIMESTAMP" => match &value {
                Value::String(text) => TimestampMs::parse_iso(text).map(Parameter::Timestamp),
                _ => value.as_i64().map(|millis| Parameter::Timestamp(TimestampMs(millis))),
            },
            "DATE" => value.as_str().and_then(days_since_epoch).map(Parameter::Date),
            "ARRAY" => value.as_array().and_then(|items| items.iter().map(item).collect()).map(Parameter::Array),
            other => {
                return Err(ApiError::invalid(format!(
                    "parameter {} has type `{other}`: use VARCHAR, BIGINT, DOUBLE, BOOLEAN, TIMESTAMP, DATE or ARRAY",
                    at + 1
                )));
            }
        };
        parsed.ok_or_else(|| ApiError::invalid(format!("parameter {}: {value} is no {sql_type}", at + 1)))
    }
}

/// An item of an array, whose type is that of its JSON.
fn item(value: &Value) -> Option<Parameter> {
    Some(match value {
        Value::Null => Parameter::Null,
        Value::Bool(flag) => Parameter::Boolean(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(long) => Parameter::Long(long),
            None => Parameter::Double(number.as_f64()?),
        },
        Value::String(text) => Parameter::String(text.clone()),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

fn days_since_epoch(text: &str) -> Option<i32> {
    let date: jiff::civil::Date = text.trim().parse().ok()?;
    let midnight = date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    i32::try_from(midnight.div_euclid(86_400)).ok()
}
