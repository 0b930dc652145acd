//! A statement that is ready to run, and what comes of that.

use std::collections::BTreeMap;

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use henge_query::answer::ResultColumn;
use henge_query::error::{QueryError, QueryErrorKind};
use henge_query::pieces::Piece;
use henge_query::provenance::MadeOf;

use super::answer::Notice;
use super::bucket::Bucket;
use super::position::Fragment;
use super::request::Format;
use crate::error::ApiError;

/// A statement to run, and what its rows are to become.
#[derive(Debug, Default)]
pub struct Prepared {
    pub fragment: Fragment,
    pub format: Format,
    pub bucket: Option<Bucket>,
    pub notices: Vec<Notice>,
    /// Of a table of numbers.
    pub is_numeric: bool,
    /// The rows that are wanted; the statement asks for one more.
    pub limit: Option<u64>,
    pub unit: BTreeMap<String, String>,
    /// The text as sent, in pieces, where one was sent.
    pub source: Option<Source>,
}

#[derive(Debug)]
pub struct Source {
    pub sql: String,
    pub pieces: Vec<Piece>,
}

impl Prepared {
    /// The error with its place in the text as sent.
    pub fn explain(&self, failure: Failure) -> ApiError {
        match (failure, &self.source) {
            (Failure::Query(error), Some(source)) => self.fragment.error(error, &source.sql, &source.pieces),
            (failure, _) => failure.into(),
        }
    }
}

/// All that a statement answered.
pub struct Rows {
    pub columns: Vec<ResultColumn>,
    pub batches: Vec<RecordBatch>,
    pub made_of: Vec<MadeOf>,
}

/// Why a statement was not answered.
pub enum Failure {
    Recovering(ApiError),
    Query(QueryError),
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Recovering(error) => error,
            Failure::Query(error) => error.into(),
        }
    }
}

pub fn unwritable(error: ArrowError) -> ApiError {
    QueryError::new(QueryErrorKind::Internal, format!("the rows of an answer cannot be written: {error}")).into()
}
