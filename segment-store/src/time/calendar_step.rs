use jiff::tz::TimeZone;
use jiff::{Span, civil};

use super::wall_clock::{civil as civil_at, moved};
use super::{GranularityError, TimestampMs};

/// A way through the calendar of a zone, forward or back: `P1M` may be 28 days long, and `P1D` 23 hours.
///
/// Written as an ISO-8601 period of any units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalendarStep {
    years: i64,
    months: i64,
    weeks: i64,
    days: i64,
    /// Hours and less, which clocks do not change.
    millis: i64,
}

impl CalendarStep {
    /// Reads `P1Y2M3W4DT5H6M7.5S`; a number, or the whole of it, may be negative.
    pub fn parse(text: &str) -> Result<Self, GranularityError> {
        let read = || {
            let span: Span =
                text.parse().ok().filter(|_| text.trim_start_matches(['+', '-']).starts_with(['P', 'p']))?;
            let seconds =
                i64::from(span.get_hours()) * 3_600 + span.get_minutes().checked_mul(60)? + span.get_seconds();
            let is_exact = span.get_microseconds() == 0 && span.get_nanoseconds() == 0;
            is_exact.then_some(Self {
                years: span.get_years().into(),
                months: span.get_months().into(),
                weeks: span.get_weeks().into(),
                days: span.get_days().into(),
                millis: seconds.checked_mul(1_000)?.checked_add(span.get_milliseconds())?,
            })
        };
        read().ok_or_else(|| GranularityError::Unknown(text.to_owned()))
    }

    /// The instant `count` steps after `time`, unit by unit from years down; days that a month lacks become its last.
    /// `None` outside of the years that are stored.
    ///
    /// ```
    /// # use henge_segment_store::time::{CalendarStep, TimestampMs, time_zone};
    /// let day = CalendarStep::parse("P1D").unwrap();
    /// let berlin = time_zone("Europe/Berlin").unwrap();
    /// let before_summer = TimestampMs::parse_iso("2026-03-28T12:00:00+01:00").unwrap();
    /// assert_eq!(day.after(before_summer, 1, &berlin), TimestampMs::parse_iso("2026-03-29T12:00:00+02:00"));
    /// ```
    pub fn after(self, time: TimestampMs, count: i64, zone: &TimeZone) -> Option<TimestampMs> {
        let mut time = Some(time).filter(|time| time.is_storable())?;
        type Unit = fn(Span, i64) -> Result<Span, jiff::Error>;
        let units: [(i64, Unit); 4] = [
            (self.years, Span::try_years),
            (self.months, Span::try_months),
            (self.weeks, Span::try_weeks),
            (self.days, Span::try_days),
        ];
        for (length, unit) in units {
            if length != 0 {
                let span = unit(Span::new(), length.checked_mul(count)?).ok()?;
                time = moved(time, zone, |civil| civil.checked_add(span).ok())?;
            }
        }
        let millis = self.millis.checked_mul(count)?;
        time.0.checked_add(millis).map(TimestampMs).filter(|time| time.is_storable())
    }
}

/// Whole months from `start` to `end` on the clocks of `zone`, negative where `end` comes first; days that a month lacks
/// count as its last. `None` outside of the calendar.
pub fn months_between(start: TimestampMs, end: TimestampMs, zone: &TimeZone) -> Option<i64> {
    if end < start {
        return months_between(end, start, zone).map(|months| -months);
    }
    let (start, end) = (civil_at(start, zone)?, civil_at(end, zone)?);
    let number = |date: civil::DateTime| i64::from(date.year()) * 12 + i64::from(date.month());
    let months = number(end) - number(start);
    let reached = start.checked_add(Span::new().try_months(months).ok()?).ok()?;
    Some(if reached <= end { months } else { months - 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::time_zone;

    fn iso(text: &str) -> TimestampMs {
        TimestampMs::parse_iso(text).unwrap()
    }

    #[test]
    fn steps_follow_the_calendar_and_the_clocks_of_the_zone() {
        let cases = [
            ("P1M", "2024-01-31T00:00:00Z", 1, "UTC", "2024-02-29T00:00:00Z"),
            ("P1M", "2024-01-31T00:00:00Z", -2, "UTC", "2023-11-30T00:00:00Z"),
            ("P1Y1M", "2024-02-29T00:00:00Z", 1, "UTC", "2025-03-28T00:00:00Z"),
            ("-P1D", "1970-01-01T00:00:00Z", 1, "UTC", "1969-12-31T00:00:00Z"),
            ("P1W", "2026-03-26T12:00:00+01:00", 1, "Europe/Berlin", "2026-04-02T12:00:00+02:00"),
            ("PT24H", "2026-03-28T12:00:00+01:00", 1, "Europe/Berlin", "2026-03-29T13:00:00+02:00"),
            // Skipped: 02:30 does not exist.
            ("P1D", "2026-03-28T02:30:00+01:00", 1, "Europe/Berlin", "2026-03-29T03:30:00+02:00"),
            // Repeated: the offset stays.
            ("P1D", "2026-10-24T02:30:00+02:00", 1, "Europe/Berlin", "2026-10-25T02:30:00+02:00"),
            ("P1D", "2026-10-26T02:30:00+01:00", -1, "Europe/Berlin", "2026-10-25T02:30:00+01:00"),
        ];
        for (step, from, count, zone, to) in cases {
            let moved = CalendarStep::parse(step).unwrap().after(iso(from), count, &time_zone(zone).unwrap());
            assert_eq!(moved, Some(iso(to)), "{count} x {step} from {from}");
        }
    }

    #[test]
    fn what_leaves_the_calendar_is_nothing() {
        let year = CalendarStep::parse("P1Y").unwrap();
        for count in [9_000, -9_000, i64::MAX, i64::MIN] {
            assert_eq!(year.after(iso("2026-01-01"), count, &TimeZone::UTC), None, "{count}");
        }
        for text in ["", "P", "1d", "P1X", "PT0.0001S"] {
            assert!(CalendarStep::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn months_are_counted_when_they_are_full() {
        let cases = [
            ("2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", 1),
            ("2026-01-31T00:00:01Z", "2026-02-28T00:00:00Z", 0),
            ("2026-01-15T00:00:00Z", "2027-01-14T23:59:59Z", 11),
            ("1969-12-31T00:00:00Z", "1970-01-31T00:00:00Z", 1),
        ];
        for (start, end, months) in cases {
            assert_eq!(months_between(iso(start), iso(end), &TimeZone::UTC), Some(months), "{start} to {end}");
            assert_eq!(months_between(iso(end), iso(start), &TimeZone::UTC), Some(-months), "{end} to {start}");
        }
    }
}
