//! Marks on a dashboard's time: `POST /henge/v1/panel/annotations`.

use arrow::array::{Array, StringArray};
use serde::Deserialize;
use serde_json::{Value, json};

use super::frame::Frame;
use super::prepared::{Prepared, unwritable};
use super::request::{Format, SqlQuery, Surroundings};
use super::run::Panel;
use super::window::Window;
use crate::error::ApiError;

/// More cannot be told apart on a screen.
const MARKS_MAX: usize = 10_000;

/// Columns `time`, and `timeEnd`, `text`, `title`, `tags` where there are such.
#[derive(Debug, Clone, Deserialize)]
pub struct AnnotationsRequest {
    pub sql: String,
    #[serde(flatten)]
    pub around: Surroundings,
}

impl Panel {
    pub async fn annotations(&self, request: &AnnotationsRequest) -> Result<Vec<Value>, ApiError> {
        let (around, window) = (&request.around, Window::of(&request.around)?);
        let query = SqlQuery { sql: request.sql.clone(), format: Format::TimeSeries };
        let prepared = self.statement(&query, around, &window)?;
        // Marks are no buckets: none of them is incomplete.
        let prepared = Prepared { bucket: None, ..prepared };
        let mut frame = self.run(prepared, around, &window).await?.frame;
        if let Some(end) = place(&frame, "timeEnd") {
            frame.read_times(end).map_err(unwritable)?;
        }
        frame.truncate(MARKS_MAX);
        marks(&frame)
    }
}

fn place(frame: &Frame, name: &str) -> Option<usize> {
    frame.names().position(|known| known.eq_ignore_ascii_case(name))
}

fn marks(frame: &Frame) -> Result<Vec<Value>, ApiError> {
    let texts = |at: Option<usize>| -> Result<Option<StringArray>, ApiError> {
        at.map(|at| frame.texts(at).map_err(unwritable)).transpose()
    };
    let (times, ends) = (texts(frame.time_column())?, texts(place(frame, "timeEnd"))?);
    let (title, text, tags) =
        (texts(place(frame, "title"))?, texts(place(frame, "text"))?, texts(place(frame, "tags"))?);
    let of = |column: &Option<StringArray>, row: usize| {
        column.as_ref().filter(|column| column.is_valid(row)).map(|column| column.value(row).to_owned())
    };
    let millis =
        |column: &Option<StringArray>, row: usize| of(column, row).and_then(|millis| millis.parse::<i64>().ok());
    let mark = |row: usize| {
        let time = millis(&times, row)?;
        let tags: Vec<String> = of(&tags, row).map(|tags| tags_of(&tags)).unwrap_or_default();
        Some(json!({
            "time": time, "timeEnd": millis(&ends, row), "title": of(&title, row), "text": of(&text, row), "tags": tags,
        }))
    };
    Ok((0..frame.rows()).filter_map(mark).collect())
}

/// A JSON array, as arrays come, or names between commas.
fn tags_of(text: &str) -> Vec<String> {
    let listed: Option<Vec<Value>> = serde_json::from_str(text).ok();
    let listed = listed.map(|tags| tags.into_iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect());
    listed.unwrap_or_else(|| text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
}
