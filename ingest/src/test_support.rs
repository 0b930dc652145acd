//! A real Kafka broker, producers, and a reader that shares no code with ours; for tests only, so it panics where a
//! test should stop.

pub mod admin;
pub mod broker;
pub mod producer;
pub mod read_committed;

use std::time::Duration;

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Client properties from literals.
pub fn properties(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
