//! All supervisors of a process: started from the manifest, changed by operators.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use henge_segment_store::data_source::DataSource;
use henge_segment_store::schema::DataSourceName;
use henge_segment_store::store::Store;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::error::IngestError;
use crate::memory::MemoryLimit;
use crate::session::{Context, StopMode};
use crate::spec::SupervisorSpec;
use crate::status::{State, StatusCell, SupervisorStatus};
use crate::supervisor::Supervisor;

/// How long an operator's change waits for what was read to be published. What is not is read again later.
const STOP_PUBLISH_MAX: Duration = Duration::from_secs(30);
/// After this time a backlog is lag, not recovery: queries no longer wait for it.
const RECOVERY_MAX: Duration = Duration::from_secs(60);

/// The supervisors of one store, one for each datasource.
pub struct Supervisors {
    store: Arc<Store>,
    runtime: Handle,
    memory: Arc<MemoryLimit>,
    /// Held while one is changed, so that changes come one after another; that may take a while.
    entries: Mutex<BTreeMap<DataSourceName, Entry>>,
    /// What can be asked at any time.
    views: RwLock<BTreeMap<DataSourceName, View>>,
}

/// A supervisor: suspended ones do not run.
struct Entry {
    spec: Arc<SupervisorSpec>,
    running: Option<Supervisor>,
}

/// A supervisor as others see it.
#[derive(Clone)]
struct View {
    spec: Arc<SupervisorSpec>,
    status: Arc<StatusCell>,
    started: Instant,
}

/// A datasource that reads again what was queryable before the process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovering {
    pub data_source: DataSourceName,
    pub lag_records: Option<i64>,
}

impl Supervisors {
    /// Starts what the manifest holds. Call it on a tokio runtime with more than one thread.
    pub fn start(store: Arc<Store>, memory: Arc<MemoryLimit>) -> Result<Arc<Self>, IngestError> {
        let runtime = Handle::current();
        let records = store.supervisors();
        let supervisors = Self { store, runtime, memory, entries: Mutex::default(), views: RwLock::default() };
        let mut entries = BTreeMap::new();
        for record in records {
            let mut spec = SupervisorSpec::from_json(&record.spec)?.spec;
            spec.suspended = record.suspended;
            // Also without a checkpoint: what was read before the first publish was queryable all the same.
            let was_restored = supervisors.data_source(&spec).was_restored();
            supervisors.enter(&mut entries, Arc::new(spec), was_restored);
        }
        Ok(Arc::new(Self { entries: Mutex::new(entries), ..supervisors }))
    }

    /// Starts a supervisor, or gives a running one another spec: it publishes what it has and goes on with the new one.
    /// Nothing happens for a spec that is in force already. Returns whether anything changed.
    pub async fn put(&self, spec: SupervisorSpec) -> Result<bool, IngestError> {
        let mut entries = self.entries.lock().await;
        let name = spec.data_source.clone();
        if entries.get(&name).is_some_and(|entry| *entry.spec == spec) {
            return Ok(false);
        }
        if let Some(entry) = entries.get_mut(&name) {
            stop(entry, publish_soon()).await;
        }
        let (schema, upkeep) = (spec.schema.clone(), spec.upkeep.clone());
        let put = self.store.put_supervisor(&name, schema, spec.to_json(), spec.suspended, upkeep).await;
        match (put, entries.get(&name).map(|entry| entry.spec.clone())) {
            (Ok(()), _) => self.enter(&mut entries, Arc::new(spec), false),
            (Err(error), old) => {
                if let Some(old) = old {
                    self.enter(&mut entries, old, false);
                }
                return Err(error.into());
            }
        }
        Ok(true)
    }

    /// In alphabetical order.
    pub fn list(&self) -> Vec<DataSourceName> {
        self.views().keys().cloned().collect()
    }

    /// What the rows of all datasources may take that are not published yet, and what they do.
    pub fn memory(&self) -> &MemoryLimit {
        &self.memory
    }

    /// The spec in force.
    pub fn spec(&self, name: &str) -> Option<Arc<SupervisorSpec>> {
        Some(self.view(name)?.spec)
    }

    pub fn status(&self, name: &str) -> Option<SupervisorStatus> {
        Some(self.view(name)?.status.get())
    }

    /// Datasources whose counts are lower than they were before the process ended, because they read again what was not
    /// published. Bounded in time: after a minute a backlog is lag.
    pub fn recovering(&self) -> Vec<Recovering> {
        let views = self.views();
        let recent = views.iter().filter(|(_, view)| view.started.elapsed() < RECOVERY_MAX);
        let recovering = recent.filter_map(|(name, view)| {
            let status = view.status.get();
            let lag_records = status.lag_records();
            status.is_recovering.then(|| Recovering { data_source: name.clone(), lag_records })
        });
        recovering.collect()
    }

    /// Publishes what was read and reads no more until [`resume`](Self::resume), also after a restart.
    pub async fn suspend(&self, name: &str) -> Result<(), IngestError> {
        self.set_suspended(name, true).await
    }

    pub async fn resume(&self, name: &str) -> Result<(), IngestError> {
        self.set_suspended(name, false).await
    }

    async fn set_suspended(&self, name: &str, suspended: bool) -> Result<(), IngestError> {
        let mut entries = self.entries.lock().await;
        let (name, entry) = known(&mut entries, name)?;
        if entry.spec.suspended == suspended {
            return Ok(());
        }
        if suspended {
            stop(entry, publish_soon()).await;
        }
        let changed = self.store.set_suspended(&name, suspended).await;
        let mut spec = SupervisorSpec::clone(&entry.spec);
        spec.suspended = if changed.is_ok() { suspended } else { !suspended };
        self.enter(&mut entries, Arc::new(spec), false);
        Ok(changed?)
    }

    /// Publishes what was read and forgets the supervisor. The data stays.
    pub async fn terminate(&self, name: &str) -> Result<(), IngestError> {
        let mut entries = self.entries.lock().await;
        let (name, entry) = known(&mut entries, name)?;
        stop(entry, publish_soon()).await;
        if let Err(error) = self.store.terminate_supervisor(&name).await {
            let spec = entry.spec.clone();
            self.enter(&mut entries, spec, false);
            return Err(error.into());
        }
        entries.remove(&name);
        self.views.write().expect(NO_PANIC).remove(&name);
        Ok(())
    }

    /// Gives up the checkpoint, on record with `reason`: reading starts anew as the spec says, in a new generation.
    /// What was published stays, so records that are read again count again.
    pub async fn reset(&self, name: &str, reason: String) -> Result<(), IngestError> {
        let mut entries = self.entries.lock().await;
        let (name, entry) = known(&mut entries, name)?;
        // What was read of a topic that another one has replaced cannot be read again.
        let is_stopped = |status: SupervisorStatus| status.partitions.values().any(|own| own.stopped.is_some());
        let is_stream_lost = self.status(name.as_str()).is_some_and(is_stopped);
        stop(entry, if is_stream_lost { publish_soon() } else { StopMode::Discard }).await;
        let reset = self.store.reset(&name, reason).await;
        let spec = entry.spec.clone();
        self.enter(&mut entries, spec, false);
        Ok(reset?)
    }

    /// Stops them all at the same time; publishes what they read, waiting for the storage `patience` at the most.
    pub async fn shutdown(&self, patience: Duration) {
        let mut entries = self.entries.lock().await;
        let running: Vec<Supervisor> = entries.values_mut().filter_map(|entry| entry.running.take()).collect();
        let mode = StopMode::PublishUntil(Instant::now() + patience);
        running.iter().for_each(|supervisor| supervisor.ask_to_stop(mode));
        let joined = tokio::task::spawn_blocking(|| running.into_iter().for_each(Supervisor::join)).await;
        joined.expect("joining threads does not panic");
    }

    /// Registers a spec, and runs it unless it is suspended. A supervisor that still runs is left alone.
    fn enter(&self, entries: &mut BTreeMap<DataSourceName, Entry>, spec: Arc<SupervisorSpec>, is_recovering: bool) {
        if entries.get(&spec.data_source).is_some_and(|entry| entry.running.is_some()) {
            return;
        }
        let state = if spec.suspended { State::Suspended } else { State::Connecting };
        let status = Arc::new(StatusCell::new(state, is_recovering && !spec.suspended));
        let view = View { spec: spec.clone(), status: status.clone(), started: Instant::now() };
        self.views.write().expect(NO_PANIC).insert(spec.data_source.clone(), view);
        let running = (!spec.suspended).then(|| {
            let data_source = self.data_source(&spec);
            // Events are decoded to the types in force, which may hold more than the declared ones.
            let schema = data_source.schema().as_ref().clone();
            Supervisor::start(Context {
                spec: SupervisorSpec { schema, ..SupervisorSpec::clone(&spec) },
                store: self.store.clone(),
                data_source,
                runtime: self.runtime.clone(),
                status,
                memory: self.memory.clone(),
            })
        });
        entries.insert(spec.data_source.clone(), Entry { spec, running });
    }

    fn data_source(&self, spec: &SupervisorSpec) -> Arc<DataSource> {
        self.store.data_source(spec.data_source.as_str()).expect("a supervisor's datasource is in the manifest")
    }

    fn views(&self) -> RwLockReadGuard<'_, BTreeMap<DataSourceName, View>> {
        self.views.read().expect(NO_PANIC)
    }

    fn view(&self, name: &str) -> Option<View> {
        self.views().get(&DataSourceName::new(name).ok()?).cloned()
    }
}

const NO_PANIC: &str = "no code panics while it holds the views";

async fn stop(entry: &mut Entry, mode: StopMode) {
    if let Some(running) = entry.running.take() {
        running.ask_to_stop(mode);
        let joined = tokio::task::spawn_blocking(|| running.join()).await;
        joined.expect("joining a thread does not panic");
    }
}

fn publish_soon() -> StopMode {
    StopMode::PublishUntil(Instant::now() + STOP_PUBLISH_MAX)
}

fn known<'a>(
    entries: &'a mut BTreeMap<DataSourceName, Entry>,
    name: &str,
) -> Result<(DataSourceName, &'a mut Entry), IngestError> {
    let unknown = || IngestError::NoSuchSupervisor(name.to_owned());
    let name = DataSourceName::new(name).map_err(|_| unknown())?;
    let entry = entries.get_mut(&name).ok_or_else(unknown)?;
    Ok((name, entry))
}
