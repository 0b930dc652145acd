//! Merges a time chunk's segments into fewer and larger ones, so that queries stay quick and a rolled-up datasource has
//! one row for each key.
//!
//! plan (pure) -> merge -> publish {add some, retire what they were made from}

mod merge;
mod plan;

pub use merge::{MergeError, MergeInput, MergeTarget, Piece, merge};
pub use plan::{CompactionTask, Purpose, Scope, Urgency, plan};
