//! A request, read as far as that takes neither tables nor a large stack.

use henge_segment_store::time::{TimestampMs, time_zone};
use jiff::tz::TimeZone;

use crate::error::QueryError;
use crate::guard::StatementLimits;
use crate::plan_cache::Shape;
use crate::request::QueryRequest;
use crate::statement::SelectStatement;
use crate::table::Shortcuts;

#[derive(Debug)]
pub(crate) struct Question {
    pub statement: SelectStatement,
    pub zone: TimeZone,
    /// The current time, the same wherever the statement names it.
    pub now: TimestampMs,
    pub shortcuts: Shortcuts,
    /// `None` where no plan can be kept for it.
    pub shape: Option<Shape>,
}

impl Question {
    pub fn read(request: &QueryRequest, limits: &StatementLimits, now: TimestampMs) -> Result<Self, QueryError> {
        let zone = match &request.time_zone {
            Some(name) => time_zone(name).map_err(|error| QueryError::plan(error.to_string()))?,
            None => TimeZone::UTC,
        };
        let statement = SelectStatement::read(&request.sql, &request.parameters, limits)?;
        let shortcuts = Shortcuts::of(request);
        // What a plan depends on beside its text: where buckets begin, and what a scan takes over.
        let settings = || format!("{} {:?}", request.time_zone.as_deref().unwrap_or_default(), shortcuts);
        let shape = match request.use_plan_cache {
            true => Shape::of(statement.tokens(), &settings(), &zone, now),
            false => None,
        };
        Ok(Self { statement, zone, now, shortcuts, shape })
    }
}
