//! Holds a datasource's rows from the moment they are appended until they are retired, and says what a query may read.
//!
//! event -> open_segment -> frozen -> segment (Parquet) -> manifest record -> timeline

pub mod event;
pub mod ledger;
pub mod schema;
pub mod stream;
pub mod time;
