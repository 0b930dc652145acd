//! Parquet files of any bytes.

use bytes::Bytes;

use crate::segment::ParquetSegment;

/// Reads a segment's Parquet file.
///
/// parquet-rs is not made for bytes that its writer did not write: it may panic, or ask for any amount of memory. So a
/// file's digest is checked before it is opened, and this target looks for what we add to that.
pub fn parquet_segment(bytes: &[u8]) -> bool {
    let Ok(segment) = ParquetSegment::open(Bytes::copy_from_slice(bytes)) else { return false };
    let Ok(rows) = segment.rows() else { return false };
    assert_eq!(rows.row_count() as u64, segment.provenance().rows);
    true
}
