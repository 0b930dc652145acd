//! What records that this process read, and did not write just now, mean to what it shows: those of other slots, those of
//! whoever has taken this one over, and its own ones whose puts seemed to have failed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};

use super::{Store, supervisors_of};
use crate::data_source::{DataSource, Frozen, Progress};
use crate::error::StoreError;
use crate::manifest::{Changed, DataSourceState, ManifestLog};
use crate::schema::DataSourceName;
use crate::segment::{PublishedSegment, SegmentId, SegmentMeta};
use crate::slot::Slot;

const NO_PANIC: &str = "no code panics while it holds the names of commits";

impl Store {
    /// The partitions that this process reads.
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Grows whenever something was shown that this process did not write just now.
    pub fn changes_followed(&self) -> u64 {
        self.followed.load(Ordering::Acquire)
    }

    /// Reads what other processes have written, and shows what they published.
    ///
    /// Fails with `Fenced` once another process has this one's slot. What is not published here is forgotten then, and
    /// nothing more can be appended, because the other one reads it too; what is published can still be asked.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let mut manifest = self.manifest.lock().await;
        manifest.refresh().await?;
        self.follow(&mut manifest);
        manifest.check_is_writer()
    }

    /// Brings every timeline up to the manifest, also where a merge or a retirement took effect though its commit seemed
    /// to fail. Returns the number of datasources that were behind; fails with `Fenced` as [`refresh`](Self::refresh) does.
    pub async fn reconcile(&self) -> Result<usize, StoreError> {
        let mut manifest = self.manifest.lock().await;
        manifest.refresh().await?;
        self.follow(&mut manifest);
        manifest.check_is_writer()?;
        let mut behind = 0;
        for (name, data_source) in self.data_sources.load().iter() {
            let state = manifest.state().data_source(name)?;
            behind += usize::from(self.bring_up(data_source, state, manifest.writer().1));
        }
        Ok(behind)
    }

    /// Takes over the schema that another process has put. Nothing of the datasource may be open.
    pub async fn adopt_schema(&self, name: &DataSourceName) -> Result<(), StoreError> {
        let manifest = self.manifest.lock().await;
        let state = manifest.state().data_source(name)?;
        let Some(data_source) = self.data_source(name.as_str()) else { return Ok(()) };
        if *data_source.schema() != state.schema {
            data_source.set_schema(state.schema.clone());
            self.bring_up(&data_source, state, manifest.writer().1);
        }
        Ok(())
    }

    /// Shows what the manifest has read since the last call. Comes after everything that may have read records, before the
    /// manifest is let go.
    pub(super) fn follow(&self, manifest: &mut ManifestLog) {
        if manifest.check_is_writer().is_err() {
            self.data_sources.load().values().for_each(|data_source| data_source.fence());
        }
        if **self.datasets.load() != manifest.state().datasets {
            self.datasets.store(Arc::new(manifest.state().datasets.clone()));
        }
        let changed = manifest.take_changed();
        if changed.is_empty() {
            return;
        }
        for (name, changed) in changed {
            let Ok(state) = manifest.state().data_source(&name) else { continue };
            self.follow_one(&name, state, changed, manifest.writer().1);
        }
        self.supervisors.store(Arc::new(supervisors_of(manifest.state())));
        self.followed.fetch_add(1, Ordering::AcqRel);
    }

    fn follow_one(&self, name: &DataSourceName, state: &DataSourceState, changed: Changed, epoch: u64) {
        let Some(data_source) = self.data_source(name.as_str()) else {
            return self.show(DataSource::new(name.clone(), state, &self.files, false));
        };
        if !changed.own_cuts.is_empty() {
            // One cut at a time is on its way, so what is frozen is what was published.
            data_source.forget_frozen();
            self.found_cuts().extend(changed.own_cuts);
        }
        self.bring_up(&data_source, state, epoch);
        data_source.set_progress(Progress::of(state));
    }

    /// Whether an earlier attempt to publish a cut turned out to have taken effect.
    pub(super) fn is_found(&self, frozen: &Frozen) -> bool {
        let attempts = frozen.attempts.lock().expect(NO_PANIC);
        let mut found = self.found_cuts();
        attempts.iter().any(|attempt| found.remove(attempt))
    }

    fn found_cuts(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.found_cuts.lock().expect(NO_PANIC)
    }

    /// Makes a datasource known.
    pub(super) fn show(&self, created: DataSource) {
        let created = Arc::new(created);
        self.data_sources.rcu(|known| {
            let mut next = BTreeMap::clone(known);
            next.insert(created.name().clone(), created.clone());
            next
        });
    }

    /// Brings one timeline up to the manifest in one step. Returns whether it was behind.
    pub(super) fn bring_up(&self, data_source: &DataSource, state: &DataSourceState, epoch: u64) -> bool {
        if *data_source.schema() != state.schema {
            // What is written by a wider schema can be read once that is adopted.
            return false;
        }
        let shown: BTreeSet<SegmentId> =
            data_source.published_segments().iter().map(|segment| segment.meta.id.clone()).collect();
        let gone: Vec<SegmentId> = shown.iter().filter(|id| !state.segments.contains_key(id)).cloned().collect();
        // Segments of an own cut replace its frozen rows, which only its publisher does.
        let is_own_cut = |meta: &SegmentMeta| meta.merged.is_none() && meta.id.epoch() == Some(epoch);
        let waits = data_source.open_stats().frozen_rows > 0;
        let came = state.segments.values().filter(|meta| !shown.contains(&meta.id) && (!waits || !is_own_cut(meta)));
        let came: Vec<Arc<PublishedSegment>> = came.map(|meta| self.published(meta)).collect();
        if came.is_empty() && gone.is_empty() {
            return false;
        }
        self.take_from_timeline(data_source, &came, &gone);
        true
    }
}
