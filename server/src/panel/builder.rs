//! Questions that are put together from parts: modes `builder` and `top`.

use std::collections::BTreeMap;

use henge_segment_store::dataset::Metric;
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::time::Granularity;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::bucket::{Bucket, Fill, period_of, period_of_text};
use super::condition::{Operator, comparison};
use super::draft::{Draft, Style, Where};
use super::measure::{Aggregate, Measure};
use super::metrics::unit_of as metrics_unit;
use super::request::Format;
use super::sql_text;
use super::variable::Scalar;
use super::window::Window;
use crate::app::Services;
use crate::error::ApiError;

/// Rows of an answer that nobody limits are bounded elsewhere; more is no question of a dashboard.
const LIMIT_MAX: u64 = 100_000;
/// What one value each takes is bounded by what a statement may hold.
const TOP_MAX: u64 = 1_000;
const TOP_LIMIT_DEFAULT: u64 = 10;
const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuilderQuery {
    #[serde(default)]
    pub format: Format,
    #[serde(rename = "datasource")]
    pub data_source: String,
    pub measures: Vec<Measure>,
    #[serde(default)]
    pub group_by: Vec<GroupBy>,
    /// `auto`, a period, or none.
    #[serde(default)]
    pub time_bucket: Option<String>,
    #[serde(default)]
    pub fill: Option<Fill>,
    #[serde(default, rename = "where")]
    pub conditions: Vec<Where>,
    #[serde(default)]
    pub order_by: Vec<OrderBy>,
    #[serde(default)]
    pub limit: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GroupBy {
    pub column: String,
    /// Only so many values: those with the largest first measure over the whole range.
    #[serde(default)]
    pub top: Option<u64>,
    /// Whether the rest is one group more, or left out.
    #[serde(default)]
    pub other: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct OrderBy {
    pub name: String,
    #[serde(default)]
    pub descending: bool,
}

/// The largest values of a dimension.
#[derive(Debug, Clone, Deserialize)]
pub struct TopQuery {
    #[serde(rename = "datasource")]
    pub data_source: String,
    pub dimension: String,
    pub measure: Measure,
    #[serde(default, rename = "where")]
    pub conditions: Vec<Where>,
    #[serde(default)]
    pub limit: Option<u64>,
}

impl TopQuery {
    /// As the builder would say it.
    pub fn built(&self) -> BuilderQuery {
        BuilderQuery {
            format: Format::Table,
            data_source: self.data_source.clone(),
            measures: vec![self.measure.clone()],
            group_by: vec![GroupBy { column: self.dimension.clone(), top: None, other: false }],
            time_bucket: None,
            fill: None,
            conditions: self.conditions.clone(),
            order_by: vec![OrderBy { name: self.measure.alias(), descending: true }],
            limit: Some(self.limit.unwrap_or(TOP_LIMIT_DEFAULT)),
        }
    }
}

/// The values that a `top` has found, by the place of its group; `None` of a null.
pub type Tops = Vec<Option<Vec<Option<String>>>>;

/// A statement, and the buckets that its times are.
pub struct Built {
    pub sql: String,
    pub bucket: Option<Bucket>,
}

/// Each group and its expression.
struct Group {
    expression: String,
    alias: String,
    /// What rows have to pass where the rest is left out.
    condition: Option<String>,
}

impl BuilderQuery {
    /// Of measures that a dataset says the unit of.
    pub fn units(&self, services: &Services) -> BTreeMap<String, String> {
        let datasets = services.store.datasets();
        let metrics = || datasets.values().flat_map(|dataset| dataset.metrics.values());
        let unit_of = |measure: &Measure| {
            let column = measure.column.as_deref().filter(|_| measure.aggregate.keeps_unit())?;
            let is_it = |metric: &&Metric| metric.data_source.as_str() == self.data_source && metric.measure == column;
            let unit = metrics_unit(&metrics().find(is_it)?.unit)?;
            let unit = if measure.aggregate == Aggregate::Rate { per_second(unit)? } else { unit };
            Some((measure.alias(), unit.to_owned()))
        };
        self.measures.iter().filter_map(unit_of).collect()
    }

    fn check(&self) -> Result<(), ApiError> {
        if self.measures.is_empty() {
            return Err(ApiError::invalid("`measures` is empty: choose what to compute"));
        }
        if let Some(limit) = self.limit.filter(|limit| !(1..=LIMIT_MAX).contains(limit)) {
            return Err(ApiError::invalid(format!("`limit` is a number from 1 to {LIMIT_MAX}, not {limit}")));
        }
        let tops = self.group_by.iter().filter_map(|group| group.top);
        if let Some(top) = tops.into_iter().find(|top| !(1..=TOP_MAX).contains(top)) {
            return Err(ApiError::invalid(format!("`top` is a number from 1 to {TOP_MAX}, not {top}")));
        }
        Ok(())
    }

    /// A statement for each `top`, in the order of groups: its values, the largest first.
    pub fn top_statements(&self, draft: &mut Draft<'_>) -> Result<Vec<Option<String>>, ApiError> {
        self.check()?;
        let seconds = Ok(seconds_of_range(draft.context.window));
        let mut statements = Vec::new();
        for group in &self.group_by {
            let Some(top) = group.top else {
                statements.push(None);
                continue;
            };
            let (column, measure) = (draft.name(&group.column)?, self.measures[0].expression(draft, &seconds)?);
            let source = draft.source(&self.conditions, Vec::new())?;
            statements.push(Some(format!(
                "SELECT {column} AS \"value\"{source} GROUP BY 1 ORDER BY {measure} DESC LIMIT {top}"
            )));
        }
        Ok(statements)
    }

    /// The statement; where `tops` are not known yet, a comment says so.
    pub fn statement(&self, draft: &mut Draft<'_>, tops: &Tops) -> Result<Built, ApiError> {
        self.check()?;
        let bucket = self.bucket(draft)?;
        let seconds = self.seconds(draft, bucket.as_ref());
        let mut selected = Vec::new();
        let mut names = Vec::new();
        if bucket.is_some() {
            selected.push(format!("{} AS \"time\"", self.bucket_call(draft)?));
            names.push("time".to_owned());
        }
        let mut more = Vec::new();
        for (place, group) in self.group_by.iter().enumerate() {
            let top = tops.get(place).and_then(Option::as_ref);
            let group = self.group(draft, group, top)?;
            selected.push(format!("{} AS {}", group.expression, sql_text::name(&group.alias)));
            names.push(group.alias);
            more.extend(group.condition);
        }
        let keys = selected.len();
        for measure in &self.measures {
            let expression = measure.expression(draft, &seconds)?;
            selected.push(format!("{expression} AS {}", sql_text::name(&measure.alias())));
            names.push(measure.alias());
        }
        check_names(&names)?;
        let mut sql = format!("SELECT {}", selected.join(", "));
        sql.push_str(&draft.source(&self.conditions, more)?);
        if keys > 0 {
            let places: Vec<String> = (1..=keys).map(|place| place.to_string()).collect();
            sql.push_str(&format!(" GROUP BY {}", places.join(", ")));
        }
        sql.push_str(&self.order(&names)?);
        if let Some(limit) = self.limit {
            // One more tells that there is more.
            let limit = if draft.style == Style::Values { limit + 1 } else { limit };
            sql.push_str(&format!(" LIMIT {limit}"));
        }
        Ok(Built { sql, bucket })
    }

    fn period(&self, draft: &Draft<'_>) -> Result<Option<String>, ApiError> {
        match self.time_bucket.as_deref() {
            None | Some("") => Ok(None),
            Some("auto") => Ok(Some(period_of(draft.context.window.interval_ms))),
            Some(text) => period_of_text(text).map(Some).ok_or_else(|| {
                ApiError::invalid(format!(
                    "`timeBucket` is \"auto\", a period such as PT5M or 5m, or null, not `{text}`"
                ))
            }),
        }
    }

    fn bucket(&self, draft: &Draft<'_>) -> Result<Option<Bucket>, ApiError> {
        let Some(period) = self.period(draft)? else { return Ok(None) };
        let granularity = Granularity::period(&period, None, draft.context.window.zone.clone());
        let granularity = granularity.map_err(|error| ApiError::invalid(error.to_string()))?;
        Ok(Some(Bucket { granularity, fill: self.fill.unwrap_or_default() }))
    }

    fn bucket_call(&self, draft: &Draft<'_>) -> Result<String, ApiError> {
        let (time, period) = (sql_text::name(TIME_COLUMN), self.period(draft)?.unwrap_or_default());
        if draft.style == Style::Values {
            return Ok(format!("TIME_FLOOR({time}, {})", sql_text::text(&period)));
        }
        let is_auto = self.time_bucket.as_deref() == Some("auto");
        let fill = match self.fill.unwrap_or_default() {
            Fill::None if is_auto => return Ok(format!("$__timeInterval({time})")),
            Fill::None => "",
            Fill::Null => ", NULL",
            Fill::Zero => ", 0",
            Fill::Previous => ", previous",
            Fill::Linear => ", linear",
        };
        let period = if is_auto { "$__interval" } else { period.as_str() };
        Ok(format!("$__timeGroup({time}, '{period}'{fill})"))
    }

    /// How long what a rate is taken over is, in seconds.
    fn seconds(&self, draft: &Draft<'_>, bucket: Option<&Bucket>) -> Result<String, ApiError> {
        let is_template = draft.style == Style::Template;
        if bucket.is_none() {
            return Ok(if is_template { "$__range_s".to_owned() } else { seconds_of_range(draft.context.window) });
        }
        if is_template && self.time_bucket.as_deref() == Some("auto") {
            return Ok("$__interval_s".to_owned());
        }
        let period = self.period(draft)?.unwrap_or_default();
        let length = Granularity::period(&period, None, TimeZone::UTC).ok().and_then(|period| period.length_ms());
        // Days of other zones are not all as long.
        let is_fixed = |length: &i64| *length < DAY_MS || draft.context.window.zone == TimeZone::UTC;
        length.filter(is_fixed).map(seconds_text).ok_or_else(|| {
            ApiError::invalid(format!("a rate needs buckets that are all as long, which {period} are not: take hours"))
        })
    }

    fn group(&self, draft: &Draft<'_>, group: &GroupBy, top: Option<&Vec<Option<String>>>) -> Result<Group, ApiError> {
        let column = draft.column(&group.column)?;
        let (name, alias) = (sql_text::name(&column.name), column.name.clone());
        let Some(count) = group.top else { return Ok(Group { expression: name, alias, condition: None }) };
        let is_among = match top {
            None => format!("{name} IN ('' /* the {count} with the largest {} */)", comment(&self.measures[0].alias())),
            Some(values) => {
                let known: Vec<Scalar> = values.iter().flatten().cloned().map(Scalar::Text).collect();
                let known = comparison(column, Operator::Equal, &known)?;
                if values.contains(&None) { format!("({known} OR {name} IS NULL)") } else { known }
            }
        };
        if !group.other {
            return Ok(Group { expression: name, alias, condition: Some(is_among) });
        }
        let text = if column.is_text() { name } else { format!("CAST({name} AS VARCHAR)") };
        let is_taken = top.is_some_and(|values| values.iter().flatten().any(|value| value == "other"));
        let rest = if is_taken { "(other)" } else { "other" };
        Ok(Group { expression: format!("CASE WHEN {is_among} THEN {text} ELSE '{rest}' END"), alias, condition: None })
    }

    fn order(&self, names: &[String]) -> Result<String, ApiError> {
        let mut keys = Vec::new();
        for order in &self.order_by {
            let name = if order.name == TIME_COLUMN { "time" } else { order.name.as_str() };
            if !names.iter().any(|known| known == name) {
                let known = names.join(", ");
                return Err(ApiError::invalid(format!(
                    "`orderBy` names `{name}`, which is not selected: use one of {known}"
                )));
            }
            keys.push(format!("{}{}", sql_text::name(name), if order.descending { " DESC" } else { "" }));
        }
        Ok(if keys.is_empty() { String::new() } else { format!(" ORDER BY {}", keys.join(", ")) })
    }
}

/// Grafana's word for a unit a second.
fn per_second(unit: &str) -> Option<&'static str> {
    (unit == "bytes").then_some("Bps")
}

fn check_names(names: &[String]) -> Result<(), ApiError> {
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
    match twice {
        Some((_, name)) => Err(ApiError::invalid(format!("two columns are called `{name}`: give one another alias"))),
        None => Ok(()),
    }
}

fn seconds_of_range(window: &Window) -> String {
    seconds_text(window.length_ms())
}

fn seconds_text(millis: i64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

/// Text that cannot end the comment it stands in.
fn comment(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | ' ')).collect()
}
