//! The time that a panel shows, and the buckets that it wants it in.

use henge_segment_store::time::{Granularity, Interval, TimestampMs, time_zone};
use jiff::tz::TimeZone;

use super::bucket::{in_seconds, period_of};
use super::request::Surroundings;
use crate::error::ApiError;

const POINTS_DEFAULT: f64 = 1_000.0;
/// Samples of counters are taken once in so many milliseconds where nobody says otherwise: what Grafana takes, too.
const SCRAPE_MS: i64 = 15_000;
/// A rate over fewer samples says nothing.
const RATE_SAMPLES: i64 = 4;
/// Lengths that people like buckets to have.
const ROUND_MS: [i64; 20] = [
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    60_000,
    120_000,
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    604_800_000,
    2_592_000_000,
];
/// Nobody wants longer buckets, and their lengths would not be counted in 64 bits for ever.
const INTERVAL_MS_MAX: i64 = 400 * 366 * 86_400_000;

/// Half-open, with its zone.
#[derive(Debug, Clone)]
pub struct Window {
    pub range: Interval,
    /// How long a bucket is to be where nothing else is said; whole seconds, one at least.
    pub interval_ms: i64,
    pub zone: TimeZone,
    /// As the engine takes it; `None` is UTC.
    pub zone_name: Option<String>,
}

impl Window {
    pub fn of(around: &Surroundings) -> Result<Self, ApiError> {
        let range = around.range.ok_or_else(|| {
            ApiError::invalid("`range` is missing: {\"from\": .., \"to\": ..} in milliseconds since 1970")
        })?;
        let (from, to) = (TimestampMs(range.from), TimestampMs(range.to));
        let interval = Interval::new(from, to).filter(|_| from.is_storable() && to <= TimestampMs::MAX);
        let range = interval.ok_or_else(|| {
            ApiError::invalid(format!(
                "`range` is to begin before it ends, within the years 1 to 9999, not from {} to {} ms",
                range.from, range.to
            ))
        })?;
        let (zone_name, zone) = zone_of(around.time_zone.as_deref())?;
        Ok(Self { range, interval_ms: interval_ms(around, range)?, zone, zone_name })
    }

    /// All time, where nobody says which.
    pub fn of_all(around: &Surroundings) -> Result<Self, ApiError> {
        let (zone_name, zone) = zone_of(around.time_zone.as_deref())?;
        Ok(Self { range: Interval::ALL, interval_ms: interval_ms(around, Interval::ALL)?, zone, zone_name })
    }

    pub fn length_ms(&self) -> i64 {
        self.range.end().0 - self.range.start().0
    }

    pub fn rate_interval_ms(&self) -> i64 {
        (self.interval_ms + SCRAPE_MS).max(RATE_SAMPLES * SCRAPE_MS)
    }

    /// Buckets of the length that a panel wants.
    pub fn granularity(&self) -> Granularity {
        let period = period_of(self.interval_ms);
        Granularity::period(&period, None, self.zone.clone()).expect("a length of a bucket is a period")
    }
}

/// Grafana says `utc` and `browser` as well.
fn zone_of(name: Option<&str>) -> Result<(Option<String>, TimeZone), ApiError> {
    match name {
        None | Some("" | "utc" | "browser" | "UTC") => Ok((None, TimeZone::UTC)),
        Some(name) => {
            let zone = time_zone(name).map_err(|error| ApiError::invalid(format!("`timeZone`: {error}")))?;
            Ok((Some(name.to_owned()), zone))
        }
    }
}

fn interval_ms(around: &Surroundings, range: Interval) -> Result<i64, ApiError> {
    let wrong = |name: &str| ApiError::invalid(format!("`{name}` is a number greater than 0"));
    if let Some(interval_ms) = around.interval_ms {
        if !interval_ms.is_finite() || interval_ms <= 0.0 || interval_ms > INTERVAL_MS_MAX as f64 {
            return Err(wrong("intervalMs"));
        }
        return Ok(in_seconds((interval_ms as i64).max(1)));
    }
    let points = around.max_data_points.unwrap_or(POINTS_DEFAULT);
    if !points.is_finite() || points < 1.0 {
        return Err(wrong("maxDataPoints"));
    }
    let least = ((range.end().0 - range.start().0) as f64 / points).ceil() as i64;
    Ok(ROUND_MS.into_iter().find(|round| *round >= least).unwrap_or_else(|| in_seconds(least)))
}
