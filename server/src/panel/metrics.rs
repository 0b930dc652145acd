//! Metrics of a dataset: mode `metrics`. No SQL: the series of the metrics API.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use henge_query::series::{GroupOrder, LabelFilter, LabelTest, SeriesRequest, SeriesValue};
use henge_segment_store::dataset::SeriesFunction;
use henge_segment_store::time::Granularity;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Meta, Notice, PanelAnswer, Shape};
use super::bucket::{Bucket, Fill};
use super::condition::Operator;
use super::draft::Where;
use super::frame::{Frame, time_type};
use super::prepared::unwritable;
use super::request::Surroundings;
use super::run::Panel;
use super::shaping::complete_and_fill;
use super::variable::Scalar;
use super::window::Window;
use crate::error::ApiError;
use crate::metrics_api::granularity::BucketLength;
use crate::metrics_api::problem::Problem;
use crate::metrics_api::reading::DatasetReading;

/// Groups of an answer, as of the metrics API.
const LIMIT_MAX: usize = 1_000;
const LIMIT_DEFAULT: usize = 100;
/// Shortest first.
const LENGTHS: [&str; 9] = ["PT1M", "PT5M", "PT15M", "PT30M", "PT1H", "PT4H", "PT6H", "PT12H", "P1D"];

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricsQuery {
    pub dataset: String,
    pub metric: String,
    /// How series become one; the metric's own way where nothing is said.
    #[serde(default)]
    pub aggregate: Option<String>,
    #[serde(default)]
    pub group_by: Vec<String>,
    #[serde(default, rename = "where")]
    pub conditions: Vec<Where>,
    /// `auto`, or one of the metrics API.
    #[serde(default)]
    pub granularity: Option<String>,
    #[serde(default)]
    pub fill: Option<Fill>,
    #[serde(default)]
    pub limit: Option<usize>,
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::request(problem.status, problem.detail)
    }
}

impl Panel {
    pub async fn metrics(
        &self,
        query: &MetricsQuery,
        around: &Surroundings,
        window: &Window,
    ) -> Result<PanelAnswer, ApiError> {
        let reading = DatasetReading::of(&self.app, self.asker.reader.clone(), &query.dataset)?;
        let metric = reading.metric(&query.metric)?;
        let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(ApiError::invalid(format!("`limit` is a number from 1 to {LIMIT_MAX}, not {limit}")));
        }
        let length = query.length(window)?;
        let granularity = length.granularity.clone();
        let request = query.request(&reading, around, window, length.granularity, limit)?;
        let (batches, made_of) = reading.series(request).await?;
        let mut frame = query.frame(&batches, granularity.is_some()).map_err(unwritable)?;
        let mut meta = Meta { interval_ms: window.interval_ms, ..Meta::default() };
        meta.note_completeness(&made_of);
        meta.is_truncated = truncate_groups(&mut frame, query.group_by.len(), limit);
        if meta.is_truncated {
            meta.notices.push(Notice::warning(format!("there are more than the {limit} series that were asked for")));
        }
        meta.shape = Shape::NumericLong;
        if let Some(granularity) = granularity {
            meta.shape = Shape::TimeSeriesLong;
            meta.time_column = Some("time".to_owned());
            let time = query.group_by.len();
            frame.sort_by_time(time).map_err(unwritable)?;
            let bucket = Bucket { granularity, fill: query.fill.unwrap_or_default() };
            complete_and_fill(&mut frame, time, &bucket, &mut meta, around, window)?;
        }
        meta.label_columns = query.group_by.clone();
        meta.value_columns = vec![query.metric.clone()];
        meta.unit = unit_of(&metric.unit).map(|unit| (query.metric.clone(), unit.to_owned())).into_iter().collect();
        meta.rows = frame.rows();
        Ok(PanelAnswer { meta, frame })
    }
}

impl MetricsQuery {
    /// The bucket, at least as long as the panel wants it, and as short as may be asked for over the range.
    fn length(&self, window: &Window) -> Result<BucketLength, ApiError> {
        if let Some(name) = self.granularity.as_deref().filter(|name| !matches!(*name, "" | "auto")) {
            let length = BucketLength::of_name(name)?;
            length.check(window.length_ms())?;
            return Ok(length);
        }
        let fits = |name: &&str| -> bool {
            BucketLength::of_name(name).is_ok_and(|length| {
                let millis = length.granularity.as_ref().and_then(Granularity::length_ms);
                millis.is_some_and(|millis| millis >= window.interval_ms) && length.check(window.length_ms()).is_ok()
            })
        };
        let name = LENGTHS.iter().find(|name| fits(name)).copied().unwrap_or("P1D");
        Ok(BucketLength::of_name(name)?)
    }

    fn request(
        &self,
        reading: &DatasetReading<'_>,
        around: &Surroundings,
        window: &Window,
        granularity: Option<Granularity>,
        limit: usize,
    ) -> Result<SeriesRequest, ApiError> {
        let agg = match self.aggregate.as_deref().filter(|name| !name.is_empty()) {
            None => None,
            Some(name) => Some(SeriesFunction::of_name(&name.to_ascii_uppercase()).ok_or_else(|| {
                let known = SeriesFunction::ALL.map(SeriesFunction::as_str).join(", ");
                ApiError::invalid(format!("`aggregate` is one of {known}, not `{name}`"))
            })?),
        };
        let order = match granularity {
            Some(_) => GroupOrder::ByLabels { after: None, count: limit + 1 },
            None => GroupOrder::ByValue { is_descending: true, count: limit + 1 },
        };
        let mut filters = Vec::new();
        for condition in self.conditions.iter().filter(|condition| !condition.column.is_empty()) {
            filters.extend(label_filter(condition, around)?);
        }
        let value = SeriesValue::Aggregate { time_agg: None, agg };
        let asked = reading.request(&self.metric, value, order);
        Ok(SeriesRequest {
            filter: (!filters.is_empty()).then_some(LabelFilter::All(filters)),
            group_by: self.group_by.clone(),
            granularity,
            intervals: vec![window.range],
            query_id: around.query_id.clone().unwrap_or(asked.query_id.clone()),
            ..asked
        })
    }

    /// What an answer will have, as `check` tells it.
    pub fn columns(&self) -> Vec<Value> {
        let is_timed = self.granularity.as_deref() != Some("ALL");
        let labels = self.group_by.iter().map(|field| json!({ "name": field, "type": "string" }));
        let time = is_timed.then(|| json!({ "name": "time", "type": "time" }));
        labels.chain(time).chain([json!({ "name": self.metric, "type": "double" })]).collect()
    }

    /// Labels, time if there are buckets, and the value under the metric's name.
    fn frame(&self, batches: &[RecordBatch], is_timed: bool) -> Result<Frame, ArrowError> {
        let mut fields: Vec<Field> =
            self.group_by.iter().map(|field| Field::new(field, DataType::Utf8, true)).collect();
        fields.extend(is_timed.then(|| Field::new("time", time_type(), true)));
        fields.push(Field::new(&self.metric, DataType::Float64, true));
        let schema = Arc::new(Schema::new(fields));
        let converted = batches.iter().map(|batch| {
            let columns = batch.columns().iter().zip(schema.fields());
            let columns = columns.map(|(column, field)| cast(column, field.data_type()));
            RecordBatch::try_new(schema.clone(), columns.collect::<Result<Vec<ArrayRef>, _>>()?)
        });
        let converted = converted.collect::<Result<Vec<_>, _>>()?;
        Ok(Frame { batch: arrow::compute::concat_batches(&schema, &converted)? })
    }
}

/// Rows of a group stand next to each other.
fn truncate_groups(frame: &mut Frame, labels: usize, groups_max: usize) -> bool {
    let texts: Vec<_> = (0..labels).map(|at| frame.batch.column(at).as_string::<i32>().clone()).collect();
    let text = |texts: &StringArray, row: usize| texts.is_valid(row).then(|| texts.value(row).to_owned());
    let is_new = |row: usize| row == 0 || texts.iter().any(|texts| text(texts, row) != text(texts, row - 1));
    let mut groups = 0;
    for row in 0..frame.rows() {
        groups += usize::from(is_new(row));
        if groups > groups_max {
            return frame.truncate(row);
        }
    }
    false
}

/// A test of a label; `None` where a variable stands for all values.
fn label_filter(condition: &Where, around: &Surroundings) -> Result<Option<LabelFilter>, ApiError> {
    let mut values = Vec::new();
    for value in &condition.values {
        let text = value.text();
        let name = text.strip_prefix('$').map(|name| name.trim_start_matches('{').trim_end_matches('}'));
        match name.and_then(|name| around.variables.get(name)) {
            Some(variable) if variable.is_all => return Ok(None),
            Some(variable) => values.extend(variable.values.iter().map(Scalar::text)),
            None => values.push(text),
        }
    }
    let field = condition.column.clone();
    let test = |test: LabelTest| {
        let each = values.iter().map(|value| LabelFilter::Test { field: field.clone(), test, value: value.clone() });
        LabelFilter::Any(each.collect())
    };
    let not = |filter: LabelFilter| LabelFilter::Not(Box::new(filter));
    Ok(Some(match Operator::of_name(&condition.operator)? {
        Operator::Equal => test(LabelTest::Equal),
        Operator::NotEqual => not(test(LabelTest::Equal)),
        Operator::Greater => test(LabelTest::Greater),
        Operator::GreaterOrEqual => test(LabelTest::GreaterOrEqual),
        Operator::Less => not(test(LabelTest::GreaterOrEqual)),
        Operator::LessOrEqual => not(test(LabelTest::Greater)),
        _ => {
            return Err(ApiError::invalid(format!(
                "labels of metrics are compared by = != < > <= >= =| !=|, not by `{}`",
                condition.operator
            )));
        }
    }))
}

/// What Grafana calls a unit of UCUM.
pub fn unit_of(unit: &str) -> Option<&'static str> {
    Some(match unit {
        "By" => "bytes",
        "By/s" => "Bps",
        "ms" => "ms",
        "s" => "s",
        "%" => "percent",
        _ => return None,
    })
}
