//! A server from its first open door to its last published row.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use henge_ingest::error::IngestError;
use henge_ingest::memory::MemoryLimit;
use henge_ingest::spec::SupervisorSpec;
use henge_ingest::supervisors::Supervisors;
use henge_query::engine::{QueryEngine, Surroundings};
use henge_query::system_tables::ServerInfo;
use henge_segment_store::clock;
use henge_segment_store::dataset::{Dataset, DatasetName};
use henge_segment_store::error::StoreError;
use henge_segment_store::objects::Objects;
use henge_segment_store::scrub::ScrubPolicy;
use henge_segment_store::store::{Store, StoreOptions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::app::{App, Services};
use crate::auth::key_ring::KeyRing;
use crate::background::Background;
use crate::config::Config;
use crate::statements::Statements;
use crate::{following, held_memory, listener, pg, routes, scrubbing, system_tables};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {}", why_not_listening(.cause, .flag))]
    Listen { address: SocketAddr, flag: &'static str, cause: io::Error },
    #[error(
        "{0} can be reached from elsewhere, and there are no keys: whoever reaches it could read and change everything; make \
         one with `henge keys create --role admin` for this data directory, or listen on 127.0.0.1"
    )]
    NoKeys(SocketAddr),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("datasource `{data_source}` cannot be changed to what the configuration says")]
    Supervisor { data_source: String, source: StoreError },
    #[error("the supervisors of the manifest cannot be started")]
    Resume(#[source] IngestError),
}

fn why_not_listening(error: &io::Error, flag: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!("another process uses this port; stop it, or choose another with {flag}"),
        io::ErrorKind::PermissionDenied => format!("ports below 1024 need privileges; choose another with {flag}"),
        _ => format!("{error}; choose another address with {flag}"),
    }
}

/// Listens where nobody from elsewhere can come, or where keys are needed. `flag`: what the address is set with.
async fn bound(
    wanted: SocketAddr,
    keys: &KeyRing,
    flag: &'static str,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |cause| StartError::Listen { address: wanted, flag, cause };
    if keys.is_empty() && !wanted.ip().is_loopback() {
        return Err(StartError::NoKeys(wanted));
    }
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    if !address.ip().is_loopback() {
        warn!(%address, "keys travel as they are: let a proxy with TLS stand before this address");
    }
    Ok((listener, address))
}

/// A server that answers.
pub struct Running {
    pub app: Arc<App>,
    pub services: Services,
    /// Where it really listens, also when it was told port 0.
    pub address: SocketAddr,
    /// The same where PostgreSQL's protocol is spoken.
    pub pg_address: Option<SocketAddr>,
    doors: JoinHandle<()>,
    pg_doors: Option<JoinHandle<()>>,
    background: Background,
    scrub: JoinHandle<()>,
    shutdown_timeout: Duration,
}

impl Running {
    /// Opens the doors, recovers the store behind them, puts the configuration's specs into it, and starts all
    /// supervisors.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let keys = KeyRing::open(Objects::of(&config.data_dir, config.object_store.as_deref())?).await?;
        let (listener, address) = bound(config.listen, &keys, "--listen").await?;
        let pg = match config.pg_listen {
            Some(address) => Some(bound(address, &keys, "--pg-listen").await?),
            None => None,
        };
        let pg_address = pg.as_ref().map(|(_, address)| *address);
        if !keys.is_empty() && keys.admins() == 0 {
            warn!("no key is an admin's: nobody can look after this server");
        }
        let shutdown_timeout = config.limits.shutdown_timeout;
        let app = App::new(config.limits.clone(), keys);
        tokio::spawn(app.keys.clone().follow(app.stop.clone()));
        let doors = tokio::spawn(listener::serve(
            listener,
            routes::router(app.clone()),
            config.limits.connection.clone(),
            app.stop.clone(),
            shutdown_timeout,
        ));
        let pg_doors = pg.map(|(listener, _)| {
            tokio::spawn(pg::listener::serve(listener, app.clone(), app.stop.clone(), shutdown_timeout))
        });
        let statements_directory = config.data_dir.join("statements");
        let options = StoreOptions {
            data_dir: config.data_dir,
            object_store: config.object_store,
            cache_bytes_max: config.limits.cache_bytes_max as u64,
            slot: config.slot,
        };
        let store = Store::open(options).await?;
        for spec in config.specs {
            put_if_changed(&store, spec).await?;
        }
        for (name, dataset) in config.datasets {
            declare_if_changed(&store, name, dataset).await?;
        }
        let memory = MemoryLimit::new(config.limits.ingest_bytes_max as u64);
        let supervisors = Supervisors::start(store.clone(), memory).map_err(StartError::Resume)?;
        let provided = system_tables::of(&store, &supervisors);
        let around = Surroundings { server: Some(server_info(address)), provided, lookups: config.lookups };
        let engine = Arc::new(QueryEngine::of_server(store.clone(), config.limits.query, around));
        let statements =
            Statements::open(statements_directory, config.limits.asynchronous, engine.clone(), app.queries.clone());
        let services = Services { engine, statements: statements.clone(), supervisors, store };
        app.recovered(services.clone());
        let policy = ScrubPolicy { bytes_per_s: config.upkeep.scrub_rate as u64, ..ScrubPolicy::default() };
        let scrub = tokio::spawn(scrubbing::run(services.store.clone(), policy, app.upkeep.clone(), app.stop.clone()));
        tokio::spawn(held_memory::let_go(services.clone(), app.stop.clone()));
        tokio::spawn(statements.keep_tidy(app.stop.clone()));
        tokio::spawn(following::run(services.clone(), config.refresh, app.stop.clone()));
        let background = Background::start(services.store.clone(), config.upkeep, app.upkeep.clone());
        info!(%address, "henge answers");
        if let Some(address) = pg_address {
            info!(%address, "henge speaks PostgreSQL's protocol");
        }
        Ok(Self { app, services, address, pg_address, doors, pg_doors, background, scrub, shutdown_timeout })
    }

    /// Accepts nothing more, publishes what is open, and finishes running queries; both within the configured time.
    pub async fn stop(self) {
        self.app.stop.cancel();
        let publish = self.services.supervisors.shutdown(self.shutdown_timeout);
        let pg_doors = async {
            match self.pg_doors {
                Some(doors) => doors.await,
                None => Ok(()),
            }
        };
        let (ended, pg_ended, (), (), scrubbed) =
            tokio::join!(self.doors, pg_doors, publish, self.background.stop(), self.scrub);
        if let Err(error) = ended.and(pg_ended) {
            warn!(%error, "the listener ended badly");
        }
        if let Err(error) = scrubbed {
            warn!(%error, "the scrub ended badly");
        }
        info!("henge stopped");
    }
}

fn server_info(address: SocketAddr) -> ServerInfo {
    ServerInfo {
        host: address.ip().to_string(),
        port: address.port(),
        version: env!("CARGO_PKG_VERSION"),
        started_at: clock::now(),
    }
}

/// One that did not change writes nothing.
async fn declare_if_changed(store: &Store, name: DatasetName, dataset: Dataset) -> Result<(), StartError> {
    if store.datasets().get(&name).is_some_and(|known| **known == dataset) {
        return Ok(());
    }
    store.put_dataset(name.clone(), dataset).await?;
    info!(dataset = %name, "dataset put from the configuration");
    Ok(())
}

/// Before any supervisor runs, so that none begins with a spec that is out of date. A spec that did not change writes
/// nothing, and one that an operator has suspended stays so.
async fn put_if_changed(store: &Store, mut spec: SupervisorSpec) -> Result<(), StartError> {
    let name = spec.data_source.clone();
    if let Some(known) = store.supervisors().into_iter().find(|known| known.data_source == name) {
        spec.suspended = known.suspended;
        let stored = SupervisorSpec::from_json(&known.spec);
        if stored.is_ok_and(|stored| SupervisorSpec { suspended: spec.suspended, ..stored.spec } == spec) {
            return Ok(());
        }
    }
    let (schema, upkeep) = (spec.schema.clone(), spec.upkeep.clone());
    let put = store.put_supervisor(&name, schema, spec.to_json(), spec.suspended, upkeep).await;
    put.map_err(|source| StartError::Supervisor { data_source: name.to_string(), source })?;
    info!(datasource = %name, "supervisor put from the configuration");
    Ok(())
}
