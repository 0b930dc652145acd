//! Lengths of buckets, as people write them and as the engine reads them, and what to put where there are none.

use henge_segment_store::time::Granularity;
use jiff::tz::TimeZone;
use serde::Deserialize;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The buckets that the times of an answer are the starts of.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    pub granularity: Granularity,
    pub fill: Fill,
}

/// What stands in buckets without rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    /// They are left out.
    #[default]
    None,
    Null,
    Zero,
    Previous,
    /// What lies on the line between the values around.
    Linear,
}

impl Fill {
    /// As the last argument of a macro says it.
    pub fn of_argument(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "null" => Self::Null,
            "0" => Self::Zero,
            "previous" => Self::Previous,
            "linear" => Self::Linear,
            _ => return None,
        })
    }
}

/// The ISO-8601 period of a length, in whole seconds, for buckets are no shorter; days are those of the calendar.
pub fn period_of(millis: i64) -> String {
    let whole = |unit: i64| millis % unit == 0;
    match millis {
        millis if whole(DAY_MS) => format!("P{}D", millis / DAY_MS),
        millis if whole(HOUR_MS) => format!("PT{}H", millis / HOUR_MS),
        millis if whole(MINUTE_MS) => format!("PT{}M", millis / MINUTE_MS),
        millis => format!("PT{}S", in_seconds(millis) / SECOND_MS),
    }
}

/// The next length in whole seconds.
pub fn in_seconds(millis: i64) -> i64 {
    (millis + SECOND_MS - 1).div_euclid(SECOND_MS) * SECOND_MS
}

/// `5m`, `1d`, `1M` as Grafana has them, or an ISO-8601 period, which is what becomes of them.
pub fn period_of_text(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let period = match (text.get(..digits)?.parse::<u32>(), text.get(digits..)?) {
        (Ok(count), "s") => format!("PT{count}S"),
        (Ok(count), "m") => format!("PT{count}M"),
        (Ok(count), "h") => format!("PT{count}H"),
        (Ok(count), "d") => format!("P{count}D"),
        (Ok(count), "w") => format!("P{count}W"),
        (Ok(count), "M") => format!("P{count}M"),
        (Ok(count), "y") => format!("P{count}Y"),
        _ => text.to_owned(),
    };
    Granularity::period(&period, None, TimeZone::UTC).ok().map(|_| period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_grafana_and_as_druid_write_them() {
        let cases = [
            ("5m", Some("PT5M")),
            ("500ms", None),
            ("1d", Some("P1D")),
            ("2w", Some("P2W")),
            ("1M", Some("P1M")),
            ("PT15M", Some("PT15M")),
            ("P1Y", Some("P1Y")),
            ("0m", None),
            ("", None),
            ("5", None),
            ("m", None),
            ("PT1M') OR 1=1 --", None),
        ];
        for (text, expected) in cases {
            assert_eq!(period_of_text(text).as_deref(), expected, "{text}");
        }
        let lengths = [(86_400_000, "P1D"), (5_400_000, "PT90M"), (1_500, "PT2S"), (7, "PT1S")];
        for (millis, period) in lengths {
            assert_eq!(period_of(millis), period);
            assert!(Granularity::period(period, None, TimeZone::UTC).is_ok(), "{period}");
        }
    }
}
