//! What the doors share, and the one place that wires store, ingestion and queries together.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use henge_ingest::supervisors::Supervisors;
use henge_query::engine::QueryEngine;
use henge_segment_store::store::Store;
use tokio_util::sync::CancellationToken;

use crate::auth::key_ring::KeyRing;
use crate::config::Limits;
use crate::error::ApiError;
use crate::metrics_api::rate::RateLimit;
use crate::query_metrics::QueryMetrics;
use crate::statements::Statements;
use crate::upkeep_metrics::UpkeepMetrics;

/// State of the process. The doors are open before the store is recovered, so that a probe can see that it is not.
pub struct App {
    services: OnceLock<Services>,
    pub keys: Arc<KeyRing>,
    pub limits: Limits,
    pub queries: Arc<QueryMetrics>,
    pub upkeep: Arc<UpkeepMetrics>,
    /// Requests of `/v2/metrics` by client.
    pub metrics_rate: RateLimit,
    /// Told to stop: accept nothing more, publish, go.
    pub stop: CancellationToken,
    pub started_at: Instant,
}

/// What answers once the manifest is replayed.
#[derive(Clone)]
pub struct Services {
    pub store: Arc<Store>,
    pub engine: Arc<QueryEngine>,
    pub supervisors: Arc<Supervisors>,
    pub statements: Arc<Statements>,
}

impl App {
    pub fn new(limits: Limits, keys: KeyRing) -> Arc<Self> {
        Arc::new(Self {
            services: OnceLock::new(),
            metrics_rate: RateLimit::new(limits.metrics_requests_max),
            keys: Arc::new(keys),
            limits,
            queries: Arc::default(),
            upkeep: Arc::default(),
            stop: CancellationToken::new(),
            started_at: Instant::now(),
        })
    }

    /// Opens the doors that need the store. Happens once.
    pub fn recovered(&self, services: Services) {
        assert!(self.services.set(services).is_ok(), "a process recovers once");
    }

    /// `None` while the manifest is replayed.
    pub fn services(&self) -> Option<&Services> {
        self.services.get()
    }
}

/// A door that asks for `Services` answers 503 until there are any.
impl FromRequestParts<Arc<App>> for Services {
    type Rejection = ApiError;

    async fn from_request_parts(_: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        app.services().cloned().ok_or_else(|| ApiError::unavailable("henge is recovering: try again in a moment"))
    }
}
