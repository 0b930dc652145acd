//! A SQL request as Druid's clients send it, made into typed values.

mod content;
mod context;
mod parameters;

use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use henge_query::reader::Reader;
use henge_query::request::{Parameter, QueryRequest, Spelling};
use henge_query::settings::Settings;
use serde::Deserialize;
use serde_json::Value;

use self::content::{content_type, percent_decoded, utf8};
use self::context::Context;
use self::parameters::TypedValue;
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

/// Reads a request by its content type. `fresh_id` names the query where the client does not; nothing that the client
/// sends says who the `reader` is.
pub fn parse(headers: &HeaderMap, body: &Bytes, fresh_id: String, reader: Reader) -> Result<SqlRequest, ApiError> {
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
    let mut request = body.into_request(fresh_id, reader)?;
    if accepts_arrow(headers) {
        request.layout.format = ResultFormat::ArrowStream;
    }
    Ok(request)
}

/// Whether the request names Arrow streams among what it accepts; all other values of `Accept` mean `resultFormat`.
pub fn accepts_arrow(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds = accepted.flat_map(|value| value.split(','));
    kinds
        .map(|kind| kind.split(';').next().unwrap_or_default().trim())
        .any(|kind| kind.eq_ignore_ascii_case(ARROW_STREAM))
}

impl SqlBody {
    fn into_request(self, fresh_id: String, reader: Reader) -> Result<SqlRequest, ApiError> {
        let Settings { values: settings, sql } = Settings::read(&self.query.unwrap_or_default())?;
        if sql.trim().is_empty() {
            return Err(ApiError::invalid("the query is empty: put SQL into `query`"));
        }
        if !self.header && (self.types_header || self.sql_types_header) {
            return Err(ApiError::invalid("`typesHeader` and `sqlTypesHeader` need `header` to be true"));
        }
        let context = Context::new(self.context.unwrap_or_default(), settings);
        let (zone_name, time) = context
            .time_zone()?
            .map_or_else(|| (None, TimeText::utc()), |(name, zone)| (Some(name), TimeText::new(zone)));
        let arrays = match context.flag("sqlStringifyArrays")? {
            Some(false) => ArrayStyle::Nested,
            Some(true) | None => ArrayStyle::Stringified,
        };
        let query_id = match context.text("sqlQueryId")? {
            Some(id) => Some(id),
            None => context.text("queryId")?,
        };
        let parameters = self.parameters.into_iter().enumerate();
        let parameters = parameters.map(|(at, value)| value.map_or(Ok(Parameter::Null), |value| value.read(at)));
        Ok(SqlRequest {
            query: QueryRequest {
                sql,
                spelling: Spelling::Druid,
                reader,
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
                tells_provenance: context.flag("provenance")?.unwrap_or(false),
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

#[cfg(test)]
mod tests;
