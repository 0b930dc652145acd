//! The query context of a SQL request.

use std::time::Duration;

use henge_query::request::AskedLimits;
use henge_query::settings::SettingValue;
use henge_segment_store::time::{TimeZoneError, time_zone};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::error::ApiError;

const COUNT: &str = "a whole number, 0 or more";
const MILLIS: &str = "a whole number of milliseconds, 0 or more";

/// The query context: unknown keys are ignored, and numbers and booleans may come as strings.
pub(super) struct Context(Map<String, Value>);

impl Context {
    /// Settings that stand before the statement go before what the request says.
    pub fn new(mut context: Map<String, Value>, settings: Vec<(String, SettingValue)>) -> Self {
        context.extend(settings.into_iter().map(|(key, value)| (key, json(value))));
        Self(context)
    }

    pub fn text(&self, key: &str) -> Result<Option<String>, ApiError> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if is_header_text(text) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(wrong_context(key, "a string of printable ASCII", other)),
        }
    }

    pub fn flag(&self, key: &str) -> Result<Option<bool>, ApiError> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(other) => Err(wrong_context(key, "true or false", other)),
        }
    }

    /// The zone that the query counts time in, and its name.
    pub fn time_zone(&self) -> Result<Option<(String, TimeZone)>, ApiError> {
        let Some(name) = self.text("sqlTimeZone")? else { return Ok(None) };
        match time_zone(&name) {
            Ok(zone) => Ok(Some((name, zone))),
            Err(TimeZoneError(name)) => Err(ApiError::invalid(format!(
                "context `sqlTimeZone` must be a time zone such as `UTC`, `Europe/Berlin` or `-08:00`, not `{name}`"
            ))),
        }
    }

    /// Zero asks for no timeout of one's own; the server's longest still holds.
    pub fn timeout(&self) -> Result<Option<Duration>, ApiError> {
        Ok(self.number("timeout", MILLIS)?.map(|millis| match millis {
            0 => Duration::MAX,
            millis => Duration::from_millis(millis),
        }))
    }

    /// What the query may use at the most, in rows, bytes and milliseconds, by the names of `[limits]` in `henge.toml`.
    pub fn limits(&self) -> Result<AskedLimits, ApiError> {
        let memory = self.number("queryMemory", COUNT)?.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        Ok(AskedLimits {
            plan_time: self.number("planTimeout", MILLIS)?.map(Duration::from_millis),
            query_memory_bytes: memory,
            result_rows: self.number("resultRows", COUNT)?,
            result_bytes: self.number("resultSize", COUNT)?,
            scanned_segments: self.number("scannedSegments", COUNT)?,
            scanned_bytes: self.number("scannedSize", COUNT)?,
        })
    }

    fn number(&self, key: &str, wanted: &str) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.0.get(key).filter(|value| !value.is_null()) else { return Ok(None) };
        let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
        number.map(Some).ok_or_else(|| wrong_context(key, wanted, value))
    }
}

fn wrong_context(key: &str, wanted: &str, found: &Value) -> ApiError {
    ApiError::unreadable(format!("context `{key}` must be {wanted}, not {found}"), "Query context parse failed")
}

/// Query ids come back in a response header, so they may hold nothing that could end one.
fn is_header_text(text: &str) -> bool {
    text.len() <= 256 && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

fn json(setting: SettingValue) -> Value {
    match setting {
        SettingValue::Text(text) => text.into(),
        SettingValue::Long(number) => number.into(),
        SettingValue::Boolean(flag) => flag.into(),
    }
}
