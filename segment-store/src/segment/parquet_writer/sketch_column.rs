//! Columns of sketches: bytes that seldom repeat and have no order, so neither a dictionary nor bounds.

use std::ops::Range;

use parquet::basic::Encoding;
use parquet::data_type::ByteArray;
use parquet::errors::Result;
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

use super::chunk::{Chunk, PageCompressor};
use super::text_column::{append_plain, page_rows};
use super::way::{Values, Way};
use crate::segment::sorted_rows::SketchBytes;

/// Encodes some rows of a column.
pub fn encode_sketches(
    sketches: &SketchBytes,
    rows: Range<usize>,
    column: ColumnDescPtr,
    compressor: &mut PageCompressor,
) -> Result<Chunk> {
    let is_valid: Vec<bool> = rows.clone().map(|row| sketches.get(row).is_some()).collect();
    let present: Vec<&[u8]> = rows.filter_map(|row| sketches.get(row)).collect();
    let longest = present.iter().map(|sketch| sketch.len()).max().unwrap_or(0);
    let mut way = Way::plain(Encoding::PLAIN, |range: Range<usize>, out: &mut Vec<u8>| {
        present[range].iter().for_each(|sketch| append_plain(sketch, out));
    });
    way.page_rows = page_rows(longest);
    let validity = is_valid.contains(&false).then(|| is_valid.into());
    let statistics = |nulls| Statistics::byte_array(None::<ByteArray>, None, None, Some(nulls), false);
    Values { count: present.len(), validity, ways: vec![way] }.write(statistics, column, compressor)
}
