//! All supervisors of a process: started from the manifest, changed by operators.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use henge_segment_store::schema::DataSourceName;
use henge_segment_store::store::Store;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, MutexGuard};

use crate::error::IngestError;
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
    /// Held while one is changed, so that changes come one after another.
    entries: Mutex<BTreeMap<DataSourceName, Entry>>,
}

/// A supervisor: suspended ones do not run.
struct Entry {
    spec: SupervisorSpec,
    running: Option<Supervisor>,
}

/// A datasource that reads again what was queryable before the process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovering {
    pub data_source: DataSourceName,
    pub lag_records: Option<i64>,
}

impl Supervisors {
    /// Starts what the manifest holds. Call it on a tokio runtime with more than one thread.
    pub fn start(store: Arc<Store>) -> Result<Arc<Self>, IngestError> {
        let runtime = Handle::current();
        let mut entries = BTreeMap::new();
        for record in store.supervisors() {
            let mut spec = SupervisorSpec::from_json(&record.spec)?.spec;
            spec.suspended = record.suspended;
            let running = (!spec.suspended).then(|| run(&store, &runtime, &spec, true));
            entries.insert(record.data_source, Entry { spec, running });
        }
        Ok(Arc::new(Self { store, runtime, entries: Mutex::new(entries) }))
    }

    /// Starts a supervisor, or gives a running one another spec: it publishes what it has and goes on with the new one.
    /// Nothing happens for a spec that is in force already. Returns whether anything changed.
    pub async fn put(&self, spec: SupervisorSpec) -> Result<bool, IngestError> {
        let mut entries = self.entries.lock().await;
        let name = spec.data_source.clone();
        if entries.get(&name).is_some_and(|entry| entry.spec == spec) {
            return Ok(false);
        }
        if let Some(entry) = entries.get_mut(&name) {
            stop(entry, publish_soon()).await;
        }
        let put = self.store.put_supervisor(&name, spec.schema.clone(), spec.to_json(), spec.suspended).await;
        let spec = match (put, entries.get(&name)) {
            (Ok(()), _) => spec,
            (Err(error), None) => return Err(error.into()),
            (Err(error), Some(entry)) => {
                let old = entry.spec.clone();
                self.enter(&mut entries, old);
                return Err(error.into());
            }
        };
        self.enter(&mut entries, spec);
        Ok(true)
    }

    /// In alphabetical order.
    pub async fn list(&self) -> Vec<DataSourceName> {
        self.entries.lock().await.keys().cloned().collect()
    }

    /// The spec in force, in its own form.
    pub async fn spec(&self, name: &str) -> Option<Value> {
        find(&self.entries.lock().await, name).map(|(_, entry)| entry.spec.to_json())
    }

    /// The topic that a supervisor reads.
    pub async fn topic(&self, name: &str) -> Option<String> {
        find(&self.entries.lock().await, name).map(|(_, entry)| entry.spec.topic.clone())
    }

    pub async fn status(&self, name: &str) -> Option<SupervisorStatus> {
        find(&self.entries.lock().await, name).map(|(_, entry)| match &entry.running {
            Some(running) => running.status().get(),
            None => StatusCell::new(State::Suspended, false).get(),
        })
    }

    /// Datasources whose counts are lower than they were before the process ended, because they read again what was not
    /// published. Bounded in time: after a minute a backlog is lag.
    pub async fn recovering(&self) -> Vec<Recovering> {
        let entries = self.entries.lock().await;
        let recovering = entries.iter().filter_map(|(name, entry)| {
            let running = entry.running.as_ref().filter(|running| running.started().elapsed() < RECOVERY_MAX)?;
            let status = running.status().get();
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
        let mut spec = entry.spec.clone();
        spec.suspended = if changed.is_ok() { suspended } else { !suspended };
        self.enter(&mut entries, spec);
        Ok(changed?)
    }

    /// Publishes what was read and forgets the supervisor. The data stays.
    pub async fn terminate(&self, name: &str) -> Result<(), IngestError> {
        let mut entries = self.entries.lock().await;
        let (name, entry) = known(&mut entries, name)?;
        stop(entry, publish_soon()).await;
        if let Err(error) = self.store.terminate_supervisor(&name).await {
            let spec = entry.spec.clone();
            self.enter(&mut entries, spec);
            return Err(error.into());
        }
        entries.remove(&name);
        Ok(())
    }

    /// Gives up the checkpoint, on record with `reason`: reading starts anew as the spec says, in a new generation.
    /// What was published stays, so records that are read again count again.
    pub async fn reset(&self, name: &str, reason: String) -> Result<(), IngestError> {
        let mut entries = self.entries.lock().await;
        let (name, entry) = known(&mut entries, name)?;
        stop(entry, StopMode::Discard).await;
        let reset = self.store.reset(&name, reason).await;
        let spec = entry.spec.clone();
        self.enter(&mut entries, spec);
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

    /// Registers a spec and runs it unless it is suspended.
    fn enter(&self, entries: &mut MutexGuard<'_, BTreeMap<DataSourceName, Entry>>, spec: SupervisorSpec) {
        let kept = entries.remove(&spec.data_source).and_then(|entry| entry.running);
        let running = match kept {
            Some(running) => Some(running),
            None => (!spec.suspended).then(|| run(&self.store, &self.runtime, &spec, false)),
        };
        entries.insert(spec.data_source.clone(), Entry { spec, running });
    }
}

fn run(store: &Arc<Store>, runtime: &Handle, spec: &SupervisorSpec, is_process_start: bool) -> Supervisor {
    let data_source = store.data_source(spec.data_source.as_str()).expect("a supervisor's datasource is in the manifest");
    let is_recovering = is_process_start && data_source.progress().checkpoint.iter().next().is_some();
    Supervisor::start(Context {
        spec: spec.clone(),
        store: store.clone(),
        data_source,
        runtime: runtime.clone(),
        status: Arc::new(StatusCell::new(State::Connecting, is_recovering)),
    })
}

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

fn find<'a>(entries: &'a BTreeMap<DataSourceName, Entry>, name: &str) -> Option<(&'a DataSourceName, &'a Entry)> {
    entries.get_key_value(&DataSourceName::new(name).ok()?)
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
