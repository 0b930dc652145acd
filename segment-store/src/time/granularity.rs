mod written;

use jiff::civil;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use self::written::Written;
use super::zone::TimeZoneError;
use super::{Interval, TimestampMs};

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const WEEK_MS: i64 = 7 * DAY_MS;
/// The longest period: from any time that is stored, the start of its bucket lies within the calendar.
const MONTHS_MAX: i64 = 9_000 * 12;
const MILLIS_MAX: i64 = 9_000 * 365 * DAY_MS;
/// December 9999, in months since year 0.
const MONTH_LAST: i64 = 9_999 * 12 + 11;
/// Monday 1969-12-29: ISO weeks are counted from here.
const MONDAY_MS: i64 = -3 * DAY_MS;

/// Splits time into buckets without gaps or overlaps; `floor` finds the start of an instant's bucket.
///
/// Written as a short form (`1m`, `6h`, `1d`), an ISO-8601 period (`PT1M`, `P1M`), a Druid name (`minute`, `hour`,
/// `none`, `all`), or Druid's object form with a time zone or an origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Granularity {
    period: Period,
    /// Buckets are counted from here; `None`: from 1970-01-01T00:00 local time, weeks from a Monday.
    origin: Option<TimestampMs>,
    zone: TimeZone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    /// Every millisecond is a bucket of its own.
    None,
    /// One bucket.
    All,
    /// A number of milliseconds, for periods up to weeks.
    Millis(i64),
    Months(i64),
}

/// Why a granularity could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GranularityError {
    #[error(
        "`{0}` is not a granularity: write a number and ms, s, m, h, d or w (`5m`), an ISO-8601 period (`PT5M`, `P1M`), \
         or a name such as minute, hour, day, month, none, all"
    )]
    Unknown(String),
    #[error("a period mixes months with shorter units in `{0}`: use one of them")]
    Mixed(String),
    #[error("the period `{0}` is empty")]
    Empty(String),
    #[error("the period `{0}` is longer than 9000 years")]
    TooLong(String),
    #[error(transparent)]
    Zone(#[from] TimeZoneError),
    #[error("`{0}` is not an ISO-8601 instant")]
    Origin(String),
}

impl Granularity {
    /// Every millisecond apart: events keep their time.
    pub const NONE: Self = Self { period: Period::None, origin: None, zone: TimeZone::UTC };
    /// Everything in one bucket.
    pub const ALL: Self = Self { period: Period::All, origin: None, zone: TimeZone::UTC };

    /// Parses an ISO-8601 period and counts it in `zone`, from `origin` if there is one.
    pub fn period(period: &str, origin: Option<TimestampMs>, zone: TimeZone) -> Result<Self, GranularityError> {
        Ok(Self { period: Period::parse_iso(period)?, origin, zone })
    }

    /// The start of the bucket that holds `time`: the largest bucket start that is not after it (invariant T1).
    ///
    /// ```
    /// # use henge_segment_store::time::{Granularity, TimestampMs};
    /// let hour: Granularity = "1h".parse().unwrap();
    /// assert_eq!(hour.floor(TimestampMs(3_600_001)), TimestampMs(3_600_000));
    /// assert_eq!(hour.floor(TimestampMs(-1)), TimestampMs(-3_600_000));
    /// ```
    pub fn floor(&self, time: TimestampMs) -> TimestampMs {
        match self.period {
            Period::None => time,
            Period::All => TimestampMs::MIN,
            Period::Millis(length) if self.zone == TimeZone::UTC => {
                TimestampMs(floor_millis(time.0, length, self.origin.map(|origin| origin.0)))
            }
            Period::Millis(length) => self.floor_local(time, |local, origin| floor_millis(local, length, origin)),
            Period::Months(count) => self.floor_local(time, |local, origin| floor_months(local, count, origin)),
        }
    }

    /// The bucket that holds `time`.
    pub fn bucket(&self, time: TimestampMs) -> Interval {
        let start = self.floor(time);
        Interval::new(start, self.next(start)).expect("a bucket ends after it starts")
    }

    /// The first bucket start that is not before `time`; [`TimestampMs::MAX`] where the calendar ends before.
    ///
    /// Where clocks are set back across a bucket's edge, as in St John's at 00:01, the bucket goes on after it has ended:
    /// then this is not the end of [`Self::bucket`].
    pub fn ceil(&self, time: TimestampMs) -> TimestampMs {
        let mut start = self.floor(time);
        while start < time {
            start = self.next(start);
        }
        start
    }

    /// The start of the bucket after the one that starts at `start`.
    pub fn next(&self, start: TimestampMs) -> TimestampMs {
        match self.period {
            Period::None => TimestampMs(start.0 + 1),
            Period::All => TimestampMs::MAX,
            Period::Millis(length) if self.zone == TimeZone::UTC => TimestampMs(start.0 + length),
            Period::Millis(length) => {
                let local = self.to_local(start) + length;
                if local >= TimestampMs::MAX.0 {
                    return TimestampMs::MAX;
                }
                let next = self.to_instant(local);
                self.first_boundary(start, if next > start { next } else { TimestampMs(start.0 + length) })
            }
            Period::Months(count) => match add_months(self.to_local(start), count) {
                Some(local) => self.first_boundary(start, self.to_instant(local)),
                None => TimestampMs::MAX,
            },
        }
    }

    /// The first boundary after `start`, where `next` is one: a clock change may repeat a local time, so that a bucket
    /// starts twice, or skip one, so that a bucket starts later than the next ones are counted from.
    fn first_boundary(&self, start: TimestampMs, mut next: TimestampMs) -> TimestampMs {
        loop {
            let last = self.floor(TimestampMs(next.0 - 1));
            if last <= start {
                return next;
            }
            next = last;
        }
    }

    /// Whether buckets of `self` never cross a boundary of `outer`, as far as can be told from their lengths.
    pub fn nests_in(&self, outer: &Self) -> bool {
        match (self.period, outer.period) {
            (Period::None, _) | (_, Period::All) => true,
            (Period::All, _) | (_, Period::None) => false,
            _ if self.zone != outer.zone || self.origin != outer.origin => false,
            (Period::Millis(inner), Period::Millis(outer)) => {
                outer % inner == 0
                    && (inner < WEEK_MS || outer % WEEK_MS == 0)
                    && (outer != WEEK_MS || DAY_MS % inner == 0 || inner == WEEK_MS)
            }
            (Period::Millis(inner), Period::Months(_)) => DAY_MS % inner == 0,
            (Period::Months(inner), Period::Months(outer)) => outer % inner == 0,
            (Period::Months(_), Period::Millis(_)) => false,
        }
    }

    /// Where buckets are counted from, if not from their customary start.
    pub fn origin(&self) -> Option<TimestampMs> {
        self.origin
    }

    /// An IANA name, or an offset.
    pub fn zone_name(&self) -> String {
        let offset = || self.zone.to_fixed_offset().map_or("UTC".to_owned(), |offset| offset.to_string());
        self.zone.iana_name().map_or_else(offset, str::to_owned)
    }

    /// The length of every bucket in milliseconds; `None` where they differ, or may.
    pub fn length_ms(&self) -> Option<i64> {
        match self.period {
            Period::None => Some(1),
            Period::Millis(length) if self.zone == TimeZone::UTC => Some(length),
            _ => None,
        }
    }

    /// Whether this keeps every millisecond apart.
    pub fn is_none(&self) -> bool {
        self.period == Period::None
    }

    fn floor_local(&self, time: TimestampMs, floor: impl Fn(i64, Option<i64>) -> i64) -> TimestampMs {
        let origin = self.origin.map(|origin| self.to_local(origin));
        let local = self.to_local(time);
        let floored = floor(local, origin);
        // Within one offset the way back is exact, also in an hour that the clock runs through twice.
        let same_offset = TimestampMs(time.0 - (local - floored));
        if self.to_local(same_offset) == floored { same_offset } else { self.to_instant(floored).min(time) }
    }

    /// Wall-clock time in the zone, as milliseconds since a local 1970-01-01T00:00.
    fn to_local(&self, time: TimestampMs) -> i64 {
        time.0 + i64::from(self.zone.to_offset(nearest(time.0)).seconds()) * SECOND_MS
    }

    /// The instant of a wall-clock time; in a gap the later one, in a repeated hour the first.
    fn to_instant(&self, local: i64) -> TimestampMs {
        let civil = civil_of(local);
        let zoned = self.zone.to_ambiguous_zoned(civil).compatible().expect("event times lie within the calendar");
        TimestampMs(zoned.timestamp().as_millisecond())
    }
}

fn floor_millis(time: i64, length: i64, origin: Option<i64>) -> i64 {
    let origin = origin.unwrap_or(if length % WEEK_MS == 0 { MONDAY_MS } else { 0 });
    origin + (time - origin).div_euclid(length) * length
}

/// The instant, or the last one of jiff's calendar, which ends two hours before [`TimestampMs::MAX`]: offsets and dates are
/// the same until then.
fn nearest(millis: i64) -> jiff::Timestamp {
    let last = jiff::Timestamp::MAX.as_second() * SECOND_MS;
    jiff::Timestamp::from_millisecond(millis.min(last)).expect("the calendar begins long before the first event time")
}

fn civil_of(local: i64) -> civil::DateTime {
    TimeZone::UTC.to_datetime(nearest(local))
}

fn local_of(civil: civil::DateTime) -> i64 {
    civil.to_zoned(TimeZone::UTC).expect("event times lie within the calendar").timestamp().as_millisecond()
}

fn month_number(date: civil::DateTime) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// A day of month that a shorter month lacks becomes that month's last day.
fn at_month(month_number: i64, like: civil::DateTime) -> i64 {
    let first = civil::date(month_number.div_euclid(12) as i16, month_number.rem_euclid(12) as i8 + 1, 1);
    let day = like.day().min(first.days_in_month());
    local_of(civil::date(first.year(), first.month(), day).to_datetime(like.time()))
}

/// `None` beyond the calendar.
fn add_months(local: i64, count: i64) -> Option<i64> {
    let date = civil_of(local);
    let month = month_number(date) + count;
    (month < MONTH_LAST).then(|| at_month(month, date))
}

fn floor_months(local: i64, count: i64, origin: Option<i64>) -> i64 {
    let origin = civil_of(origin.unwrap_or(0));
    let elapsed = month_number(civil_of(local)) - month_number(origin);
    let floored = month_number(origin) + elapsed.div_euclid(count) * count;
    let start = at_month(floored, origin);
    // With an origin inside a month, the days before it belong to the bucket before.
    if start <= local { start } else { at_month(floored - count, origin) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::time_zone;

    fn iso(text: &str) -> TimestampMs {
        TimestampMs::parse_iso(text).expect("a test's instant")
    }

    fn in_zone(period: &str, zone: &str) -> Granularity {
        Granularity::period(period, None, time_zone(zone).unwrap()).unwrap()
    }

    #[test]
    fn names_short_forms_and_iso_periods_mean_the_same() {
        for (name, short, period) in
            [("minute", "1m", "PT1M"), ("hour", "60m", "PT1H"), ("day", "24h", "P1D"), ("week", "1w", "P1W")]
        {
            let expected: Granularity = period.parse().unwrap();
            assert_eq!(name.parse::<Granularity>().unwrap(), expected, "{name}");
            assert_eq!(short.parse::<Granularity>().unwrap(), expected, "{short}");
        }
        assert_eq!("quarter".parse::<Granularity>().unwrap(), "P3M".parse().unwrap());
    }

    #[test]
    fn what_is_no_granularity_is_refused_with_advice() {
        for text in ["", "P", "PT", "5", "m", "0m", "-1m", "P1H", "PT1D", "fortnight", "PT1.5H"] {
            let error = text.parse::<Granularity>().unwrap_err();
            assert!(error.to_string().contains("is not a granularity"), "{text}: {error}");
        }
        assert_eq!("P1M1D".parse::<Granularity>(), Err(GranularityError::Mixed("P1M1D".into())));
        assert_eq!("PT0S".parse::<Granularity>(), Err(GranularityError::Empty("PT0S".into())));
        for text in ["P9001Y", "P1000000Y", "P1000000W"] {
            assert_eq!(text.parse::<Granularity>(), Err(GranularityError::TooLong(text.into())));
        }
    }

    #[test]
    fn buckets_may_reach_beyond_the_calendar() {
        for (period, zone) in [("P9000Y", "UTC"), ("P108000M", "America/New_York"), ("P400000W", "Asia/Kolkata")] {
            let granularity = in_zone(period, zone);
            for time in [TimestampMs::MIN, TimestampMs(-1), TimestampMs(0), TimestampMs(TimestampMs::MAX.0 - 1)] {
                assert!(granularity.bucket(time).contains(time), "{period} in {zone} at {time}");
                assert!(granularity.ceil(time) >= time, "{period} in {zone} at {time}");
            }
        }
    }

    #[test]
    fn a_bucket_ends_again_where_clocks_are_set_back_across_its_edge() {
        // At 00:01 on 2006-10-29 clocks in St John's were set back to 23:01 of the day before.
        let day = in_zone("P1D", "America/St_Johns");
        let cases = [
            ("2006-10-29T02:29:59Z", "2006-10-29T02:30:00Z"),
            ("2006-10-29T02:30:30Z", "2006-10-29T03:30:00Z"),
            ("2006-10-29T02:45:00Z", "2006-10-29T03:30:00Z"),
            ("2006-10-29T03:30:00Z", "2006-10-29T03:30:00Z"),
        ];
        for (time, expected) in cases {
            assert_eq!(day.ceil(iso(time)), iso(expected), "{time}");
        }
    }

    #[test]
    fn floors_follow_the_calendar() {
        let cases = [
            ("P1D", "UTC", "2026-03-15T12:34:56Z", "2026-03-15T00:00:00Z"),
            ("P1W", "UTC", "2026-03-15T12:34:56Z", "2026-03-09T00:00:00Z"),
            ("P1M", "UTC", "2026-03-15T12:34:56Z", "2026-03-01T00:00:00Z"),
            ("P3M", "UTC", "2026-06-30T23:59:59Z", "2026-04-01T00:00:00Z"),
            ("P1Y", "UTC", "1969-06-30T00:00:00Z", "1969-01-01T00:00:00Z"),
            ("P1D", "America/Los_Angeles", "2026-03-15T06:00:00Z", "2026-03-14T07:00:00Z"),
            // The day on which the clock goes forward has 23 hours.
            ("P1D", "America/Los_Angeles", "2026-03-09T06:59:59Z", "2026-03-08T08:00:00Z"),
            ("PT1H", "Asia/Kolkata", "2026-01-01T00:00:00Z", "2025-12-31T23:30:00Z"),
            ("P1M", "+02:00", "2026-01-31T22:30:00Z", "2026-01-31T22:00:00Z"),
        ];
        for (period, zone, time, expected) in cases {
            assert_eq!(in_zone(period, zone).floor(iso(time)), iso(expected), "{period} {zone} {time}");
        }
    }

    #[test]
    fn the_repeated_hour_of_a_clock_change_is_two_buckets() {
        let hour = in_zone("PT1H", "America/Los_Angeles");
        assert_eq!(hour.floor(iso("2026-11-01T08:30:00Z")), iso("2026-11-01T08:00:00Z"));
        assert_eq!(hour.floor(iso("2026-11-01T09:30:00Z")), iso("2026-11-01T09:00:00Z"));
    }

    #[test]
    fn buckets_meet_where_clocks_change() {
        let bounds = |period: &str, zone: &str, times: &[&str]| {
            let granularity = in_zone(period, zone);
            let mut start = granularity.floor(iso(times[0]));
            for time in times {
                assert_eq!(start, iso(time), "{period} in {zone}");
                start = granularity.next(start);
            }
        };
        let repeated = ["2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z", "2026-11-01T07:00:00Z", "2026-11-01T08:00:00Z"];
        bounds("PT1H", "America/New_York", &repeated);
        let skipped_half =
            ["2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z", "2026-10-03T17:00:00Z"];
        bounds("PT1H", "Australia/Lord_Howe", &skipped_half);
    }

    #[test]
    fn an_origin_moves_the_boundaries() {
        let from = Some(iso("2026-01-01T00:10:00Z"));
        let hour = Granularity::period("PT1H", from, TimeZone::UTC).unwrap();
        assert_eq!(hour.floor(iso("2026-01-01T01:05:00Z")), iso("2026-01-01T00:10:00Z"));
        let month = Granularity::period("P1M", Some(iso("2026-01-15T00:00:00Z")), TimeZone::UTC).unwrap();
        assert_eq!(month.floor(iso("2026-03-14T00:00:00Z")), iso("2026-02-15T00:00:00Z"));
    }

    #[test]
    fn the_written_form_reads_back_equal() {
        for granularity in [
            Granularity::NONE,
            Granularity::ALL,
            "5m".parse().unwrap(),
            "P1M".parse().unwrap(),
            in_zone("P1D", "Europe/Paris"),
            in_zone("P1D", "-08:00"),
            Granularity::period("PT1H", Some(TimestampMs(600_000)), TimeZone::UTC).unwrap(),
        ] {
            let json = serde_json::to_string(&granularity).unwrap();
            let back: Granularity = serde_json::from_str(&json).unwrap();
            assert_eq!(back, granularity, "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_instant_and_its_start_floors_to_itself(
            time in -60_000_000_000_000_i64..250_000_000_000_000,
            period in prop::sample::select(vec!["PT1S", "PT1M", "PT5M", "PT1H", "PT6H", "P1D", "P1W", "P1M", "P3M", "P1Y", "PT7H"]),
            zone in prop::sample::select(vec!["UTC", "America/New_York", "Asia/Kolkata", "Europe/London", "Australia/Lord_Howe"]),
        ) {
            let granularity = in_zone(period, zone);
            let bucket = granularity.bucket(TimestampMs(time));
            prop_assert!(bucket.contains(TimestampMs(time)), "{bucket} {time}");
            prop_assert_eq!(granularity.floor(bucket.start()), bucket.start());
            prop_assert_eq!(granularity.floor(TimestampMs(bucket.end().0 - 1)), bucket.start());
            prop_assert_eq!(granularity.floor(bucket.end()), bucket.end());
        }
    }
}
