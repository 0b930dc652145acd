//! The one place that reads the wall clock; everything else takes the time as an argument (invariant A2).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::time::TimestampMs;

/// The time of day.
pub fn now() -> TimestampMs {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
    TimestampMs(i64::try_from(since_epoch).expect("the clock stands before the year 292 million"))
}
