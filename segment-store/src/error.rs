//! What can go wrong below the query engine, and what a caller can do about it.

use std::path::PathBuf;

use crate::dataset::{DatasetError, DatasetName};
use crate::schema::{DataSourceName, EvolutionError, SchemaError};
use crate::segment::SegmentId;
use crate::stream::CheckpointError;
use crate::upkeep::PolicyError;

/// An error of the store. [`kind`](StoreError::kind) says what a caller can do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("`{}` is used by another henge process: stop that one or choose another --data-dir", .0.display())]
    Locked(PathBuf),
    #[error("failed to {action} `{path}`")]
    File { action: &'static str, path: String, source: std::io::Error },
    #[error("failed to {action} `{path}` in the object store")]
    Object { action: &'static str, path: String, source: object_store::Error },
    #[error("object store `{0}` cannot be used by this binary: build henge with `--features s3`")]
    NoRemote(String),
    #[error("manifest record {number} cannot be used: {detail}; restore it from a backup, records are never skipped")]
    ManifestRecord { number: u64, detail: String },
    #[error("another writer took over with epoch {newer}; this process, epoch {ours}, publishes nothing more")]
    Fenced { ours: u64, newer: u64 },
    #[error("datasource `{0}` does not exist")]
    UnknownDataSource(DataSourceName),
    #[error("datasource `{data_source}`: {cause}")]
    Evolution { data_source: DataSourceName, cause: EvolutionError },
    #[error("there is no dataset `{0}`")]
    UnknownDataset(DatasetName),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("datasource `{data_source}`: what was read does not follow the published checkpoint")]
    Checkpoint { data_source: DataSourceName, source: Box<CheckpointError> },
    #[error("datasource `{data_source}`: the ledger does not balance: {detail}")]
    Ledger { data_source: DataSourceName, detail: String },
    #[error("segment `{id}` is not live, or stands there twice, so it cannot be retired")]
    NotLive { id: SegmentId },
    #[error("segment `{id}` is corrupt: {detail}")]
    Corrupt { id: SegmentId, detail: String },
    #[error("segment `{id}` cannot be read")]
    Parquet { id: SegmentId, source: parquet::errors::ParquetError },
    #[error("failed to build a segment of `{data_source}`")]
    Build { data_source: DataSourceName, source: parquet::errors::ParquetError },
    #[error("failed to build rows")]
    Arrow(#[from] arrow::error::ArrowError),
    #[error(
        "the object store ignores the condition of put-if-absent, which keeps two writers apart: use one that supports \
         conditional puts"
    )]
    NoConditionalPut,
}

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Try again later.
    Unavailable,
    /// Change the request.
    Invalid,
    /// Someone else owns it now.
    Conflict,
    /// Stored bytes are damaged: call a person.
    Data,
    /// A defect: call a person.
    Internal,
}

impl StoreError {
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { .. } | Self::Object { .. } => ErrorKind::Unavailable,
            Self::UnknownDataSource(_)
            | Self::Evolution { .. }
            | Self::UnknownDataset(_)
            | Self::Dataset(_)
            | Self::Schema(_)
            | Self::Policy(_)
            | Self::NoRemote(_) => ErrorKind::Invalid,
            Self::Locked(_) | Self::Fenced { .. } | Self::NotLive { .. } => ErrorKind::Conflict,
            Self::ManifestRecord { .. } | Self::Corrupt { .. } | Self::Parquet { .. } => ErrorKind::Data,
            Self::Checkpoint { .. }
            | Self::Ledger { .. }
            | Self::Build { .. }
            | Self::Arrow(_)
            | Self::NoConditionalPut => ErrorKind::Internal,
        }
    }
}

/// An error and what caused it, in one line.
pub fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
