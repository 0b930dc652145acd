use std::fmt;

use serde::{Deserialize, Serialize};

use super::TimestampMs;

/// A half-open span of event time (invariant T1). Never empty: `start < end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "[TimestampMs; 2]", into = "[TimestampMs; 2]")]
pub struct Interval {
    start: TimestampMs,
    end: TimestampMs,
}

impl Interval {
    /// Everything that can be stored.
    pub const ALL: Self = Self { start: TimestampMs::MIN, end: TimestampMs::MAX };

    /// Returns `None` unless `start < end`.
    ///
    /// ```
    /// # use henge_segment_store::time::{Interval, TimestampMs};
    /// let hour = Interval::new(TimestampMs(0), TimestampMs(3_600_000)).unwrap();
    /// assert!(hour.contains(TimestampMs(3_599_999)) && !hour.contains(TimestampMs(3_600_000)));
    /// assert_eq!(Interval::new(TimestampMs(5), TimestampMs(5)), None);
    /// ```
    pub fn new(start: TimestampMs, end: TimestampMs) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    pub fn start(self) -> TimestampMs {
        self.start
    }

    /// Exclusive.
    pub fn end(self) -> TimestampMs {
        self.end
    }

    pub fn contains(self, time: TimestampMs) -> bool {
        self.start <= time && time < self.end
    }

    /// What both cover; `None` where they share no instant.
    pub fn intersect(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

impl TryFrom<[TimestampMs; 2]> for Interval {
    type Error = String;

    fn try_from([start, end]: [TimestampMs; 2]) -> Result<Self, String> {
        Self::new(start, end).ok_or_else(|| format!("an interval needs start < end, not {start} and {end}"))
    }
}

impl From<Interval> for [TimestampMs; 2] {
    fn from(interval: Interval) -> Self {
        [interval.start, interval.end]
    }
}

/// `start/end` in ISO-8601.
impl fmt::Display for Interval {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.start, self.end)
    }
}
