//! The body of a request, as typed values. Members that are not known are left alone, and `null` is as good as nothing.

use henge_query::series::LabelFilter;
use henge_segment_store::dataset::SeriesFunction;
use henge_segment_store::time::TimestampMs;
use serde_json::Value;

use super::filter;
use super::granularity::BucketLength;
use super::interval::Intervals;
use super::problem::Problem;

/// Groups of a page at most.
const LIMIT_MAX: u64 = 1_000;
const LIMIT_DEFAULT: u64 = 100;
/// Fields to group by.
const GROUP_BY_MAX: usize = 30;
/// Where nobody says which times: for attributes only.
const INTERVAL_DEFAULT: &str = "PT1H/now";

/// `POST /v2/metrics/{dataset}/query`.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricQuestion {
    pub metric: String,
    pub agg: Option<SeriesFunction>,
    pub time_agg: Option<SeriesFunction>,
    pub filter: Option<LabelFilter>,
    pub group_by: Vec<String>,
    pub length: BucketLength,
    pub intervals: Intervals,
    /// Groups of a page.
    pub limit: usize,
    /// Of the values that groups are chosen by, where there is one bucket.
    pub is_descending: bool,
    pub format: Format,
}

/// How points stand in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Each by itself.
    Flat,
    /// Those of a group together.
    Grouped,
}

/// `POST /v2/metrics/{dataset}/attributes`: the values of a label.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelQuestion {
    /// `None`: of any metric.
    pub metric: Option<String>,
    pub field: String,
    pub filter: Option<LabelFilter>,
    pub intervals: Intervals,
    pub limit: usize,
}

impl MetricQuestion {
    pub fn read(body: &Value, now: TimestampMs) -> Result<Self, Problem> {
        let body = Body::of(body)?;
        let aggregation = body.aggregation()?;
        let metric = aggregation.text("metric")?.ok_or_else(|| {
            Problem::invalid("invalid_aggregation", "`aggregations[0].metric` is missing: name a metric of the dataset")
        })?;
        let length = BucketLength::of_name(&body.text("granularity")?.ok_or_else(|| missing("granularity", "PT1M"))?)?;
        let intervals = body.texts("intervals")?.ok_or_else(|| missing("intervals", "[\"PT1H/now\"]"))?;
        let intervals = Intervals::read(&intervals, now)?;
        length.check(intervals.covered_ms())?;
        let group_by = body.group_by()?;
        let is_one_bucket = length.granularity.is_none();
        Ok(Self {
            agg: aggregation.function("agg")?,
            time_agg: aggregation.function("time_agg")?,
            filter: body.get("filter").map(filter::read).transpose()?,
            limit: body.limit(if is_one_bucket { LIMIT_MAX } else { LIMIT_DEFAULT })?,
            is_descending: body.is_descending(&metric, is_one_bucket)?,
            format: body.format(&group_by)?,
            metric,
            group_by,
            length,
            intervals,
        })
    }
}

impl LabelQuestion {
    pub fn read(body: &Value, now: TimestampMs) -> Result<Self, Problem> {
        let body = Body::of(body)?;
        let mut group_by = body.group_by()?;
        let field = match (group_by.pop(), group_by.is_empty()) {
            (Some(field), true) => field,
            _ => return Err(Problem::invalid("invalid_group_by", "`group_by` names exactly one field")),
        };
        let intervals = body.texts("intervals")?.unwrap_or_else(|| vec![INTERVAL_DEFAULT.to_owned()]);
        Ok(Self {
            metric: body.text("metric")?,
            field,
            filter: body.get("filter").map(filter::read).transpose()?,
            intervals: Intervals::read(&intervals, now)?,
            limit: body.limit(LIMIT_DEFAULT)?,
        })
    }
}

/// An object of a request.
struct Body<'a> {
    json: &'a Value,
    /// Where it stands.
    place: &'static str,
}

impl<'a> Body<'a> {
    fn of(json: &'a Value) -> Result<Self, Problem> {
        match json {
            Value::Object(_) => Ok(Self { json, place: "" }),
            other => Err(Problem::invalid("invalid_request", format!("the request is a JSON object, not {other}"))),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.json.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, key: &str, wanted: &str, found: &Value) -> Problem {
        Problem::invalid("invalid_request", format!("`{}{key}` is {wanted}, not {found}", self.place))
    }

    fn text(&self, key: &str) -> Result<Option<String>, Problem> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(self.wrong(key, "a string", other)),
        }
    }

    fn texts(&self, key: &str) -> Result<Option<Vec<String>>, Problem> {
        let Some(found) = self.get(key) else { return Ok(None) };
        let wrong = || self.wrong(key, "an array of strings", found);
        let items = found.as_array().ok_or_else(wrong)?.iter();
        items.map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
    }

    fn aggregation(&self) -> Result<Body<'a>, Problem> {
        let aggregations = self.get("aggregations").and_then(Value::as_array).map(Vec::as_slice);
        match aggregations {
            Some([json @ Value::Object(_)]) => Ok(Body { json, place: "aggregations[0]." }),
            _ => Err(Problem::invalid(
                "invalid_aggregation",
                "`aggregations` is an array of exactly one object: {\"metric\": \"NAME\"}; ask for each metric by itself",
            )),
        }
    }

    fn function(&self, key: &str) -> Result<Option<SeriesFunction>, Problem> {
        let Some(name) = self.text(key)? else { return Ok(None) };
        match SeriesFunction::of_name(&name) {
            Some(function) => Ok(Some(function)),
            None => Err(Problem::invalid(
                "invalid_aggregation",
                format!(
                    "`{}{key}` is one of {}, not `{name}`; leave it out for the metric's own",
                    self.place,
                    SeriesFunction::ALL.map(SeriesFunction::as_str).join(", ")
                ),
            )),
        }
    }

    fn group_by(&self) -> Result<Vec<String>, Problem> {
        let fields = self.texts("group_by")?.unwrap_or_default();
        if fields.len() > GROUP_BY_MAX {
            let detail = format!("`group_by` has {} fields; {GROUP_BY_MAX} is the most", fields.len());
            return Err(Problem::invalid("invalid_group_by", detail));
        }
        for (at, field) in fields.iter().enumerate() {
            if fields[..at].contains(field) {
                let detail = format!("`group_by` names `{field}` twice: name each field once");
                return Err(Problem::invalid("invalid_group_by", detail));
            }
        }
        Ok(fields)
    }

    fn limit(&self, default: u64) -> Result<usize, Problem> {
        let limit = match self.get("limit") {
            None => default,
            Some(found) => {
                let limit = found.as_u64().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                limit.ok_or_else(|| self.wrong("limit", &format!("a whole number from 1 to {LIMIT_MAX}"), found))?
            }
        };
        Ok(limit as usize)
    }

    fn format(&self, group_by: &[String]) -> Result<Format, Problem> {
        match self.text("format")?.as_deref() {
            None | Some("FLAT") => Ok(Format::Flat),
            Some("GROUPED") if !group_by.is_empty() => Ok(Format::Grouped),
            Some("GROUPED") => Err(Problem::invalid(
                "invalid_format",
                "`format` GROUPED needs a field in `group_by`: add one, or ask for FLAT",
            )),
            Some(other) => {
                Err(Problem::invalid("invalid_format", format!("`format` is FLAT or GROUPED, not `{other}`")))
            }
        }
    }

    fn is_descending(&self, metric: &str, is_one_bucket: bool) -> Result<bool, Problem> {
        let invalid = |detail: String| Err(Problem::invalid("invalid_order_by", detail));
        let order = match self.get("order_by") {
            None => return Ok(true),
            Some(Value::Array(items)) if items.is_empty() => return Ok(true),
            Some(Value::Array(items)) if items.len() == 1 && items[0].is_object() => &items[0],
            Some(other) => return invalid(format!("`order_by` is an array of at most one object, not {other}")),
        };
        if !is_one_bucket {
            return invalid(
                "`order_by` needs `granularity` ALL: groups of several buckets come by their labels".into(),
            );
        }
        let order = Body { json: order, place: "order_by[0]." };
        if let Some(other) = order.text("metric")?.filter(|other| other != metric) {
            return invalid(format!("`order_by[0].metric` is `{other}`, which is not the one that is aggregated"));
        }
        match order.text("order")?.as_deref() {
            None | Some("DESCENDING") => Ok(true),
            Some("ASCENDING") => Ok(false),
            Some(other) => invalid(format!("`order_by[0].order` is ASCENDING or DESCENDING, not `{other}`")),
        }
    }
}

fn missing(key: &str, example: &str) -> Problem {
    Problem::invalid("invalid_request", format!("`{key}` is missing: add it, for example {example}"))
}
