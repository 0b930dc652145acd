//! What is told of an answer beside its rows.

use std::collections::BTreeMap;

use arrow::error::ArrowError;
use henge_query::provenance::MadeOf;
use henge_segment_store::time::TimestampMs;
use serde::Serialize;

use super::frame::Frame;

/// Rows, and what there is to know of them.
#[derive(Debug)]
pub struct PanelAnswer {
    pub meta: Meta,
    pub frame: Frame,
}

impl PanelAnswer {
    /// A JSON object: `meta`, and the rows.
    pub fn to_json(&self) -> Result<Vec<u8>, ArrowError> {
        let meta = self.meta.to_json();
        let mut out = Vec::with_capacity(meta.len() + 64 * self.frame.rows());
        out.extend_from_slice(b"{\"meta\":");
        out.extend_from_slice(meta.as_bytes());
        out.push(b',');
        self.frame.write_json(&mut out)?;
        out.extend_from_slice(b"}\n");
        Ok(out)
    }

    /// An Arrow stream whose schema holds `meta`.
    pub fn to_arrow(&self) -> Result<Vec<u8>, ArrowError> {
        self.frame.to_arrow(self.meta.to_json())
    }
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    pub shape: Shape,
    pub time_column: Option<String>,
    pub label_columns: Vec<String>,
    pub value_columns: Vec<String>,
    /// The statement that was run; empty where none was.
    pub sql: String,
    pub notices: Vec<Notice>,
    /// Events before this time are all there.
    pub complete_until: Option<TimestampMs>,
    /// Everything that the broker had at this moment is part of the answer.
    pub as_of: Option<TimestampMs>,
    pub interval_ms: i64,
    pub rows: usize,
    /// Whether there is more than the limit that was asked for.
    pub is_truncated: bool,
    /// By column, in Grafana's words for units.
    pub unit: BTreeMap<String, String>,
    /// What to send as `after` for what comes next; of a tail only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<TimestampMs>,
}

/// How rows are to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Shape {
    /// A row for each time and series, in order of time.
    TimeSeriesLong,
    #[default]
    Table,
    Logs,
    /// Numbers and what they are of, without time.
    NumericLong,
}

/// Something that the reader of a panel is to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    pub severity: Severity,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
}

impl Notice {
    pub fn info(text: impl Into<String>) -> Self {
        Self { severity: Severity::Info, text: text.into() }
    }

    pub fn warning(text: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, text: text.into() }
    }
}

impl Meta {
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("what is told of an answer is plain data")
    }

    /// Of several datasources, what the one has that is known the least of; `None` is less than any time.
    pub fn note_completeness(&mut self, made_of: &[MadeOf]) {
        let all = || made_of.iter().map(|made_of| &made_of.completeness);
        let known = |time: Option<Option<TimestampMs>>| time.flatten().filter(|time| time.is_storable());
        self.complete_until = known(all().map(|completeness| completeness.complete_until).min());
        self.as_of = known(all().map(|completeness| completeness.as_of).min());
    }
}
