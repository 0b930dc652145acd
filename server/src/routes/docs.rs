//! What the interface says of itself: `GET /openapi.json`, and for people `GET /docs`.

use axum::Json;
use axum::response::Html;
use serde_json::Value;

use crate::openapi;

pub async fn document() -> Json<Value> {
    Json(openapi::document())
}

pub async fn page() -> Html<String> {
    Html(openapi::html())
}
