use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC; negative before 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimestampMs(pub i64);

impl TimestampMs {
    /// The earliest event time that Henge stores, 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(-62_135_596_800_000);
    /// One past the latest event time that Henge stores, 9999-12-31T00:00:00Z: a day is left for offsets of time zones.
    pub const MAX: Self = Self(253_402_214_400_000);

    /// Whether an event may carry this time: `MIN <= self < MAX`.
    pub fn is_storable(self) -> bool {
        Self::MIN <= self && self < Self::MAX
    }

    /// A file's time; one before 1970 counts as 1970.
    pub(crate) fn of(time: std::time::SystemTime) -> Self {
        let since_epoch = time.duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis());
        Self(i64::try_from(since_epoch).unwrap_or(i64::MAX))
    }

    /// Reads an ISO-8601 instant, such as `2026-01-01T00:00:00.123Z`, `2026-01-01T02:00:00+02:00` or `2026-01-01`.
    ///
    /// Text without an offset is UTC. Digits finer than a millisecond are cut off toward minus infinity. `None` for
    /// anything else.
    pub fn parse_iso(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(fast) = parse_utc_millis(text.as_bytes()) {
            return Some(fast);
        }
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Self(instant.as_nanosecond().div_euclid(1_000_000) as i64));
        }
        let local: jiff::civil::DateTime = text.parse().ok()?;
        let instant = local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        Some(Self(instant.as_nanosecond().div_euclid(1_000_000) as i64))
    }

    /// Reads what `Display` writes, also beyond the calendar: the time chunk of the last storable day ends there.
    pub fn parse_shown(text: &str) -> Option<Self> {
        match text.strip_suffix("ms") {
            Some(millis) => millis.parse().ok().map(Self),
            None => Self::parse_iso(text),
        }
    }
}

/// Reads exactly `YYYY-MM-DDTHH:MM:SS[.mmm]Z`, the form that most producers write, without a general parser.
fn parse_utc_millis(text: &[u8]) -> Option<TimestampMs> {
    let (millis_digits, is_shape) = match text.len() {
        20 => (None, text[19] == b'Z'),
        24 => (Some(&text[20..23]), text[19] == b'.' && text[23] == b'Z'),
        _ => return None,
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !is_shape || separators.iter().any(|&(at, byte)| text[at] != byte) {
        return None;
    }
    let year = digits(&text[0..4])?;
    let (month, day) = (digits(&text[5..7])?, digits(&text[8..10])?);
    let (hour, minute, second) = (digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?);
    let millis = millis_digits.map_or(Some(0), digits)?;
    let date = jiff::civil::Date::new(year as i16, month as i8, day as i8).ok()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_from_civil(date);
    Some(TimestampMs(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + millis))
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(date: jiff::civil::Date) -> i64 {
    let (month, day) = (i64::from(date.month()), i64::from(date.day()));
    let year = i64::from(date.year()) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// ISO-8601 in UTC with three decimals: `2026-01-01T00:00:00.000Z`.
impl fmt::Display for TimestampMs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(out, "{instant:.3}"),
            // Outside of the calendar's range nothing but the number is left to show.
            Err(_) => write!(out, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_text_is_read_with_and_without_offset_and_fraction() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00.001Z", Some(1)),
            ("1969-12-31T23:59:59.999Z", Some(-1)),
            ("2026-01-01T00:00:00.123Z", Some(1_767_225_600_123)),
            ("2026-01-01T02:00:00+02:00", Some(1_767_225_600_000)),
            ("2026-01-01 00:00:00", Some(1_767_225_600_000)),
            ("2026-01-01", Some(1_767_225_600_000)),
            ("2026-01-01T00:00:00.123999Z", Some(1_767_225_600_123)),
            ("1969-12-31T23:59:59.9999Z", Some(-1)),
            ("2024-02-29T12:00:00Z", Some(1_709_208_000_000)),
            ("2023-02-29T12:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-01-01T24:00:00Z", None),
            ("not a time", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(TimestampMs::parse_iso(text), expected.map(TimestampMs), "{text}");
        }
    }

    #[test]
    fn the_short_path_agrees_with_the_calendar_library() {
        for days in (-700_000..2_900_000).step_by(977) {
            let instant = TimestampMs(days * 86_400_000 + 45_296_789);
            let text = instant.to_string();
            assert_eq!(TimestampMs::parse_iso(&text), Some(instant), "{text}");
        }
    }

    #[test]
    fn whatever_is_shown_reads_back_equal() {
        for time in [i64::MIN, i64::MIN / 3, TimestampMs::MIN.0 - 1, -1, 0, TimestampMs::MAX.0 - 1, TimestampMs::MAX.0]
        {
            for time in [time, time + 1].map(TimestampMs) {
                assert_eq!(TimestampMs::parse_shown(&time.to_string()), Some(time), "{time}");
            }
        }
        assert_eq!(TimestampMs::parse_shown("12 ms"), None);
    }

    #[test]
    fn display_is_utc_with_three_decimals() {
        assert_eq!(TimestampMs(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(TimestampMs(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(TimestampMs::MIN.to_string(), "0001-01-01T00:00:00.000Z");
    }
}
