//! How granularities are written, and read again.

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{
    DAY_MS, Granularity, GranularityError, HOUR_MS, MILLIS_MAX, MINUTE_MS, MONTHS_MAX, Period, SECOND_MS, WEEK_MS,
};
use crate::time::{TimestampMs, time_zone};

impl Period {
    pub(super) fn parse_iso(text: &str) -> Result<Self, GranularityError> {
        let unknown = || GranularityError::Unknown(text.to_owned());
        let mut rest = text.strip_prefix(['P', 'p']).ok_or_else(unknown)?;
        let (mut months, mut millis, mut in_time, mut parts) = (0_i64, 0_i64, false, 0);
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(['T', 't']).filter(|_| !in_time) {
                (rest, in_time) = (after, true);
                continue;
            }
            let unit_at = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(unknown)?;
            let count: i64 = rest[..unit_at].parse().map_err(|_| unknown())?;
            let (unit_months, unit_millis) = match (in_time, rest.as_bytes()[unit_at].to_ascii_uppercase()) {
                (false, b'Y') => (12, 0),
                (false, b'M') => (1, 0),
                (false, b'W') => (0, WEEK_MS),
                (false, b'D') => (0, DAY_MS),
                (true, b'H') => (0, HOUR_MS),
                (true, b'M') => (0, MINUTE_MS),
                (true, b'S') => (0, SECOND_MS),
                _ => return Err(unknown()),
            };
            if count > 1_000_000 {
                return Err(unknown());
            }
            months += count * unit_months;
            millis += count * unit_millis;
            parts += 1;
            rest = &rest[unit_at + 1..];
        }
        match (months, millis) {
            _ if parts == 0 => Err(unknown()),
            (0, 0) => Err(GranularityError::Empty(text.to_owned())),
            (months, millis) if months > MONTHS_MAX || millis > MILLIS_MAX => {
                Err(GranularityError::TooLong(text.to_owned()))
            }
            (0, millis) => Ok(Self::Millis(millis)),
            (months, 0) => Ok(Self::Months(months)),
            _ => Err(GranularityError::Mixed(text.to_owned())),
        }
    }

    /// `5m` and the like; `ms` is told from `m` and `s` by its length.
    fn parse_short(text: &str) -> Option<Self> {
        let unit_at = text.find(|c: char| !c.is_ascii_digit())?;
        let count: i64 = text[..unit_at].parse().ok().filter(|count| (1..=1_000_000).contains(count))?;
        let unit = match &text[unit_at..] {
            "ms" => 1,
            "s" => SECOND_MS,
            "m" | "min" => MINUTE_MS,
            "h" => HOUR_MS,
            "d" => DAY_MS,
            "w" => WEEK_MS,
            _ => return None,
        };
        Some(Self::Millis(count * unit))
    }

    /// Druid's names for granularities.
    fn parse_name(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "none" => Self::None,
            "all" => Self::All,
            "second" => Self::Millis(SECOND_MS),
            "minute" => Self::Millis(MINUTE_MS),
            "five_minute" => Self::Millis(5 * MINUTE_MS),
            "ten_minute" => Self::Millis(10 * MINUTE_MS),
            "fifteen_minute" => Self::Millis(15 * MINUTE_MS),
            "thirty_minute" => Self::Millis(30 * MINUTE_MS),
            "hour" => Self::Millis(HOUR_MS),
            "six_hour" => Self::Millis(6 * HOUR_MS),
            "eight_hour" => Self::Millis(8 * HOUR_MS),
            "day" => Self::Millis(DAY_MS),
            "week" => Self::Millis(WEEK_MS),
            "month" => Self::Months(1),
            "quarter" => Self::Months(3),
            "year" => Self::Months(12),
            _ => return None,
        })
    }
}

impl FromStr for Granularity {
    type Err = GranularityError;

    fn from_str(text: &str) -> Result<Self, GranularityError> {
        let period = match Period::parse_name(text).or_else(|| Period::parse_short(text)) {
            Some(period) => period,
            None => Period::parse_iso(text)?,
        };
        Ok(Self { period, origin: None, zone: TimeZone::UTC })
    }
}

impl fmt::Display for Granularity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.period {
            Period::None => out.write_str("none"),
            Period::All => out.write_str("all"),
            Period::Months(months) if months % 12 == 0 => write!(out, "P{}Y", months / 12),
            Period::Months(months) => write!(out, "P{months}M"),
            Period::Millis(millis) if millis % DAY_MS == 0 => write!(out, "P{}D", millis / DAY_MS),
            Period::Millis(millis) if millis % HOUR_MS == 0 => write!(out, "PT{}H", millis / HOUR_MS),
            Period::Millis(millis) if millis % MINUTE_MS == 0 => write!(out, "PT{}M", millis / MINUTE_MS),
            Period::Millis(millis) if millis % SECOND_MS == 0 => write!(out, "PT{}S", millis / SECOND_MS),
            Period::Millis(millis) => write!(out, "{millis}ms"),
        }
    }
}

/// How a granularity stands in a spec or a manifest record; the object forms are Druid's.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Written {
    Text(String),
    Object(WrittenObject),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum WrittenObject {
    Period {
        period: String,
        #[serde(rename = "timeZone", default, skip_serializing_if = "Option::is_none")]
        time_zone: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<String>,
    },
    Duration {
        duration: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<String>,
    },
}

impl TryFrom<Written> for Granularity {
    type Error = GranularityError;

    fn try_from(written: Written) -> Result<Self, GranularityError> {
        let instant = |text: Option<String>| match text {
            None => Ok(None),
            Some(text) => TimestampMs::parse_iso(&text).map(Some).ok_or(GranularityError::Origin(text)),
        };
        match written {
            Written::Text(text) => text.parse(),
            Written::Object(WrittenObject::Period { period, time_zone: zone, origin }) => {
                let zone = zone.map_or(Ok(TimeZone::UTC), |name| time_zone(&name))?;
                let plain: Self = period.parse()?;
                Ok(Self { period: plain.period, origin: instant(origin)?, zone })
            }
            Written::Object(WrittenObject::Duration { duration, origin }) => {
                if duration < 1 {
                    return Err(GranularityError::Empty(duration.to_string()));
                }
                let origin = Some(instant(origin)?.unwrap_or(TimestampMs(0)));
                Ok(Self { period: Period::Millis(duration), origin, zone: TimeZone::UTC })
            }
        }
    }
}

impl From<Granularity> for Written {
    fn from(granularity: Granularity) -> Self {
        let period = granularity.to_string();
        if granularity.origin.is_none() && granularity.zone == TimeZone::UTC {
            return Self::Text(period);
        }
        let zone = granularity.zone_name();
        let origin = granularity.origin.map(|origin| origin.to_string());
        Self::Object(WrittenObject::Period { period, time_zone: Some(zone), origin })
    }
}
