//! One blocking HTTP client for tests that run in plain threads.

use std::time::Duration;

use serde_json::Value;

/// Far below what the server lets a connection idle.
const POOL_IDLE: Duration = Duration::from_secs(5);

/// A status and a body, as they came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in answer {self:?}"))
    }
}

pub struct Http {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Http {
    pub fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
        // A thread that does other things does not see that the server closed an idle connection, so none is kept long.
        let client =
            reqwest::Client::builder().timeout(Duration::from_secs(60)).pool_idle_timeout(POOL_IDLE).no_proxy();
        let client = client.build();
        Self { runtime, client: client.expect("a client needs nothing from outside") }
    }

    /// `None` when nobody listens, or when the connection breaks before the answer is whole.
    pub fn get(&self, url: &str) -> Option<Answer> {
        self.send(self.client.get(url))
    }

    /// As [`get`](Self::get).
    pub fn post(&self, url: &str, body: &Value) -> Option<Answer> {
        self.send(self.client.post(url).json(body))
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        self.runtime.block_on(async {
            let response = request.send().await.ok()?;
            let status = response.status().as_u16();
            Some(Answer { status, body: response.text().await.ok()? })
        })
    }
}
