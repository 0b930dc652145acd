//! A server from its first open door to its last published row.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use henge_ingest::error::IngestError;
use henge_ingest::spec::{SpecError, SupervisorSpec};
use henge_ingest::supervisors::Supervisors;
use henge_query::engine::QueryEngine;
use henge_segment_store::error::StoreError;
use henge_segment_store::store::{Store, StoreOptions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::app::{App, Services};
use crate::config::Config;
use crate::error::with_sources;
use crate::{listener, routes};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{file}: {}", .source.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Spec { file: String, source: SpecError },
    #[error("cannot listen on {address}: {}", why_not_listening(.source))]
    Listen { address: SocketAddr, source: io::Error },
    #[error("{}", with_sources(.0))]
    Store(#[from] StoreError),
    #[error("datasource `{data_source}`: {}", with_sources(.source))]
    Supervisor { data_source: String, source: IngestError },
    #[error("the supervisors of the manifest cannot be started: {}", with_sources(.0))]
    Resume(#[source] IngestError),
}

fn why_not_listening(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another process uses this port; stop it, or choose another with --listen".to_owned()
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 need privileges; choose another with --listen".to_owned(),
        _ => format!("{error}; choose another address with --listen"),
    }
}

/// A server that answers.
pub struct Running {
    pub app: Arc<App>,
    pub services: Services,
    /// Where it really listens, also when it was told port 0.
    pub address: SocketAddr,
    doors: JoinHandle<()>,
    shutdown_timeout: Duration,
}

impl Running {
    /// Opens the doors, recovers the store behind them, resumes its supervisors, and puts those that `config` holds.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let specs = specs_of(&config)?;
        let listen_failed = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(listen_failed)?;
        let address = listener.local_addr().map_err(listen_failed)?;
        if !address.ip().is_loopback() {
            warn!(%address, "whoever reaches this address may read and change everything");
        }
        let shutdown_timeout = config.limits.shutdown_timeout;
        let app = App::new(config.limits.clone());
        let doors = tokio::spawn(listener::serve(
            listener,
            routes::router(app.clone()),
            config.limits.connection.clone(),
            app.stop.clone(),
            shutdown_timeout,
        ));
        let options = StoreOptions { data_dir: config.data_dir, object_store: config.object_store };
        let store = Store::open(options).await?;
        let services = Services {
            engine: Arc::new(QueryEngine::new(store.clone(), config.limits.query)),
            supervisors: Supervisors::start(store.clone()).map_err(StartError::Resume)?,
            store,
        };
        // Before the first answer, or a table of the configuration would be unknown for a moment.
        for spec in specs {
            put_if_changed(&services.supervisors, spec).await?;
        }
        app.recovered(services.clone());
        info!(%address, "henge answers");
        Ok(Self { app, services, address, doors, shutdown_timeout })
    }

    /// Accepts nothing more, publishes what is open, and finishes running queries; both within the configured time.
    pub async fn stop(self) {
        self.app.stop.cancel();
        let (ended, ()) = tokio::join!(self.doors, self.services.supervisors.shutdown(self.shutdown_timeout));
        if let Err(error) = ended {
            warn!(%error, "the listener ended badly");
        }
        info!("henge stopped");
    }
}

fn specs_of(config: &Config) -> Result<Vec<SupervisorSpec>, StartError> {
    let read = |(name, json): &(String, serde_json::Value)| {
        SupervisorSpec::from_short_form(name, json)
            .map_err(|source| StartError::Spec { file: config.file.clone(), source })
    };
    config.data_sources.iter().map(read).collect()
}

/// A file that did not change must not disturb what runs, nor resume what an operator has suspended.
async fn put_if_changed(supervisors: &Supervisors, mut spec: SupervisorSpec) -> Result<(), StartError> {
    let name = spec.data_source.clone();
    if let Some(known) = supervisors.spec(name.as_str()) {
        spec.suspended = known.suspended;
    }
    let put = supervisors.put(spec).await;
    if put.map_err(|source| StartError::Supervisor { data_source: name.to_string(), source })? {
        info!(datasource = %name, "supervisor put from the configuration");
    }
    Ok(())
}
