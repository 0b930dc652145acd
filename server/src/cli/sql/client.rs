use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use henge_segment_store::error::with_sources;
use reqwest::{Response, StatusCode, Url};
use serde_json::{Value, json};

use super::Format;

/// Why a statement has no complete answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("`{0}` is not the URL of a server: write it like http://127.0.0.1:8888")]
    Url(String),
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
    #[error("interrupted")]
    Interrupted,
}

/// A server, asked through the same door as everyone else's clients.
pub struct Client {
    http: reqwest::Client,
    url: Url,
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
    pub fn new(url: &str) -> Result<Self, ClientError> {
        let wrong = || ClientError::Url(url.to_owned());
        let base = Url::parse(&format!("{}/", url.trim_end_matches('/'))).map_err(|_| wrong())?;
        if base.scheme() != "http" || base.host().is_none() {
            return Err(wrong());
        }
        let http = reqwest::Client::builder().build().map_err(|_| wrong())?;
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
        };
        let (Value::Object(request_fields), Value::Object(fields)) = (&mut request, fields) else {
            unreachable!("both are written as objects above")
        };
        request_fields.extend(fields);
        self.accepted(self.http.post(self.at("druid/v2/sql")).json(&request)).await.map(Answer)
    }

    /// The names of all datasources.
    pub async fn data_sources(&self) -> Result<Vec<String>, ClientError> {
        let response = self.accepted(self.http.get(self.at("druid/v2/datasources"))).await?;
        response.json().await.map_err(|error| ClientError::NoResult(with_sources(&error)))
    }

    /// A datasource's dimensions and metrics, as the server lists them.
    pub async fn data_source(&self, name: &str) -> Result<Value, ClientError> {
        let mut url = self.at("druid/v2/datasources");
        url.path_segments_mut().expect("an http URL has a path").push(name);
        let response = self.accepted(self.http.get(url)).await?;
        response.json().await.map_err(|error| ClientError::NoResult(with_sources(&error)))
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
