//! Reads a data directory or a bucket without becoming its writer: for tools, also beside a running server.

use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use henge_indexing::{CodeSetCache, NumberTest, Predicate};

use crate::error::StoreError;
use crate::manifest::{ManifestLog, ManifestState};
use crate::objects::Objects;
use crate::schema::TIME_COLUMN;
use crate::segment::{Footer, FooterError, SegmentId, SegmentMeta, ServingSegment};
use crate::segment_reader::{Batches, SegmentReader};
use crate::serving_cache;
use crate::store::StoreOptions;
use crate::time::Interval;

/// Read first: holds the footer of all but very wide segments.
const FOOTER_BYTES: u64 = 64 << 10;

/// Changes nothing, not even by opening.
#[derive(Debug, Clone)]
pub struct StoreReader {
    pub(crate) objects: Objects,
    /// The cache of serving forms.
    serving: PathBuf,
}

impl StoreReader {
    /// Finds out where the durable objects are; nothing is read yet.
    pub fn new(options: &StoreOptions) -> Result<Self, StoreError> {
        let objects = Objects::of(&options.data_dir, options.object_store.as_deref())?;
        Ok(Self { objects, serving: options.serving_directory() })
    }

    /// What the manifest says now.
    pub async fn manifest(&self) -> Result<ManifestState, StoreError> {
        ManifestLog::read(self.objects.clone()).await
    }

    /// A segment's footer, without its rows. Its bytes are not held against the manifest's digest.
    pub async fn footer(&self, meta: &SegmentMeta) -> Result<Footer, StoreError> {
        let corrupt = |detail| StoreError::Corrupt { id: meta.id.clone(), detail };
        let mut wanted = FOOTER_BYTES;
        loop {
            let tail = self.objects.tail(&meta.path, wanted).await?.ok_or_else(|| missing(meta))?;
            match Footer::parse(&tail, meta.bytes.max(tail.len() as u64)) {
                Ok(footer) => return Ok(footer),
                Err(FooterError::NeedsTail(bytes)) if bytes > wanted => wanted = bytes,
                Err(FooterError::NeedsTail(_)) => return Err(corrupt("its footer is cut off".to_owned())),
                Err(FooterError::Invalid(detail)) => return Err(corrupt(detail)),
            }
        }
    }

    /// A segment's whole file, after length and digest were found to be the manifest's.
    pub async fn file(&self, meta: &SegmentMeta) -> Result<Bytes, StoreError> {
        let bytes = self.objects.get(&meta.path).await?.ok_or_else(|| missing(meta))?;
        meta.check(&bytes).map_err(|detail| StoreError::Corrupt { id: meta.id.clone(), detail })?;
        Ok(bytes)
    }

    /// Where a segment's serving form lies if it is in the cache.
    pub fn serving_path(&self, id: &SegmentId) -> PathBuf {
        serving_cache::path_below(&self.serving, id)
    }

    /// A segment's serving form, and whether it comes from the cache; otherwise it is made from the Parquet file, in
    /// memory.
    pub async fn serving(&self, meta: &SegmentMeta) -> Result<(ServingSegment, bool), StoreError> {
        if let Ok(bytes) = tokio::fs::read(self.serving_path(&meta.id)).await
            && let Ok(serving) = ServingSegment::from_bytes(bytes.into(), &Arc::new(CodeSetCache::new(0)))
            && meta.is_source_of(&serving)
        {
            return Ok((serving, true));
        }
        let (file, meta) = (self.file(meta).await?, meta.clone());
        let made = tokio::task::spawn_blocking(move || make_serving(file, &meta)).await;
        Ok((made.expect("making a serving form does not panic")?, false))
    }

    /// A segment's rows in `interval` as a query would see them, from its Parquet file: the columns that `projected`
    /// names, null where the segment has none, promoted where it has a narrower kind. Takes all of the segment's rows
    /// into memory.
    pub async fn rows(
        &self,
        meta: &SegmentMeta,
        projected: SchemaRef,
        interval: Interval,
    ) -> Result<Batches, StoreError> {
        let (file, meta) = (self.file(meta).await?, meta.clone());
        let read = move || {
            let serving = make_serving(file, &meta)?;
            let (start, end) = (Bound::Included(interval.start().0), Bound::Excluded(interval.end().0));
            let test = NumberTest::Range { lower: start, upper: end };
            let reader = SegmentReader::Published(meta.id, Arc::new(serving));
            let wanted = reader.evaluate(&Predicate::Long { column: TIME_COLUMN.into(), test }, true)?;
            Ok(reader.batches(projected, &wanted))
        };
        tokio::task::spawn_blocking(read).await.expect("reading rows does not panic")
    }
}

/// From a Parquet file whose digest was checked.
fn make_serving(file: Bytes, meta: &SegmentMeta) -> Result<ServingSegment, StoreError> {
    let bytes = meta.serving_from(file)?;
    let made = ServingSegment::from_bytes(bytes.into(), &Arc::new(CodeSetCache::new(0)));
    made.map_err(|error| error.of_segment(&meta.id))
}

fn missing(meta: &SegmentMeta) -> StoreError {
    StoreError::File { action: "read", path: meta.path.clone(), source: std::io::ErrorKind::NotFound.into() }
}
