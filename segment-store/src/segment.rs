//! Published segments: immutable Parquet files of one time chunk.

mod footer;
mod id;
mod parquet_reader;
mod parquet_writer;
mod sorted_rows;

pub use footer::{FileColumn, FileProvenance, Footer, FooterError};
pub use id::{SegmentId, SegmentMeta};
pub use parquet_reader::{Batches, PublishedSegment};
pub use parquet_writer::{Provenance, encode_parquet};
pub use sorted_rows::{SortedColumn, SortedRows, Strings, TextValues, Values};
