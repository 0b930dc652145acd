use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

const DAY_MS: i64 = 86_400_000;

/// Writes instants as ISO-8601 with three decimals and the offset that one time zone has at that instant.
///
/// `Z` stands for an offset of zero in every zone, as Druid's clients expect it.
#[derive(Debug, Clone)]
pub struct TimeText {
    zone: TimeZone,
    is_utc: bool,
}

impl TimeText {
    pub fn utc() -> Self {
        Self { zone: TimeZone::UTC, is_utc: true }
    }

    pub fn new(zone: TimeZone) -> Self {
        let is_utc = zone == TimeZone::UTC;
        Self { zone, is_utc }
    }

    /// Writes milliseconds since the epoch: `2026-01-01T00:00:00.000Z`.
    pub fn write_instant(&self, millis: i64, out: &mut Vec<u8>) {
        let offset_s = self.offset_s(millis);
        write_local(millis.saturating_add(offset_s * 1_000), out);
        write_offset(offset_s, out);
    }

    /// Writes a date, counted in days since 1970-01-01, as the instant at which it begins in the zone.
    pub fn write_date(&self, days: i32, out: &mut Vec<u8>) {
        let midnight_utc = i64::from(days) * DAY_MS;
        self.write_instant(self.local_midnight(days).unwrap_or(midnight_utc), out);
    }

    /// Seconds east of UTC; zero beyond the calendar of the time zone database.
    fn offset_s(&self, millis: i64) -> i64 {
        if self.is_utc {
            return 0;
        }
        Timestamp::from_millisecond(millis).map_or(0, |instant| i64::from(self.zone.to_offset(instant).seconds()))
    }

    fn local_midnight(&self, days: i32) -> Option<i64> {
        if self.is_utc {
            return None;
        }
        let (year, month, day) = civil_from_days(i64::from(days));
        let date = Date::new(i16::try_from(year).ok()?, month as i8, day as i8).ok()?;
        self.zone.to_timestamp(date.at(0, 0, 0, 0)).ok().map(|instant| instant.as_millisecond())
    }
}

fn write_local(local_ms: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(local_ms.div_euclid(DAY_MS));
    let of_day = local_ms.rem_euclid(DAY_MS);
    if year < 0 {
        out.push(b'-');
    }
    write_padded(year.unsigned_abs(), 4, out);
    out.push(b'-');
    write_padded(month, 2, out);
    out.push(b'-');
    write_padded(day, 2, out);
    for (separator, digits, value) in [
        (b'T', 2, of_day / 3_600_000),
        (b':', 2, of_day / 60_000 % 60),
        (b':', 2, of_day / 1_000 % 60),
        (b'.', 3, of_day % 1_000),
    ] {
        out.push(separator);
        write_padded(value.unsigned_abs(), digits, out);
    }
}

fn write_offset(offset_s: i64, out: &mut Vec<u8>) {
    if offset_s == 0 {
        out.push(b'Z');
        return;
    }
    out.push(if offset_s < 0 { b'-' } else { b'+' });
    let offset_s = offset_s.unsigned_abs();
    write_padded(offset_s / 3_600, 2, out);
    out.push(b':');
    write_padded(offset_s / 60 % 60, 2, out);
    if !offset_s.is_multiple_of(60) {
        // Local mean time, before zones had round offsets.
        out.push(b':');
        write_padded(offset_s % 60, 2, out);
    }
}

fn write_padded(value: u64, digits: usize, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value).as_bytes();
    out.extend(std::iter::repeat_n(b'0', digits.saturating_sub(text.len())));
    out.extend_from_slice(text);
}

/// Year, month, day of a day since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil_from_days(days: i64) -> (i64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeText {
        TimeText::new(TimeZone::get(name).unwrap())
    }

    fn instant(text: &TimeText, millis: i64) -> String {
        let mut out = Vec::new();
        text.write_instant(millis, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn instants_carry_three_decimals_and_the_offset_of_the_zone_at_that_instant() {
        let cases = [
            (TimeText::utc(), 1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
            (TimeText::utc(), -1, "1969-12-31T23:59:59.999Z"),
            (TimeText::utc(), -62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (TimeText::utc(), -62_198_755_200_001, "-0002-12-31T23:59:59.999Z"),
            (zone("Etc/UTC"), 0, "1970-01-01T00:00:00.000Z"),
            (zone("America/Los_Angeles"), 1_767_225_600_000, "2025-12-31T16:00:00.000-08:00"),
            (zone("America/Los_Angeles"), 1_782_864_000_000, "2026-06-30T17:00:00.000-07:00"),
            (zone("Asia/Kolkata"), 1_767_225_600_123, "2026-01-01T05:30:00.123+05:30"),
            (zone("Europe/London"), 1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
            (zone("Europe/London"), 1_782_864_000_000, "2026-07-01T01:00:00.000+01:00"),
        ];
        for (text, millis, expected) in cases {
            assert_eq!(instant(&text, millis), expected);
        }
    }

    #[test]
    fn extreme_instants_are_written_without_a_panic() {
        for millis in [i64::MIN, i64::MAX] {
            assert!(instant(&TimeText::utc(), millis).ends_with('Z'));
            assert!(instant(&zone("Asia/Kolkata"), millis).ends_with('Z'));
        }
    }

    #[test]
    fn utc_text_agrees_with_the_calendar_library() {
        for days in (-700_000..2_900_000).step_by(911) {
            let millis = days * DAY_MS + 45_296_789;
            let expected = format!("{:.3}", Timestamp::from_millisecond(millis).unwrap());
            assert_eq!(instant(&TimeText::utc(), millis), expected);
        }
    }

    #[test]
    fn a_date_is_midnight_in_the_zone() {
        let date = |text: &TimeText, days| {
            let mut out = Vec::new();
            text.write_date(days, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(date(&TimeText::utc(), 20_454), "2026-01-01T00:00:00.000Z");
        assert_eq!(date(&TimeText::utc(), -1), "1969-12-31T00:00:00.000Z");
        assert_eq!(date(&zone("America/Los_Angeles"), 20_454), "2026-01-01T00:00:00.000-08:00");
        assert_eq!(date(&zone("Asia/Kolkata"), 20_454), "2026-01-01T00:00:00.000+05:30");
    }
}
