//! The buckets of time that a segment's rows lie in, counted from its first.

use henge_segment_store::time::{Granularity, TimestampMs};

use henge_indexing::BLOCK_ROWS;

/// More buckets than this are not counted beforehand.
const COUNT_MAX: u32 = 1 << 22;
/// The same where each has to be looked up in a calendar, which takes longer than reading some rows.
const LISTED_MAX: usize = 1 << 16;

/// Consecutive buckets. The code of a bucket is its number from 1 on.
#[derive(Debug)]
pub struct Buckets {
    count: u32,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// All of the same length. `reciprocal` is 2^64 / `length`, rounded up, where a product with it finds the bucket.
    Even { first: i64, length: i64, reciprocal: Option<u64> },
    /// The starts of the buckets.
    Listed(Vec<i64>),
}

impl Buckets {
    /// Those from the one that holds `earliest` to the one that holds `latest`; `None` where they are too many.
    pub fn new(granularity: &Granularity, earliest: TimestampMs, latest: TimestampMs) -> Option<Self> {
        let first = granularity.floor(earliest);
        if let Some(length) = granularity.length_ms() {
            let span = i128::from(latest.0) - i128::from(first.0);
            let count = u32::try_from(span / i128::from(length) + 1).ok().filter(|count| *count <= COUNT_MAX)?;
            // For distances and lengths below 2^32 the product's error is below one part in 2^32 of a length.
            let is_small = span < 1 << 32 && (2..1 << 32).contains(&length);
            let reciprocal = is_small.then(|| u64::MAX / length as u64 + 1);
            return Some(Self { count, form: Form::Even { first: first.0, length, reciprocal } });
        }
        let mut starts = vec![first.0];
        let mut next = granularity.next(first);
        // Buckets differ in length by less than a half.
        let expected = (i128::from(latest.0) - i128::from(first.0)) / i128::from(next.0 - first.0).max(1);
        if expected > 2 * LISTED_MAX as i128 {
            return None;
        }
        while next <= latest {
            if starts.len() == LISTED_MAX {
                return None;
            }
            starts.push(next.0);
            next = granularity.next(next);
        }
        Some(Self { count: starts.len() as u32, form: Form::Listed(starts) })
    }

    /// The number of buckets.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The start of the bucket with that code.
    pub fn start(&self, code: u32) -> i64 {
        match &self.form {
            Form::Even { first, length, .. } => first + (i64::from(code) - 1) * length,
            Form::Listed(starts) => starts[code as usize - 1],
        }
    }

    /// The code of the bucket that a time lies in.
    pub fn code(&self, time: i64) -> u32 {
        let place = match &self.form {
            Form::Even { first, length, .. } => (time - first) / length,
            Form::Listed(starts) => starts.partition_point(|start| *start <= time) as i64 - 1,
        };
        place as u32 + 1
    }

    /// The codes of some times, at the front of `out`.
    pub fn codes(&self, times: &[i64], out: &mut [u32; BLOCK_ROWS]) {
        let pairs = out.iter_mut().zip(times);
        match &self.form {
            Form::Even { first, reciprocal: Some(reciprocal), .. } => pairs.for_each(|(code, time)| {
                let product = u128::from((time - first).cast_unsigned()) * u128::from(*reciprocal);
                *code = (product >> 64) as u32 + 1;
            }),
            Form::Even { .. } => pairs.for_each(|(code, time)| *code = self.code(*time)),
            Form::Listed(starts) => {
                // Neighbouring rows mostly share a bucket.
                let mut last = 1..1;
                let mut last_code = 0;
                for (code, time) in pairs {
                    if !last.contains(time) {
                        last_code = self.code(*time);
                        let end = starts.get(last_code as usize).copied().unwrap_or(i64::MAX);
                        last = starts[last_code as usize - 1]..end;
                    }
                    *code = last_code;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use henge_segment_store::time::time_zone;
    use proptest::prelude::*;

    use super::*;

    fn granularities() -> Vec<Granularity> {
        let zoned = |period: &str, zone: &str| Granularity::period(period, None, time_zone(zone).unwrap()).unwrap();
        let origin = Some(TimestampMs(1_234_567));
        vec![
            Granularity::NONE,
            Granularity::ALL,
            "1s".parse().unwrap(),
            "7m".parse().unwrap(),
            "PT1H".parse().unwrap(),
            "P1D".parse().unwrap(),
            "P1M".parse().unwrap(),
            zoned("P1D", "America/New_York"),
            zoned("PT1H", "Australia/Lord_Howe"),
            zoned("P1W", "Asia/Kolkata"),
            Granularity::period("PT45M", origin, time_zone("UTC").unwrap()).unwrap(),
            Granularity::period("P3M", origin, time_zone("Europe/Berlin").unwrap()).unwrap(),
        ]
    }

    proptest! {
        #[test]
        fn a_code_stands_for_the_start_of_the_bucket(
            start in -3_000_000_000_000_i64..3_000_000_000_000,
            distances in prop::collection::vec(0_i64..4_000_000, 1..50),
            stretch in prop::sample::select(vec![1_i64, 1_000, 40_000]),
        ) {
            let times: Vec<i64> = distances.iter().map(|distance| start + distance * stretch).collect();
            let (earliest, latest) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
            for granularity in granularities() {
                let Some(buckets) = Buckets::new(&granularity, TimestampMs(earliest), TimestampMs(latest)) else {
                    prop_assert!(granularity.length_ms().is_some_and(|length| length < 100_000));
                    continue;
                };
                let mut codes = [0; BLOCK_ROWS];
                buckets.codes(&times, &mut codes);
                for (code, time) in codes.iter().zip(&times) {
                    prop_assert!((1..=buckets.count()).contains(code));
                    prop_assert_eq!(*code, buckets.code(*time));
                    prop_assert_eq!(TimestampMs(buckets.start(*code)), granularity.floor(TimestampMs(*time)));
                }
            }
        }
    }
}
