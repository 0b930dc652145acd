//! Intervals as they are written: `start/end`, `start/duration`, `duration/end`, with `now` in the place of a time.

use henge_segment_store::time::{Granularity, Interval, Period, TimestampMs};

use super::problem::Problem;

/// Intervals of one request.
const INTERVALS_MAX: usize = 1_000;

/// The intervals of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervals {
    /// Ascending, none touching another.
    pub merged: Vec<Interval>,
    /// Whether `now` is among them, so that the same text means something else later.
    pub is_relative: bool,
}

impl Intervals {
    pub fn read(texts: &[String], now: TimestampMs) -> Result<Self, Problem> {
        if texts.is_empty() || texts.len() > INTERVALS_MAX {
            return Err(invalid(format!("`intervals` has 1 to {INTERVALS_MAX} items, not {}", texts.len())));
        }
        let mut intervals = texts.iter().map(|text| read(text, now)).collect::<Result<Vec<_>, _>>()?;
        intervals.sort_by_key(|interval| interval.start());
        let mut merged: Vec<Interval> = Vec::new();
        for interval in intervals {
            match merged.last_mut() {
                Some(last) if interval.start() <= last.end() => {
                    let end = last.end().max(interval.end());
                    *last = Interval::new(last.start(), end).expect("it grows");
                }
                _ => merged.push(interval),
            }
        }
        Ok(Self { merged, is_relative: texts.iter().any(|text| text.contains("now")) })
    }

    /// Milliseconds that they cover.
    pub fn covered_ms(&self) -> i64 {
        self.merged.iter().map(|interval| interval.end().0 - interval.start().0).sum()
    }

    pub fn start(&self) -> TimestampMs {
        self.merged[0].start()
    }
}

fn read(text: &str, now: TimestampMs) -> Result<Interval, Problem> {
    let not_understood = || {
        invalid(format!(
            "interval `{text}` is not understood: write start/end, start/duration or duration/end, with times such as \
             2026-01-01T00:00:00Z, now or now-2m|m, and durations such as PT1H"
        ))
    };
    let (start, end) = text.split_once('/').ok_or_else(not_understood)?;
    let (start, end) = match (duration(start), duration(end)) {
        (None, None) => (time(start, now), time(end, now)),
        (None, Some(duration)) => {
            let start = time(start, now);
            (start, start.map(|start| duration.after(start)))
        }
        (Some(duration), None) => {
            let end = time(end, now);
            (end.map(|end| duration.before(end)), end)
        }
        (Some(_), Some(_)) => (None, None),
    };
    let (start, end) = start.zip(end).ok_or_else(not_understood)?;
    let interval = Interval::new(start, end);
    interval.ok_or_else(|| invalid(format!("interval `{text}` ends at {end}, which is not behind its start {start}")))
}

fn duration(text: &str) -> Option<Period> {
    text.starts_with('P').then(|| text.parse().ok()).flatten()
}

fn time(text: &str, now: TimestampMs) -> Option<TimestampMs> {
    let time = match text.strip_prefix("now") {
        Some(modifiers) => modified(modifiers, now)?,
        None => TimestampMs::parse_iso(text)?,
    };
    time.is_storable().then_some(time)
}

/// Applies `(+|-)N(m|h|d)` and `|m`, `|h`, `|d`, which cuts off, one after another.
fn modified(mut modifiers: &str, mut time: TimestampMs) -> Option<TimestampMs> {
    while let Some(operator) = modifiers.chars().next() {
        let rest = &modifiers[operator.len_utf8()..];
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let unit = rest[digits..].chars().next()?;
        let (unit_ms, period) = match unit {
            'm' => (60_000, "PT1M"),
            'h' => (3_600_000, "PT1H"),
            'd' => (86_400_000, "P1D"),
            _ => return None,
        };
        let count = || rest[..digits].parse::<i64>().ok()?.checked_mul(unit_ms);
        time = match operator {
            '+' => TimestampMs(time.0.checked_add(count()?)?),
            '-' => TimestampMs(time.0.checked_sub(count()?)?),
            '|' if digits == 0 => period.parse::<Granularity>().expect("it is a period").floor(time),
            _ => return None,
        };
        modifiers = &rest[digits + 1..];
    }
    Some(time)
}

fn invalid(detail: String) -> Problem {
    Problem::invalid("invalid_interval", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-02T03:04:05.678Z.
    const NOW: TimestampMs = TimestampMs(1_767_323_045_678);

    fn read_all(texts: &[&str]) -> Result<Vec<String>, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let intervals = Intervals::read(&texts, NOW).map_err(|problem| problem.detail)?;
        Ok(intervals.merged.iter().map(|interval| format!("{}/{}", interval.start(), interval.end())).collect())
    }

    #[test]
    fn every_form_that_clients_send_is_read() {
        let cases = [
            ("2026-01-01T00:00:00Z/2026-01-01T01:00:00Z", "2026-01-01T00:00:00.000Z/2026-01-01T01:00:00.000Z"),
            ("2026-01-01T00:00:00.123Z/PT2H", "2026-01-01T00:00:00.123Z/2026-01-01T02:00:00.123Z"),
            ("2026-01-01T02:00:00+02:00/PT1M", "2026-01-01T00:00:00.000Z/2026-01-01T00:01:00.000Z"),
            ("P1D/2026-01-02T00:00:00Z", "2026-01-01T00:00:00.000Z/2026-01-02T00:00:00.000Z"),
            ("P1M/2026-03-01T00:00:00Z", "2026-02-01T00:00:00.000Z/2026-03-01T00:00:00.000Z"),
            ("P3D/now", "2025-12-30T03:04:05.678Z/2026-01-02T03:04:05.678Z"),
            ("PT15M/now", "2026-01-02T02:49:05.678Z/2026-01-02T03:04:05.678Z"),
            ("PT1H/now-2m|m", "2026-01-02T02:02:00.000Z/2026-01-02T03:02:00.000Z"),
            ("now-1d|d/now|h", "2026-01-01T00:00:00.000Z/2026-01-02T03:00:00.000Z"),
            ("now|d/now+1h", "2026-01-02T00:00:00.000Z/2026-01-02T04:04:05.678Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(read_all(&[text]), Ok(vec![expected.to_owned()]), "{text}");
        }
    }

    #[test]
    fn intervals_that_touch_are_one() {
        let hours = |from: u32, to: u32| format!("2026-01-01T{from:02}:00:00Z/2026-01-01T{to:02}:00:00Z");
        let (a, b, c, d) = (hours(4, 6), hours(0, 1), hours(1, 2), hours(5, 5 + 2));
        let merged = Intervals::read(&[a, b, c, d], NOW).unwrap();
        assert_eq!((merged.merged.len(), merged.covered_ms(), merged.is_relative), (2, 5 * 3_600_000, false));
        assert!(Intervals::read(&["PT1H/now".to_owned()], NOW).unwrap().is_relative);
    }

    #[test]
    fn what_is_no_interval_is_told_by_its_text() {
        let cases = [
            "",
            "now",
            "PT1H/PT1H",
            "now-2x/now",
            "now-2/now",
            "now||m/now",
            "now-99999999999999999999d/now",
            "now -1m/now",
            "2026-01-01/2026-13-01",
            "P0D/now",
            "-PT1H/now",
            "now-/now",
            "now-1m|/now",
            "nowé/now",
            "/",
            "PT1H/9999999-01-01T00:00:00Z",
        ];
        for text in cases {
            let detail = read_all(&[text]).unwrap_err();
            assert!(detail.starts_with(&format!("interval `{text}` is not understood: write start/end")), "{detail}");
        }
        let detail = read_all(&["now/now"]).unwrap_err();
        assert_eq!(
            detail,
            "interval `now/now` ends at 2026-01-02T03:04:05.678Z, which is not behind its start 2026-01-02T03:04:05.678Z"
        );
        assert_eq!(read_all(&[]).unwrap_err(), "`intervals` has 1 to 1000 items, not 0");
    }
}
