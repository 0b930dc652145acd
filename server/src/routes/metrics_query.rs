//! What metrics were: `POST /v2/metrics/{dataset}/query`.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use henge_query::series::{GroupOrder, SeriesRequest, SeriesValue};
use henge_segment_store::clock;
use henge_segment_store::dataset::{Metric, SeriesFunction};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::request_body;
use crate::app::App;
use crate::auth::asker::Asker;
use crate::metrics_api::answer::{self, Data, Layout};
use crate::metrics_api::page_token::{self, Fingerprint};
use crate::metrics_api::problem::Problem;
use crate::metrics_api::question::MetricQuestion;
use crate::metrics_api::reading::DatasetReading;
use crate::metrics_api::{resources, respond};

#[derive(Debug, Deserialize)]
pub struct PageQuery {
    pub page_token: Option<String>,
}

pub async fn query(
    State(app): State<Arc<App>>,
    asker: Asker,
    dataset: Result<Path<String>, PathRejection>,
    page: Result<Query<PageQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let answered = async {
        let (Path(dataset), Query(page)) = (dataset?, page?);
        let body = request_body::read(body, app.limits.request_bytes_max).await?;
        let body = json_of(&body)?;
        let asked = Fingerprint::of(&asker.reader, parts.uri.path(), &body.to_string());
        let reading = DatasetReading::of(&app, asker.reader, &dataset)?;
        let question = MetricQuestion::read(&body, clock::now())?;
        Answering { reading, question, asked, has_sources: body["provenance"] == true }
            .answer(page.page_token.as_deref())
            .await
    };
    respond(&app, &parts.extensions, answered).await
}

/// The JSON of a request's body.
pub fn json_of(body: &Bytes) -> Result<Value, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::invalid("invalid_json", format!("the request is not JSON: {error}")))
}

/// The response of data that is JSON already.
pub fn of_data(data: &Data, meta: Map<String, Value>) -> Response {
    let mut body = Vec::with_capacity(data.json.len() + 128);
    body.extend_from_slice(b"{\"data\":");
    body.extend_from_slice(&data.json);
    body.extend_from_slice(b",\"meta\":");
    body.extend_from_slice(Value::Object(meta).to_string().as_bytes());
    body.push(b'}');
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// What there is to know of an answer, how complete it is among it.
pub fn meta(pagination: Value, completeness: Map<String, Value>) -> Map<String, Value> {
    Map::from_iter([("pagination".to_owned(), pagination)]).into_iter().chain(completeness).collect()
}

struct Answering<'a> {
    reading: DatasetReading<'a>,
    question: MetricQuestion,
    asked: Fingerprint,
    /// Whether the partitions are wanted that it is made of.
    has_sources: bool,
}

impl Answering<'_> {
    async fn answer(&self, token: Option<&str>) -> Result<Response, Problem> {
        let question = &self.question;
        let metric = self.reading.metric(&question.metric)?;
        check_functions(&question.metric, metric, question.agg)?;
        let named = resources::named(metric, question.filter.as_ref())?;
        let after = token.map(|token| self.after(token)).transpose()?;
        let (batches, made_of) = self.reading.series(self.request(after)).await?;
        let layout = Layout {
            group_by: &question.group_by,
            format: question.format,
            start: question.length.granularity.is_none().then(|| question.intervals.start()),
            groups_max: question.limit,
            has_values: true,
        };
        let data = answer::write(&batches, &layout);
        if data.groups == 0 {
            resources::check_known(&self.reading, &named).await?;
        }
        let completeness = self.reading.completeness(&made_of, self.has_sources);
        Ok(of_data(&data, meta(self.pagination(&data, token.is_some()), completeness)))
    }

    /// Where a page begins.
    fn after(&self, token: &str) -> Result<Vec<Option<String>>, Problem> {
        if !self.has_pages() {
            return Err(Problem::invalid(
                "invalid_page_token",
                "`page_token` needs a field in `group_by`, a `granularity` other than ALL, and intervals without `now`",
            ));
        }
        page_token::read(token, self.asked, self.question.group_by.len(), clock::now())
    }

    /// Whether the same body means the same groups later.
    fn has_pages(&self) -> bool {
        let question = &self.question;
        !question.group_by.is_empty() && question.length.granularity.is_some() && !question.intervals.is_relative
    }

    fn request(&self, after: Option<Vec<Option<String>>>) -> SeriesRequest {
        let question = &self.question;
        let order = match question.length.granularity {
            // One group more tells that there is another page.
            Some(_) => GroupOrder::ByLabels { after, count: question.limit + 1 },
            None => GroupOrder::ByValue { is_descending: question.is_descending, count: question.limit },
        };
        let value = SeriesValue::Aggregate { time_agg: question.time_agg, agg: question.agg };
        SeriesRequest {
            filter: question.filter.clone(),
            group_by: question.group_by.clone(),
            granularity: question.length.granularity.clone(),
            intervals: question.intervals.merged.clone(),
            ..self.reading.request(&question.metric, value, order)
        }
    }

    fn pagination(&self, data: &Data, is_later_page: bool) -> Value {
        let mut pagination = json!({ "page_size": self.question.limit });
        match &data.next_after {
            Some(after) if self.has_pages() => {
                pagination["next_page_token"] = page_token::issue(self.asked, after.clone(), clock::now()).into();
            }
            Some(_) => {}
            // All groups are here, unless the greatest were chosen of more.
            None if !is_later_page && data.groups < self.question.limit => {
                pagination["total_size"] = data.groups.into()
            }
            None => {}
        }
        pagination
    }
}

/// A metric whose series are not to be added is not added.
fn check_functions(name: &str, metric: &Metric, agg: Option<SeriesFunction>) -> Result<(), Problem> {
    if agg == Some(SeriesFunction::Sum) && metric.agg != SeriesFunction::Sum {
        return Err(Problem::invalid(
            "invalid_aggregation",
            format!("series of `{name}` do not add up: leave `agg` out, or ask for {}", metric.agg),
        ));
    }
    Ok(())
}
