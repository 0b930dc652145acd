//! Which event times a datasource takes. By default all of them: late events are events.

use henge_segment_store::ledger::Reason;
use henge_segment_store::time::TimestampMs;

use crate::decode::Refusal;

/// Bounds on event time. What lies exactly on a bound is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimePolicy {
    /// Refuse events that are older than this when they are read.
    pub late_ms_max: Option<i64>,
    /// Refuse events that lie further in the future than this when they are read.
    pub early_ms_max: Option<i64>,
    /// Refuse events before this instant.
    pub not_before: Option<TimestampMs>,
}

impl TimePolicy {
    /// Decides on an event of time `time` that is read at `now`. The refusal's reason is [`Reason::TooLate`] or
    /// [`Reason::TooEarly`].
    ///
    /// ```
    /// # use henge_ingest::time_policy::TimePolicy;
    /// # use henge_segment_store::time::TimestampMs;
    /// let policy = TimePolicy { late_ms_max: Some(1_000), ..Default::default() };
    /// assert!(policy.check(TimestampMs(9_000), TimestampMs(10_000)).is_ok());
    /// assert!(policy.check(TimestampMs(8_999), TimestampMs(10_000)).is_err());
    /// ```
    pub fn check(&self, time: TimestampMs, now: TimestampMs) -> Result<(), Refusal> {
        let oldest = self.late_ms_max.map(|late| TimestampMs(now.0.saturating_sub(late)));
        let newest = self.early_ms_max.map(|early| TimestampMs(now.0.saturating_add(early)));
        if let Some(oldest) = oldest.max(self.not_before).filter(|oldest| time < *oldest) {
            return Err(Refusal { reason: Reason::TooLate, detail: format!("event time {time} is before {oldest}") });
        }
        if let Some(newest) = newest.filter(|newest| time > *newest) {
            return Err(Refusal { reason: Reason::TooEarly, detail: format!("event time {time} is after {newest}") });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: TimestampMs = TimestampMs(1_000_000);

    fn reason(policy: &TimePolicy, time: i64) -> Option<Reason> {
        policy.check(TimestampMs(time), NOW).err().map(|refusal| refusal.reason)
    }

    #[test]
    fn bounds_are_taken_and_what_is_beyond_is_refused() {
        let late = TimePolicy { late_ms_max: Some(10), ..Default::default() };
        let early = TimePolicy { early_ms_max: Some(10), ..Default::default() };
        let start = TimePolicy { not_before: Some(TimestampMs(500)), ..Default::default() };
        let both = TimePolicy { not_before: Some(TimestampMs(999_995)), ..late.clone() };
        let cases = [
            (&late, 999_990, None),
            (&late, 999_989, Some(Reason::TooLate)),
            (&late, 2_000_000, None),
            (&early, 1_000_010, None),
            (&early, 1_000_011, Some(Reason::TooEarly)),
            (&early, 0, None),
            (&start, 500, None),
            (&start, 499, Some(Reason::TooLate)),
            (&both, 999_994, Some(Reason::TooLate)),
            (&both, 999_995, None),
        ];
        for (policy, time, expected) in cases {
            assert_eq!(reason(policy, time), expected, "{policy:?} at {time}");
        }
    }

    #[test]
    fn without_bounds_every_time_is_welcome() {
        for time in [TimestampMs::MIN.0, 0, TimestampMs::MAX.0 - 1] {
            assert_eq!(reason(&TimePolicy::default(), time), None);
        }
    }

    #[test]
    fn bounds_beyond_all_time_do_not_overflow() {
        let policy = TimePolicy { late_ms_max: Some(i64::MAX), early_ms_max: Some(i64::MAX), not_before: None };
        assert_eq!(policy.check(TimestampMs::MIN, TimestampMs(-5)), Ok(()));
        assert_eq!(policy.check(TimestampMs::MAX, NOW), Ok(()));
    }

    #[test]
    fn the_refusal_says_which_bound() {
        let policy = TimePolicy { late_ms_max: Some(10), ..Default::default() };
        let refusal = policy.check(TimestampMs(0), NOW).unwrap_err();
        assert_eq!(refusal.detail, "event time 1970-01-01T00:00:00.000Z is before 1970-01-01T00:16:39.990Z");
    }
}
