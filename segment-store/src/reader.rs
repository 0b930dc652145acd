//! Reads a data directory or a bucket without becoming its writer: for tools, also beside a running server.

use bytes::Bytes;

use crate::error::StoreError;
use crate::manifest::{ManifestLog, ManifestState};
use crate::objects::Objects;
use crate::segment::{Footer, FooterError, PublishedSegment, SegmentMeta};
use crate::store::StoreOptions;

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
        meta.check(&bytes)?;
        Ok(bytes)
    }

    /// For a segment's rows.
    pub fn segment(&self, meta: &SegmentMeta) -> PublishedSegment {
        PublishedSegment::new(meta.clone(), self.objects.clone())
    }
}

fn missing(meta: &SegmentMeta) -> StoreError {
    StoreError::File { action: "read", path: meta.path.clone(), source: std::io::ErrorKind::NotFound.into() }
}
