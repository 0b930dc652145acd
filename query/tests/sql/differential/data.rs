//! The events that every query of the set is asked about: 4,000 of them, from one seed, in the order of their arrival.

use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::schema::{Aggregation, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::time::{Granularity, TimestampMs};

use crate::fixture::NEW_YEAR_MS;

/// Almost four blocks of a segment that holds all of them.
const EVENTS: usize = 4_000;
const SEED: u64 = 0x5eed_0004;
const HOUR_MS: i64 = 3_600_000;
/// Two days, in eight time chunks of six hours.
const HOURS: u64 = 48;
/// Of the events that arrive in one window of time, one in this many happened at any time before.
const LATE_ONE_IN: u64 = 12;

pub const TENANTS: [Option<&str>; 8] =
    [Some("acme"), Some("acme"), Some("acme"), Some("beta"), Some("Ünïcode GmbH"), Some("日本"), Some(""), None];

/// Text that patterns, quoting, collation and string views of twelve bytes stumble over.
pub const PATHS: [Option<&str>; 28] = [
    Some("/"),
    Some("/api"),
    Some("/api/v1"),
    Some("/api/v1/users"),
    Some("/api/v1/users/42"),
    Some("/api/v2/users"),
    Some("/API/v1/users"),
    Some("/a"),
    Some("/ab"),
    Some("/abc"),
    Some("/exactly12by"),
    Some("/thirteenbyte"),
    Some("100%"),
    Some("100 percent"),
    Some("a_b"),
    Some("aXb"),
    Some("back\\slash"),
    Some("it's"),
    Some("say \"hi\""),
    Some("two\nlines"),
    Some(" leading and trailing "),
    Some("naïve"),
    Some("nai\u{308}ve"),
    Some("Straße"),
    Some("🦀 crab"),
    Some("\u{10ffff}"),
    Some(""),
    None,
];

pub const LONGS: [Option<i64>; 13] = [
    Some(i64::MIN),
    Some(i64::MIN + 1),
    Some(-(1 << 53) - 1),
    Some(-1),
    Some(0),
    Some(1),
    Some(41),
    Some((1 << 53) - 1),
    Some(1 << 53),
    Some((1 << 53) + 1),
    Some(i64::MAX - 1),
    Some(i64::MAX),
    None,
];

pub const DOUBLES: [Option<f64>; 16] = [
    Some(f64::NEG_INFINITY),
    Some(f64::MIN),
    Some(-1.5),
    Some(-f64::MIN_POSITIVE),
    Some(-5e-324),
    Some(0.0),
    Some(5e-324),
    Some(0.1),
    Some(0.30000000000000004),
    Some(1.0),
    Some(41.0),
    Some(9_007_199_254_740_993.0),
    Some(f64::MAX),
    Some(f64::INFINITY),
    Some(f64::NAN),
    None,
];

/// Zeros and NaN of either sign.
const SIGNED: [Option<f64>; 5] = [Some(0.0), Some(-0.0), Some(f64::NAN), Some(-f64::NAN), None];

/// One row an event. `seq` numbers the events, so every order can be made total.
pub fn raw_schema(segment_granularity: &str) -> DataSourceSchema {
    let dimension = |name: &str, kind| Dimension { name: name.into(), kind };
    let measure = |name: &str, aggregation| Measure { name: name.into(), aggregation };
    DataSourceSchema {
        dimensions: vec![
            dimension("tenant", DimensionType::String),
            dimension("host", DimensionType::String),
            dimension("peer", DimensionType::String),
            dimension("path", DimensionType::String),
            dimension("code", DimensionType::Long),
            dimension("ok", DimensionType::Boolean),
            dimension("big", DimensionType::Long),
            dimension("ratio", DimensionType::Double),
            dimension("level", DimensionType::Double),
            dimension("signed", DimensionType::Double),
            dimension("seq", DimensionType::Long),
        ],
        measures: vec![
            measure("events", Aggregation::Count),
            measure("bytes", Aggregation::LongSum),
            measure("size", Aggregation::LongMax),
            measure("cost", Aggregation::DoubleSum),
            measure("low", Aggregation::DoubleMin),
        ],
        sort: Vec::new(),
        tenant: Some("tenant".into()),
        rollup: false,
        query_granularity: Granularity::NONE,
        segment_granularity: segment_granularity.parse().expect("a granularity"),
    }
}

/// The same events by the hour.
pub fn rollup_schema(segment_granularity: &str) -> DataSourceSchema {
    let dimension = |name: &str, kind| Dimension { name: name.into(), kind };
    let measure = |name: &str, aggregation| Measure { name: name.into(), aggregation };
    DataSourceSchema {
        dimensions: vec![
            dimension("tenant", DimensionType::String),
            dimension("code", DimensionType::Long),
            dimension("ok", DimensionType::Boolean),
        ],
        measures: vec![
            measure("events", Aggregation::Count),
            measure("bytes", Aggregation::LongSum),
            measure("size_min", Aggregation::LongMin),
            measure("size_max", Aggregation::LongMax),
            measure("cost", Aggregation::DoubleSum),
            measure("low", Aggregation::DoubleMin),
            measure("high", Aggregation::DoubleMax),
        ],
        rollup: true,
        query_granularity: "1h".parse().expect("a granularity"),
        ..raw_schema(segment_granularity)
    }
}

/// One event, before a schema takes its columns.
#[derive(Debug, Clone)]
pub struct Event {
    time: TimestampMs,
    tenant: Option<&'static str>,
    host: Option<String>,
    peer: Option<String>,
    path: Option<&'static str>,
    code: Option<i64>,
    ok: Option<bool>,
    big: Option<i64>,
    ratio: Option<f64>,
    /// Sixteenths, which add up exactly in any order.
    level: Option<f64>,
    signed: Option<f64>,
    seq: i64,
    bytes: Option<i64>,
    size: Option<i64>,
    cost: Option<f64>,
}

pub fn events() -> Vec<Event> {
    let mut numbers = Numbers::new(SEED);
    (0..EVENTS).map(|seq| event(seq, &mut numbers)).collect()
}

fn event(seq: usize, numbers: &mut Numbers) -> Event {
    let host = numbers.below(300);
    let host =
        (numbers.below(40) > 0).then(|| format!("host-{host:03}.{}.example", ["eu", "us", "ap"][host as usize % 3]));
    let peer = match numbers.below(4) {
        0 => host.clone(),
        1 => None,
        _ => Some(format!("host-{:03}.eu.example", numbers.below(300))),
    };
    let sixteenth = |number: u64| number as f64 / 16.0 - 64.0;
    Event {
        time: time(seq, numbers),
        tenant: numbers.of(&TENANTS),
        host,
        peer,
        path: numbers.of(&PATHS),
        code: numbers.of(&[Some(200), Some(200), Some(204), Some(301), Some(404), Some(500), Some(503), None]),
        ok: numbers.of(&[Some(true), Some(true), Some(false), None]),
        big: numbers.of(&LONGS),
        ratio: numbers.of(&DOUBLES),
        level: (numbers.below(20) > 0).then(|| sixteenth(numbers.below(2_048))),
        signed: numbers.of(&SIGNED),
        seq: seq as i64,
        bytes: (numbers.below(10) > 0).then(|| numbers.below(1 << 20) as i64 - 1_000),
        size: (numbers.below(10) > 0).then(|| numbers.below(1 << 40) as i64 - (1 << 39)),
        cost: (numbers.below(10) > 0).then(|| sixteenth(numbers.below(1 << 16))),
    }
}

/// Mostly in the order of arrival; some are late, and a few lie in other centuries or on the edges of time chunks.
fn time(seq: usize, numbers: &mut Numbers) -> TimestampMs {
    let window_ms = HOURS * HOUR_MS as u64;
    let now = seq as u64 * window_ms / EVENTS as u64;
    let since_new_year = match numbers.below(LATE_ONE_IN) {
        0 => numbers.below(now + 1),
        _ => now + numbers.below(60_000),
    };
    TimestampMs(match seq % 400 {
        100 => -1,
        101 => -1_000_000_000_000 + seq as i64,
        102 => 253_000_000_000_000,
        103..110 => NEW_YEAR_MS + numbers.below(HOURS) as i64 * HOUR_MS,
        110..117 => NEW_YEAR_MS + numbers.below(HOURS) as i64 * HOUR_MS - 1,
        _ => NEW_YEAR_MS + since_new_year as i64,
    })
}

impl Event {
    /// As a row of [`raw_schema`].
    pub fn raw(&self) -> EventRow {
        let mut row = EventRow::new(11, 5);
        row.time = self.time;
        row.set_dimension(0, string(self.tenant));
        row.set_dimension(1, string(self.host.as_deref()));
        row.set_dimension(2, string(self.peer.as_deref()));
        row.set_dimension(3, string(self.path));
        row.set_dimension(4, long(self.code));
        row.set_dimension(5, self.ok.map_or(DimensionValue::Null, DimensionValue::Boolean));
        row.set_dimension(6, long(self.big));
        row.set_dimension(7, double(self.ratio));
        row.set_dimension(8, double(self.level));
        row.set_dimension(9, double(self.signed));
        row.set_dimension(10, DimensionValue::Long(self.seq));
        row.set_measure(1, measured_long(self.bytes));
        row.set_measure(2, measured_long(self.size));
        row.set_measure(3, measured_double(self.cost));
        row.set_measure(4, measured_double(self.level));
        row
    }

    /// As a row of [`rollup_schema`].
    pub fn rolled_up(&self) -> EventRow {
        let mut row = EventRow::new(3, 7);
        row.time = self.time;
        row.set_dimension(0, string(self.tenant));
        row.set_dimension(1, long(self.code.filter(|code| *code >= 500)));
        row.set_dimension(2, self.ok.map_or(DimensionValue::Null, DimensionValue::Boolean));
        row.set_measure(1, measured_long(self.bytes));
        row.set_measure(2, measured_long(self.size));
        row.set_measure(3, measured_long(self.size));
        row.set_measure(4, measured_double(self.cost));
        row.set_measure(5, measured_double(self.level));
        row.set_measure(6, measured_double(self.level));
        row
    }
}

fn string(value: Option<&str>) -> DimensionValue<'_> {
    value.map_or(DimensionValue::Null, DimensionValue::String)
}

fn long(value: Option<i64>) -> DimensionValue<'static> {
    value.map_or(DimensionValue::Null, DimensionValue::Long)
}

fn double(value: Option<f64>) -> DimensionValue<'static> {
    value.map_or(DimensionValue::Null, DimensionValue::Double)
}

fn measured_long(value: Option<i64>) -> MeasureValue {
    value.map_or(MeasureValue::Null, MeasureValue::Long)
}

fn measured_double(value: Option<f64>) -> MeasureValue {
    value.map_or(MeasureValue::Null, MeasureValue::Double)
}

/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}
