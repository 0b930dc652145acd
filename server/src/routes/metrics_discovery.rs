//! What a scraper may scrape, in the form of Prometheus' `http_sd`: `GET /v2/metrics/{dataset}/discovery`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use henge_query::series::LabelFilter;
use henge_segment_store::clock;
use henge_segment_store::dataset::resource_id_field;
use henge_segment_store::time::{Interval, TimestampMs};
use serde_json::{Value, json};

use crate::app::App;
use crate::auth::asker::Asker;
use crate::metrics_api::problem::Problem;
use crate::metrics_api::reading::DatasetReading;
use crate::metrics_api::{query_pairs, respond};

/// A resource is discovered for this long after its last event.
const SEEN_WITHIN_MS: i64 = 24 * 3_600_000;
/// Resources of one type that are discovered.
const RESOURCES_MAX: usize = 2_000;
/// Resources that one scrape names: its URL has to fit into what servers and proxies take.
const RESOURCES_A_SCRAPE: usize = 400;

/// Each may be given once.
const PARAMETERS: [&str; 3] = ["resource_type", "env", "associated_kafka_id"];

pub async fn discovery(
    State(app): State<Arc<App>>,
    asker: Asker,
    dataset: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let answered = async {
        let Path(dataset) = dataset?;
        let reading = DatasetReading::of(&app, asker.reader, &dataset)?;
        let asked = Asked::read(&query_pairs(query.as_deref().unwrap_or_default()))?;
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).ok_or_else(|| {
            Problem::invalid("host_missing", "the request says no `Host`, by which it would be scraped")
        })?;
        let found = resources(&reading, &asked).await?;
        Ok(Json(targets(&found, host, &dataset)).into_response())
    };
    respond(&app, &parts.extensions, answered).await
}

/// The parameters of the request, by name.
struct Asked(BTreeMap<&'static str, String>);

impl Asked {
    fn read(pairs: &[(String, String)]) -> Result<Self, Problem> {
        let mut asked = BTreeMap::new();
        for (name, value) in pairs {
            let Some(known) = PARAMETERS.into_iter().find(|known| known == name) else { continue };
            if value.contains(',') || asked.insert(known, value.clone()).is_some() {
                return Err(Problem::invalid("invalid_parameter", format!("`{known}` takes one value: give it once")));
            }
        }
        Ok(Self(asked))
    }
}

/// By type, the ids that were seen lately.
async fn resources(reading: &DatasetReading<'_>, asked: &Asked) -> Result<Vec<(String, Vec<String>)>, Problem> {
    let now = clock::now();
    let lately = Interval::new(TimestampMs(now.0 - SEEN_WITHIN_MS), TimestampMs::MAX).expect("time goes on");
    let wanted = asked.0.get("resource_type");
    let mut found = Vec::new();
    for (kind, resource) in &reading.dataset.resources {
        if wanted.is_some_and(|wanted| wanted != kind) {
            continue;
        }
        let mut tests = Vec::new();
        let named = [("env", "environment"), ("env", "env"), ("associated_kafka_id", "kafka_id")];
        for (parameter, label) in named.into_iter().filter(|(_, label)| resource.labels.contains_key(*label)) {
            tests.extend(
                asked.0.get(parameter).map(|value| LabelFilter::equal(format!("resource.{kind}.{label}"), value)),
            );
        }
        if let Some(id) = asked.0.get("associated_kafka_id").filter(|_| kind == "kafka") {
            tests.push(LabelFilter::equal(resource_id_field(kind), id));
        }
        let is_restricted = ["env", "associated_kafka_id"].iter().filter(|name| asked.0.contains_key(*name)).count();
        // A type that cannot be told apart by what was asked has nothing to show.
        if tests.len() < is_restricted {
            continue;
        }
        let filter = (!tests.is_empty()).then_some(LabelFilter::All(tests));
        let field = resource_id_field(kind);
        let ids = reading.values(&field, filter.as_ref(), lately, RESOURCES_MAX).await?;
        // A list of ids has commas between them.
        let ids = ids.into_iter().filter(|id| !id.is_empty() && !id.contains(','));
        found.push((kind.clone(), ids.take(RESOURCES_MAX).collect()));
    }
    Ok(found)
}

/// Scrapes that differ in nothing that becomes a label are told apart by `instance`.
fn targets(found: &[(String, Vec<String>)], host: &str, dataset: &str) -> Vec<Value> {
    let has_several_types = found.iter().filter(|(_, ids)| !ids.is_empty()).count() > 1;
    let mut targets = Vec::new();
    for (kind, ids) in found {
        for (number, ids) in ids.chunks(RESOURCES_A_SCRAPE).enumerate() {
            let mut labels = json!({
                "__metrics_path__": format!("/v2/metrics/{dataset}/export"),
                format!("__param_{}", resource_id_field(kind).replace('.', "_")): ids.join(","),
            });
            if has_several_types || number > 0 {
                labels["instance"] = json!(format!("{host}/{kind}/{number}"));
            }
            targets.push(json!({ "targets": [host], "labels": labels }));
        }
    }
    targets
}
