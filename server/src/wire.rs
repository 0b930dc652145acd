//! Answers on the wire: result columns and record batches become bytes, a piece at a time.
//!
//! answer -> (rows_json | csv) -> cell -> (time_text | json_text | csv_text)
//! answer -> arrow_ipc
//! answer's bytes -> encoding
//! what an answer is made of -> provenance

pub mod answer;
mod arrow_ipc;
pub mod cell;
pub mod csv;
mod csv_text;
pub mod encoding;
pub mod json_text;
pub mod provenance;
pub mod rows_json;
pub mod time_text;

use henge_query::answer::ResultColumn;
use serde::Deserialize;

use self::cell::ArrayStyle;
use self::time_text::TimeText;

/// What an Arrow IPC stream is called on the wire.
pub const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// The shape of a result, by the names that Druid gives them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ResultFormat {
    #[default]
    Object,
    Array,
    ObjectLines,
    ArrayLines,
    Csv,
    /// Asked for by `Accept: application/vnd.apache.arrow.stream`.
    #[serde(skip)]
    ArrowStream,
}

impl ResultFormat {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Object | Self::Array => "application/json",
            Self::ObjectLines | Self::ArrayLines => "text/plain",
            Self::Csv => "text/csv",
            Self::ArrowStream => ARROW_STREAM,
        }
    }
}

/// Which header a result opens with. Types come only along with the names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Header {
    pub names: bool,
    pub druid_types: bool,
    pub sql_types: bool,
}

/// Everything that decides how a result is written.
#[derive(Debug, Clone)]
pub struct Layout {
    pub format: ResultFormat,
    pub header: Header,
    pub time: TimeText,
    pub arrays: ArrayStyle,
}

/// The header rows of the formats without keys: names, then Druid's types, then SQL types.
fn header_rows(header: Header, columns: &[ResultColumn]) -> impl Iterator<Item = Vec<&str>> {
    let names = header.names.then(|| columns.iter().map(|column| column.name.as_str()).collect());
    let types = header.druid_types.then(|| columns.iter().map(|column| column.druid_type.as_str()).collect());
    let sql_types = header.sql_types.then(|| columns.iter().map(|column| column.sql_type.as_str()).collect());
    [names, types, sql_types].into_iter().flatten()
}
