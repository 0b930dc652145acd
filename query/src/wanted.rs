use std::borrow::Cow;
use std::time::Duration;

use crate::reader::Reader;
use crate::request::{AskedLimits, QueryRequest};
use crate::series::SeriesRequest;

/// What there is to answer.
pub(crate) enum Wanted {
    Statement(QueryRequest),
    /// What the columns of its answer are.
    Description(QueryRequest),
    Series(SeriesRequest),
}

impl Wanted {
    pub fn query_id(&self) -> &str {
        match self {
            Self::Statement(request) | Self::Description(request) => &request.query_id,
            Self::Series(request) => &request.query_id,
        }
    }

    pub fn reader(&self) -> &Reader {
        match self {
            Self::Statement(request) | Self::Description(request) => &request.reader,
            Self::Series(request) => &request.reader,
        }
    }

    pub fn limits(&self) -> &AskedLimits {
        match self {
            Self::Statement(request) | Self::Description(request) => &request.limits,
            Self::Series(request) => &request.limits,
        }
    }

    pub fn timeout(&self) -> Option<Duration> {
        match self {
            Self::Statement(request) | Self::Description(request) => request.timeout,
            Self::Series(request) => request.timeout,
        }
    }

    /// For those who watch what runs.
    pub fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Statement(request) | Self::Description(request) => request.sql.as_str().into(),
            Self::Series(request) => request.shown().into(),
        }
    }
}
