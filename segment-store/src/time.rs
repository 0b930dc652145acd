//! Event time: instants, half-open intervals, and the buckets that they fall into.

mod granularity;
mod interval;
mod period;
mod timestamp;

pub use granularity::{Granularity, GranularityError, TimeZoneError, time_zone};
pub use interval::Interval;
pub use period::{Period, PeriodError};
pub use timestamp::TimestampMs;
