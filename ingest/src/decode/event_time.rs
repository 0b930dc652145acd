//! Event times, in the formats that a spec may name.

use henge_segment_store::ledger::Reason;
use henge_segment_store::time::TimestampMs;

use super::number::{is_number, scaled};
use super::{FieldValue, Refusal};
use crate::spec::TimeFormat;

/// `None` for null, which is no time.
pub(super) fn read(format: TimeFormat, value: FieldValue<'_>) -> Result<Option<TimestampMs>, Refusal> {
    let unreadable = || {
        let detail = format!("event time: expected {}, found {value}", expected(format));
        Refusal::new(Reason::TimeUnreadable, detail)
    };
    let time = match value {
        FieldValue::Null => return Ok(None),
        FieldValue::Number(text) if format != TimeFormat::Iso => from_number(format, text),
        FieldValue::String(text) if format != TimeFormat::Iso && is_number(text) => from_number(format, text),
        FieldValue::String(text) if matches!(format, TimeFormat::Iso | TimeFormat::Auto) => {
            Some(TimestampMs::parse_iso(text).ok_or_else(unreadable)?)
        }
        _ => return Err(unreadable()),
    };
    match time.filter(|time| time.is_storable()) {
        Some(time) => Ok(Some(time)),
        None => {
            let detail = format!("event time: {value} is not within the years 1 to 9999");
            Err(Refusal::new(Reason::TimeOutOfRange, detail))
        }
    }
}

/// `None` beyond 64 bits.
fn from_number(format: TimeFormat, text: &str) -> Option<TimestampMs> {
    let power = match format {
        TimeFormat::Seconds => 3,
        TimeFormat::Micros => -3,
        TimeFormat::Nanos => -6,
        TimeFormat::Millis | TimeFormat::Iso => 0,
        TimeFormat::Auto => match scaled(text, 0)?.floor.unsigned_abs() {
            0..100_000_000_000 => 3,
            100_000_000_000..100_000_000_000_000 => 0,
            100_000_000_000_000..100_000_000_000_000_000 => -3,
            _ => -6,
        },
    };
    Some(TimestampMs(scaled(text, power)?.floor))
}

fn expected(format: TimeFormat) -> &'static str {
    match format {
        TimeFormat::Iso => "ISO-8601 text",
        TimeFormat::Seconds => "seconds since 1970",
        TimeFormat::Millis => "milliseconds since 1970",
        TimeFormat::Micros => "microseconds since 1970",
        TimeFormat::Nanos => "nanoseconds since 1970",
        TimeFormat::Auto => "ISO-8601 text or a number since 1970",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The time, or the reason for none.
    fn time(format: TimeFormat, value: FieldValue<'_>) -> Result<Option<i64>, Reason> {
        read(format, value).map(|time| time.map(|time| time.0)).map_err(|refusal| refusal.reason)
    }

    #[test]
    fn each_format_reads_its_unit_and_cuts_toward_minus_infinity() {
        use FieldValue::{Number, String};
        use TimeFormat::{Auto, Iso, Micros, Millis, Nanos, Seconds};
        let cases = [
            (Seconds, Number("1700000000"), 1_700_000_000_000),
            (Seconds, Number("1700000000.1239"), 1_700_000_000_123),
            (Seconds, String("1700000000.5"), 1_700_000_000_500),
            (Seconds, Number("-0.0001"), -1),
            (Millis, Number("1700000000123"), 1_700_000_000_123),
            (Millis, Number("1.700000000123e12"), 1_700_000_000_123),
            (Millis, Number("0"), 0),
            (Millis, Number("-1.5"), -2),
            (Micros, Number("1700000000123999"), 1_700_000_000_123),
            (Micros, Number("-1"), -1),
            (Nanos, String("1700000000123999999"), 1_700_000_000_123),
            (Nanos, Number("-1000001"), -2),
            (Iso, String("2023-11-14T22:13:20.123Z"), 1_700_000_000_123),
            (Iso, String("2023-11-14T22:13:20"), 1_700_000_000_000),
            (Auto, String("2023-11-14T22:13:20Z"), 1_700_000_000_000),
            (Auto, String("2023-11-15T00:13:20+02:00"), 1_700_000_000_000),
            (Auto, Number("1700000000"), 1_700_000_000_000),
            (Auto, Number("1700000000.123"), 1_700_000_000_123),
            (Auto, Number("1700000000123"), 1_700_000_000_123),
            (Auto, Number("1700000000123456"), 1_700_000_000_123),
            (Auto, Number("1700000000123456789"), 1_700_000_000_123),
            (Auto, String("1700000000123"), 1_700_000_000_123),
            (Auto, Number("99999999999"), 99_999_999_999_000),
            (Auto, Number("100000000000"), 100_000_000_000),
            (Auto, Number("99999999999999"), 99_999_999_999_999),
            (Auto, Number("100000000000000"), 100_000_000_000),
            (Auto, Number("99999999999999999"), 99_999_999_999_999),
            (Auto, Number("100000000000000000"), 100_000_000_000),
            (Auto, Number("-1700000000123"), -1_700_000_000_123),
        ];
        for (format, value, expected) in cases {
            assert_eq!(time(format, value), Ok(Some(expected)), "{format:?} {value}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_with_its_reason() {
        use FieldValue::{Array, Boolean, Null, Number, Object, String};
        use TimeFormat::{Auto, Iso, Millis, Nanos, Seconds};
        assert_eq!(time(Auto, Null), Ok(None));
        let cases = [
            (Iso, Number("1700000000"), Reason::TimeUnreadable),
            (Millis, String("2023-11-14T22:13:20Z"), Reason::TimeUnreadable),
            (Auto, String(""), Reason::TimeUnreadable),
            (Auto, String("soon"), Reason::TimeUnreadable),
            (Auto, Boolean(true), Reason::TimeUnreadable),
            (Auto, Array, Reason::TimeUnreadable),
            (Auto, Object, Reason::TimeUnreadable),
            (Seconds, Number("253402300800"), Reason::TimeOutOfRange),
            (Seconds, Number("9223372036854775807"), Reason::TimeOutOfRange),
            (Millis, Number("1e400"), Reason::TimeOutOfRange),
            (Auto, Number("9223372036854775808"), Reason::TimeOutOfRange),
            (Iso, String("-000001-01-01T00:00:00Z"), Reason::TimeOutOfRange),
        ];
        for (format, value, reason) in cases {
            assert_eq!(time(format, value), Err(reason), "{format:?} {value}");
        }
        assert_eq!(time(Nanos, Number("9223372036854775807")), Ok(Some(9_223_372_036_854)));
    }
}
