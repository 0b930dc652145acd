use jiff::tz::TimeZone;

use super::TimestampMs;
use super::wall_clock::civil;

/// A number on a calendar or a clock, as SQL's `EXTRACT` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimePart {
    /// Seconds since 1970, cut off toward zero as Druid does.
    Epoch,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    /// 1 is Monday, 7 Sunday.
    DayOfWeek,
    DayOfYear,
    /// Of the ISO year: the first has the year's first Thursday.
    Week,
    Month,
    Quarter,
    Year,
    /// The year that the ISO week belongs to.
    IsoYear,
    Decade,
    /// The 21st began with 2001.
    Century,
    Millennium,
}

impl TimePart {
    /// By its name in SQL, in any case.
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "EPOCH" => Self::Epoch,
            "MILLISECOND" | "MILLISECONDS" => Self::Millisecond,
            "SECOND" => Self::Second,
            "MINUTE" => Self::Minute,
            "HOUR" => Self::Hour,
            "DAY" => Self::Day,
            "DOW" | "ISODOW" => Self::DayOfWeek,
            "DOY" => Self::DayOfYear,
            "WEEK" => Self::Week,
            "MONTH" => Self::Month,
            "QUARTER" => Self::Quarter,
            "YEAR" => Self::Year,
            "ISOYEAR" => Self::IsoYear,
            "DECADE" => Self::Decade,
            "CENTURY" => Self::Century,
            "MILLENNIUM" | "MILLENIUM" => Self::Millennium,
            _ => return None,
        })
    }

    /// Its value at an instant, on the calendar and the clocks of `zone`; `None` outside of the calendar.
    ///
    /// ```
    /// # use henge_segment_store::time::{TimePart, TimestampMs};
    /// let friday = TimestampMs::parse_iso("2027-01-01").unwrap();
    /// assert_eq!(TimePart::Week.at(friday, &jiff::tz::TimeZone::UTC), Some(53));
    /// assert_eq!(TimePart::IsoYear.at(friday, &jiff::tz::TimeZone::UTC), Some(2026));
    /// ```
    pub fn at(self, time: TimestampMs, zone: &TimeZone) -> Option<i64> {
        let civil = civil(time, zone)?;
        let date = civil.date();
        let year = i64::from(date.year());
        Some(match self {
            Self::Epoch => time.0 / 1_000,
            Self::Millisecond => civil.millisecond().into(),
            Self::Second => civil.second().into(),
            Self::Minute => civil.minute().into(),
            Self::Hour => civil.hour().into(),
            Self::Day => date.day().into(),
            Self::DayOfWeek => date.weekday().to_monday_one_offset().into(),
            Self::DayOfYear => date.day_of_year().into(),
            Self::Week => date.iso_week_date().week().into(),
            Self::Month => date.month().into(),
            Self::Quarter => i64::from((date.month() + 2) / 3),
            Self::Year => year,
            Self::IsoYear => date.iso_week_date().year().into(),
            Self::Decade => year.div_euclid(10),
            Self::Century => (year + 99).div_euclid(100),
            Self::Millennium => (year + 999).div_euclid(1_000),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::time_zone;

    #[test]
    fn parts_are_those_of_the_zones_calendar() {
        let new_york = time_zone("America/New_York").unwrap();
        let time = TimestampMs::parse_iso("2001-01-01T03:04:05.678Z").unwrap();
        let cases = [
            ("epoch", 978_318_245),
            ("Millisecond", 678),
            ("SECOND", 5),
            ("MINUTE", 4),
            ("HOUR", 22),
            ("DAY", 31),
            ("DOW", 7),
            ("DOY", 366),
            ("WEEK", 52),
            ("MONTH", 12),
            ("QUARTER", 4),
            ("YEAR", 2000),
            ("ISOYEAR", 2000),
            ("DECADE", 200),
            ("CENTURY", 20),
            ("MILLENNIUM", 2),
        ];
        for (name, value) in cases {
            assert_eq!(TimePart::of_name(name).unwrap().at(time, &new_york), Some(value), "{name}");
        }
        assert_eq!(TimePart::Century.at(time, &TimeZone::UTC), Some(21));
        assert_eq!(TimePart::Epoch.at(TimestampMs(-1_500), &TimeZone::UTC), Some(-1));
        assert_eq!(TimePart::of_name("fortnight"), None);
    }
}
