//! What Grafana's JSON sources ask, under `/grafana/json/`: `simpod-json-datasource`, and SimpleJSON before it.
//!
//! Each question becomes one of [`crate::panel`]. A target is a statement with macros, or a measure: `datasource.measure`.

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request_body::{AnyJson, not_understood};
use crate::error::ApiError;
use crate::panel::prepared::unwritable;
use crate::panel::request::PanelRequest;
use crate::panel::run::Panel;

/// Values of a filter that are offered.
const VALUES_MAX: u64 = 1_000;
/// Targets of one panel.
const TARGETS_MAX: usize = 50;

/// `POST /query`, of both contracts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    range: Range,
    #[serde(default)]
    interval_ms: Option<f64>,
    #[serde(default)]
    max_data_points: Option<f64>,
    targets: Vec<Target>,
    #[serde(default, alias = "adhocFilters")]
    filters: Vec<Filter>,
}

#[derive(Debug, Deserialize)]
struct Range {
    from: jiff::Timestamp,
    to: jiff::Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    ref_id: Option<String>,
    #[serde(default)]
    hide: bool,
    /// `table`, or what means points in time.
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Filter {
    key: String,
    operator: String,
    value: Value,
}

/// The contract's word that there is a source.
pub async fn ping() -> StatusCode {
    StatusCode::OK
}

/// Measures that can be targets, as names.
pub async fn search(panel: Panel, AnyJson(asked): AnyJson<Value>) -> Result<Json<Value>, ApiError> {
    let part = asked["target"].as_str().unwrap_or_default().to_lowercase();
    let names = measures(&panel.catalogue().await?);
    Ok(Json(names.into_iter().filter(|name| name.to_lowercase().contains(&part)).collect()))
}

/// The same with what can be chosen beside them, which is nothing.
pub async fn metrics(panel: Panel) -> Result<Json<Value>, ApiError> {
    let names = measures(&panel.catalogue().await?).into_iter();
    Ok(Json(names.map(|name| json!({ "label": name, "value": name, "payloads": [] })).collect()))
}

pub async fn payload_options() -> Json<Value> {
    Json(json!([]))
}

pub async fn query(panel: Panel, AnyJson(asked): AnyJson<Question>) -> Result<Json<Value>, ApiError> {
    if asked.targets.len() > TARGETS_MAX {
        return Err(ApiError::invalid(format!("a panel has at most {TARGETS_MAX} targets")));
    }
    let mut answers = Vec::new();
    for target in asked.targets.iter().filter(|target| !target.hide) {
        let Some(text) = target.target.as_deref().map(str::trim).filter(|text| !text.is_empty()) else { continue };
        let question: PanelRequest = understood(panel_request(&asked, target, text)?)?;
        let answer = panel.answer(&question).await?;
        let json = answer.to_json().map_err(unwritable)?;
        let answer: Value = serde_json::from_slice(&json).expect("it was written as JSON");
        match target.kind.as_deref() {
            Some("table") => answers.push(table(&answer, target)),
            _ if answer["meta"]["shape"] == "timeSeriesLong" => answers.extend(series(&answer, target)),
            _ => answers.push(table(&answer, target)),
        }
    }
    Ok(Json(answers.into()))
}

/// Values of a dashboard's variable: the rows of a statement.
pub async fn variable(panel: Panel, AnyJson(asked): AnyJson<Value>) -> Result<Json<Value>, ApiError> {
    let payload = &asked["payload"];
    let sql = payload["target"].as_str().or_else(|| payload.as_str());
    let sql = sql.ok_or_else(|| ApiError::invalid("a variable is a statement of SQL in `payload.target`"))?;
    let question = understood(json!({ "kind": "sql", "sql": sql }))?;
    let options = panel.variable(&question).await?;
    let option = |option: &Value| json!({ "__text": option["text"], "__value": option["value"] });
    Ok(Json(options.iter().map(option).collect()))
}

/// Marks on the time of a dashboard, of the older contract.
pub async fn annotations(panel: Panel, AnyJson(asked): AnyJson<Value>) -> Result<Json<Value>, ApiError> {
    let range: Range = understood(asked["range"].clone())?;
    let question = understood(json!({ "sql": asked["annotation"]["query"], "range": millis(&range) }))?;
    let marks = panel.annotations(&question).await?;
    let marks = marks.into_iter().map(|mut mark| {
        mark["annotation"] = asked["annotation"].clone();
        mark
    });
    Ok(Json(marks.collect()))
}

/// Columns that filters can be about.
pub async fn tag_keys(panel: Panel) -> Result<Json<Value>, ApiError> {
    let catalogue = panel.catalogue().await?;
    let mut names: Vec<&str> = dimensions(&catalogue).map(|(_, name)| name).collect();
    names.sort_unstable();
    names.dedup();
    Ok(Json(names.into_iter().map(|name| json!({ "type": "string", "text": name })).collect()))
}

/// What stands in such a column, of all datasources that have it.
pub async fn tag_values(panel: Panel, AnyJson(asked): AnyJson<Value>) -> Result<Json<Value>, ApiError> {
    let key =
        asked["key"].as_str().ok_or_else(|| ApiError::invalid("`key` names the column whose values are wanted"))?;
    let catalogue = panel.catalogue().await?;
    let mut values = Vec::new();
    for (data_source, column) in dimensions(&catalogue).filter(|(_, column)| *column == key) {
        let question = understood(json!({ "datasource": data_source, "column": column, "limit": VALUES_MAX }))?;
        values.extend(panel.values(&question).await?.values);
    }
    values.sort_unstable();
    values.dedup();
    Ok(Json(values.into_iter().map(|value| json!({ "text": value })).collect()))
}

fn understood<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, ApiError> {
    serde_json::from_value(value).map_err(|error| not_understood(&error))
}

fn millis(range: &Range) -> Value {
    json!({ "from": range.from.as_millisecond(), "to": range.to.as_millisecond() })
}

/// A target as a question of [`crate::panel`]. Names and values are data there, never text of a statement.
fn panel_request(asked: &Question, target: &Target, text: &str) -> Result<Value, ApiError> {
    let is_table = target.kind.as_deref() == Some("table");
    let query = match (text.contains(char::is_whitespace), text.rsplit_once('.')) {
        (true, _) => json!({ "mode": "sql", "sql": text, "format": if is_table { "table" } else { "timeSeries" } }),
        (false, Some((data_source, measure))) => json!({
            "mode": "builder",
            "format": "timeSeries",
            "datasource": data_source,
            "measures": [{ "aggregate": "sum", "column": measure, "alias": text }],
            "timeBucket": "auto",
        }),
        (false, None) => {
            return Err(ApiError::invalid(format!(
                "the target `{text}` is neither a statement of SQL nor a measure such as `usage.bytes`"
            )));
        }
    };
    let filters = asked
        .filters
        .iter()
        .map(|filter| json!({ "key": filter.key, "operator": filter.operator, "values": [text_of(&filter.value)] }));
    Ok(json!({
        "query": query,
        "range": millis(&asked.range),
        "intervalMs": asked.interval_ms,
        "maxDataPoints": asked.max_data_points,
        "filters": filters.collect::<Vec<_>>(),
    }))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `datasource.measure` of all that there are.
fn measures(catalogue: &Value) -> Vec<String> {
    columns_of_kind(catalogue, "measure").map(|(data_source, name)| format!("{data_source}.{name}")).collect()
}

fn dimensions(catalogue: &Value) -> impl Iterator<Item = (&str, &str)> {
    columns_of_kind(catalogue, "dimension")
}

/// Datasource and name of each.
fn columns_of_kind<'a>(catalogue: &'a Value, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let data_sources = catalogue["datasources"].as_array().into_iter().flatten();
    data_sources.flat_map(move |data_source| {
        let columns = data_source["columns"].as_array().into_iter().flatten();
        let columns = columns.filter(move |column| column["kind"] == kind);
        columns.filter_map(|column| Some((data_source["name"].as_str()?, column["name"].as_str()?)))
    })
}

fn table(answer: &Value, target: &Target) -> Value {
    let column = |column: &Value| {
        let kind = match column["type"].as_str() {
            Some("time") => "time",
            Some("long" | "double") => "number",
            Some("boolean") => "boolean",
            _ => "string",
        };
        json!({ "text": column["name"], "type": kind })
    };
    let columns: Vec<Value> = answer["columns"].as_array().into_iter().flatten().map(column).collect();
    json!({ "type": "table", "refId": target.ref_id, "columns": columns, "rows": answer["rows"] })
}

/// A series for each value column and each set of labels, in the order in which they come first.
fn series(answer: &Value, target: &Target) -> Vec<Value> {
    let names: Vec<&Value> = answer["columns"].as_array().into_iter().flatten().map(|column| &column["name"]).collect();
    let place = |name: &Value| names.iter().position(|known| *known == name);
    let places = |list: &Value| list.as_array().into_iter().flatten().filter_map(place).collect::<Vec<_>>();
    let (labels, values) = (places(&answer["meta"]["labelColumns"]), places(&answer["meta"]["valueColumns"]));
    let Some(time) = place(&answer["meta"]["timeColumn"]) else { return vec![table(answer, target)] };
    let mut found: indexmap::IndexMap<String, Vec<Value>> = indexmap::IndexMap::new();
    for row in answer["rows"].as_array().into_iter().flatten() {
        let of: Vec<String> = labels.iter().map(|label| text_of(&row[*label])).collect();
        for value in &values {
            let name = match (of.as_slice(), values.len()) {
                ([], _) => text_of(names[*value]),
                (of, 1) => of.join(" "),
                (of, _) => format!("{} {}", of.join(" "), text_of(names[*value])),
            };
            found.entry(name).or_default().push(json!([row[*value], row[time]]));
        }
    }
    let series = found.into_iter();
    series.map(|(name, points)| json!({ "target": name, "refId": target.ref_id, "datapoints": points })).collect()
}
