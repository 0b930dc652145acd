//! What happens to segments after they are published: they are merged, retired, and their files deleted.

use std::collections::HashSet;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::Store;
use crate::clock;
use crate::compaction::{self, CompactionTask, Scope, Urgency};
use crate::data_source::DataSource;
use crate::error::StoreError;
use crate::ledger::RefusedSample;
use crate::manifest::{Change, DataSourceState, Publish};
use crate::retention::{self, Retirement, Rule};
use crate::schema::DataSourceName;
use crate::segment::{PublishedSegment, SegmentFile, SegmentId, SegmentMeta};
use crate::sweep::{Swept, UnusedFiles};
use crate::time::TimestampMs;
use crate::upkeep::CompactionTarget;

/// What upkeep remembers between its rounds.
#[derive(Debug, Default)]
pub(super) struct UpkeepState {
    /// Commits whose files are written and whose records are not.
    in_flight: HashSet<String>,
    /// Segments that left the timeline, until no query holds them.
    retired: Vec<Arc<PublishedSegment>>,
    unused: UnusedFiles,
}

/// Keeps the files of a commit from being swept until this is dropped.
#[derive(Debug)]
pub struct CommitInFlight<'a> {
    store: &'a Store,
    id: String,
}

impl CommitInFlight<'_> {
    pub fn as_str(&self) -> &str {
        &self.id
    }
}

impl Drop for CommitInFlight<'_> {
    fn drop(&mut self) {
        self.store.upkeep().in_flight.remove(&self.id);
    }
}

/// Segments that retention has retired, by the rule that did.
#[derive(Debug, Clone, PartialEq)]
pub struct Retired {
    pub data_source: DataSourceName,
    pub rule: Rule,
    pub segments: Vec<SegmentId>,
    pub events: u64,
    pub bytes: u64,
}

impl Store {
    /// The retention rules that an operator has set; those of the supervisor's spec come after them.
    pub async fn rules(&self, name: &DataSourceName) -> Result<Vec<Rule>, StoreError> {
        Ok(self.manifest.lock().await.state().data_source(name)?.rules.clone())
    }

    /// All retention rules in the order in which they are asked: an operator's, then those of the supervisor's spec.
    pub async fn retention_rules(&self, name: &DataSourceName) -> Result<Vec<Rule>, StoreError> {
        Ok(self.manifest.lock().await.state().data_source(name)?.retention_rules().cloned().collect())
    }

    /// Sets an operator's retention rules, in the order in which they are asked; none at all leaves the decision to the
    /// spec. They take effect with the next upkeep.
    pub async fn set_rules(&self, name: &DataSourceName, rules: Vec<Rule>) -> Result<(), StoreError> {
        self.change(Change::SetRules { data_source: name.clone(), rules }).await
    }

    /// What compaction would do now, over all datasources: the most urgent first.
    pub async fn plan_compaction(&self, urgency: Urgency, now: TimestampMs) -> Vec<(DataSourceName, CompactionTask)> {
        let manifest = self.manifest.lock().await;
        let of_data_source = |(name, state): (&DataSourceName, &DataSourceState)| {
            let scope = Scope { schema: &state.schema, policy: &state.upkeep, urgency };
            let tasks = compaction::plan(scope, state.segments.values(), now);
            tasks.into_iter().map(|task| (name.clone(), task)).collect::<Vec<_>>()
        };
        let mut tasks: Vec<_> = manifest.state().data_sources.iter().flat_map(of_data_source).collect();
        tasks.sort_by_key(|(_, task)| (task.purpose, std::cmp::Reverse(task.chunk.start())));
        tasks
    }

    /// Retires what the rules of every datasource no longer keep, each rule's segments in one record.
    pub async fn apply_retention(&self, now: TimestampMs) -> Result<Vec<Retired>, StoreError> {
        let mut done = Vec::new();
        for name in self.data_sources() {
            let planned = {
                let manifest = self.manifest.lock().await;
                let state = manifest.state().data_source(&name)?;
                let rules: Vec<Rule> = state.retention_rules().cloned().collect();
                retention::plan(&rules, state.segments.values(), now)
            };
            for retirement in planned {
                done.push(self.retire(&name, retirement, now).await?);
            }
        }
        Ok(done)
    }

    async fn retire(
        &self,
        name: &DataSourceName,
        Retirement { rule, segments }: Retirement,
        now: TimestampMs,
    ) -> Result<Retired, StoreError> {
        let mut manifest = self.manifest.lock().await;
        let before = manifest.state().data_source(name)?.retired;
        let commit_id = manifest.next_commit_id();
        let (data_source, reason) = (name.clone(), rule.to_string());
        let change = Change::Retire { data_source, segments: segments.clone(), reason };
        let committed = manifest.commit(commit_id, change, now).await;
        self.follow(&mut manifest);
        committed?;
        let after = manifest.state().data_source(name)?.retired;
        if let Some(data_source) = self.data_source(name.as_str()) {
            self.take_from_timeline(&data_source, &[], &segments);
        }
        let (events, bytes) = (after.events - before.events, after.bytes - before.bytes);
        Ok(Retired { data_source: name.clone(), rule, segments, events, bytes })
    }

    /// Deletes the files that nothing has needed for the grace period (invariant G1): no manifest state, no query that
    /// still holds a retired segment, no publish in flight. Also what was never finished.
    ///
    /// Files that the process of another slot made are left to it: only that one knows which of them it is about to
    /// publish. Its queries may hold what was retired here for as long as the grace period lasts.
    ///
    /// Fails with `Fenced` when another process has this one's slot: what it writes is unknown here.
    pub async fn sweep(&self, grace: Duration) -> Result<Swept, StoreError> {
        self.release_retired();
        let files = self.files.objects.walk("").await?;
        // Read after the files were listed: what was published before it is named, what came later is not listed.
        let (used, others) = self.used_paths().await?;
        let now = (Instant::now(), clock::now());
        let in_flight = self.upkeep().in_flight.clone();
        let is_used = |path: &str| {
            used.contains(path)
                || in_flight.iter().any(|commit| path.contains(commit.as_str()))
                || SegmentId::epoch_of_path(path).is_some_and(|epoch| others.contains(&epoch))
        };
        let due: Vec<_> = self.upkeep().unused.due(&files, is_used, now, grace).into_iter().cloned().collect();
        let mut swept = Swept::default();
        for file in due {
            self.files.objects.delete(&file.path).await?;
            swept.files += 1;
            swept.bytes += file.bytes;
        }
        Ok(swept)
    }

    /// Paths that are needed, and the epochs of other slots' writers.
    async fn used_paths(&self) -> Result<(HashSet<String>, HashSet<u64>), StoreError> {
        let mut manifest = self.manifest.lock().await;
        manifest.refresh().await?;
        self.follow(&mut manifest);
        manifest.check_is_writer()?;
        let named = manifest.state().data_sources.values().flat_map(|state| state.segments.values());
        let mut used: HashSet<String> = named.map(|meta| meta.path.clone()).collect();
        // A query takes its segments from a timeline; what left one is in `retired` until no query holds it.
        for data_source in self.data_sources.load().values() {
            used.extend(data_source.published_segments().iter().map(|segment| segment.meta.path.clone()));
        }
        used.extend(self.upkeep().retired.iter().map(|segment| segment.meta.path.clone()));
        let (_, ours) = manifest.writer();
        let others = manifest.state().slots.values().copied().filter(|epoch| *epoch != ours);
        Ok((used, others.collect()))
    }

    /// Lets go of retired segments that no query holds any more, and of their serving forms.
    fn release_retired(&self) {
        let mut upkeep = self.upkeep();
        let (held, free): (Vec<_>, Vec<_>) =
            std::mem::take(&mut upkeep.retired).into_iter().partition(|segment| Arc::strong_count(segment) > 1);
        upkeep.retired = held;
        drop(upkeep);
        free.iter().for_each(|segment| segment.discard_serving());
    }

    /// A name for the files of a publish; they are not swept while it is held.
    pub(super) async fn begin_commit(&self) -> CommitInFlight<'_> {
        let id = self.manifest.lock().await.next_commit_id();
        self.upkeep().in_flight.insert(id.clone());
        CommitInFlight { store: self, id }
    }

    /// Begins a merge: a name for its files, and the size that they should have.
    pub(crate) async fn begin_merge(
        &self,
        name: &DataSourceName,
    ) -> Result<(CommitInFlight<'_>, CompactionTarget), StoreError> {
        let target = self.manifest.lock().await.state().data_source(name)?.upkeep.compaction;
        Ok((self.begin_commit().await, target))
    }

    pub(crate) async fn write_merged(&self, file: SegmentFile) -> Result<SegmentMeta, StoreError> {
        file.write(&self.files).await
    }

    pub(crate) async fn discard_merged(&self, meta: &SegmentMeta) -> Result<(), StoreError> {
        self.files.cache.discard(&meta.id);
        self.files.objects.delete(&meta.path).await
    }

    /// Puts merged segments in the place of what they were made from, in the manifest and then in the timeline.
    pub(crate) async fn commit_merge(
        &self,
        data_source: &DataSource,
        commit_id: &CommitInFlight<'_>,
        added: &[SegmentMeta],
        retired: &[SegmentId],
    ) -> Result<(), StoreError> {
        let mut manifest = self.manifest.lock().await;
        let publish = Publish {
            data_source: data_source.name().clone(),
            generation: manifest.state().data_source(data_source.name())?.generation,
            added: added.to_vec(),
            retired: retired.to_vec(),
            consumed: Vec::new(),
            refused: RefusedSample::default(),
            gaps: Vec::new(),
        };
        let committed = manifest.commit(commit_id.as_str().to_owned(), Change::Publish(publish), clock::now()).await;
        self.follow(&mut manifest);
        committed?;
        let added: Vec<_> = added.iter().map(|meta| self.published(meta)).collect();
        self.take_from_timeline(data_source, &added, retired);
        Ok(())
    }

    pub(super) fn take_from_timeline(
        &self,
        data_source: &DataSource,
        added: &[Arc<PublishedSegment>],
        retired: &[SegmentId],
    ) {
        let left = data_source.replace(added, retired);
        self.upkeep().retired.extend(left);
    }

    pub(super) fn published(&self, meta: &SegmentMeta) -> Arc<PublishedSegment> {
        Arc::new(PublishedSegment::new(meta.clone(), self.files.clone()))
    }

    fn upkeep(&self) -> MutexGuard<'_, UpkeepState> {
        self.upkeep.lock().expect("no code panics while it holds the state of upkeep")
    }
}
