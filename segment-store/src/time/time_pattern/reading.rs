//! A text read piece by piece, and the instant that its pieces make.

use jiff::civil::{Date, ISOWeekDate, Weekday, date};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use super::{Field, MONTHS, WEEKDAYS};
use crate::time::{TimestampMs, time_zone};

/// Years of two digits are those nearest to 2000: 1950 to 2049.
const SHORT_YEAR_FIRST: i64 = 1950;

/// What a text has said so far, and what is left of it.
pub(super) struct Reading<'t> {
    rest: &'t str,
    year: Option<i64>,
    week_year: Option<i64>,
    week: Option<i64>,
    weekday: Option<i64>,
    day_of_year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    /// Of the day, or of half of it.
    hour: i64,
    is_afternoon: Option<bool>,
    minute: i64,
    second: i64,
    millis: i64,
    zone: Option<TimeZone>,
}

impl<'t> Reading<'t> {
    pub fn new(text: &'t str) -> Self {
        Self {
            rest: text,
            year: None,
            week_year: None,
            week: None,
            weekday: None,
            day_of_year: None,
            month: None,
            day: None,
            hour: 0,
            is_afternoon: None,
            minute: 0,
            second: 0,
            millis: 0,
            zone: None,
        }
    }

    pub fn skip(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    pub fn take(&mut self, field: Field) -> Option<()> {
        match field.letter {
            b'G' => self.skip("AD")?,
            b'y' | b'Y' => self.year = Some(self.year_number(field)?),
            b'x' => self.week_year = Some(self.year_number(field)?),
            b'w' => self.week = Some(self.number(2, 1, 53)?),
            b'e' => self.weekday = Some(self.number(1, 1, 7)?),
            b'E' => self.weekday = Some(self.name(&WEEKDAYS)?),
            b'D' => self.day_of_year = Some(self.number(3, 1, 366)?),
            b'M' if field.count >= 3 => self.month = Some(self.name(&MONTHS)?),
            b'M' => self.month = Some(self.number(2, 1, 12)?),
            b'd' => self.day = Some(self.number(2, 1, 31)?),
            b'a' => self.is_afternoon = Some(self.name(&["AM", "PM"])? == 2),
            b'H' => self.hour = self.number(2, 0, 23)?,
            b'k' => self.hour = self.number(2, 1, 24)? % 24,
            b'K' => self.hour = self.number(2, 0, 11)?,
            b'h' => self.hour = self.number(2, 1, 12)? % 12,
            b'm' => self.minute = self.number(2, 0, 59)?,
            b's' => self.second = self.number(2, 0, 59)?,
            b'S' => self.millis = self.fraction(field.count)?,
            b'z' | b'Z' => self.zone = Some(self.zone()?),
            _ => return None,
        }
        Some(())
    }

    /// The instant that the whole text names.
    pub fn instant(&self, zone: &TimeZone) -> Option<TimestampMs> {
        if !self.rest.is_empty() {
            return None;
        }
        let hour = match self.is_afternoon {
            Some(is_afternoon) => self.hour % 12 + if is_afternoon { 12 } else { 0 },
            None => self.hour,
        };
        let millis = self.millis * 1_000_000;
        let civil = self.date()?.at(hour as i8, self.minute as i8, self.second as i8, millis as i32);
        let local = self.zone.as_ref().unwrap_or(zone).to_ambiguous_timestamp(civil);
        if matches!(local.offset(), AmbiguousOffset::Gap { .. }) {
            return None;
        }
        Some(TimestampMs(local.compatible().ok()?.as_millisecond())).filter(|time| time.is_storable())
    }

    fn date(&self) -> Option<Date> {
        if self.week.is_some() || self.week_year.is_some() {
            let year = self.week_year.or(self.year).unwrap_or(2000) as i16;
            let weekday = Weekday::from_monday_one_offset(self.weekday.unwrap_or(1) as i8).ok()?;
            return Some(ISOWeekDate::new(year, self.week.unwrap_or(1) as i8, weekday).ok()?.date());
        }
        // As Joda: a year that is not said is 1970, or 2000 beside a month or a day.
        let is_said = self.month.is_some() || self.day.is_some() || self.day_of_year.is_some();
        let year = self.year.unwrap_or(if is_said { 2000 } else { 1970 }) as i16;
        if let Some(day) = self.day_of_year {
            let first = Date::new(year, 1, 1).ok()?;
            return (day <= first.days_in_year().into()).then(|| date(year, 1, 1) + jiff::Span::new().days(day - 1));
        }
        Date::new(year, self.month.unwrap_or(1) as i8, self.day.unwrap_or(1) as i8).ok()
    }

    fn year_number(&mut self, field: Field) -> Option<i64> {
        let digits = self.digits(if field.is_fixed { field.count } else { 9 })?;
        let year: i64 = digits.parse().ok()?;
        if field.is_short_year() && digits.len() == 2 {
            return Some(SHORT_YEAR_FIRST + (year - SHORT_YEAR_FIRST).rem_euclid(100));
        }
        (1..=9999).contains(&year).then_some(year)
    }

    fn number(&mut self, digits_max: usize, least: i64, greatest: i64) -> Option<i64> {
        let number = self.digits(digits_max)?.parse().ok()?;
        (least..=greatest).contains(&number).then_some(number)
    }

    /// Milliseconds; finer digits are cut off.
    fn fraction(&mut self, digits_max: usize) -> Option<i64> {
        let digits = self.digits(digits_max)?;
        let kept = &digits[..digits.len().min(3)];
        let number: i64 = kept.parse().ok()?;
        Some(number * 10_i64.pow(3 - kept.len() as u32))
    }

    fn digits(&mut self, most: usize) -> Option<&'t str> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        (count > 0).then_some(digits)
    }

    /// The number of a name, from 1; short or whole, in any case.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        let length = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (said, rest) = self.rest.split_at(length);
        let fits = |name: &&str| {
            name.eq_ignore_ascii_case(said) || name.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(said))
        };
        let at = names.iter().position(fits)?;
        self.rest = rest;
        Some(at as i64 + 1)
    }

    /// `Z`, an offset, or a name.
    fn zone(&mut self) -> Option<TimeZone> {
        if let Some(rest) = self.rest.strip_prefix(['+', '-']) {
            let is_negative = self.rest.starts_with('-');
            self.rest = rest;
            let hours = self.number(2, 0, 23)?;
            self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
            let minutes = if self.rest.starts_with(|c: char| c.is_ascii_digit()) { self.number(2, 0, 59)? } else { 0 };
            let seconds = (hours * 3_600 + minutes * 60) as i32;
            let offset = Offset::from_seconds(if is_negative { -seconds } else { seconds }).ok()?;
            return Some(TimeZone::fixed(offset));
        }
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+');
        let (name, rest) = self.rest.split_at(self.rest.bytes().take_while(is_name).count());
        self.rest = rest;
        time_zone(name).ok()
    }
}
