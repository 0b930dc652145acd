//! The lengths of buckets, and how long a time may be asked for in each.

use henge_segment_store::time::Granularity;

use super::problem::Problem;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Names, and how many milliseconds all intervals together may cover; `None` for any number. Buckets are aligned in UTC.
const GRANULARITIES: [(&str, Option<i64>); 10] = [
    ("PT1M", Some(6 * HOUR_MS)),
    ("PT5M", Some(DAY_MS)),
    ("PT15M", Some(4 * DAY_MS)),
    ("PT30M", Some(7 * DAY_MS)),
    ("PT1H", None),
    ("PT4H", None),
    ("PT6H", None),
    ("PT12H", None),
    ("P1D", None),
    (ALL, None),
];
const ALL: &str = "ALL";

/// A bucket's length as the contract names it.
#[derive(Debug, Clone, PartialEq)]
pub struct BucketLength {
    pub name: &'static str,
    /// `None` is one bucket for all time.
    pub granularity: Option<Granularity>,
    pub covered_ms_max: Option<i64>,
}

impl BucketLength {
    pub fn of_name(name: &str) -> Result<Self, Problem> {
        let Some((name, covered_ms_max)) = GRANULARITIES.into_iter().find(|(known, _)| *known == name) else {
            let known = GRANULARITIES.map(|(known, _)| known).join(", ");
            return Err(Problem::invalid(
                "invalid_granularity",
                format!("`granularity` is one of {known}, not `{name}`"),
            ));
        };
        let granularity = (name != ALL).then(|| name.parse().expect("all names but one are ISO-8601 periods"));
        Ok(Self { name, granularity, covered_ms_max })
    }

    /// Whether so many milliseconds may be asked for.
    pub fn check(&self, covered_ms: i64) -> Result<(), Problem> {
        match self.covered_ms_max {
            Some(max) if covered_ms > max => Err(Problem::invalid(
                "interval_too_long",
                format!(
                    "`granularity` {} covers {} at most, the intervals cover {}: ask for shorter intervals, or for a \
                     coarser granularity",
                    self.name,
                    shown(max),
                    shown(covered_ms)
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn shown(millis: i64) -> String {
    match millis {
        millis if millis % DAY_MS == 0 => format!("{} d", millis / DAY_MS),
        millis if millis % HOUR_MS == 0 => format!("{} h", millis / HOUR_MS),
        millis if millis % MINUTE_MS == 0 => format!("{} min", millis / MINUTE_MS),
        millis => format!("{millis} ms"),
    }
}
