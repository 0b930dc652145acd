mod reading;

use std::fmt::Write;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use self::reading::Reading;
use super::TimestampMs;
use super::wall_clock::civil;

/// How a time is written, as a Joda pattern says it: `yyyy-MM-dd HH:mm:ss.SSS`; names are English.
///
/// Pieces that a pattern can have: `G C Y x w e E y D M d a K h H k m s S z Z`, text in single quotes, and punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimePattern {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    letter: u8,
    /// How often the letter stands there.
    count: usize,
    /// Digits of another field follow at once, so this one has no more than it says.
    is_fixed: bool,
}

/// A pattern that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a pattern of time: {detail}; write one such as yyyy-MM-dd HH:mm:ss")]
pub struct TimePatternError {
    pattern: String,
    detail: String,
}

const LETTERS: &[u8] = b"GCYxweEyDMdaKhHkmsSzZ";
/// Of one pattern: what it writes stays small.
const PATTERN_BYTES_MAX: usize = 256;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl TimePattern {
    pub fn parse(pattern: &str) -> Result<Self, TimePatternError> {
        let fail = |detail: String| TimePatternError { pattern: pattern.to_owned(), detail };
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(fail(format!("it is longer than {PATTERN_BYTES_MAX} bytes")));
        }
        let mut pieces = Vec::new();
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let length = rest.find(|c| c != first).unwrap_or(rest.len());
            let piece = match first {
                '\'' => {
                    let (text, after) = quoted(rest).ok_or_else(|| fail("a quote does not end".to_owned()))?;
                    rest = after;
                    pieces.push(Piece::Text(text));
                    continue;
                }
                letter if letter.is_ascii_alphabetic() => {
                    if !LETTERS.contains(&(letter as u8)) {
                        return Err(fail(format!("`{letter}` names no part of a time")));
                    }
                    Piece::Field(Field { letter: letter as u8, count: length, is_fixed: false })
                }
                _ => Piece::Text(rest[..length].to_owned()),
            };
            pieces.push(piece);
            rest = &rest[length..];
        }
        for at in 1..pieces.len() {
            let is_followed = matches!(&pieces[at], Piece::Field(field) if field.is_number());
            if let Piece::Field(field) = &mut pieces[at - 1] {
                field.is_fixed = is_followed;
            }
        }
        Ok(Self { pieces })
    }

    /// Appends the time as clocks in `zone` show it; `None` outside of the calendar.
    pub fn write(&self, time: TimestampMs, zone: &TimeZone, out: &mut String) -> Option<()> {
        let shown = civil(time, zone)?;
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field(field) => field.write(time, shown, zone, out),
            }
        }
        Some(())
    }

    /// The instant that `text` names on clocks in `zone`, or in the zone that it names itself; `None` where it does not
    /// fit the pattern, or no clock ever showed it.
    ///
    /// ```
    /// # use henge_segment_store::time::{TimePattern, TimestampMs};
    /// let pattern = TimePattern::parse("dd.MM.yyyy").unwrap();
    /// assert_eq!(pattern.read("02.01.1970", &jiff::tz::TimeZone::UTC), Some(TimestampMs(86_400_000)));
    /// ```
    pub fn read(&self, text: &str, zone: &TimeZone) -> Option<TimestampMs> {
        let mut reading = Reading::new(text);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => reading.skip(text)?,
                Piece::Field(field) => reading.take(*field)?,
            }
        }
        reading.instant(zone)
    }
}

/// The text between quotes, two of which stand for one, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = &text[1..];
    if let Some(rest) = inner.strip_prefix('\'') {
        return Some(("'".to_owned(), rest));
    }
    let mut said = String::new();
    let mut rest = inner;
    loop {
        let (part, after) = rest.split_once('\'')?;
        said.push_str(part);
        match after.strip_prefix('\'') {
            Some(more) => {
                said.push('\'');
                rest = more;
            }
            None => return Some((said, after)),
        }
    }
}

impl Field {
    fn is_number(self) -> bool {
        match self.letter {
            b'G' | b'E' | b'a' | b'z' | b'Z' => false,
            b'M' => self.count < 3,
            _ => true,
        }
    }

    fn write(self, time: TimestampMs, shown: DateTime, zone: &TimeZone, out: &mut String) {
        match self.letter {
            b'G' => out.push_str("AD"),
            b'E' => out.push_str(self.name(&WEEKDAYS, shown.weekday().to_monday_zero_offset())),
            b'M' if self.count >= 3 => out.push_str(self.name(&MONTHS, shown.month() - 1)),
            b'a' => out.push_str(if shown.hour() < 12 { "AM" } else { "PM" }),
            b'S' => {
                let digits = format!("{:03}{}", shown.millisecond(), "0".repeat(self.count.saturating_sub(3)));
                out.push_str(&digits[..self.count]);
            }
            b'Z' | b'z' => self.write_zone(time, zone, out),
            _ => {
                let number = self.number(shown);
                let shortened = if self.is_short_year() { number % 100 } else { number };
                write!(out, "{shortened:0width$}", width = self.count).expect("a string takes all text");
            }
        }
    }

    fn number(self, shown: DateTime) -> i64 {
        let hour = i64::from(shown.hour());
        match self.letter {
            b'C' => i64::from(shown.year()) / 100,
            b'x' => shown.date().iso_week_date().year().into(),
            b'w' => shown.date().iso_week_date().week().into(),
            b'e' => shown.weekday().to_monday_one_offset().into(),
            b'D' => shown.day_of_year().into(),
            b'M' => shown.month().into(),
            b'd' => shown.day().into(),
            b'K' => hour % 12,
            b'h' => (hour + 11) % 12 + 1,
            b'H' => hour,
            b'k' => (hour + 23) % 24 + 1,
            b'm' => shown.minute().into(),
            b's' => shown.second().into(),
            _ => shown.year().into(),
        }
    }

    fn is_short_year(self) -> bool {
        self.count == 2 && matches!(self.letter, b'y' | b'Y' | b'x')
    }

    fn name(self, names: &[&'static str], at: i8) -> &'static str {
        let name = names[at as usize];
        if self.count >= 4 { name } else { &name[..3] }
    }

    fn write_zone(self, time: TimestampMs, zone: &TimeZone, out: &mut String) {
        let instant = jiff::Timestamp::from_millisecond(time.0).expect("what clocks show was found for it");
        if self.letter == b'z' {
            return out.push_str(zone.to_offset_info(instant).abbreviation());
        }
        if let (3.., Some(name)) = (self.count, zone.iana_name()) {
            return out.push_str(name);
        }
        let minutes = zone.to_offset(instant).seconds() / 60;
        let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.abs());
        let colon = if self.count == 1 { "" } else { ":" };
        write!(out, "{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60).expect("a string takes all text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::time_zone;

    #[test]
    fn what_is_written_reads_back() {
        let time = TimestampMs::parse_iso("2026-03-05T16:07:08.009Z").unwrap();
        let cases = [
            ("yyyy-MM-dd HH:mm:ss.SSS", "UTC", "2026-03-05 16:07:08.009"),
            ("yyyyMMddHHmmssSSS", "UTC", "20260305160708009"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSZZ", "Asia/Kolkata", "2026-03-05T21:37:08.009+05:30"),
            ("EEE, d MMM yyyy HH:mm:ss.SSS Z", "America/New_York", "Thu, 5 Mar 2026 11:07:08.009 -0500"),
            ("EEEE MMMM dd yy hh:mm:ss.SSS a", "UTC", "Thursday March 05 26 04:07:08.009 PM"),
            ("xxxx-'W'ww-e KK kk H:m:s.SSS", "UTC", "2026-W10-4 04 16 16:7:8.009"),
            ("y/D 'o''clock' HH:mm:ss.SSS ZZZ", "Europe/Berlin", "2026/64 o'clock 17:07:08.009 Europe/Berlin"),
        ];
        for (pattern, zone, expected) in cases {
            let (pattern, zone) = (TimePattern::parse(pattern).unwrap(), time_zone(zone).unwrap());
            let mut text = String::new();
            pattern.write(time, &zone, &mut text).unwrap();
            assert_eq!(text, expected);
            assert_eq!(pattern.read(&text, &zone), Some(time), "{text}");
        }
    }

    #[test]
    fn text_that_does_not_fit_is_no_time() {
        let cases = [
            ("yyyy-MM-dd", "2026-02-30"),
            ("yyyy-MM-dd", "2026-01-01 "),
            ("yyyy-MM-dd", "x"),
            ("yyyy-MM-dd", ""),
            ("HH:mm", "24:00"),
            ("hh a", "13 PM"),
            ("MMM", "Foo"),
            // Skipped by the clocks.
            ("yyyy-MM-dd HH:mm", "2026-03-29 02:30"),
        ];
        let berlin = time_zone("Europe/Berlin").unwrap();
        for (pattern, text) in cases {
            assert_eq!(TimePattern::parse(pattern).unwrap().read(text, &berlin), None, "{text:?} as {pattern}");
        }
        assert_eq!(
            TimePattern::parse("MM-dd HH").unwrap().read("12-31 23", &TimeZone::UTC),
            TimestampMs::parse_iso("2000-12-31T23:00:00Z")
        );
        for pattern in ["yyyy-bb", "'open", &"y".repeat(300)] {
            assert!(TimePattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
