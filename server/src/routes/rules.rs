//! Druid's retention rules: `/druid/coordinator/v1/rules[/{name}]`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use henge_segment_store::retention::Rule;
use henge_segment_store::schema::DataSourceName;
use indexmap::IndexMap;
use serde::Deserialize;
use tracing::info;

use super::flag::is_set;
use super::request_body;
use crate::app::{App, Services};
use crate::error::ApiError;

/// Whose rules come after everyone else's: what no rule speaks of stays.
const DEFAULT: &str = "_default";

/// `?full`: with the rules that come after a datasource's own. Druid takes a bare name for true.
#[derive(Debug, Deserialize)]
pub struct RulesQuery {
    full: Option<String>,
}

/// The rules of every datasource that has some.
pub async fn all(services: Services) -> Result<Json<IndexMap<String, Vec<Rule>>>, ApiError> {
    let mut all = IndexMap::from([(DEFAULT.to_owned(), after_all())]);
    for name in services.store.data_sources() {
        let rules = services.store.rules(&name).await?;
        if !rules.is_empty() {
            all.insert(name.into(), rules);
        }
    }
    Ok(Json(all))
}

/// A datasource's own rules; none where it has none, and none for one that is unknown, as Druid has it.
pub async fn one(
    services: Services,
    Path(name): Path<String>,
    Query(query): Query<RulesQuery>,
) -> Result<Json<Vec<Rule>>, ApiError> {
    let is_full = is_set(&query.full);
    if name == DEFAULT {
        return Ok(Json(after_all()));
    }
    let Some(data_source) = services.store.data_source(&name) else { return Ok(Json(Vec::new())) };
    if !is_full {
        return Ok(Json(services.store.rules(data_source.name()).await?));
    }
    let mut rules = services.store.retention_rules(data_source.name()).await?;
    rules.extend(after_all());
    Ok(Json(rules))
}

/// Replaces a datasource's rules. Unlike in Druid it has to be there.
pub async fn put(
    State(app): State<Arc<App>>,
    services: Services,
    Path(name): Path<String>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let (parts, body) = request.into_parts();
    let body = request_body::read(body, app.limits.request_bytes_max).await?;
    let rules: Vec<Rule> =
        serde_json::from_slice(&body).map_err(|error| ApiError::invalid(format!("these are no rules: {error}")))?;
    let known = services.store.data_source(&name).map(|data_source| data_source.name().clone());
    let name: DataSourceName = known.ok_or_else(|| ApiError::not_found(format!("there is no datasource `{name}`")))?;
    let shown: Vec<String> = rules.iter().map(Rule::to_string).collect();
    services.store.set_rules(&name, rules).await?;
    let header = |name| text_of(&parts.headers, name);
    info!(
        datasource = %name, rules = shown.join(", "), author = header("x-druid-author"),
        comment = header("x-druid-comment"), "retention rules set"
    );
    Ok(StatusCode::OK)
}

fn after_all() -> Vec<Rule> {
    vec![Rule::LoadForever { tiered_replicants: None }]
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
