//! A segment that was built and is not written yet.

use super::parquet_writer::encode_parquet;
use super::provenance::Provenance;
use super::published::SegmentFiles;
use super::serving::encode_serving;
use super::sorted_rows::SortedRows;
use super::{SegmentId, SegmentMeta};
use crate::clock;
use crate::error::StoreError;
use crate::manifest::ConsumedRange;

/// Both files of a segment, in memory.
#[derive(Debug)]
pub struct SegmentFile {
    pub meta: SegmentMeta,
    parquet: Vec<u8>,
    serving: Vec<u8>,
}

impl SegmentFile {
    /// Encodes rows; busy for a while. `events`: accepted events that the rows stand for. Who merged segments adds their
    /// history to `meta`.
    ///
    /// Panics without rows.
    pub fn build(
        id: SegmentId,
        rows: &SortedRows,
        events: u64,
        consumed: Vec<ConsumedRange>,
        merged_from: Vec<SegmentId>,
    ) -> Result<Self, StoreError> {
        let (time_min, time_max) = rows.time_bounds().expect("a segment has rows");
        assert!(id.chunk.contains(time_min) && id.chunk.contains(time_max), "S2: rows lie in their time chunk");
        let row_count = rows.row_count() as u64;
        let schema = rows.schema.as_ref().clone();
        let provenance = Provenance { id, rows: row_count, events, schema, consumed, merged_from };
        let parquet = encode_parquet(rows, &provenance)?;
        let digest = blake3::hash(&parquet);
        let serving = encode_serving(rows, *digest.as_bytes());
        let meta = SegmentMeta {
            path: provenance.id.path(),
            id: provenance.id,
            bytes: parquet.len() as u64,
            blake3: digest.to_hex().to_string(),
            rows: row_count,
            events,
            time_min,
            time_max,
            query_granularity: Some(rows.schema.query_granularity.clone()),
            written_at: Some(clock::now()),
            merged: None,
        };
        Ok(Self { meta, parquet, serving })
    }

    /// Writes the Parquet file durably, and the serving form into the cache.
    pub async fn write(self, files: &SegmentFiles) -> Result<SegmentMeta, StoreError> {
        let Self { meta, parquet, serving } = self;
        if !files.objects.put_if_absent(&meta.path, parquet.into()).await? {
            let taken = std::io::ErrorKind::AlreadyExists.into();
            return Err(StoreError::File { action: "create", path: meta.path, source: taken });
        }
        if let Err(error) = files.cache.insert(&meta.id, &serving) {
            // The segment is whole without it: the first query makes it again.
            tracing::warn!(segment = %meta.id, %error, "a serving form cannot be kept");
        }
        Ok(meta)
    }
}
