//! What the HTTP interface consists of, as a document of OpenAPI 3.1 and as a page for people: both are made of one list, which
//! a test compares with the routes.

mod operations;
mod page;

use serde_json::{Map, Value, json};

use self::operations::{Answer, Body};
pub use self::operations::{OPERATIONS, Operation};
pub use self::page::html;

/// The document, in the order of the list.
pub fn document() -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = described(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Henge",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "SQL and supervisors as Apache Druid has them, and what is Henge's own.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": { "schemas": {
            "Error": error_schema(), "MetricsErrors": metrics_errors_schema(), "SqlRequest": sql_request_schema(),
        } },
    })
}

fn described(operation: &Operation) -> Value {
    let mut described = json!({
        "tags": [operation.tag],
        "summary": operation.summary,
        "operationId": operation.id(),
        "responses": responses(operation),
    });
    let parameters: Vec<Value> = operation
        .path_parameters()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 } }))
        .collect();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    let content = match operation.body {
        Body::Nothing => return described,
        Body::Sql => json!({
            "application/json": { "schema": { "$ref": "#/components/schemas/SqlRequest" } },
            "text/plain": { "schema": { "type": "string" } },
        }),
        Body::Object => json!({ "application/json": { "schema": { "type": "object" } } }),
        Body::Array => json!({ "application/json": { "schema": { "type": "array" } } }),
    };
    described["requestBody"] = json!({ "required": true, "content": content });
    described
}

/// Every other status is an error in Druid's form, or in that of the metrics API, or in words where the request could not even be read as one.
fn responses(operation: &Operation) -> Value {
    let json_of = |schema: Value| json!({ "application/json": { "schema": schema } });
    let (status, content) = match operation.answer {
        Answer::Object => ("200", json_of(json!({ "type": "object" }))),
        Answer::Array => ("200", json_of(json!({ "type": "array" }))),
        Answer::Texts => ("200", json_of(json!({ "type": "array", "items": { "type": "string" } }))),
        Answer::Flag => ("200", json_of(json!({ "type": "boolean" }))),
        Answer::ArrayOrObject => ("200", json_of(json!({ "type": ["array", "object"] }))),
        Answer::Rows => (
            "200",
            json!({
                "application/json": { "schema": { "type": "array" } },
                "text/plain": {}, "text/csv": {}, "application/vnd.apache.arrow.stream": {},
            }),
        ),
        Answer::Text => ("200", json!({ "text/plain": { "schema": { "type": "string" } } })),
        Answer::Page => ("200", json!({ "text/html": { "schema": { "type": "string" } } })),
        Answer::Nothing => ("200", json!({})),
        Answer::Accepted => ("202", json!({})),
    };
    // What is there need not be waited for.
    let is_also_ok = operation.answer == Answer::Accepted;
    let mut expected = json!({ "description": operation.summary });
    if content != json!({}) {
        expected["content"] = content;
    }
    let form = if operation.path.starts_with("/v2/metrics/") { "MetricsErrors" } else { "Error" };
    let error = json!({
        "description": "an error",
        "content": {
            "application/json": { "schema": { "$ref": format!("#/components/schemas/{form}") } },
            "text/plain": { "schema": { "type": "string" } },
        },
    });
    let mut responses = json!({ status: expected, "default": error });
    if is_also_ok {
        responses["200"] = responses[status].clone();
    }
    if operation.tells_by_status {
        // The same words, and a status for those who look at nothing else.
        responses["503"] = responses[status].clone();
    }
    responses
}

fn error_schema() -> Value {
    let text = || json!({ "type": "string" });
    json!({
        "type": "object",
        "required": ["error", "errorCode", "persona", "category", "errorMessage", "context"],
        "properties": {
            "error": text(),
            "errorCode": text(),
            "persona": { "enum": ["USER", "OPERATOR", "DEVELOPER"] },
            "category": text(),
            "errorMessage": text(),
            "errorClass": text(),
            "problems": { "type": "array", "items": text() },
            "context": { "type": "object", "additionalProperties": text() },
        },
    })
}

/// As JSON:API has it.
fn metrics_errors_schema() -> Value {
    let text = || json!({ "type": "string" });
    let error = json!({
        "type": "object",
        "required": ["status", "code", "detail"],
        "properties": { "status": text(), "code": text(), "detail": text() },
    });
    json!({
        "type": "object",
        "required": ["errors"],
        "properties": { "errors": { "type": "array", "minItems": 1, "items": error } },
    })
}

fn sql_request_schema() -> Value {
    let flag = || json!({ "type": "boolean" });
    json!({
        "type": "object",
        "required": ["query"],
        "properties": {
            "query": { "type": "string", "examples": ["SELECT COUNT(*) FROM usage"] },
            "resultFormat": { "enum": ["object", "array", "objectLines", "arrayLines", "csv"] },
            "header": flag(),
            "typesHeader": flag(),
            "sqlTypesHeader": flag(),
            "context": { "type": "object" },
            "parameters": {
                "type": "array",
                "items": { "type": "object", "properties": { "type": { "type": "string" }, "value": {} } },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own_and_is_on_the_page() {
        let ids: BTreeSet<String> = OPERATIONS.iter().map(Operation::id).collect();
        assert_eq!(ids.len(), OPERATIONS.len());
        let page = html();
        for operation in OPERATIONS {
            assert!(page.contains(&format!("<code>{}</code>", operation.path)), "{}", operation.path);
        }
        assert!(!page.contains("http://") && !page.contains("https://"), "the page needs no network");
    }

    #[test]
    fn an_operation_is_described_with_its_parameters_and_answers() {
        let document = document();
        let cancel = &document["paths"]["/druid/v2/sql/{id}"]["delete"];
        assert_eq!(cancel["parameters"][0]["name"], "id");
        assert_eq!(cancel["operationId"], "delete_druid_v2_sql_id");
        let statuses: Vec<&String> = cancel["responses"].as_object().unwrap().keys().collect();
        assert_eq!(statuses, ["202", "default", "200"]);
    }
}
