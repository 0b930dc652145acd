//! Lists in pages: descriptors of metrics and of resources.

use axum::Json;
use axum::response::{IntoResponse, Response};
use henge_query::reader::Reader;
use henge_segment_store::clock;
use serde::Deserialize;
use serde_json::{Value, json};

use super::page_token::{self, Fingerprint};
use super::problem::Problem;

const PAGE_SIZE_DEFAULT: usize = 100;
const PAGE_SIZE_MAX: usize = 1_000;

/// What can be asked of a list.
#[derive(Debug, Deserialize)]
pub struct ListQuery {
    page_size: Option<String>,
    page_token: Option<String>,
    pub resource_type: Option<String>,
}

impl ListQuery {
    fn page_size(&self) -> Result<usize, Problem> {
        let Some(text) = &self.page_size else { return Ok(PAGE_SIZE_DEFAULT) };
        let size = text.parse().ok().filter(|size| (1..=PAGE_SIZE_MAX).contains(size));
        size.ok_or_else(|| {
            let detail = format!("`page_size` is a whole number from 1 to {PAGE_SIZE_MAX}, not `{text}`");
            Problem::invalid("invalid_page_size", detail)
        })
    }

    /// The page of items by their names, ascending, that is asked for. `path` is where the list is.
    pub fn page(&self, path: &str, items: Vec<(&str, Value)>) -> Result<Response, Problem> {
        let (size, now) = (self.page_size()?, clock::now());
        let kind = self.resource_type.as_deref().unwrap_or_default();
        // The list is the same for everyone.
        let asked = Fingerprint::of(&Reader::Everything, path, kind);
        let after = match &self.page_token {
            None => None,
            Some(token) => page_token::read(token, asked, 1, now)?.pop().flatten(),
        };
        let total = items.len();
        let mut rest = items.into_iter().filter(|(name, _)| after.as_deref().is_none_or(|after| *name > after));
        let page: Vec<(&str, Value)> = rest.by_ref().take(size).collect();
        let token = match (page.last(), rest.next()) {
            (Some((last, _)), Some(_)) => Some(page_token::issue(asked, vec![Some((*last).to_owned())], now)),
            _ => None,
        };
        let mut pagination = json!({ "page_size": size, "total_size": total });
        let mut links = Value::Null;
        if let Some(token) = token {
            let kind = if kind.is_empty() { String::new() } else { format!("&resource_type={kind}") };
            links = json!({ "next": format!("{path}?page_size={size}&page_token={token}{kind}") });
            pagination["next_page_token"] = token.into();
        }
        let data: Vec<Value> = page.into_iter().map(|(_, item)| item).collect();
        Ok(Json(json!({ "data": data, "meta": { "pagination": pagination }, "links": links })).into_response())
    }
}
