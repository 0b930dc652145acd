//! Holds a datasource's rows from the moment they are appended until they are retired, and says what a query may read.
//!
//! event -> open_segment -> frozen -> segment (Parquet and serving form) -> manifest record -> timeline -> reader

pub mod clock;
mod code_sets;
pub mod compaction;
pub mod completeness;
pub mod data_source;
pub mod dataset;
pub mod durable_file;
pub mod error;
pub mod event;
#[cfg(any(test, feature = "test-support"))]
pub mod fuzzing;
pub mod ledger;
pub mod manifest;
pub mod objects;
mod open_segment;
pub mod os_thread;
mod patient_thread;
mod promotion;
pub mod reader;
pub mod retention;
pub mod schema;
pub mod scrub;
pub mod segment;
pub mod segment_reader;
pub mod serving_cache;
pub mod sketch;
pub mod sketch_values;
pub mod slot;
pub mod store;
pub mod stream;
mod sweep;
pub mod time;
pub mod timeline;
pub mod upkeep;
pub mod verify;
