//! Parquet files of any bytes.

use bytes::Bytes;

use super::Reach;
use crate::segment::ParquetSegment;

/// Reads a segment's Parquet file: all rows, or one of the columns.
///
/// parquet-rs is not made for bytes that its writer did not write: it may panic, or ask for any amount of memory. So a
/// file's digest is checked before it is opened, and this target looks for what we add to that.
pub fn parquet_segment(bytes: &[u8], reach: Reach) -> bool {
    let Ok(segment) = ParquetSegment::open(Bytes::copy_from_slice(bytes)) else { return false };
    if reach == Reach::All {
        let Ok(rows) = segment.rows() else { return false };
        assert_eq!(rows.row_count() as u64, segment.provenance().rows);
        return true;
    }
    let schema = &segment.provenance().schema;
    let columns = reach.parts(bytes, schema.dimensions.len() + schema.measures.len());
    columns.into_iter().all(|column| segment.column(schema.column_name(column), schema.column_kind(column)).is_ok())
}
