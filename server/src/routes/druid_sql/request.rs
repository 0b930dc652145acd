//! A SQL request as Druid's clients send it, made into typed values.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use henge_query::request::{AskedLimits, Parameter, QueryRequest};
use henge_query::settings::{SettingValue, Settings};
use henge_segment_store::time::TimestampMs;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use crate::error::ApiError;
use crate::wire::cell::ArrayStyle;
use crate::wire::time_text::TimeText;
use crate::wire::{ARROW_STREAM, Header, Layout, ResultFormat};

/// What to run and how to write its answer.
#[derive(Debug)]
pub struct SqlRequest {
    pub query: QueryRequest,
    pub layout: Layout,
    /// Of statements that nobody waits for.
    pub execution_mode: Option<String>,
}

/// The JSON form. Fields that Druid does not know are ignored, as Druid does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SqlBody {
    query: Option<String>,
    result_format: ResultFormat,
    header: bool,
    types_header: bool,
    sql_types_header: bool,
    context: Option<serde_json::Map<String, Value>>,
    parameters: Vec<Option<TypedValue>>,
}

#[derive(Debug, Deserialize)]
struct TypedValue {
    #[serde(rename = "type")]
    sql_type: String,
    #[serde(default)]
    value: Value,
}

/// Reads a request by its content type. `fresh_id` names the query where the client does not.
pub fn parse(headers: &HeaderMap, body: &Bytes, fresh_id: String) -> Result<SqlRequest, ApiError> {
    let body = match content_type(headers)?.as_str() {
        "application/json" => serde_json::from_slice(body).map_err(|error| {
            let message = format!("the request is not a SQL request in JSON: {error}");
            ApiError::unreadable(message, "Json parse failed")
        })?,
        "text/plain" => SqlBody { query: Some(utf8(body)?.to_owned()), ..SqlBody::default() },
        "application/x-www-form-urlencoded" => {
            SqlBody { query: Some(percent_decoded(utf8(body)?)?), ..SqlBody::default() }
        }
        other => {
            return Err(ApiError::request(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!(
                    "content type `{other}` is not supported: send application/json, text/plain or \
                     application/x-www-form-urlencoded"
                ),
            ));
        }
    };
    let mut request = body.into_request(fresh_id)?;
    if accepts_arrow(headers) {
        request.layout.format = ResultFormat::ArrowStream;
    }
    Ok(request)
}

/// Whether the request names Arrow streams among what it accepts; all other values of `Accept` mean `resultFormat`.
fn accepts_arrow(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds = accepted.flat_map(|value| value.split(','));
    kinds
        .map(|kind| kind.split(';').next().unwrap_or_default().trim())
        .any(|kind| kind.eq_ignore_ascii_case(ARROW_STREAM))
}

impl SqlBody {
    fn into_request(self, fresh_id: String) -> Result<SqlRequest, ApiError> {
        let Settings { values: settings, sql } = Settings::read(&self.query.unwrap_or_default())?;
        if sql.trim().is_empty() {
            return Err(ApiError::invalid("the query is empty: put SQL into `query`"));
        }
        if !self.header && (self.types_header || self.sql_types_header) {
            return Err(ApiError::invalid("`typesHeader` and `sqlTypesHeader` need `header` to be true"));
        }
        let mut context = self.context.unwrap_or_default();
        context.extend(settings.into_iter().map(|(key, value)| (key, json(value))));
        let context = Context(context);
        let zone_name = context.text("sqlTimeZone")?;
        let time = match &zone_name {
            Some(name) => TimeText::new(time_zone(name)?),
            None => TimeText::utc(),
        };
        let arrays = match context.flag("sqlStringifyArrays")? {
            Some(false) => ArrayStyle::Nested,
            Some(true) | None => ArrayStyle::Stringified,
        };
        let query_id = match context.text("sqlQueryId")? {
            Some(id) => Some(id),
            None => context.text("queryId")?,
        };
        let parameters = self.parameters.into_iter().enumerate().map(|(at, value)| parameter(at, value));
        Ok(SqlRequest {
            query: QueryRequest {
                sql,
                parameters: parameters.collect::<Result<_, _>>()?,
                query_id: query_id.unwrap_or(fresh_id),
                timeout: context.timeout()?,
                limits: context.limits()?,
                time_zone: zone_name,
                use_indexes: context.flag("useIndexes")?.unwrap_or(true),
                use_native_operators: context.flag("useNativeOperators")?.unwrap_or(true),
                use_plan_cache: context.flag("usePlanCache")?.unwrap_or(true),
                use_result_cache: context.flag("useCache")?.unwrap_or(true),
                populate_result_cache: context.flag("populateCache")?.unwrap_or(true),
            },
            layout: Layout {
                format: self.result_format,
                header: Header { names: self.header, druid_types: self.types_header, sql_types: self.sql_types_header },
                time,
                arrays,
            },
            execution_mode: context.text("executionMode")?,
        })
    }
}

fn json(setting: SettingValue) -> Value {
    match setting {
        SettingValue::Text(text) => text.into(),
        SettingValue::Long(number) => number.into(),
        SettingValue::Boolean(flag) => flag.into(),
    }
}

const COUNT: &str = "a whole number, 0 or more";
const MILLIS: &str = "a whole number of milliseconds, 0 or more";

/// The query context: unknown keys are ignored, and numbers and booleans may come as strings.
struct Context(serde_json::Map<String, Value>);

impl Context {
    fn text(&self, key: &str) -> Result<Option<String>, ApiError> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if is_header_text(text) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(wrong_context(key, "a string of printable ASCII", other)),
        }
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, ApiError> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(other) => Err(wrong_context(key, "true or false", other)),
        }
    }

    /// Zero asks for no timeout of one's own; the server's longest still holds.
    fn timeout(&self) -> Result<Option<Duration>, ApiError> {
        Ok(self.number("timeout", MILLIS)?.map(|millis| match millis {
            0 => Duration::MAX,
            millis => Duration::from_millis(millis),
        }))
    }

    /// What the query may use at the most, in rows, bytes and milliseconds, by the names of `[limits]` in `henge.toml`.
    fn limits(&self) -> Result<AskedLimits, ApiError> {
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

fn time_zone(name: &str) -> Result<TimeZone, ApiError> {
    let offset = || {
        let digits = name.strip_prefix(['+', '-'])?;
        let (hours, minutes) = digits.split_once(':')?;
        let seconds = i32::from(hours.parse::<u8>().ok()?) * 3_600 + i32::from(minutes.parse::<u8>().ok()?) * 60;
        let seconds = if name.starts_with('-') { -seconds } else { seconds };
        Some(TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).ok()?))
    };
    if matches!(name, "UTC" | "Etc/UTC" | "Z") {
        return Ok(TimeZone::UTC);
    }
    offset().or_else(|| TimeZone::get(name).ok()).ok_or_else(|| {
        ApiError::invalid(format!(
            "context `sqlTimeZone` must be a time zone such as `UTC`, `Europe/Berlin` or `-08:00`, not `{name}`"
        ))
    })
}

fn parameter(at: usize, value: Option<TypedValue>) -> Result<Parameter, ApiError> {
    let Some(TypedValue { sql_type, value }) = value else { return Ok(Parameter::Null) };
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

/// The first content type that the request names, without its parameters.
fn content_type(headers: &HeaderMap) -> Result<String, ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err(ApiError::request(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the request has no Content-Type: send application/json or text/plain",
        ));
    };
    let value = value.to_str().unwrap_or_default();
    Ok(value.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn utf8(body: &Bytes) -> Result<&str, ApiError> {
    std::str::from_utf8(body).map_err(|error| ApiError::invalid(format!("the request is not UTF-8: {error}")))
}

/// Decodes a form body that is one value, which is how curl sends `--data` and `--data-urlencode`.
fn percent_decoded(text: &str) -> Result<String, ApiError> {
    let wrong = || ApiError::invalid("the request is not URL-encoded UTF-8 text");
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let digits = text.get(at + 1..at + 3).ok_or_else(wrong)?;
                decoded.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
                at += 2;
            }
            _ => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8(decoded).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(content_type: &'static str, body: &'static str) -> Result<SqlRequest, ApiError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        parse(&headers, &Bytes::from_static(body.as_bytes()), "fresh".into())
    }

    fn refused(content_type: &'static str, body: &'static str) -> (u16, String) {
        let error = request(content_type, body).unwrap_err();
        (error.status.as_u16(), error.body.error_message)
    }

    #[test]
    fn a_json_request_carries_everything_that_druid_knows() {
        let request = request(
            "application/json; charset=utf-8",
            r#"{"query":"SELECT ?","resultFormat":"arrayLines","header":true,"typesHeader":true,"sqlTypesHeader":true,
                "someFutureField":1,
                "context":{"sqlQueryId":"q-1","sqlTimeZone":"America/Los_Angeles","timeout":"1500",
                           "sqlStringifyArrays":"false","useIndexes":"false","useNativeOperators":false,"usePlanCache":false,
                           "unknownKey":{}},
                "parameters":[{"type":"VARCHAR","value":"a"},{"type":"bigint","value":7},{"type":"DOUBLE","value":2.5},
                              {"type":"TIMESTAMP","value":"2026-01-01 00:00:00"},{"type":"TIMESTAMP","value":5},
                              {"type":"DATE","value":"1970-01-02"},{"type":"BOOLEAN","value":true},
                              {"type":"ARRAY","value":[1,null,2.5,"a",false]},{"type":"VARCHAR","value":null},null]}"#,
        )
        .unwrap();
        let query = &request.query;
        assert_eq!((query.sql.as_str(), query.query_id.as_str()), ("SELECT ?", "q-1"));
        assert_eq!(query.timeout, Some(Duration::from_millis(1_500)));
        assert_eq!(query.time_zone.as_deref(), Some("America/Los_Angeles"));
        assert!(!query.use_indexes && !query.use_native_operators && !query.use_plan_cache);
        let expected = [
            Parameter::String("a".into()),
            Parameter::Long(7),
            Parameter::Double(2.5),
            Parameter::Timestamp(TimestampMs(1_767_225_600_000)),
            Parameter::Timestamp(TimestampMs(5)),
            Parameter::Date(1),
            Parameter::Boolean(true),
            Parameter::Array(vec![
                Parameter::Long(1),
                Parameter::Null,
                Parameter::Double(2.5),
                Parameter::String("a".into()),
                Parameter::Boolean(false),
            ]),
            Parameter::Null,
            Parameter::Null,
        ];
        assert_eq!(query.parameters, expected);
        assert_eq!(request.layout.format, ResultFormat::ArrayLines);
        assert_eq!(request.layout.header, Header { names: true, druid_types: true, sql_types: true });
        assert_eq!(request.layout.arrays, ArrayStyle::Nested);
    }

    #[test]
    fn settings_before_the_statement_go_before_those_of_the_context() {
        let body = r#"{"query":"SET sqlTimeZone = 'Asia/Tokyo'; SET timeout = 20;\nSELECT 1","context":{"timeout":5}}"#;
        let query = request("application/json", body).unwrap().query;
        assert_eq!((query.sql.trim_start(), query.time_zone.as_deref()), ("SELECT 1", Some("Asia/Tokyo")));
        assert_eq!(query.timeout, Some(Duration::from_millis(20)));
        let (status, message) = refused("text/plain", "SET timeout = ; SELECT 1");
        assert_eq!((status, message.contains("SET key = value;")), (400, true), "{message}");
        assert_eq!(refused("text/plain", "SET timeout = 5;").1, "the query is empty: put SQL into `query`");
    }

    #[test]
    fn a_bare_request_gets_druids_defaults_and_a_fresh_id() {
        for (content_type, body) in [
            ("application/json", r#"{"query":"SELECT 1 + 1"}"#),
            ("text/plain", "SELECT 1 + 1"),
            ("TEXT/PLAIN;charset=UTF-8, application/json", "SELECT 1 + 1"),
            ("application/x-www-form-urlencoded", "SELECT+1%20%2B+1"),
        ] {
            let request = request(content_type, body).unwrap();
            assert_eq!(request.query.sql, "SELECT 1 + 1", "{content_type}");
            assert_eq!(request.query.query_id, "fresh");
            assert_eq!((request.query.timeout, request.query.time_zone), (None, None));
            assert!(request.query.use_indexes && request.query.use_native_operators && request.query.use_plan_cache);
            assert_eq!(request.layout.format, ResultFormat::Object);
            assert_eq!(request.layout.header, Header::default());
        }
    }

    #[test]
    fn arrow_streams_are_asked_for_by_what_the_client_accepts() {
        let cases = [
            (ARROW_STREAM, ResultFormat::ArrowStream),
            ("application/json;q=0.1, Application/Vnd.Apache.Arrow.Stream;q=1", ResultFormat::ArrowStream),
            ("application/vnd.apache.arrow.file", ResultFormat::Array),
            ("*/*", ResultFormat::Array),
        ];
        for (accepted, format) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
            headers.insert(header::ACCEPT, accepted.parse().unwrap());
            let body = Bytes::from_static(br#"{"query":"SELECT 1","resultFormat":"array"}"#);
            assert_eq!(parse(&headers, &body, "fresh".into()).unwrap().layout.format, format, "{accepted}");
        }
    }

    #[test]
    fn a_request_that_cannot_be_meant_is_refused_with_what_to_change() {
        let json = "application/json";
        let cases = [
            ((json, r#"{}"#), (400, "the query is empty: put SQL into `query`")),
            (("text/plain", "  "), (400, "the query is empty: put SQL into `query`")),
            (
                (json, r#"{"query":"SELECT 1","typesHeader":true}"#),
                (400, "`typesHeader` and `sqlTypesHeader` need `header` to be true"),
            ),
            (
                (json, r#"{"query":"SELECT 1","context":{"timeout":-1}}"#),
                (400, "context `timeout` must be a whole number of milliseconds, 0 or more, not -1"),
            ),
            (
                (json, r#"{"query":"SELECT 1","context":{"sqlQueryId":"a\r\nX-Evil: 1"}}"#),
                (400, r#"context `sqlQueryId` must be a string of printable ASCII, not "a\r\nX-Evil: 1""#),
            ),
            (
                (json, r#"{"query":"SELECT 1","context":{"sqlTimeZone":"Mars/Olympus"}}"#),
                (
                    400,
                    "context `sqlTimeZone` must be a time zone such as `UTC`, `Europe/Berlin` or `-08:00`, not \
                     `Mars/Olympus`",
                ),
            ),
            (
                (json, r#"{"query":"SELECT ?","parameters":[{"type":"MAP","value":[1]}]}"#),
                (400, "parameter 1 has type `MAP`: use VARCHAR, BIGINT, DOUBLE, BOOLEAN, TIMESTAMP, DATE or ARRAY"),
            ),
            (
                (json, r#"{"query":"SELECT ?","parameters":[{"type":"ARRAY","value":[[1]]}]}"#),
                (400, "parameter 1: [[1]] is no ARRAY"),
            ),
            (
                (json, r#"{"query":"SELECT ?","parameters":[{"type":"BIGINT","value":"x"}]}"#),
                (400, r#"parameter 1: "x" is no BIGINT"#),
            ),
            (
                ("application/xml", "<x/>"),
                (
                    415,
                    "content type `application/xml` is not supported: send application/json, text/plain or \
                     application/x-www-form-urlencoded",
                ),
            ),
            (("application/x-www-form-urlencoded", "SELECT%2"), (400, "the request is not URL-encoded UTF-8 text")),
        ];
        for ((content_type, body), (status, message)) in cases {
            assert_eq!(refused(content_type, body), (status, message.to_owned()), "{body}");
        }
        let (status, message) = refused(json, r#"{"query":"SELECT 1","resultFormat":"xml"}"#);
        assert_eq!(status, 400);
        assert!(message.contains("unknown variant `xml`, expected one of `object`, `array`"), "{message}");
    }

    #[test]
    fn fixed_offsets_are_time_zones_too() {
        let mut out = Vec::new();
        TimeText::new(time_zone("-08:00").unwrap()).write_instant(0, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "1969-12-31T16:00:00.000-08:00");
    }
}
