use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use henge_segment_store::error::with_sources;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Format;

/// Why a statement has no complete answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("`{0}` is not the URL of a server: write it like http://127.0.0.1:8888")]
    Url(String),
    #[error("the key has characters that no key has: write it as `ID.SECRET`, as `henge keys create` shows it")]
    Key,
    #[error("cannot reach {url}: {cause}; is `henge server` running there?")]
    Unreachable { url: Url, cause: String },
    #[error("{0}")]
    Refused(String),
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
    #[error("the answer is no result of a query: {0}")]
    NoResult(String),
    #[error("cannot write to stdout: {0}")]
    Stdout(std::io::Error),
    #[error("{0}")]
    Command(String),
    #[error("interrupted")]
    Interrupted,
}

/// A server, asked through the same door as everyone else's clients.
pub struct Client {
    http: reqwest::Client,
    url: Url,
}

/// How far a query has come.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryProgress {
    pub segments: u64,
    pub rows_total: u64,
    pub rows_done: u64,
}

/// The beginning of an answer with status 200.
pub struct Answer(Response);

impl Answer {
    /// Fails where the server broke the answer off (invariant Q4).
    pub fn into_pieces(self) -> impl Stream<Item = Result<Bytes, ClientError>> + Unpin {
        Box::pin(self.0.bytes_stream().map_err(|error| ClientError::BrokenOff(with_sources(&error))))
    }
}

impl Client {
    /// `key`: id and secret, with a dot between them.
    pub fn new(url: &str, key: Option<&str>) -> Result<Self, ClientError> {
        let wrong = || ClientError::Url(url.to_owned());
        let base = Url::parse(&format!("{}/", url.trim_end_matches('/'))).map_err(|_| wrong())?;
        if base.scheme() != "http" || base.host().is_none() {
            return Err(wrong());
        }
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| ClientError::Key)?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let http = reqwest::Client::builder().default_headers(headers).build().map_err(|_| wrong())?;
        Ok(Self { http, url: base })
    }

    pub async fn ask(&self, sql: &str, query_id: &str, format: Format) -> Result<Answer, ClientError> {
        let mut request = json!({ "query": sql, "context": { "sqlQueryId": query_id } });
        let fields = match format {
            Format::Table => json!({
                "resultFormat": "arrayLines", "header": true, "typesHeader": true, "sqlTypesHeader": true
            }),
            Format::Json => json!({ "resultFormat": "object" }),
            Format::Jsonl => json!({ "resultFormat": "objectLines" }),
            Format::Csv => json!({ "resultFormat": "csv", "header": true }),
            Format::Tsv => json!({ "resultFormat": "arrayLines", "header": true }),
        };
        let (Value::Object(request_fields), Value::Object(fields)) = (&mut request, fields) else {
            unreachable!("both are written as objects above")
        };
        request_fields.extend(fields);
        self.accepted(self.http.post(self.at("druid/v2/sql")).json(&request)).await.map(Answer)
    }

    /// The texts of the first column of an answer.
    pub async fn texts(&self, sql: &str) -> Result<Vec<String>, ClientError> {
        let request = json!({ "query": sql, "resultFormat": "array" });
        let response = self.accepted(self.http.post(self.at("druid/v2/sql")).json(&request)).await?;
        let rows: Vec<Vec<Value>> =
            response.json().await.map_err(|error| ClientError::NoResult(with_sources(&error)))?;
        Ok(rows.iter().filter_map(|row| row.first()?.as_str()).map(str::to_owned).collect())
    }

    /// How far a query is; `None` where nothing of that id runs, or nobody can tell.
    pub async fn progress(&self, query_id: &str) -> Option<QueryProgress> {
        let mut url = self.at("henge/v1/queries");
        url.path_segments_mut().expect("an http URL has a path").push(query_id);
        self.http.get(url).send().await.ok()?.error_for_status().ok()?.json().await.ok()
    }

    /// Best effort: whoever cancels does not want to hear why it was too late.
    pub async fn cancel(&self, query_id: &str) {
        let mut url = self.at("druid/v2/sql");
        url.path_segments_mut().expect("an http URL has a path").push(query_id);
        if let Err(error) = self.http.delete(url).send().await {
            tracing::debug!(%error, "the cancellation did not arrive");
        }
    }

    fn at(&self, path: &str) -> Url {
        self.url.join(path).expect("the paths are constants")
    }

    async fn accepted(&self, request: reqwest::RequestBuilder) -> Result<Response, ClientError> {
        let unreachable =
            |error: reqwest::Error| ClientError::Unreachable { url: self.url.clone(), cause: with_sources(&error) };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status == StatusCode::OK {
            return Ok(response);
        }
        let body = response.text().await.unwrap_or_default();
        let message = serde_json::from_str::<Value>(&body)
            .ok()
            .and_then(|error| error["errorMessage"].as_str().map(str::to_owned))
            .unwrap_or_else(|| format!("the server answered {status}"));
        Err(ClientError::Refused(message))
    }
}
