//! The bodies of the fuzz targets, which tests replay over the corpus: whatever the bytes are, no reader panics.
//!
//! bytes -> checksums made right, or not -> open -> read everything, within bounds
//!
//! A body asserts only what holds for any bytes, and returns whether they were taken for what the target reads. What
//! allocates stays within a small multiple of the bytes and of the rows that they claim, which the fuzz targets watch.

use henge_indexing::fuzzing::Body;

mod manifest;
mod parquet;
mod reach;
#[cfg(test)]
mod seeds;
mod serving;

pub use manifest::{manifest_record, manifest_snapshot};
pub use parquet::parquet_segment;
pub use reach::Reach;
pub use serving::{serving_file, serving_footer, serving_sections};

/// Every body, reading all of its input, by the name of its fuzz target and of its folder in the corpus.
pub const TARGETS: [(&str, Body); 6] = [
    ("manifest_record", |bytes| manifest_record(bytes, Reach::All)),
    ("manifest_snapshot", |bytes| manifest_snapshot(bytes, Reach::All)),
    ("parquet_segment", |bytes| parquet_segment(bytes, Reach::All)),
    ("serving_file", |bytes| serving_file(bytes, Reach::All)),
    ("serving_footer", |bytes| serving_footer(bytes, Reach::All)),
    ("serving_sections", |bytes| serving_sections(bytes, Reach::All)),
];

#[cfg(test)]
mod tests;
