//! What can be chosen: values of columns and labels, and the options of variables.

use arrow::array::{Array, AsArray};
use henge_query::series::{GroupOrder, LabelFilter};
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::time::Interval;
use serde::Deserialize;
use serde_json::{Value, json};

use super::draft::{Draft, Style, Where};
use super::expansion::Context;
use super::frame::Frame;
use super::prepared::unwritable;
use super::request::{Format, SqlQuery, Surroundings};
use super::run::Panel;
use super::sql_text;
use super::window::Window;
use crate::error::ApiError;
use crate::metrics_api::reading::DatasetReading;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 10_000;

/// `POST /henge/v1/panel/values`: those of a column of a datasource, or of a label of a dataset.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValuesRequest {
    #[serde(default, rename = "datasource")]
    pub data_source: Option<String>,
    #[serde(default)]
    pub column: Option<String>,
    #[serde(default)]
    pub dataset: Option<String>,
    #[serde(default)]
    pub metric: Option<String>,
    #[serde(default)]
    pub label: Option<String>,
    /// What the value holds, in any case.
    #[serde(default)]
    pub search: Option<String>,
    #[serde(default, rename = "where")]
    pub conditions: Vec<Where>,
    #[serde(default)]
    pub limit: Option<usize>,
    #[serde(flatten)]
    pub around: Surroundings,
}

/// Ascending.
#[derive(Debug, PartialEq, Eq)]
pub struct Values {
    pub values: Vec<String>,
    pub is_truncated: bool,
}

/// `POST /henge/v1/panel/variable`.
#[derive(Debug, Clone, Deserialize)]
pub struct VariableRequest {
    pub kind: VariableKind,
    #[serde(default)]
    pub sql: Option<String>,
    #[serde(flatten)]
    pub values: ValuesRequest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VariableKind {
    #[serde(rename = "datasources")]
    DataSources,
    Columns,
    Values,
    Sql,
}

impl ValuesRequest {
    fn limit(&self) -> Result<usize, ApiError> {
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        let is_fine = (1..=LIMIT_MAX).contains(&limit);
        is_fine
            .then_some(limit)
            .ok_or_else(|| ApiError::invalid(format!("`limit` is a number from 1 to {LIMIT_MAX}, not {limit}")))
    }

    fn is_wanted(&self, value: &str) -> bool {
        let search = self.search.as_deref().unwrap_or_default();
        value.to_lowercase().contains(&search.to_lowercase())
    }

    fn wanted<'v>(&self, all: impl Iterator<Item = &'v str>) -> Result<Values, ApiError> {
        let mut values: Vec<String> = all.filter(|value| self.is_wanted(value)).map(str::to_owned).collect();
        let limit = self.limit()?;
        let is_truncated = values.len() > limit;
        values.truncate(limit);
        Ok(Values { values, is_truncated })
    }
}

impl Panel {
    pub async fn values(&self, request: &ValuesRequest) -> Result<Values, ApiError> {
        match (&request.data_source, &request.column, &request.dataset, &request.label) {
            (Some(data_source), Some(column), ..) => self.column_values(data_source, column, request).await,
            (_, _, Some(dataset), Some(label)) => self.label_values(dataset, label, request).await,
            _ => Err(ApiError::invalid("name `datasource` and `column`, or `dataset` and `label`")),
        }
    }

    /// Without a range, a filter or a condition the engine answers from dictionaries.
    async fn column_values(
        &self,
        data_source: &str,
        column: &str,
        request: &ValuesRequest,
    ) -> Result<Values, ApiError> {
        let around = &request.around;
        let window = match around.range {
            Some(_) => Window::of(around)?,
            None => Window::of_all(around)?,
        };
        let context = Context { window: &window, around, sight: self.sight() };
        let mut draft = Draft::of(data_source, context, Style::Values)?;
        let (name, limit) = (draft.name(column)?, request.limit()?);
        let mut more = Vec::new();
        if let Some(search) = request.search.as_deref().filter(|search| !search.is_empty()) {
            let text = if draft.column(column)?.is_text() { name.clone() } else { format!("CAST({name} AS VARCHAR)") };
            more.push(format!("ICONTAINS_STRING({text}, {})", sql_text::text(search)));
        }
        let source = match around.range {
            Some(_) => draft.source(&request.conditions, more)?,
            None => draft.whole_source(&request.conditions, more)?,
        };
        let sql = format!("SELECT DISTINCT {name} AS \"value\"{source} ORDER BY 1 LIMIT {}", limit + 2);
        let frame = self.ask(&sql).await?;
        let texts = frame.texts(0).map_err(unwritable)?;
        let mut values: Vec<String> = texts.iter().flatten().map(str::to_owned).collect();
        // A null takes a row, and is no value.
        let is_truncated = values.len() > limit;
        values.truncate(limit);
        Ok(Values { values, is_truncated })
    }

    async fn label_values(&self, dataset: &str, label: &str, request: &ValuesRequest) -> Result<Values, ApiError> {
        let reading = DatasetReading::of(&self.app, self.asker.reader.clone(), dataset)?;
        let interval = match request.around.range {
            Some(_) => Window::of(&request.around)?.range,
            None => Interval::ALL,
        };
        let none: Option<&LabelFilter> = None;
        // Which of them hold what is searched for, only a look at them tells.
        let count = if request.search.is_some() { LIMIT_MAX } else { request.limit()? + 1 };
        if let Some(metric) = &request.metric {
            reading.metric(metric)?;
            let order = GroupOrder::ByLabels { after: None, count };
            let (batches, _) = reading.labels(metric, label, None, vec![interval], order).await?;
            let texts = batches.iter().flat_map(|batch| batch.column(0).as_string_view().iter().flatten());
            return request.wanted(texts);
        }
        if reading.metrics_with(label).is_empty() {
            return Err(ApiError::invalid(format!("no metric of dataset `{dataset}` has a label `{label}`")));
        }
        let values = reading.values(label, none, interval, count).await?;
        request.wanted(values.iter().map(String::as_str))
    }

    /// Texts and values to choose from.
    pub async fn variable(&self, request: &VariableRequest) -> Result<Vec<Value>, ApiError> {
        let option = |text: &str| json!({ "text": text, "value": text });
        let values = &request.values;
        let names: Vec<String> = match request.kind {
            VariableKind::Sql => return self.sql_options(request).await,
            VariableKind::Values => self.values(values).await?.values,
            VariableKind::DataSources => {
                let names: Vec<String> =
                    self.sight().data_sources().iter().map(|known| known.name().to_string()).collect();
                values.wanted(names.iter().map(String::as_str))?.values
            }
            VariableKind::Columns => {
                let name = values.data_source.as_deref().unwrap_or_default();
                let columns = self.sight().columns(name)?;
                let names = columns.iter().map(|column| column.name.as_str()).filter(|name| *name != TIME_COLUMN);
                values.wanted(names)?.values
            }
        };
        Ok(names.iter().map(|name| option(name)).collect())
    }

    /// One column, or those that are called `__text` and `__value`.
    async fn sql_options(&self, request: &VariableRequest) -> Result<Vec<Value>, ApiError> {
        let sql = request.sql.clone().unwrap_or_default();
        let around = request.values.around.with_range();
        let frame = self.statement_rows(&SqlQuery { sql, format: Format::Table }, &around).await?;
        let place = |name: &str| frame.names().position(|known| known == name);
        let value = place("__value").unwrap_or(0);
        let text = place("__text").unwrap_or(value);
        if frame.batch.num_columns() == 0 {
            return Ok(Vec::new());
        }
        let (texts, values) = (texts_of(&frame, text)?, texts_of(&frame, value)?);
        let options = texts.into_iter().zip(values).filter_map(|(text, value)| {
            let value = value?;
            let text = text.unwrap_or_else(|| value.clone());
            Some((text, value)).filter(|(text, _)| request.values.is_wanted(text))
        });
        let options = options.take(request.values.limit.unwrap_or(LIMIT_MAX).min(LIMIT_MAX));
        Ok(options.map(|(text, value)| json!({ "text": text, "value": value })).collect())
    }
}

fn texts_of(frame: &Frame, at: usize) -> Result<Vec<Option<String>>, ApiError> {
    let texts = frame.texts(at).map_err(unwritable)?;
    Ok((0..texts.len()).map(|row| texts.is_valid(row).then(|| texts.value(row).to_owned())).collect())
}
