//! Rows as lines of a log: mode `logs`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use henge_segment_store::schema::{ColumnKind, TIME_COLUMN};
use serde::Deserialize;

use super::draft::{Draft, Style, Where, without_dollars};
use super::frame::{Frame, labels_json};
use super::sql_text;
use crate::error::ApiError;

const LIMIT_DEFAULT: u64 = 1_000;
const LIMIT_MAX: u64 = 50_000;
/// What people call the column of the text, the best first.
const BODIES: [&str; 7] = ["body", "message", "msg", "log", "line", "text", "event"];
const SEVERITIES: [&str; 5] = ["severity", "level", "log_level", "loglevel", "detected_level"];

#[derive(Debug, Clone, Deserialize)]
pub struct LogsQuery {
    #[serde(rename = "datasource")]
    pub data_source: String,
    /// All but sketches where none is named.
    #[serde(default)]
    pub columns: Vec<String>,
    #[serde(default, rename = "where")]
    pub conditions: Vec<Where>,
    /// In any column of text, in any case.
    #[serde(default)]
    pub search: Option<String>,
    #[serde(default)]
    pub limit: Option<u64>,
}

/// Which rows of a log are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    NewestFirst,
    OldestFirst,
}

impl LogsQuery {
    pub fn limit(&self) -> Result<u64, ApiError> {
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        let is_fine = (1..=LIMIT_MAX).contains(&limit);
        is_fine
            .then_some(limit)
            .ok_or_else(|| ApiError::invalid(format!("`limit` is a number from 1 to {LIMIT_MAX}, not {limit}")))
    }

    pub fn statement(&self, draft: &mut Draft<'_>, order: Order) -> Result<String, ApiError> {
        let mut selected = vec![format!("{} AS \"time\"", sql_text::name(TIME_COLUMN))];
        let is_shown = |name: &str| name != TIME_COLUMN;
        if self.columns.is_empty() {
            let columns = draft.columns.iter().filter(|column| is_shown(&column.name));
            let columns = columns.filter(|column| !matches!(column.kind, Some(ColumnKind::Sketch(_))));
            selected.extend(columns.map(|column| sql_text::name(&column.name)));
        }
        for (at, column) in self.columns.iter().enumerate().filter(|(_, column)| is_shown(column)) {
            if !self.columns[..at].contains(column) {
                selected.push(draft.name(column)?);
            }
        }
        let searched = self.searched(draft);
        let source = draft.source(&self.conditions, searched.into_iter().collect())?;
        let limit = self.limit()? + u64::from(draft.style == Style::Values);
        let direction = if order == Order::NewestFirst { " DESC" } else { "" };
        Ok(format!("SELECT {}{source} ORDER BY \"time\"{direction} LIMIT {limit}", selected.join(", ")))
    }

    fn searched(&self, draft: &Draft<'_>) -> Option<String> {
        let search = self.search.as_deref().filter(|search| !search.is_empty())?;
        let mut text = sql_text::text(search);
        if draft.style == Style::Template {
            text = without_dollars(&text);
        }
        let texts = draft.columns.iter().filter(|column| column.is_text());
        let found: Vec<String> =
            texts.map(|column| format!("ICONTAINS_STRING({}, {text})", sql_text::name(&column.name))).collect();
        Some(if found.is_empty() { "FALSE".to_owned() } else { format!("({})", found.join(" OR ")) })
    }
}

/// Time, body, severity if there is one, and the other columns as labels: a JSON object of texts.
pub fn lines(frame: &Frame) -> Result<Frame, ArrowError> {
    let names: Vec<&str> = frame.names().collect();
    let named = |known: &[&str]| {
        let place = |wanted: &&str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        known.iter().find_map(place)
    };
    let time = frame.time_column();
    let (body, severity) = (named(&BODIES), named(&SEVERITIES));
    let texts = (0..names.len()).map(|at| frame.texts(at)).collect::<Result<Vec<_>, _>>()?;
    let is_label = |at: &usize| Some(*at) != time && Some(*at) != body && Some(*at) != severity;
    let places: Vec<usize> = (0..names.len()).filter(is_label).collect();
    let labels = (0..frame.rows()).map(|row| {
        let there = places.iter().filter(|at| texts[**at].is_valid(row));
        labels_json(&there.map(|at| (names[*at], texts[*at].value(row).to_owned())).collect::<Vec<_>>())
    });
    let labels: ArrayRef = Arc::new(labels.map(Some).collect::<StringArray>());
    let body: ArrayRef = match body {
        Some(at) => Arc::new(texts[at].clone()),
        None => {
            Arc::new((0..frame.rows()).map(|row| Some(in_words(&names, &texts, &places, row))).collect::<StringArray>())
        }
    };
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    columns.extend(time.map(|at| ("time", frame.batch.column(at).clone())));
    columns.push(("body", body));
    columns.extend(severity.map(|at| ("severity", Arc::new(texts[at].clone()) as ArrayRef)));
    columns.push(("labels", labels));
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    debug_assert!(columns.iter().skip(1).all(|(_, column)| *column.data_type() == DataType::Utf8));
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    Ok(Frame { batch: RecordBatch::try_new(schema, columns)? })
}

/// `name=value name=value`, of a row without a text of its own.
fn in_words(names: &[&str], texts: &[StringArray], places: &[usize], row: usize) -> String {
    let there = places.iter().filter(|at| texts[**at].is_valid(row));
    there.map(|at| format!("{}={}", names[*at], texts[*at].value(row))).collect::<Vec<_>>().join(" ")
}
