use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::TimestampMs;

/// A length of time by the UTC calendar, longer than nothing: months, which differ in length, and milliseconds.
///
/// Written as an ISO-8601 period (`P30D`, `P1M`, `P1Y6M`, `PT36H`) or in short (`30d`, `6mo`, `36h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    months: i32,
    millis: i64,
}

/// A length of time that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time: write an ISO-8601 period such as `P30D` or `P1M`, or `30d`, `36h`, `6mo`")]
pub struct PeriodError(pub String);

const DAY_MS: i64 = 86_400_000;
/// Beyond the calendar's ten thousand years a length means nothing.
const MONTHS_MAX: i32 = 120_000;
const MILLIS_MAX: i64 = 3_660_000 * DAY_MS;

impl Period {
    /// A length that every calendar agrees on; `None` unless `millis` is positive and within the calendar.
    pub fn from_millis(millis: i64) -> Option<Self> {
        (1..=MILLIS_MAX).contains(&millis).then_some(Self { months: 0, millis })
    }

    /// The instant that lies this long before `time`: whole months by the UTC calendar first, a day that the month
    /// lacks becoming its last; never before [`TimestampMs::MIN`].
    ///
    /// ```
    /// # use henge_segment_store::time::{Period, TimestampMs};
    /// let month: Period = "P1M".parse().unwrap();
    /// let end_of_march = TimestampMs::parse_iso("2026-03-31T12:00:00Z").unwrap();
    /// assert_eq!(month.before(end_of_march).to_string(), "2026-02-28T12:00:00.000Z");
    /// ```
    pub fn before(self, time: TimestampMs) -> TimestampMs {
        let by_months = || {
            let zoned = jiff::Timestamp::from_millisecond(time.0).ok()?.to_zoned(TimeZone::UTC);
            let earlier = zoned.checked_sub(jiff::Span::new().try_months(self.months).ok()?).ok()?;
            Some(earlier.timestamp().as_millisecond())
        };
        let start = if self.months == 0 { Some(time.0) } else { by_months() };
        start
            .and_then(|start| start.checked_sub(self.millis))
            .map_or(TimestampMs::MIN, TimestampMs)
            .max(TimestampMs::MIN)
    }

    /// The instant that lies this long after `time`, [`TimestampMs::MAX`] at most.
    pub fn after(self, time: TimestampMs) -> TimestampMs {
        let by_months = || {
            let zoned = jiff::Timestamp::from_millisecond(time.0).ok()?.to_zoned(TimeZone::UTC);
            let later = zoned.checked_add(jiff::Span::new().try_months(self.months).ok()?).ok()?;
            Some(later.timestamp().as_millisecond())
        };
        let start = if self.months == 0 { Some(time.0) } else { by_months() };
        start
            .and_then(|start| start.checked_add(self.millis))
            .map_or(TimestampMs::MAX, TimestampMs)
            .min(TimestampMs::MAX)
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let read = || {
            let span: jiff::Span = text.parse().ok()?;
            let months = i32::from(span.get_years()).checked_mul(12)?.checked_add(span.get_months())?;
            let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
            let seconds = i64::from(span.get_hours()) * 3_600 + span.get_minutes() * 60 + span.get_seconds();
            let millis = seconds.checked_mul(1_000)?.checked_add(span.get_milliseconds())?;
            let millis = days.checked_mul(DAY_MS)?.checked_add(millis)?;
            let is_exact = span.get_microseconds() == 0 && span.get_nanoseconds() == 0;
            let is_positive = months >= 0 && millis >= 0 && (months > 0 || millis > 0);
            let is_bounded = months <= MONTHS_MAX && millis <= MILLIS_MAX;
            (is_exact && is_positive && is_bounded).then_some(Self { months, millis })
        };
        read().ok_or_else(|| PeriodError(text.to_owned()))
    }
}

impl TryFrom<String> for Period {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

/// ISO-8601, in as few parts as possible.
impl fmt::Display for Period {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("P")?;
        match (self.months / 12, self.months % 12) {
            (0, 0) => {}
            (years, 0) => write!(out, "{years}Y")?,
            _ => write!(out, "{}M", self.months)?,
        }
        let (days, rest) = (self.millis / DAY_MS, self.millis % DAY_MS);
        if days > 0 {
            write!(out, "{days}D")?;
        }
        match rest {
            0 => Ok(()),
            _ if rest % 3_600_000 == 0 => write!(out, "T{}H", rest / 3_600_000),
            _ if rest % 60_000 == 0 => write!(out, "T{}M", rest / 60_000),
            _ if rest % 1_000 == 0 => write!(out, "T{}S", rest / 1_000),
            _ => write!(out, "T{}.{:03}S", rest / 1_000, rest % 1_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_notations_mean_the_same_and_are_written_as_iso() {
        let cases = [
            ("30d", "P30D"),
            ("P30D", "P30D"),
            ("P1M", "P1M"),
            ("P1Y", "P1Y"),
            ("P1Y6M", "P18M"),
            ("P2W", "P14D"),
            ("PT36H", "P1DT12H"),
            ("90m", "PT90M"),
            ("1500ms", "PT1.500S"),
            ("P1M2DT3S", "P1M2DT3S"),
        ];
        for (text, iso) in cases {
            let period: Period = text.parse().unwrap();
            assert_eq!(period.to_string(), iso, "{text}");
            assert_eq!(iso.parse(), Ok(period), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in ["", "P", "0d", "-5d", "P-1D", "forever", "5", "1us", "P99999999Y"] {
            assert_eq!(text.parse::<Period>(), Err(PeriodError(text.to_owned())));
        }
    }

    #[test]
    fn instants_before_and_after_follow_the_calendar() {
        let at = |text| TimestampMs::parse_iso(text).unwrap();
        let cases = [
            ("P1M", "2026-02-28T00:00:00Z", "2026-03-28T00:00:00Z"),
            ("P1Y", "2023-06-01T00:00:00Z", "2024-06-01T00:00:00Z"),
            ("P30D", "1969-12-31T23:00:00Z", "1970-01-30T23:00:00Z"),
            ("PT1H", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"),
        ];
        for (period, earlier, later) in cases {
            let period: Period = period.parse().unwrap();
            assert_eq!(period.before(at(later)), at(earlier), "{period}");
            assert_eq!(period.after(at(earlier)), at(later), "{period}");
        }
        let ages: Period = "P9000Y".parse().unwrap();
        assert_eq!(ages.before(at("2026-01-01")), TimestampMs::MIN);
        assert_eq!(ages.after(at("2026-01-01")), TimestampMs::MAX);
    }
}
