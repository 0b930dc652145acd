//! Merges a time chunk's segments into fewer and larger ones, so that queries stay quick and a rolled-up datasource has
//! one row for each key.
//!
//! plan (pure) -> merge -> publish {add some, retire what they were made from}

mod merge;
mod pace;
mod plan;
mod run;

pub use pace::{Cancelled, Pace};
pub use plan::{CompactionTask, Purpose, Scope, Urgency, plan};
pub use run::{Compacted, CompactionError, run};
