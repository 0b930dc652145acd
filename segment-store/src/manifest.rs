//! The one truth: an append-only log of numbered records on the object store, and the state that they add up to.

mod log;
mod record;
mod state;

pub use log::ManifestLog;
pub use record::{Change, ConsumedRange, ManifestRecord, Publish};
pub use state::{DataSourceState, ManifestState, Reset, RetiredCounts, SupervisorState};
