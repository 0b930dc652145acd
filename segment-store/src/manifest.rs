//! The one truth: an append-only log of numbered records on the object store, and the state that they add up to.

mod log;
mod record;
mod state;

pub use log::{Changed, ManifestLog};
pub(crate) use log::{RECORDS, SNAPSHOTS, record_path, snapshot_path};
pub(crate) use record::decode_checked;
#[cfg(any(test, feature = "test-support"))]
pub(crate) use record::encode_checked;
pub use record::{Change, ConsumedRange, ManifestRecord, Publish};
pub use state::{DataSourceState, ManifestState, Reset, RetiredCounts, SupervisorState};
