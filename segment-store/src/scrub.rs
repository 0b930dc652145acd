//! Reads the files of live segments again and again, slowly, so that damage is found before a query needs the file.
//!
//! plan (what next, when) -> Parquet file against the manifest's digest -> serving form against its checksums

mod plan;

use std::sync::Arc;
use std::time::{Duration, Instant};

use henge_indexing::CodeSetCache;

use self::plan::{NextScrub, Pace, ScrubPlan};
use crate::error::{StoreError, with_sources};
use crate::objects::Objects;
use crate::segment::{PublishedSegment, SegmentId, SegmentMeta, ServingSegment};
use crate::store::Store;
use crate::time::TimestampMs;

pub use plan::ScrubPolicy;

/// Read at once: small enough that rests between pieces are short.
const PIECE_BYTES: u64 = 1 << 20;

/// The scrub of one store, with its place in the pass.
#[derive(Debug)]
pub struct Scrub {
    plan: ScrubPlan,
    pace: Pace,
    counts: ScrubCounts,
}

/// What was done since the scrub began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScrubCounts {
    /// Segments that were read, each as often as it was.
    pub segments: u64,
    /// Of Parquet files and serving forms.
    pub bytes: u64,
    /// Segments that went into quarantine.
    pub damaged: u64,
    /// Segments whose quarantine ended because a good copy was back.
    pub restored: u64,
    /// Serving forms that were thrown away.
    pub serving_discarded: u64,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScrubStep {
    /// Looked at a segment; there may be another.
    Checked,
    /// Nothing is due for so long.
    Idle(Duration),
}

/// What a segment's Parquet file is like.
enum FileState {
    Whole,
    Damaged(String),
    /// It could not be read, which says nothing about it.
    Unknown(StoreError),
}

impl Scrub {
    pub fn new(policy: ScrubPolicy) -> Self {
        Self { plan: ScrubPlan::new(policy), pace: Pace::new(policy.bytes_per_s), counts: ScrubCounts::default() }
    }

    pub fn counts(&self) -> ScrubCounts {
        self.counts
    }

    /// Reads the next segment's files at the scrub's pace. A damaged Parquet file puts its segment into quarantine, a whole
    /// one ends it; a damaged serving form is thrown away. May be dropped at any time: what was begun is begun again.
    pub async fn step(&mut self, store: &Store, now: TimestampMs) -> ScrubStep {
        let segments = live(store);
        let states: Vec<_> =
            segments.iter().map(|segment| (segment.meta.id.clone(), segment.damage().is_some())).collect();
        let id = match self.plan.next(&states, now) {
            NextScrub::Wait(until) => return ScrubStep::Idle(until_then(now, until)),
            NextScrub::Check(id) => id,
        };
        let segment = segments.iter().find(|segment| segment.meta.id == id).expect("the plan chooses among these");
        self.check(store, segment).await;
        self.counts.segments += 1;
        self.plan.checked(&id, segment.damage().is_some(), now);
        ScrubStep::Checked
    }

    async fn check(&mut self, store: &Store, segment: &Arc<PublishedSegment>) {
        let id = &segment.meta.id;
        match self.file_state(store.objects(), &segment.meta).await {
            FileState::Whole => {
                if segment.damage().is_some() {
                    segment.release();
                    self.counts.restored += 1;
                    tracing::info!(segment = %id, "a good copy is back");
                }
            }
            // The sweep may have removed it meanwhile.
            FileState::Damaged(detail) if is_live(store, id) => {
                if segment.damage().is_none() {
                    self.counts.damaged += 1;
                    tracing::error!(segment = %id, detail, "a segment is damaged: restore its file from a backup");
                }
                segment.quarantine(detail);
            }
            FileState::Damaged(_) => {}
            FileState::Unknown(error) => {
                tracing::warn!(segment = %id, error = with_sources(&error), "a segment cannot be scrubbed");
            }
        }
        self.check_serving(segment).await;
    }

    async fn file_state(&mut self, objects: &Objects, meta: &SegmentMeta) -> FileState {
        match objects.size(&meta.path).await {
            Ok(Some(bytes)) if bytes == meta.bytes => {}
            Ok(Some(bytes)) => {
                return FileState::Damaged(format!("it has {bytes} bytes instead of {}", meta.bytes));
            }
            Ok(None) => return FileState::Damaged("its file is not there".to_owned()),
            Err(error) => return FileState::Unknown(error),
        }
        match self.digest(objects, meta).await {
            Ok(digest) if digest.to_hex().as_str() == meta.blake3 => FileState::Whole,
            Ok(_) => FileState::Damaged("its digest is not the manifest's".to_owned()),
            Err(error) => FileState::Unknown(error),
        }
    }

    async fn digest(&mut self, objects: &Objects, meta: &SegmentMeta) -> Result<blake3::Hash, StoreError> {
        let mut hasher = blake3::Hasher::new();
        let mut start = 0;
        while start < meta.bytes {
            let began = Instant::now();
            let end = meta.bytes.min(start + PIECE_BYTES);
            hasher.update(&objects.range(&meta.path, start..end).await?);
            self.rest_after(end - start, began).await;
            start = end;
        }
        Ok(hasher.finalize())
    }

    async fn check_serving(&mut self, segment: &Arc<PublishedSegment>) {
        if !segment.has_serving() {
            return;
        }
        let began = Instant::now();
        let (path, meta) = (segment.serving_path(), segment.meta.clone());
        let verify = move || -> Result<u64, String> {
            let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
            let serving = ServingSegment::from_bytes(bytes.into(), &Arc::new(CodeSetCache::new(0)))
                .map_err(|error| error.to_string())?;
            serving.verify().map_err(|error| error.to_string())?;
            match meta.is_source_of(&serving) {
                true => Ok(serving.bytes()),
                false => Err("it is of another segment".to_owned()),
            }
        };
        match tokio::task::spawn_blocking(verify).await.unwrap_or_else(|_| Err("a decoder panicked over it".to_owned()))
        {
            Ok(bytes) => self.rest_after(bytes, began).await,
            // Evicted meanwhile.
            Err(_) if !segment.has_serving() => {}
            Err(detail) => {
                tracing::warn!(segment = %segment.meta.id, detail, "a serving form is thrown away");
                segment.discard_serving();
                self.counts.serving_discarded += 1;
            }
        }
    }

    async fn rest_after(&mut self, bytes: u64, began: Instant) {
        self.counts.bytes += bytes;
        let rest = self.pace.rest_after(bytes, began.elapsed());
        if !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
    }
}

/// In the order of ids, which datasources lead.
fn live(store: &Store) -> Vec<Arc<PublishedSegment>> {
    let names = store.data_sources();
    let data_sources = names.iter().filter_map(|name| store.data_source(name.as_str()));
    data_sources.flat_map(|data_source| data_source.published_segments()).collect()
}

fn is_live(store: &Store, id: &SegmentId) -> bool {
    let data_source = store.data_source(id.data_source.as_str());
    data_source.is_some_and(|data_source| data_source.published_segments().iter().any(|live| live.meta.id == *id))
}

fn until_then(now: TimestampMs, until: TimestampMs) -> Duration {
    Duration::from_millis(u64::try_from(until.0 - now.0).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::clock;
    use crate::data_source::DataSource;
    use crate::verify::tests::filled;

    /// Everything is due at once, and nothing waits.
    fn restless() -> Scrub {
        let (pass_every, damaged_every) = (Duration::ZERO, Duration::ZERO);
        Scrub::new(ScrubPolicy { bytes_per_s: u64::MAX, pass_every, damaged_every })
    }

    fn flip(path: &PathBuf, at: usize) {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[at] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }

    fn damaged(usage: &DataSource) -> Vec<(String, String)> {
        let segments = usage.published_segments();
        let damaged =
            segments.iter().filter_map(|segment| Some((segment.meta.id.to_string(), segment.damage()?.detail)));
        damaged.collect()
    }

    #[tokio::test]
    async fn a_damaged_segment_is_quarantined_until_a_good_copy_is_back() {
        let root = tempfile::tempdir().unwrap();
        let (store, usage, metas) = filled(root.path()).await;
        let path = root.path().join("store").join(&metas[2].path);
        let good = std::fs::read(&path).unwrap();
        let mut scrub = restless();
        for _ in 0..metas.len() {
            assert_eq!(scrub.step(&store, clock::now()).await, ScrubStep::Checked);
        }
        let bytes = metas.iter().map(|meta| meta.bytes).sum::<u64>() + store.cache_stats().bytes;
        assert_eq!(scrub.counts(), ScrubCounts { segments: 6, bytes, ..ScrubCounts::default() });
        let id = metas[2].id.to_string();
        type Damaging = (fn(&PathBuf), &'static str);
        let damages: [Damaging; 3] = [
            (|path| flip(path, 70), "its digest is not the manifest's"),
            (|path| std::fs::write(path, [1, 2, 3]).unwrap(), "it has 3 bytes instead of "),
            (|path| std::fs::remove_file(path).unwrap(), "its file is not there"),
        ];
        for (at, (damage, detail)) in damages.into_iter().enumerate() {
            damage(&path);
            while damaged(&usage).is_empty() {
                scrub.step(&store, clock::now()).await;
            }
            let [(damaged_id, found)] = &damaged(&usage)[..] else { panic!("only one is damaged") };
            assert!(*damaged_id == id && found.starts_with(detail), "{damaged_id}: {found}");
            std::fs::write(&path, &good).unwrap();
            // It is looked at before any other.
            scrub.step(&store, clock::now()).await;
            assert_eq!(damaged(&usage), []);
            let counts = scrub.counts();
            assert_eq!((counts.damaged, counts.restored), (at as u64 + 1, at as u64 + 1));
        }
    }

    #[tokio::test]
    async fn a_damaged_serving_form_is_thrown_away_and_nothing_is_quarantined() {
        let root = tempfile::tempdir().unwrap();
        let (store, usage, metas) = filled(root.path()).await;
        let segment = usage.published_segments().swap_remove(1);
        flip(&segment.serving_path(), 9);
        let mut scrub = restless();
        for _ in 0..metas.len() {
            scrub.step(&store, clock::now()).await;
        }
        assert!(!segment.has_serving());
        assert_eq!((scrub.counts().serving_discarded, damaged(&usage)), (1, vec![]));
    }

    #[tokio::test]
    async fn reading_takes_as_long_as_the_rate_says() {
        let root = tempfile::tempdir().unwrap();
        let (store, _usage, metas) = filled(root.path()).await;
        let bytes = metas.iter().map(|meta| meta.bytes).sum::<u64>() + store.cache_stats().bytes;
        let policy = ScrubPolicy { bytes_per_s: bytes * 5, ..ScrubPolicy::default() };
        let (mut scrub, began) = (Scrub::new(policy), Instant::now());
        while scrub.step(&store, clock::now()).await == ScrubStep::Checked {}
        // A fifth of a second, less what is saved up for a rest that never came.
        assert!(began.elapsed() >= Duration::from_millis(190), "{:?}", began.elapsed());
        assert_eq!(scrub.counts().bytes, bytes);
        let ScrubStep::Idle(rest) = scrub.step(&store, clock::now()).await else { panic!("the pass is over") };
        assert!(rest > Duration::from_secs(50) && rest <= Duration::from_secs(60), "{rest:?}");
    }
}
