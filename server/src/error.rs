//! The one place where what went wrong becomes a status and Druid's error JSON.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use henge_ingest::error::IngestError;
use henge_ingest::spec::SpecError;
use henge_query::error::{QueryError, QueryErrorKind};
use henge_segment_store::error::{ErrorKind, StoreError, with_sources};
use indexmap::IndexMap;
use serde::Serialize;

use crate::panel::position::Position;

/// When to ask again, where that helps.
const RETRY_AFTER_S: &str = "1";

/// An answer that is an error: a status and the JSON that Druid's clients know.
///
/// `error` and `errorMessage` are always there, for pydruid raises a `KeyError` without them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: StatusCode,
    /// Boxed, for most results are no errors.
    pub body: Box<ErrorBody>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// `druidException`, or the older code that clients compare with.
    pub error: &'static str,
    pub error_code: &'static str,
    pub persona: &'static str,
    pub category: Category,
    pub error_message: String,
    /// Older clients show it beside `error`; only with older codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_class: Option<&'static str>,
    /// Every problem of a supervisor spec, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    pub context: IndexMap<&'static str, String>,
    /// Of a mistake in a statement that was sent with macros and variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// Druid's kinds of errors; each has its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    InvalidInput,
    Unauthorized,
    Forbidden,
    NotFound,
    CapacityExceeded,
    Canceled,
    RuntimeFailure,
    Defensive,
    Unsupported,
    Timeout,
}

impl Category {
    fn status(self) -> StatusCode {
        match self {
            Self::InvalidInput => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::CapacityExceeded => StatusCode::TOO_MANY_REQUESTS,
            Self::Canceled | Self::RuntimeFailure | Self::Defensive => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unsupported => StatusCode::NOT_IMPLEMENTED,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    fn error_code(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalidInput",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "notFound",
            Self::CapacityExceeded => "capacityExceeded",
            Self::Canceled => "canceled",
            Self::RuntimeFailure => "runtimeFailure",
            Self::Defensive => "defensive",
            Self::Unsupported => "unsupported",
            Self::Timeout => "timeout",
        }
    }

    /// Whom the message is for.
    fn persona(self) -> &'static str {
        match self {
            Self::InvalidInput | Self::Unauthorized | Self::Forbidden | Self::NotFound | Self::Unsupported => "USER",
            Self::Defensive => "DEVELOPER",
            Self::CapacityExceeded | Self::Canceled | Self::RuntimeFailure | Self::Timeout => "OPERATOR",
        }
    }
}

impl ApiError {
    pub fn new(category: Category, message: impl Into<String>) -> Self {
        Self {
            status: category.status(),
            body: Box::new(ErrorBody {
                error: "druidException",
                error_code: category.error_code(),
                persona: category.persona(),
                category,
                error_message: message.into(),
                error_class: None,
                problems: Vec::new(),
                context: IndexMap::new(),
                position: None,
            }),
        }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Category::InvalidInput, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Category::NotFound, message)
    }

    /// The same, of a mistake at a place of a text.
    pub fn at(mut self, position: Position) -> Self {
        self.body.position = Some(position);
        self
    }

    pub fn no_such_query(id: &str) -> Self {
        Self::not_found(format!("no query with the id `{id}` is running"))
    }

    /// An error of the request as HTTP, for which there is a more telling status than 400.
    pub fn request(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, ..Self::invalid(message) }
    }

    /// Worth asking again soon.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, ..Self::new(Category::RuntimeFailure, message) }
    }

    /// A spec that has several things wrong with it; all of them are said at once.
    pub fn problems(problems: Vec<String>) -> Self {
        let mut error = Self::invalid(problems.join("; "));
        error.body.problems = problems;
        error
    }

    /// An error that Druid still reports in the form it had before version 28.
    fn legacy(category: Category, code: &'static str, class: &'static str, message: String) -> Self {
        let mut error = Self::new(category, message);
        error.body.error = code;
        error.body.error_code = "legacyQueryException";
        error.body.persona = "OPERATOR";
        error.body.error_class = Some(class);
        error.body.context.insert("errorClass", class.to_owned());
        error.body.context.insert("legacyErrorCode", code.to_owned());
        error
    }

    /// A text that is no statement, with what was found and what was expected where the message names them.
    fn unparsable(message: String) -> Self {
        let between = |start: &str, end: &str| {
            let rest = &message[message.find(start)? + start.len()..];
            Some(rest[..rest.find(end).unwrap_or(rest.len())].to_owned())
        };
        let token = between("found: ", " at Line: ");
        let expected = between("Expected: ", ", found: ");
        let mut error = Self::statement(message, "SQL parse failed");
        let code = error.body.context.shift_remove("legacyErrorCode");
        for (key, value) in [("token", token), ("expected", expected), ("legacyErrorCode", code)] {
            error.body.context.extend(value.map(|value| (key, value)));
        }
        error
    }

    /// A request that is at fault before its statement is read, by the code that it had before version 28.
    pub fn unreadable(message: impl Into<String>, legacy_code: &'static str) -> Self {
        let mut error = Self::invalid(message);
        error.body.context.insert("legacyErrorCode", legacy_code.to_owned());
        error
    }

    /// A statement that is at fault itself, with the place in it where the message names one.
    fn statement(message: String, legacy_code: &'static str) -> Self {
        let place = sql_place(&message);
        let mut error = Self::invalid(message);
        let context = &mut error.body.context;
        context.insert("sourceType", "sql".to_owned());
        if let Some((line, column)) = place {
            for (key, number) in [("line", line), ("column", column), ("endLine", line), ("endColumn", column)] {
                context.insert(key, number.to_string());
            }
        }
        context.insert("legacyErrorCode", legacy_code.to_owned());
        error
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        let message = error.message;
        match error.kind {
            QueryErrorKind::Parse => Self::unparsable(message),
            QueryErrorKind::Plan => Self::statement(message, "Plan validation failed"),
            QueryErrorKind::Unsupported => Self::legacy(
                Category::Unsupported,
                "Unsupported operation",
                "org.apache.druid.query.QueryUnsupportedException",
                message,
            ),
            QueryErrorKind::ResourceLimit => Self::legacy(
                Category::InvalidInput,
                "Resource limit exceeded",
                "org.apache.druid.query.ResourceLimitExceededException",
                message,
            ),
            QueryErrorKind::Capacity => Self::legacy(
                Category::CapacityExceeded,
                "Query capacity exceeded",
                "org.apache.druid.query.QueryCapacityExceededException",
                message,
            ),
            QueryErrorKind::Timeout => Self::legacy(
                Category::Timeout,
                "Query timeout",
                "org.apache.druid.query.QueryTimeoutException",
                message,
            ),
            QueryErrorKind::Cancelled => Self::legacy(
                Category::Canceled,
                "Query cancelled",
                "org.apache.druid.query.QueryInterruptedException",
                message,
            ),
            QueryErrorKind::Unavailable => Self::unavailable(message),
            QueryErrorKind::Internal => Self::legacy(
                Category::RuntimeFailure,
                "Unknown exception",
                "org.apache.druid.query.QueryInterruptedException",
                message,
            ),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let message = with_sources(&error);
        match error.kind() {
            ErrorKind::Invalid => Self::invalid(message),
            ErrorKind::Conflict => Self::request(StatusCode::CONFLICT, message),
            ErrorKind::Unavailable => Self::unavailable(message),
            ErrorKind::Data => Self::new(Category::RuntimeFailure, message),
            ErrorKind::Internal => Self::new(Category::Defensive, message),
        }
    }
}

impl From<SpecError> for ApiError {
    fn from(error: SpecError) -> Self {
        Self::problems(error.problems.iter().map(ToString::to_string).collect())
    }
}

impl From<IngestError> for ApiError {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Spec(error) => error.into(),
            IngestError::ClientProperties(error) => Self::invalid(with_sources(&error)),
            IngestError::NoSuchSupervisor(_) => Self::not_found(error.to_string()),
            IngestError::Store(error) => error.into(),
        }
    }
}

/// Line and column in a message such as `... at Line: 1, Column: 8` or `... (line [1], column [8])`, both counted from 1.
pub fn sql_place(message: &str) -> Option<(u32, u32)> {
    let number_after = |text: &str, label: &str| {
        let rest = &text[text.rfind(label)? + label.len()..];
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().ok()
    };
    let place = |line, column| Some((number_after(message, line)?, number_after(message, column)?));
    place("Line: ", "Column: ").or_else(|| place("(line [", "column ["))
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut json = serde_json::to_vec(&self.body).expect("an error body is strings");
        json.push(b'\n');
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json")], json).into_response();
        if matches!(self.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(error: ApiError) -> (u16, serde_json::Value) {
        (error.status.as_u16(), serde_json::to_value(error.body).unwrap())
    }

    #[test]
    fn a_faulty_statement_is_a_druid_exception_with_its_place() {
        let message = "sql parser error: Expected: an SQL statement, found: SELEC at Line: 1, Column: 8";
        let error = QueryError { kind: QueryErrorKind::Parse, message: message.into() };
        let expected = serde_json::json!({
            "error": "druidException",
            "errorCode": "invalidInput",
            "persona": "USER",
            "category": "INVALID_INPUT",
            "errorMessage": message,
            "context": {
                "sourceType": "sql", "line": "1", "column": "8", "endLine": "1", "endColumn": "8",
                "token": "SELEC", "expected": "an SQL statement", "legacyErrorCode": "SQL parse failed"
            }
        });
        assert_eq!(json(error.into()), (400, expected));
        let message = "Column 'x' not found in any table (line [2], column [18])";
        let (_, body) = json(QueryError { kind: QueryErrorKind::Plan, message: message.into() }.into());
        let expected = serde_json::json!({
            "sourceType": "sql", "line": "2", "column": "18", "endLine": "2", "endColumn": "18",
            "legacyErrorCode": "Plan validation failed"
        });
        assert_eq!(body["context"], expected);
    }

    #[test]
    fn a_timeout_keeps_the_code_that_older_clients_compare_with() {
        let error = QueryError { kind: QueryErrorKind::Timeout, message: "took longer than 1 s".into() };
        let class = "org.apache.druid.query.QueryTimeoutException";
        let expected = serde_json::json!({
            "error": "Query timeout",
            "errorCode": "legacyQueryException",
            "persona": "OPERATOR",
            "category": "TIMEOUT",
            "errorMessage": "took longer than 1 s",
            "errorClass": class,
            "context": {"errorClass": class, "legacyErrorCode": "Query timeout"}
        });
        assert_eq!(json(error.into()), (504, expected));
    }

    #[test]
    fn every_kind_of_query_error_has_its_status_and_code() {
        let cases = [
            (QueryErrorKind::Parse, 400, "druidException", "INVALID_INPUT"),
            (QueryErrorKind::Plan, 400, "druidException", "INVALID_INPUT"),
            (QueryErrorKind::Unsupported, 501, "Unsupported operation", "UNSUPPORTED"),
            (QueryErrorKind::ResourceLimit, 400, "Resource limit exceeded", "INVALID_INPUT"),
            (QueryErrorKind::Capacity, 429, "Query capacity exceeded", "CAPACITY_EXCEEDED"),
            (QueryErrorKind::Timeout, 504, "Query timeout", "TIMEOUT"),
            (QueryErrorKind::Cancelled, 500, "Query cancelled", "CANCELED"),
            (QueryErrorKind::Unavailable, 503, "druidException", "RUNTIME_FAILURE"),
            (QueryErrorKind::Internal, 500, "Unknown exception", "RUNTIME_FAILURE"),
        ];
        for (kind, status, error, category) in cases {
            let (found, body) = json(QueryError { kind, message: "m".into() }.into());
            let body = (body["error"].as_str().unwrap(), body["category"].as_str().unwrap());
            assert_eq!((found, body), (status, (error, category)), "{kind:?}");
        }
    }

    #[test]
    fn whoever_may_ask_again_is_told_when() {
        let retry_after = |kind| {
            let response = ApiError::from(QueryError { kind, message: "m".into() }).into_response();
            response.headers().get(header::RETRY_AFTER).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(retry_after(QueryErrorKind::Capacity).as_deref(), Some("1"));
        assert_eq!(retry_after(QueryErrorKind::Unavailable).as_deref(), Some("1"));
        assert_eq!(retry_after(QueryErrorKind::Internal), None);
    }
}
