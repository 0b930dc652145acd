//! Reads one topic from Kafka: everything that touches the client library for consuming.
//!
//! settings -> client -> readers -> records, with news and events beside the records

pub mod client;
pub mod error;
pub mod event;
pub(crate) mod native;
pub mod news;
mod oauth_token;
pub mod reader;
mod settings;
pub mod topic;

pub use native::record::RecordView;
