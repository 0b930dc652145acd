//! The facade: opens a data directory as its only writer, publishes, and hands out datasources.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use crate::clock;
use crate::data_source::{DataSource, Frozen, Progress};
use crate::durable_file;
use crate::error::StoreError;
use crate::ledger::{Gap, RefusedSample};
use crate::manifest::{Change, ConsumedRange, ManifestLog, ManifestState, Publish};
use crate::objects::Objects;
use crate::open_segment::{OpenRows, sort};
use crate::schema::{DataSourceName, DataSourceSchema};
use crate::segment::{Provenance, PublishedSegment, SegmentId, SegmentMeta, encode_parquet};

/// Where a store keeps what.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Local: the lock, and the durable objects unless `object_store` says otherwise.
    pub data_dir: PathBuf,
    /// An S3-compatible bucket for the durable objects, `s3://bucket/prefix`; credentials come from the environment.
    pub object_store: Option<String>,
}

/// A supervisor as the manifest keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct SupervisorRecord {
    pub data_source: DataSourceName,
    pub spec: serde_json::Value,
    pub suspended: bool,
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

/// One data directory, opened as its only writer.
#[derive(Debug)]
pub struct Store {
    objects: Objects,
    manifest: Mutex<ManifestLog>,
    data_sources: ArcSwap<BTreeMap<DataSourceName, Arc<DataSource>>>,
    supervisors: ArcSwap<Vec<SupervisorRecord>>,
    /// Released by the system when the process ends, however it ends.
    _lock: File,
}

impl Store {
    /// Locks the directory, replays the manifest and fences off every earlier writer. Segment files are opened later.
    pub async fn open(options: StoreOptions) -> Result<Arc<Self>, StoreError> {
        let lock = lock(&options.data_dir)?;
        let objects = Objects::of(&options.data_dir, options.object_store.as_deref())?;
        let mut manifest = ManifestLog::open(objects.clone()).await?;
        manifest.claim_epoch(clock::now()).await?;
        let data_sources = manifest.state().data_sources.iter().map(|(name, state)| {
            let data_source = DataSource::new(name.clone(), state, &objects, true);
            (name.clone(), Arc::new(data_source))
        });
        let data_sources = ArcSwap::from_pointee(data_sources.collect());
        let supervisors = ArcSwap::from_pointee(supervisors_of(manifest.state()));
        Ok(Arc::new(Self { objects, manifest: Mutex::new(manifest), data_sources, supervisors, _lock: lock }))
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

    /// Creates a datasource or changes its schema and its supervisor's spec. Nothing of it may be open: cut before.
    pub async fn put_supervisor(
        &self,
        name: &DataSourceName,
        schema: DataSourceSchema,
        spec: serde_json::Value,
        suspended: bool,
    ) -> Result<(), StoreError> {
        let change = Change::PutSupervisor { data_source: name.clone(), schema: schema.clone(), spec, suspended };
        self.change(change).await?;
        if let Some(known) = self.data_source(name.as_str()) {
            known.set_schema(schema);
        } else {
            let manifest = self.manifest.lock().await;
            let state = manifest.state().data_source(name)?;
            let created = Arc::new(DataSource::new(name.clone(), state, &self.objects, false));
            self.data_sources.rcu(|known| {
                let mut next = BTreeMap::clone(known);
                next.insert(name.clone(), created.clone());
                next
            });
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
    /// After an error nothing is published and the rows are still queryable; the same cut may be published again.
    pub async fn publish(
        &self,
        data_source: &DataSource,
        frozen: &Frozen,
        consumed: Consumed,
    ) -> Result<Vec<SegmentMeta>, StoreError> {
        let commit_id = self.manifest.lock().await.next_commit_id();
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
        let mut manifest = self.manifest.lock().await;
        manifest.commit(commit_id, Change::Publish(publish), clock::now()).await?;
        let published = added.iter().map(|meta| Arc::new(PublishedSegment::new(meta.clone(), self.objects.clone())));
        data_source.swap(published.collect(), frozen);
        data_source.set_progress(Progress::of(manifest.state().data_source(data_source.name())?));
        Ok(added)
    }

    /// Sorts and encodes on a thread that may be busy, then writes durably.
    async fn write_segment(
        &self,
        id: SegmentId,
        rows: Arc<OpenRows>,
        consumed: Vec<ConsumedRange>,
    ) -> Result<SegmentMeta, StoreError> {
        let build = move || -> Result<(SegmentMeta, Vec<u8>), StoreError> {
            let (time_min, time_max) = rows.time_bounds().expect("a cut has no empty segments");
            let sorted = sort(&rows);
            let (row_count, events) = (sorted.row_count() as u64, rows.events());
            let provenance =
                Provenance { id: &id, rows: row_count, events, schema: rows.schema(), consumed: &consumed };
            let bytes = encode_parquet(&sorted, &provenance)?;
            let meta = SegmentMeta {
                path: id.path(),
                id,
                bytes: bytes.len() as u64,
                blake3: blake3::hash(&bytes).to_hex().to_string(),
                rows: row_count,
                events,
                time_min,
                time_max,
            };
            Ok((meta, bytes))
        };
        let built = tokio::task::spawn_blocking(build).await;
        let (meta, bytes) = built.expect("building a segment does not panic")?;
        if !self.objects.put_if_absent(&meta.path, bytes.into()).await? {
            let taken = std::io::ErrorKind::AlreadyExists.into();
            return Err(StoreError::File { action: "create", path: meta.path, source: taken });
        }
        Ok(meta)
    }

    /// Commits a change of the control plane and shows it.
    async fn change(&self, change: Change) -> Result<(), StoreError> {
        let mut manifest = self.manifest.lock().await;
        let commit_id = manifest.next_commit_id();
        manifest.commit(commit_id, change, clock::now()).await?;
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
