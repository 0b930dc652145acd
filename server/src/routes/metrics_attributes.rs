//! The values of a label: `POST /v2/metrics/{dataset}/attributes`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use henge_query::provenance::MadeOf;
use henge_query::series::GroupOrder;
use henge_segment_store::clock;
use serde_json::json;

use super::metrics_query::{PageQuery, json_of, meta, of_data};
use super::request_body;
use crate::app::App;
use crate::auth::asker::Asker;
use crate::metrics_api::answer::{self, Layout};
use crate::metrics_api::page_token::{self, Fingerprint};
use crate::metrics_api::problem::Problem;
use crate::metrics_api::question::{Format, LabelQuestion};
use crate::metrics_api::reading::DatasetReading;
use crate::metrics_api::respond;

pub async fn attributes(
    State(app): State<Arc<App>>,
    asker: Asker,
    dataset: Result<Path<String>, PathRejection>,
    page: Result<Query<PageQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let answered = async {
        let (Path(dataset), Query(page)) = (dataset?, page?);
        let body = json_of(&request_body::read(body, app.limits.request_bytes_max).await?)?;
        let asked = Fingerprint::of(&asker.reader, parts.uri.path(), &body.to_string());
        let reading = DatasetReading::of(&app, asker.reader, &dataset)?;
        let question = LabelQuestion::read(&body, clock::now())?;
        answer(&reading, &question, asked, page.page_token.as_deref()).await
    };
    respond(&app, &parts.extensions, answered).await
}

async fn answer(
    reading: &DatasetReading<'_>,
    question: &LabelQuestion,
    asked: Fingerprint,
    token: Option<&str>,
) -> Result<Response, Problem> {
    let after = token.map(|token| page_token::read(token, asked, 1, clock::now())).transpose()?;
    let (batch, made_of) = labels(reading, question, after).await?;
    let layout = Layout {
        group_by: std::slice::from_ref(&question.field),
        format: Format::Flat,
        start: None,
        groups_max: question.limit,
        has_values: false,
    };
    let data = answer::write(&[batch], &layout);
    let mut pagination = json!({ "page_size": question.limit });
    match &data.next_after {
        Some(after) => {
            pagination["next_page_token"] = page_token::issue(asked, after.clone(), clock::now()).into();
        }
        None if token.is_none() => pagination["total_size"] = data.groups.into(),
        None => {}
    }
    Ok(of_data(&data, meta(pagination, reading.completeness(&made_of, false))))
}

/// One value more than the page has, of all the columns that the field is read from.
async fn labels(
    reading: &DatasetReading<'_>,
    question: &LabelQuestion,
    after: Option<Vec<Option<String>>>,
) -> Result<(RecordBatch, Vec<MadeOf>), Problem> {
    let field = question.field.as_str();
    let metrics = match &question.metric {
        Some(metric) => {
            reading.metric(metric)?;
            vec![metric.as_str()]
        }
        None => reading.metrics_with(field),
    };
    if metrics.is_empty() {
        return Err(Problem::invalid(
            "unknown_field",
            format!("no metric has the field `{field}`: `descriptors/metrics` lists the labels of each"),
        ));
    }
    let count = question.limit + 1;
    let mut made_of = Vec::new();
    let mut found: BTreeMap<Option<String>, ()> = BTreeMap::new();
    for metric in metrics {
        let order = GroupOrder::ByLabels { after: after.clone(), count };
        let intervals = question.intervals.merged.clone();
        let (batches, of_metric) = reading.labels(metric, field, question.filter.clone(), intervals, order).await?;
        made_of.extend(of_metric);
        for batch in batches {
            let column = batch.column(0).as_string_view();
            found.extend(column.iter().map(|label| (label.map(str::to_owned), ())));
        }
    }
    let first = found.keys().take(count).map(Option::as_deref);
    let column: StringViewArray = first.collect();
    let schema = Schema::new(vec![Field::new(field, DataType::Utf8View, true)]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(column)]);
    Ok((batch.expect("one column is as long as itself"), made_of))
}
