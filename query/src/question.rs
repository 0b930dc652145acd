//! A request, read as far as that takes neither tables nor a large stack.

use std::sync::Arc;

use henge_segment_store::time::{TimestampMs, time_zone};
use jiff::tz::TimeZone;

use crate::error::QueryError;
use crate::guard::StatementLimits;
use crate::plan_cache::Shape;
use crate::postgres;
use crate::provenance::Provenance;
use crate::reader::Reader;
use crate::request::{Parameter, QueryRequest, Spelling};
use crate::statement::{Asked, SelectStatement};
use crate::table::Shortcuts;

#[derive(Debug)]
pub(crate) struct Question {
    pub statement: SelectStatement,
    pub zone: TimeZone,
    /// The current time, the same wherever the statement names it.
    pub now: TimestampMs,
    pub shortcuts: Shortcuts,
    pub reader: Reader,
    pub spelling: Spelling,
    /// `None` where nobody asks what the answer is made of.
    pub provenance: Option<Arc<Provenance>>,
    /// `None` where no plan can be kept for it.
    pub shape: Option<Shape>,
}

impl Question {
    pub fn read(request: &QueryRequest, limits: &StatementLimits, now: TimestampMs) -> Result<Self, QueryError> {
        Self::with_parameters(request, Some(&request.parameters), limits, now)
    }

    /// Of a request that has no values for the parameters of its statement yet.
    pub fn open(request: &QueryRequest, limits: &StatementLimits, now: TimestampMs) -> Result<Self, QueryError> {
        Self::with_parameters(request, None, limits, now)
    }

    fn with_parameters(
        request: &QueryRequest,
        parameters: Option<&[Parameter]>,
        limits: &StatementLimits,
        now: TimestampMs,
    ) -> Result<Self, QueryError> {
        let zone = match &request.time_zone {
            Some(name) => time_zone(name).map_err(|error| QueryError::plan(error.to_string()))?,
            None => TimeZone::UTC,
        };
        let statement = SelectStatement::read(&request.sql, request.spelling, parameters, limits)?;
        if request.reader != Reader::Everything && statement.asked != Asked::Rows {
            return Err(QueryError::unsupported(
                "EXPLAIN tells how the rows of all organisations are stored: ask with a key that belongs to none",
            ));
        }
        let shortcuts = Shortcuts::of(request);
        // What a plan depends on beside its text: where buckets begin, what a scan takes over, and which tables there are.
        let zone_name = request.time_zone.as_deref().unwrap_or_default();
        let settings = || format!("{zone_name} {shortcuts:?} {:?} {:?}", request.reader, request.spelling);
        let is_kept = request.spelling == Spelling::Druid || !postgres::reads_values(statement.tokens());
        let shape = match request.use_plan_cache && is_kept {
            true => Shape::of(statement.tokens(), &settings(), &zone, now),
            false => None,
        };
        let (reader, provenance) = (request.reader.clone(), request.tells_provenance.then(Arc::default));
        let spelling = request.spelling;
        Ok(Self { statement, zone, now, shortcuts, reader, spelling, provenance, shape })
    }
}
