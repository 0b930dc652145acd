//! Published segments of one time chunk: a Parquet file that is the truth, a serving form that queries read.
//!
//! sorted rows -> Parquet file + serving form -> published -> (Parquet file -> sorted rows -> serving form, when needed)

mod file;
mod footer;
mod id;
mod parquet_reader;
mod parquet_writer;
mod provenance;
mod published;
mod serving;
mod sorted_rows;

pub use file::SegmentFile;
pub use footer::{FileColumn, Footer, FooterError};
pub use id::{MergeHistory, SegmentId, SegmentMeta};
pub use parquet_reader::ParquetSegment;
pub use parquet_writer::encode_parquet;
pub use provenance::{PROVENANCE_KEY, Provenance};
pub use published::{Damage, PublishedSegment, SegmentFiles};
pub use serving::{
    ColumnLayout, FORMAT_VERSION, SectionPlace, ServingBatches, ServingError, ServingSegment, TextLayout,
    encode_serving,
};
#[cfg(any(test, feature = "test-support"))]
pub(crate) use serving::{footer_repaired, sections_repaired};
pub use sorted_rows::{SketchBytes, SortedColumn, SortedRows, Strings, TextValues, Values};

#[cfg(test)]
mod tests;
