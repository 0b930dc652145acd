use henge_query::error::{QueryError, QueryErrorKind};

use super::message::Malformed;
use crate::auth::denied::Denied;
use crate::error::{ApiError, Category, sql_place};

/// Why something was not done, in PostgreSQL's codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// From the appendix of PostgreSQL's manual.
    pub code: &'static str,
    pub message: String,
    /// The character of the client's text that is at fault, the first one is 1.
    pub position: Option<usize>,
}

impl Failure {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), position: None }
    }

    /// Of a statement, with the place that its message names.
    pub fn of(error: QueryError, sql: &str) -> Self {
        let position = sql_place(&error.message).and_then(|(line, column)| position(sql, line, column));
        Self { code: code_of(&error), message: error.message, position }
    }

    /// Of a request that did not come as far as the engine.
    pub fn of_request(error: ApiError) -> Self {
        let code = match error.body.category {
            Category::Unauthorized => "28000",
            Category::Forbidden => "42501",
            Category::RuntimeFailure => "57P03",
            _ => "XX000",
        };
        Self::new(code, error.body.error_message)
    }
}

impl From<Malformed> for Failure {
    fn from(error: Malformed) -> Self {
        Self::new("08P01", error.to_string())
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing | Denied::Malformed => Self::new(
                "28000",
                "a key is needed: connect with the key's id as the user, and its secret as the password",
            ),
            Denied::Wrong | Denied::Expired => Self::new("28P01", denied.message()),
            Denied::Forbidden => Self::new("42501", denied.message()),
            Denied::Unreadable => Self::new("57P03", denied.message()),
        }
    }
}

fn code_of(error: &QueryError) -> &'static str {
    let message = error.message.as_str();
    match error.kind {
        QueryErrorKind::Parse => "42601",
        QueryErrorKind::Plan if message.starts_with("Column ") => "42703",
        QueryErrorKind::Plan if message.starts_with("column ") && message.contains("ambiguous") => "42702",
        QueryErrorKind::Plan if message.starts_with("Object ") => "42P01",
        QueryErrorKind::Plan if message.starts_with("schema ") => "3F000",
        QueryErrorKind::Plan if message.starts_with("Invalid function") => "42883",
        QueryErrorKind::Plan if message.starts_with("there is no parameter") => "42P02",
        QueryErrorKind::Plan if message.starts_with("division by zero") => "22012",
        QueryErrorKind::Plan if message.starts_with("integer arithmetic leaves") => "22003",
        QueryErrorKind::Plan => "42000",
        QueryErrorKind::Unsupported => "0A000",
        QueryErrorKind::ResourceLimit => "54000",
        QueryErrorKind::Capacity => "53300",
        QueryErrorKind::Timeout | QueryErrorKind::Cancelled => "57014",
        QueryErrorKind::Unavailable => "57P03",
        QueryErrorKind::Internal => "XX000",
    }
}

/// Of a line and a column, both from 1; `None` where the text has no such place.
fn position(sql: &str, line: u32, column: u32) -> Option<usize> {
    let before: usize =
        sql.split_inclusive('\n').take(line.checked_sub(1)? as usize).map(|line| line.chars().count()).sum();
    let position = before + column as usize;
    (column > 0 && position <= sql.chars().count() + 1).then_some(position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_have_codes_and_places() {
        let cases = [
            (QueryErrorKind::Parse, "expected, found: x at Line: 2, Column: 3", "42601", Some(12)),
            (QueryErrorKind::Plan, "Column 'x' not found in any table (line [1], column [8])", "42703", Some(8)),
            (QueryErrorKind::Plan, "Column 'x' not found in any table (line [9], column [8])", "42703", None),
            (QueryErrorKind::Plan, "Object 'x' not found", "42P01", None),
            (QueryErrorKind::Timeout, "the query took longer", "57014", None),
        ];
        for (kind, message, code, position) in cases {
            let failure = Failure::of(QueryError::new(kind, message), "SELECT é\n, x FROM y");
            assert_eq!((failure.code, failure.position), (code, position), "{message}");
        }
    }
}
