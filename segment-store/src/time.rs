//! Event time: instants, half-open intervals, and the buckets that they fall into.

mod calendar_step;
mod granularity;
mod interval;
mod period;
#[cfg(test)]
mod reference;
mod time_part;
mod time_pattern;
mod timestamp;
mod wall_clock;
mod zone;

pub use calendar_step::{CalendarStep, months_between};
pub use granularity::{Granularity, GranularityError};
pub use interval::Interval;
pub use period::{Period, PeriodError};
pub use time_part::TimePart;
pub use time_pattern::{TimePattern, TimePatternError};
pub use timestamp::TimestampMs;
pub use zone::{TimeZoneError, time_zone};
