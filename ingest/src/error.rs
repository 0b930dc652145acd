//! What can go wrong when a supervisor is told what to do. A bad record is no error: it is counted in the ledger.

use henge_segment_store::error::StoreError;

use crate::client_properties::PropertyError;
use crate::spec::SpecError;

/// Why a supervisor could not be changed or started.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    ClientProperties(#[from] PropertyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("there is no supervisor `{0}`")]
    NoSuchSupervisor(String),
}
