use std::io;

use datafusion::arrow::error::ArrowError;
use datafusion::common::{Column, DataFusionError, SchemaError};
use henge_segment_store::error::{ErrorKind, StoreError};

use crate::suggestion::did_you_mean;

/// Why a query has no answer, in words for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    pub kind: QueryErrorKind,
    pub message: String,
}

/// Who can do what about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryErrorKind {
    /// The text is not SQL.
    Parse,
    /// The statement cannot be answered as written: unknown names, types that do not fit, arithmetic that leaves its type.
    Plan,
    /// SQL that Henge does not run.
    Unsupported,
    /// A limit on text, memory or result size.
    ResourceLimit,
    /// Too many queries at once; worth asking again.
    Capacity,
    Timeout,
    Cancelled,
    /// Worth asking again.
    Unavailable,
    /// A fault of ours, or of the stored data.
    Internal,
}

impl QueryError {
    pub fn new(kind: QueryErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn plan(message: impl Into<String>) -> Self {
        Self::new(QueryErrorKind::Plan, message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(QueryErrorKind::ResourceLimit, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(QueryErrorKind::Unsupported, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(QueryErrorKind::Internal, message)
    }
}

/// What to do where memory runs out.
pub(crate) const SAVE_MEMORY: &str = "ask for a shorter time range, fewer groups, or a LIMIT on what is sorted";

/// Our errors travel through DataFusion as they are.
impl From<QueryError> for DataFusionError {
    fn from(error: QueryError) -> Self {
        Self::External(Box::new(error))
    }
}

impl From<&StoreError> for QueryError {
    fn from(error: &StoreError) -> Self {
        let kind = match error.kind() {
            ErrorKind::Unavailable => QueryErrorKind::Unavailable,
            ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::Data | ErrorKind::Internal => {
                QueryErrorKind::Internal
            }
        };
        Self::new(kind, error.to_string())
    }
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        translate(&error)
    }
}

impl From<ArrowError> for QueryError {
    fn from(error: ArrowError) -> Self {
        translate_arrow(&error)
    }
}

impl From<io::Error> for QueryError {
    fn from(error: io::Error) -> Self {
        translate_io(&error)
    }
}

/// Of files that hold what does not fit into memory; see [`crate::spill`].
fn translate_io(error: &io::Error) -> QueryError {
    let inner = error.get_ref();
    if let Some(ours) = inner.and_then(|inner| inner.downcast_ref::<QueryError>()) {
        return ours.clone();
    }
    match inner.and_then(|inner| inner.downcast_ref::<DataFusionError>()) {
        Some(nested) => translate(nested),
        None => QueryError::internal(format!("what does not fit into memory cannot be put on disk: {error}")),
    }
}

fn translate(error: &DataFusionError) -> QueryError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => translate(inner),
        DataFusionError::Shared(inner) => translate(inner),
        DataFusionError::Collection(errors) => {
            errors.first().map_or_else(|| QueryError::internal(first_line(error)), translate)
        }
        DataFusionError::External(inner) => translate_external(inner.as_ref(), error),
        DataFusionError::ArrowError(inner, _) => translate_arrow(inner),
        DataFusionError::SQL(parse, _) => QueryError::new(QueryErrorKind::Parse, parse.to_string()),
        DataFusionError::SchemaError(schema, _) => translate_schema(schema),
        DataFusionError::NotImplemented(message) => QueryError::unsupported(clean(message)),
        DataFusionError::IoError(inner) => translate_io(inner),
        // The query's own share of memory says what to do, some operators do not.
        DataFusionError::ResourcesExhausted(message) if message.ends_with(SAVE_MEMORY) => {
            QueryError::limit(message.as_str())
        }
        DataFusionError::ResourcesExhausted(_) => {
            QueryError::limit(format!("the query needs too much memory: {SAVE_MEMORY}"))
        }
        DataFusionError::Plan(message)
        | DataFusionError::Configuration(message)
        | DataFusionError::Execution(message) => QueryError::plan(clean(message)),
        _ => QueryError::internal(first_line(error)),
    }
}

fn translate_external(inner: &(dyn std::error::Error + Send + Sync + 'static), whole: &DataFusionError) -> QueryError {
    if let Some(ours) = inner.downcast_ref::<QueryError>() {
        return ours.clone();
    }
    if let Some(store) = inner.downcast_ref::<StoreError>() {
        return store.into();
    }
    match inner.downcast_ref::<DataFusionError>() {
        Some(nested) => translate(nested),
        None => QueryError::internal(first_line(whole)),
    }
}

fn translate_arrow(error: &ArrowError) -> QueryError {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(nested) => translate(nested),
            None => QueryError::internal(inner.to_string()),
        },
        ArrowError::IoError(_, inner) => translate_io(inner),
        ArrowError::DivideByZero => QueryError::plan("division by zero: guard the divisor with NULLIF(divisor, 0)"),
        ArrowError::ArithmeticOverflow(detail) => QueryError::plan(format!(
            "integer arithmetic leaves 64 bits ({detail}): CAST one side to DECIMAL(38, 0) or DOUBLE"
        )),
        ArrowError::CastError(message)
        | ArrowError::ParseError(message)
        | ArrowError::ComputeError(message)
        | ArrowError::InvalidArgumentError(message) => QueryError::plan(message.clone()),
        ArrowError::NotYetImplemented(message) => QueryError::unsupported(message.clone()),
        other => QueryError::internal(other.to_string()),
    }
}

fn translate_schema(error: &SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => QueryError::plan(column_not_found(field, valid_fields)),
        SchemaError::AmbiguousReference { field } => QueryError::plan(format!(
            "column '{}' is ambiguous: write the name or alias of its table before it",
            field.flat_name().replace('"', "")
        )),
        other => QueryError::plan(other.to_string()),
    }
}

fn column_not_found(field: &Column, valid_fields: &[Column]) -> String {
    let names = valid_fields.iter().map(|valid| valid.name.as_str());
    let place = match &field.relation {
        Some(relation) => format!("table '{}'", relation.table()),
        None => "any table".to_owned(),
    };
    format!("Column '{}' not found in {place}{}", field.name, did_you_mean(&field.name, names))
}

/// The message without what DataFusion wraps around it: a backtrace, and the way our own argument checks went.
fn clean(message: &str) -> String {
    let message = message.split("\n\nbacktrace:").next().unwrap_or(message).trim_end();
    let ours = message.split_once("user-defined coercion failed with: External error: ");
    let ours = ours.map(|(_, rest)| rest.split(". No function matches").next().unwrap_or(rest));
    ours.unwrap_or(message).trim_end().replace(['\n', '\t'], " ")
}

fn first_line(error: &DataFusionError) -> String {
    error.strip_backtrace().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_keeps_its_kind_through_datafusion() {
        let ours = QueryError::limit("too much");
        let full = || io::Error::other(QueryError::limit("disk"));
        let cases: [(DataFusionError, QueryErrorKind); 8] = [
            (DataFusionError::from(ours).context("planning"), QueryErrorKind::ResourceLimit),
            (full().into(), QueryErrorKind::ResourceLimit),
            (ArrowError::IoError("writing".into(), full()).into(), QueryErrorKind::ResourceLimit),
            (DataFusionError::NotImplemented("PIVOT".into()), QueryErrorKind::Unsupported),
            (DataFusionError::ResourcesExhausted("pool".into()), QueryErrorKind::ResourceLimit),
            (DataFusionError::from(ArrowError::DivideByZero), QueryErrorKind::Plan),
            (DataFusionError::Internal("bug".into()), QueryErrorKind::Internal),
            (
                DataFusionError::from(ArrowError::from_external_error(Box::new(DataFusionError::Plan("type".into())))),
                QueryErrorKind::Plan,
            ),
        ];
        for (error, kind) in cases {
            let text = error.to_string();
            assert_eq!(QueryError::from(error).kind, kind, "{text}");
        }
    }

    #[test]
    fn an_unknown_column_is_named_with_its_nearest_neighbour() {
        let error = column_not_found(&Column::from_name("tenat"), &[Column::from_name("tenant")]);
        assert_eq!(error, "Column 'tenat' not found in any table; did you mean 'tenant'?");
    }
}
