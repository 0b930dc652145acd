//! The facade: opens a data directory as its only writer, publishes, and hands out datasources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use crate::clock;
use crate::data_source::{DataSource, Frozen, Progress};
use crate::dataset::{Dataset, DatasetName};
use crate::durable_file;
use crate::error::StoreError;
use crate::ledger::{Gap, RefusedSample};
use crate::manifest::{Change, ConsumedRange, ManifestLog, ManifestState, Publish};
use crate::objects::Objects;
use crate::open_segment::{OpenRows, sort};
use crate::patient_thread;
use crate::schema::{DataSourceName, DataSourceSchema};
use crate::segment::{PublishedSegment, SegmentFile, SegmentFiles, SegmentId, SegmentMeta};
use crate::serving_cache::{CacheStats, ServingCache};
use crate::slot::Slot;
use crate::upkeep::UpkeepPolicy;

mod following;
mod upkeep;

pub use self::upkeep::Retired;
use self::upkeep::UpkeepState;
pub use crate::sweep::Swept;

/// Where a store keeps what.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Local: the lock, and the durable objects unless `object_store` says otherwise.
    pub data_dir: PathBuf,
    /// Where the durable objects are that several processes share: an S3-compatible bucket, `s3://bucket/prefix`, whose
    /// credentials come from the environment, or a directory, `file:///path`.
    pub object_store: Option<String>,
    /// Bound of the directory that serving forms are kept in; beyond it those not used for the longest time go.
    pub cache_bytes_max: u64,
    /// The partitions that are this process's.
    pub slot: Slot,
}

impl StoreOptions {
    /// The size of the cache when nobody says another one.
    pub const CACHE_BYTES_DEFAULT: u64 = 64 << 30;

    /// Everything below one directory.
    pub fn local(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            object_store: None,
            cache_bytes_max: Self::CACHE_BYTES_DEFAULT,
            slot: Slot::WHOLE,
        }
    }

    /// Where queries put what does not fit into memory.
    pub fn spill_directory(&self) -> PathBuf {
        self.data_dir.join("spill")
    }

    /// Where serving forms are kept.
    pub fn serving_directory(&self) -> PathBuf {
        self.data_dir.join("serving")
    }
}

/// A supervisor as the manifest keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct SupervisorRecord {
    pub data_source: DataSourceName,
    pub spec: serde_json::Value,
    pub suspended: bool,
    /// Raised by each reset.
    pub generation: u32,
    /// In force: may hold more than the spec declares.
    pub schema: DataSourceSchema,
}

/// What a publish consumed besides the rows.
#[derive(Debug, Clone, Default)]
pub struct Consumed {
    /// The generation in which it was read.
    pub generation: u32,
    pub ranges: Vec<ConsumedRange>,
    pub refused: RefusedSample,
    pub gaps: Vec<Gap>,
}

/// One data directory, opened as the only writer of its slot.
#[derive(Debug)]
pub struct Store {
    files: Arc<SegmentFiles>,
    manifest: Mutex<ManifestLog>,
    data_sources: ArcSwap<BTreeMap<DataSourceName, Arc<DataSource>>>,
    supervisors: ArcSwap<Vec<SupervisorRecord>>,
    datasets: ArcSwap<BTreeMap<DatasetName, Arc<Dataset>>>,
    upkeep: std::sync::Mutex<UpkeepState>,
    spill_directory: PathBuf,
    slot: Slot,
    /// How often something was shown that other processes wrote.
    followed: AtomicU64,
    /// Own commits of cuts that took effect though they seemed to fail, until their publisher asks.
    found_cuts: std::sync::Mutex<BTreeSet<String>>,
    /// Released by the system when the process ends, however it ends.
    _lock: File,
}

impl Store {
    /// Locks the directory, replays the manifest and fences off every earlier writer of the slot. Segment files are opened
    /// later.
    pub async fn open(options: StoreOptions) -> Result<Arc<Self>, StoreError> {
        let lock = lock(&options.data_dir)?;
        let objects = Objects::of(&options.data_dir, options.object_store.as_deref())?;
        let mut manifest = ManifestLog::open(objects.clone()).await?;
        manifest.claim_epoch(options.slot, clock::now()).await?;
        let live = manifest.state().data_sources.values().flat_map(|state| state.segments.keys().cloned());
        let cache = ServingCache::open(options.serving_directory(), options.cache_bytes_max, live)?;
        let files = Arc::new(SegmentFiles { objects, cache });
        let data_sources = manifest.state().data_sources.iter().map(|(name, state)| {
            let data_source = DataSource::new(name.clone(), state, &files, true);
            (name.clone(), Arc::new(data_source))
        });
        let data_sources = ArcSwap::from_pointee(data_sources.collect());
        let supervisors = ArcSwap::from_pointee(supervisors_of(manifest.state()));
        let datasets = ArcSwap::from_pointee(manifest.state().datasets.clone());
        let (manifest, upkeep) = (Mutex::new(manifest), std::sync::Mutex::default());
        let (spill_directory, slot, followed) = (options.spill_directory(), options.slot, AtomicU64::new(0));
        Ok(Arc::new(Self {
            files,
            manifest,
            data_sources,
            supervisors,
            datasets,
            upkeep,
            spill_directory,
            slot,
            followed,
            found_cuts: std::sync::Mutex::default(),
            _lock: lock,
        }))
    }

    /// Where queries put what does not fit into memory; nothing in it outlives them.
    pub fn spill_directory(&self) -> &Path {
        &self.spill_directory
    }

    /// In alphabetical order.
    pub fn data_sources(&self) -> Vec<DataSourceName> {
        self.data_sources.load().keys().cloned().collect()
    }

    pub fn data_source(&self, name: &str) -> Option<Arc<DataSource>> {
        self.data_sources.load().get(&DataSourceName::new(name).ok()?).cloned()
    }

    /// By datasource.
    pub fn supervisors(&self) -> Vec<SupervisorRecord> {
        self.supervisors.load().to_vec()
    }

    /// What is declared over the datasources, by name.
    pub fn datasets(&self) -> Arc<BTreeMap<DatasetName, Arc<Dataset>>> {
        self.datasets.load_full()
    }

    /// Declares a dataset, in the place of one of the same name.
    ///
    /// # Errors
    /// Its datasources do not have what it names.
    pub async fn put_dataset(&self, name: DatasetName, dataset: Dataset) -> Result<(), StoreError> {
        self.change(Change::PutDataset { name, dataset }).await
    }

    /// The dataset goes; the datasources stay as they are.
    pub async fn remove_dataset(&self, name: DatasetName) -> Result<(), StoreError> {
        self.change(Change::RemoveDataset { name }).await
    }

    /// Creates a datasource or changes its schema and its supervisor's spec. Nothing of it may be open: cut before.
    ///
    /// The schema in force is the datasource's afterwards: columns keep types that hold what is stored already.
    pub async fn put_supervisor(
        &self,
        name: &DataSourceName,
        schema: DataSourceSchema,
        spec: serde_json::Value,
        suspended: bool,
        upkeep: UpkeepPolicy,
    ) -> Result<(), StoreError> {
        self.change(Change::PutSupervisor {
            data_source: name.clone(),
            schema: Box::new(schema),
            spec,
            suspended,
            upkeep,
        })
        .await?;
        let manifest = self.manifest.lock().await;
        let state = manifest.state().data_source(name)?;
        if let Some(known) = self.data_source(name.as_str()) {
            known.set_schema(state.schema.clone());
            self.bring_up(&known, state, manifest.writer().1);
        } else {
            self.show(DataSource::new(name.clone(), state, &self.files, false));
        }
        Ok(())
    }

    pub async fn set_suspended(&self, name: &DataSourceName, suspended: bool) -> Result<(), StoreError> {
        self.change(Change::SetSuspended { data_source: name.clone(), suspended }).await
    }

    /// The supervisor goes; the data stays and can be asked.
    pub async fn terminate_supervisor(&self, name: &DataSourceName) -> Result<(), StoreError> {
        self.change(Change::TerminateSupervisor { data_source: name.clone() }).await
    }

    /// Gives up the checkpoint for good, on record: rows that are not published are forgotten, a new generation begins.
    pub async fn reset(&self, name: &DataSourceName, reason: String) -> Result<(), StoreError> {
        self.change(Change::Reset { data_source: name.clone(), reason }).await?;
        if let Some(data_source) = self.data_source(name.as_str()) {
            data_source.discard_unpublished();
        }
        Ok(())
    }

    /// Publishes the rows of a cut together with the offsets that they were read from (invariant M1): segment files
    /// durable, manifest record, timeline.
    ///
    /// After an error nothing is published and the rows are still queryable; the same cut may be published again. Where an
    /// earlier attempt turns out to have taken effect though it seemed to fail, there are no segments left to name.
    pub async fn publish(
        &self,
        data_source: &DataSource,
        frozen: &Frozen,
        consumed: Consumed,
    ) -> Result<Vec<SegmentMeta>, StoreError> {
        let commit = self.begin_commit().await;
        let commit_id = commit.as_str().to_owned();
        let mut added = Vec::with_capacity(frozen.rows.len());
        for (shard, rows) in frozen.rows.iter().enumerate() {
            let id = SegmentId {
                data_source: data_source.name().clone(),
                chunk: rows.chunk(),
                version: commit_id.clone(),
                shard: shard as u32,
            };
            added.push(self.write_segment(id, rows.clone(), consumed.ranges.clone()).await?);
        }
        let publish = Publish {
            data_source: data_source.name().clone(),
            generation: consumed.generation,
            added: added.clone(),
            retired: Vec::new(),
            consumed: consumed.ranges,
            refused: consumed.refused,
            gaps: consumed.gaps,
        };
        frozen.attempts.lock().expect("no code panics while it adds a name").push(commit_id.clone());
        let mut manifest = self.manifest.lock().await;
        let committed = manifest.commit(commit_id, Change::Publish(publish), clock::now()).await;
        self.follow(&mut manifest);
        if committed.is_err() && self.is_found(frozen) {
            return Ok(Vec::new());
        }
        committed?;
        let published = added.iter().map(|meta| Arc::new(PublishedSegment::new(meta.clone(), self.files.clone())));
        data_source.swap(published.collect(), frozen);
        data_source.set_progress(Progress::of(manifest.state().data_source(data_source.name())?));
        Ok(added)
    }

    /// Sorts and encodes, then writes durably.
    async fn write_segment(
        &self,
        id: SegmentId,
        rows: Arc<OpenRows>,
        consumed: Vec<ConsumedRange>,
    ) -> Result<SegmentMeta, StoreError> {
        let build = move || SegmentFile::build(id, &sort(&rows), rows.events(), consumed, Vec::new());
        patient_thread::run("publish", build).await?.write(&self.files).await
    }

    /// Makes the serving forms that are missing, the newest segments' first, as long as the cache has room for them without
    /// evicting others. For the time after a start; returns how many were made. A query that needs one sooner makes it.
    pub async fn make_missing_serving_forms(&self) -> usize {
        let data_sources = self.data_sources.load_full();
        let mut missing: Vec<Arc<PublishedSegment>> =
            data_sources.values().flat_map(|data_source| data_source.published_segments()).collect();
        missing.retain(|segment| !segment.has_serving());
        missing.sort_by_key(|segment| std::cmp::Reverse(segment.meta.time_max));
        let mut made = 0;
        for segment in missing {
            // The two forms of a segment are of similar size.
            if !self.files.cache.has_room_for(segment.meta.bytes) {
                break;
            }
            let make = move || segment.serving(&[]).map(|_| ());
            // What failed is logged, and the segment is in quarantine.
            let outcome = tokio::task::spawn_blocking(make).await;
            made += usize::from(matches!(outcome, Ok(Ok(()))));
        }
        made
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.files.objects
    }

    /// Memory for what predicates found in dictionaries, kept for later queries.
    pub fn code_set_bytes(&self) -> usize {
        self.files.cache.code_set_bytes()
    }

    /// What the cache of serving forms holds.
    pub fn cache_stats(&self) -> CacheStats {
        self.files.cache.stats()
    }

    /// Commits a change of the control plane and shows it.
    async fn change(&self, change: Change) -> Result<(), StoreError> {
        let mut manifest = self.manifest.lock().await;
        let commit_id = manifest.next_commit_id();
        let committed = manifest.commit(commit_id, change, clock::now()).await;
        self.follow(&mut manifest);
        committed?;
        self.supervisors.store(Arc::new(supervisors_of(manifest.state())));
        for (name, data_source) in self.data_sources.load().iter() {
            data_source.set_progress(Progress::of(manifest.state().data_source(name)?));
        }
        Ok(())
    }
}

fn supervisors_of(state: &ManifestState) -> Vec<SupervisorRecord> {
    let records = state.data_sources.iter().filter_map(|(name, state)| {
        let supervisor = state.supervisor.as_ref()?;
        Some(SupervisorRecord {
            data_source: name.clone(),
            spec: supervisor.spec.clone(),
            suspended: supervisor.suspended,
            generation: state.generation,
            schema: state.schema.clone(),
        })
    });
    records.collect()
}

/// Takes the directory for this process; a second one is refused at once.
fn lock(data_dir: &Path) -> Result<File, StoreError> {
    let path = data_dir.join("lock");
    let failed = |action| {
        let path = path.display().to_string();
        move |source| StoreError::File { action, path, source }
    };
    durable_file::create_directory(data_dir).map_err(failed("create the directory of"))?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed("open"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked(data_dir.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(failed("lock")(source)),
    }
}

#[cfg(test)]
mod tests;
