//! How systems write what they write differently: the time column, its buckets, and instants.

use jiff::Timestamp;
use serde::Deserialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    Henge,
    DuckDb,
    ClickHouse,
    DataFusion,
    Druid,
}

/// The buckets that the queries use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    Minute,
    FiveMinutes,
    Hour,
    Day,
}

impl Bucket {
    pub const ALL: [(&str, Self); 4] = [
        ("{minute(ts)}", Self::Minute),
        ("{five_minutes(ts)}", Self::FiveMinutes),
        ("{hour(ts)}", Self::Hour),
        ("{day(ts)}", Self::Day),
    ];

    fn iso_period(self) -> &'static str {
        match self {
            Self::Minute => "PT1M",
            Self::FiveMinutes => "PT5M",
            Self::Hour => "PT1H",
            Self::Day => "P1D",
        }
    }

    fn interval(self) -> &'static str {
        match self {
            Self::Minute => "1 minute",
            Self::FiveMinutes => "5 minutes",
            Self::Hour => "1 hour",
            Self::Day => "1 day",
        }
    }

    fn milliseconds(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::FiveMinutes => 300_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    fn click_house(self) -> &'static str {
        match self {
            Self::Minute => "toStartOfMinute",
            Self::FiveMinutes => "toStartOfFiveMinutes",
            Self::Hour => "toStartOfHour",
            Self::Day => "toStartOfDay",
        }
    }
}

impl Dialect {
    pub fn time_column(self) -> &'static str {
        match self {
            Self::Henge | Self::Druid => "__time",
            Self::DuckDb | Self::ClickHouse | Self::DataFusion => "ts",
        }
    }

    /// The fastest of the forms that the system has for it.
    pub fn bucket(self, bucket: Bucket) -> String {
        match self {
            Self::Henge | Self::Druid => format!("TIME_FLOOR(__time, '{}')", bucket.iso_period()),
            Self::DuckDb => {
                let length_us = bucket.milliseconds() * 1000;
                format!("make_timestamp(epoch_us(ts) // {length_us} * {length_us})")
            }
            Self::ClickHouse => format!("{}(ts)", bucket.click_house()),
            Self::DataFusion => format!("date_bin(INTERVAL '{}', ts)", bucket.interval()),
        }
    }

    /// A literal of an instant in milliseconds since 1970: its second.
    pub fn instant(self, ms: i64) -> String {
        let instant = Timestamp::from_millisecond(ms).expect("the workload's day is within the calendar");
        let text = instant.strftime("%Y-%m-%d %H:%M:%S");
        match self {
            Self::ClickHouse => format!("toDateTime64('{text}', 3, 'UTC')"),
            Self::Henge | Self::Druid | Self::DuckDb | Self::DataFusion => format!("TIMESTAMP '{text}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_literals_of_their_dialect() {
        let end = 1_772_409_600_000;
        assert_eq!(Dialect::Henge.instant(end), "TIMESTAMP '2026-03-02 00:00:00'");
        assert_eq!(Dialect::ClickHouse.instant(end - 300_000), "toDateTime64('2026-03-01 23:55:00', 3, 'UTC')");
    }
}
