//! A segment that the manifest names: its serving form when a query needs it, made again where it is missing or damaged.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::SegmentMeta;
use super::parquet_reader::ParquetSegment;
use super::serving::{ServingError, ServingSegment, encode_serving};
use crate::error::{StoreError, with_sources};
use crate::objects::Objects;
use crate::serving_cache::ServingCache;

/// How long a damaged segment is left alone before a query looks whether a good copy is back.
const RETRY_AFTER: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_secs(2) };

/// Where the files of segments lie.
#[derive(Debug)]
pub struct SegmentFiles {
    pub objects: Objects,
    pub cache: ServingCache,
}

/// A segment that the manifest names. Nothing of it is read before a query needs it.
#[derive(Debug)]
pub struct PublishedSegment {
    pub meta: SegmentMeta,
    files: Arc<SegmentFiles>,
    /// Held while the serving form is made again, so that it is made once.
    making: Mutex<()>,
    /// Held for a moment.
    damage: Mutex<Option<Damage>>,
}

/// Why a segment is in quarantine.
#[derive(Debug, Clone)]
pub struct Damage {
    pub detail: String,
    /// When it was last looked at.
    pub seen: Instant,
}

impl PublishedSegment {
    pub fn new(meta: SegmentMeta, files: Arc<SegmentFiles>) -> Self {
        Self { meta, files, making: Mutex::new(()), damage: Mutex::new(None) }
    }

    /// The serving form with `columns` checked and ready. Blocking: it is made from the Parquet file where there is none,
    /// or where it is another segment's or damaged.
    ///
    /// What is being made is made to its end, also when the query that waits for it passes its deadline meanwhile: that
    /// takes a fraction of a second for a million rows, nothing else would be of use to the next query, and each segment
    /// of a query makes at most one.
    ///
    /// Fails with the segment's id while it is in quarantine: neither its serving form nor its Parquet file is whole.
    pub fn serving(&self, columns: &[&str]) -> Result<Arc<ServingSegment>, StoreError> {
        if let Some(serving) = self.cached(columns) {
            return Ok(serving);
        }
        // A panic while it was made left nothing half done: files get their names when they are whole.
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        // Another query may have made it meanwhile.
        if let Some(serving) = self.cached(columns) {
            self.release();
            return Ok(serving);
        }
        if let Some(damage) = self.damage().filter(|damage| damage.seen.elapsed() < RETRY_AFTER) {
            return Err(self.corrupt(damage.detail));
        }
        match self.rebuild() {
            Ok(serving) => {
                if self.damage_state().take().is_some() {
                    tracing::info!(segment = %self.meta.id, "a good copy is back");
                }
                Ok(serving)
            }
            Err(error) => {
                tracing::error!(segment = %self.meta.id, %error, "a segment cannot be read");
                self.quarantine(detail_of(&error));
                Err(error)
            }
        }
    }

    /// Whether its serving form is there, as far as the cache knows.
    pub fn has_serving(&self) -> bool {
        self.files.cache.contains(&self.meta.id)
    }

    /// Why it is in quarantine, if it is.
    pub fn damage(&self) -> Option<Damage> {
        self.damage_state().clone()
    }

    /// Puts it into quarantine: until a good copy is back, queries that have no whole serving form fail.
    pub fn quarantine(&self, detail: String) {
        *self.damage_state() = Some(Damage { detail, seen: Instant::now() });
    }

    /// Ends the quarantine: its Parquet file was found whole.
    pub fn release(&self) {
        *self.damage_state() = None;
    }

    /// The Parquet file's bytes, after length and digest were found to be the manifest's. Blocking.
    ///
    /// Parquet itself notices next to no damage: most flipped bits would give a wrong answer.
    pub fn parquet(&self) -> Result<Bytes, StoreError> {
        let path = &self.meta.path;
        let not_found =
            || StoreError::File { action: "read", path: path.clone(), source: std::io::ErrorKind::NotFound.into() };
        let bytes = match &self.files.objects {
            Objects::Local(root) => std::fs::read(root.join(path))
                .map(Bytes::from)
                .map_err(|source| StoreError::File { action: "read", path: path.clone(), source })?,
            remote @ Objects::Remote(_) => {
                let get = remote.get(path);
                tokio::runtime::Handle::current().block_on(get)?.ok_or_else(not_found)?
            }
        };
        self.meta.check(&bytes).map_err(|detail| self.corrupt(detail))?;
        Ok(bytes)
    }

    /// Forgets the serving form, so that the next query makes it anew.
    pub fn discard_serving(&self) {
        self.files.cache.discard(&self.meta.id);
    }

    /// Where its serving form lies, or would lie.
    pub fn serving_path(&self) -> PathBuf {
        self.files.cache.path(&self.meta.id)
    }

    #[cfg(test)]
    pub(crate) fn close_serving(&self) {
        self.files.cache.close(&self.meta.id);
    }

    fn cached(&self, columns: &[&str]) -> Option<Arc<ServingSegment>> {
        let id = &self.meta.id;
        let opened = self.files.cache.get(id).and_then(|serving| match serving {
            Some(serving) => self.check(&serving, columns).map(|()| Some(serving)),
            None => Ok(None),
        });
        match opened {
            Ok(serving) => serving,
            Err(error) => {
                tracing::warn!(segment = %id, %error, "a serving form is made anew");
                self.files.cache.discard(id);
                None
            }
        }
    }

    /// It holds this segment's rows (invariants S3, S4), and the columns are whole.
    fn check(&self, serving: &ServingSegment, columns: &[&str]) -> Result<(), ServingError> {
        if !self.meta.is_source_of(serving) || u64::from(serving.row_count()) != self.meta.rows {
            return Err(ServingError::OtherSegment);
        }
        columns.iter().try_for_each(|column| serving.column(column).map(|_| ()))
    }

    fn rebuild(&self) -> Result<Arc<ServingSegment>, StoreError> {
        let started = Instant::now();
        let bytes = self.meta.serving_from(self.parquet()?)?;
        let elapsed_ms = started.elapsed().as_millis() as u64;
        tracing::info!(segment = %self.meta.id, rows = self.meta.rows, bytes = bytes.len(), elapsed_ms, "made a serving form");
        self.install(bytes)
    }

    /// Keeps a serving form in the cache and opens it; one that cannot be kept is used from memory.
    fn install(&self, bytes: Vec<u8>) -> Result<Arc<ServingSegment>, StoreError> {
        let id = &self.meta.id;
        let unusable = |error: ServingError| self.corrupt(format!("its serving form, just made: {error}"));
        match self.files.cache.insert(id, &bytes) {
            Ok(()) => {
                if let Some(serving) = self.files.cache.get(id).map_err(unusable)? {
                    return Ok(serving);
                }
            }
            Err(error) => tracing::warn!(segment = %id, %error, "a serving form cannot be kept"),
        }
        self.files.cache.open_in_memory(bytes).map(Arc::new).map_err(unusable)
    }

    fn corrupt(&self, detail: String) -> StoreError {
        StoreError::Corrupt { id: self.meta.id.clone(), detail }
    }

    fn damage_state(&self) -> MutexGuard<'_, Option<Damage>> {
        self.damage.lock().expect("no code panics while it holds the damage")
    }
}

fn detail_of(error: &StoreError) -> String {
    match error {
        StoreError::Corrupt { detail, .. } => detail.clone(),
        other => with_sources(other),
    }
}

impl SegmentMeta {
    /// Whether a serving form was made from this segment's Parquet file.
    pub(crate) fn is_source_of(&self, serving: &ServingSegment) -> bool {
        blake3::Hash::from_bytes(*serving.source()).to_hex().as_str() == self.blake3
    }

    /// The bytes of a serving form, from a Parquet file that [`check`](Self::check) found to be this segment's.
    pub(crate) fn serving_from(&self, parquet: Bytes) -> Result<Vec<u8>, StoreError> {
        let digest = blake3::Hash::from_hex(&self.blake3).expect("a digest that was compared with is one");
        let unreadable = |source| StoreError::Parquet { id: self.id.clone(), source };
        let rows = ParquetSegment::open(parquet).and_then(|file| file.rows()).map_err(unreadable)?;
        Ok(encode_serving(&rows, *digest.as_bytes()))
    }

    /// Whether bytes are the file that was published; the error says how they differ.
    pub fn check(&self, bytes: &[u8]) -> Result<(), String> {
        if bytes.len() as u64 != self.bytes {
            return Err(format!("it has {} bytes instead of {}", bytes.len(), self.bytes));
        }
        if blake3::hash(bytes).to_hex().as_str() != self.blake3 {
            return Err("its digest is not the manifest's".to_owned());
        }
        Ok(())
    }
}
