//! Reads a data directory or a bucket without becoming its writer: for tools, also beside a running server.

use std::ops::Bound;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use henge_indexing::{CodeSetCache, NumberTest, Predicate};

use crate::error::StoreError;
use crate::manifest::{ManifestLog, ManifestState};
use crate::objects::Objects;
use crate::schema::TIME_COLUMN;
use crate::segment::{Footer, FooterError, ParquetSegment, SegmentMeta, ServingError, ServingSegment, encode_serving};
use crate::segment_reader::{Batches, SegmentReader};
use crate::store::StoreOptions;
use crate::time::Interval;

/// Read first: holds the footer of all but very wide segments.
const FOOTER_BYTES: u64 = 64 << 10;

/// Changes nothing, not even by opening.
#[derive(Debug, Clone)]
pub struct StoreReader {
    pub(crate) objects: Objects,
}

impl StoreReader {
    /// Finds out where the durable objects are; nothing is read yet.
    pub fn new(options: &StoreOptions) -> Result<Self, StoreError> {
        Ok(Self { objects: Objects::of(&options.data_dir, options.object_store.as_deref())? })
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

    /// A segment's rows in `interval` as a query would see them, from its Parquet file: the columns that `projected`
    /// names, null where the segment has none, promoted where it has a narrower kind. Takes all of the segment's rows
    /// into memory.
    pub async fn rows(
        &self,
        meta: &SegmentMeta,
        projected: SchemaRef,
        interval: Interval,
    ) -> Result<Batches, StoreError> {
        let (file, id) = (self.file(meta).await?, meta.id.clone());
        let read = move || {
            let unreadable = |source| StoreError::Parquet { id: id.clone(), source };
            let rows = ParquetSegment::open(file).and_then(|file| file.rows()).map_err(unreadable)?;
            let (start, end) = (Bound::Included(interval.start().0), Bound::Excluded(interval.end().0));
            let test = NumberTest::Range { lower: start, upper: end };
            let in_interval = Predicate::Long { column: TIME_COLUMN.into(), test };
            let corrupt = |error: ServingError| StoreError::Corrupt { id: id.clone(), detail: error.to_string() };
            let cache = Arc::new(CodeSetCache::new(0));
            let serving = ServingSegment::from_bytes(encode_serving(&rows, [0; 32]).into(), &cache).map_err(corrupt)?;
            drop(rows);
            let reader = SegmentReader::Published(id.clone(), Arc::new(serving));
            let wanted = reader.evaluate(&in_interval, true)?;
            Ok(reader.batches(projected, &wanted))
        };
        tokio::task::spawn_blocking(read).await.expect("reading rows does not panic")
    }
}

fn missing(meta: &SegmentMeta) -> StoreError {
    StoreError::File { action: "read", path: meta.path.clone(), source: std::io::ErrorKind::NotFound.into() }
}
