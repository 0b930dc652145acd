//! Events from a seed, with values that codes, packing, sums and comparisons stumble over.

use std::io::Write;

use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::schema::{Aggregation, DataSourceSchema, Dimension, DimensionType, Measure};
use henge_segment_store::time::TimestampMs;
use serde_json::{Map, Value, json};

use super::column;
use crate::differential::data::{self, DOUBLES, LONGS, Numbers, PATHS, TENANTS};

/// 2026-03-28T00:00:00Z. In the second of its nights European clocks change.
pub const START_MS: i64 = 1_774_656_000_000;
const HOUR_MS: i64 = 3_600_000;
/// Two days, in eight time chunks of six hours.
const HOURS: u64 = 48;
/// When the last of them have come.
pub const END_MS: i64 = START_MS + HOURS as i64 * HOUR_MS;
/// Of the events that arrive in one window of time, one in this many happened at any time before.
const LATE_ONE_IN: u64 = 12;
const FAR_ONE_IN: u64 = 60;

/// Other centuries, edges of time chunks, and nights in which clocks change elsewhere.
const FAR_MS: [i64; 10] = [
    -2_208_988_800_000,
    -1_000_000_000_000,
    -1,
    0,
    START_MS - 1,
    START_MS + 6 * HOUR_MS - 1,
    START_MS + 6 * HOUR_MS,
    1_772_964_000_000,
    1_793_523_600_000,
    253_000_000_000_000,
];

/// Texts that look like numbers, and not all like the same.
const DIGITS: [&str; 14] =
    ["0", "1", "01", "1.0", "1e0", "-0", "9", "10", "100", "NaN", "null", "true", " 1", "9223372036854775808"];

const DIMENSIONS: [(&str, DimensionType); 15] = [
    ("tenant", DimensionType::String),
    ("host", DimensionType::String),
    ("peer", DimensionType::String),
    ("path", DimensionType::String),
    ("note", DimensionType::String),
    ("digits", DimensionType::String),
    ("same", DimensionType::String),
    ("trace", DimensionType::String),
    ("code", DimensionType::Long),
    ("ok", DimensionType::Boolean),
    ("big", DimensionType::Long),
    ("ratio", DimensionType::Double),
    ("level", DimensionType::Double),
    ("signed", DimensionType::Double),
    ("seq", DimensionType::Long),
];

const MEASURES: [(&str, Aggregation); 7] = [
    ("events", Aggregation::Count),
    ("bytes", Aggregation::LongSum),
    ("size", Aggregation::LongMax),
    ("huge", Aggregation::LongSum),
    ("cost", Aggregation::DoubleSum),
    ("low", Aggregation::DoubleMin),
    ("price", Aggregation::DoubleSum),
];

/// Which columns of an event [`data::rollup_schema`] keeps, besides its code if that is an error's.
const ROLLED_UP: [&str; 6] = ["bytes", "size", "size", "cost", "low", "low"];

#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Null,
    Text(String),
    Long(i64),
    Double(f64),
    Boolean(bool),
}

#[derive(Debug, Clone)]
pub struct Event {
    time: TimestampMs,
    /// In the order of `DIMENSIONS`.
    dimensions: Vec<Cell>,
    /// In the order of `MEASURES`, without the count.
    measures: Vec<Cell>,
}

pub fn raw_schema(segment_granularity: &str) -> DataSourceSchema {
    let dimension = |(name, kind): (&str, DimensionType)| Dimension { name: name.into(), kind };
    let measure = |(name, aggregation): (&str, Aggregation)| Measure { name: name.into(), aggregation };
    DataSourceSchema {
        dimensions: DIMENSIONS.into_iter().map(dimension).collect(),
        measures: MEASURES.into_iter().map(measure).collect(),
        ..data::raw_schema(segment_granularity)
    }
}

/// In the order of their arrival.
pub fn events(numbers: &mut Numbers, count: usize) -> Vec<Event> {
    (0..count).map(|seq| Event::random(numbers, seq, count)).collect()
}

impl Event {
    fn random(numbers: &mut Numbers, seq: usize, count: usize) -> Self {
        let host_number = numbers.below(300);
        let host = format!("host-{host_number:03}.{}.example", ["eu", "us", "ap"][host_number as usize % 3]);
        let host = if numbers.below(40) == 0 { Cell::Null } else { Cell::Text(host) };
        let peer = match numbers.below(4) {
            0 => host.clone(),
            1 => Cell::Null,
            _ => Cell::Text(format!("host-{:03}.eu.example", numbers.below(300))),
        };
        let dimensions = vec![
            text(numbers.of(&TENANTS)),
            host,
            peer,
            text(numbers.of(&PATHS)),
            note(numbers),
            if numbers.below(9) == 0 { Cell::Null } else { text(Some(numbers.of(&DIGITS))) },
            text(Some("only")),
            if numbers.below(50) == 0 { text(Some("")) } else { Cell::Text(trace(numbers)) },
            long(numbers.of(&[Some(200), Some(200), Some(204), Some(301), Some(404), Some(500), Some(503), None])),
            numbers.of(&[Some(true), Some(true), Some(false), None]).map_or(Cell::Null, Cell::Boolean),
            long(numbers.of(&LONGS)),
            numbers.of(&DOUBLES).map_or(Cell::Null, Cell::Double),
            sixteenths(numbers, 2_048),
            numbers.of(&[Some(0.0), Some(-0.0), Some(1.0), Some(-1.0), None]).map_or(Cell::Null, Cell::Double),
            Cell::Long(seq as i64),
        ];
        let measures = vec![
            some_long(numbers, 1 << 20, 1_000),
            some_long(numbers, 1 << 40, 1 << 39),
            long(numbers.of(&LONGS)),
            sixteenths(numbers, 1 << 16),
            sixteenths(numbers, 512),
            Cell::Double(numbers.below(1 << 20) as f64 / 1_000.0 + 0.1),
        ];
        Self { time: time(numbers, seq, count), dimensions, measures }
    }

    /// Whose it is.
    pub fn tenant(&self) -> Option<&str> {
        match self.cell("tenant") {
            Cell::Text(tenant) => Some(tenant),
            _ => None,
        }
    }

    pub fn raw(&self) -> EventRow {
        let mut row = EventRow::new(DIMENSIONS.len(), MEASURES.len());
        row.time = self.time;
        for (at, cell) in self.dimensions.iter().enumerate() {
            row.set_dimension(at, cell.dimension());
        }
        for (at, cell) in self.measures.iter().enumerate() {
            row.set_measure(at + 1, cell.measure());
        }
        row
    }

    /// As a row of [`data::rollup_schema`].
    pub fn rolled_up(&self) -> EventRow {
        let mut row = EventRow::new(3, ROLLED_UP.len() + 1);
        row.time = self.time;
        row.set_dimension(0, self.cell("tenant").dimension());
        if matches!(self.cell("code"), Cell::Long(500..)) {
            row.set_dimension(1, self.cell("code").dimension());
        }
        row.set_dimension(2, self.cell("ok").dimension());
        for (at, name) in ROLLED_UP.iter().enumerate() {
            row.set_measure(at + 1, self.cell(name).measure());
        }
        row
    }

    fn cell(&self, name: &str) -> &Cell {
        let dimension = DIMENSIONS.iter().position(|(dimension, _)| *dimension == name);
        let measure = || MEASURES.iter().position(|(measure, _)| *measure == name).expect("an event has it");
        dimension.map_or_else(|| &self.measures[measure() - 1], |at| &self.dimensions[at])
    }

    fn json(&self) -> Map<String, Value> {
        let names = DIMENSIONS.iter().map(|(name, _)| *name).chain(MEASURES[1..].iter().map(|(name, _)| *name));
        let cells = names.zip(self.dimensions.iter().chain(&self.measures));
        let mut object: Map<String, Value> = cells.map(|(name, cell)| (name.to_owned(), cell.json())).collect();
        object.insert("__time".to_owned(), json!(self.time.0.to_string()));
        object
    }
}

/// One JSON object a line, with all values as text.
pub fn write_json(events: &[Event], file: &mut impl Write) -> std::io::Result<()> {
    events.iter().try_for_each(|event| writeln!(file, "{}", Value::Object(event.json())))
}

/// Makes DuckDB's native tables from what [`write_json`] wrote. It rolls up by itself.
pub fn duckdb_tables(file: &str) -> Vec<String> {
    let kind = |kind: DimensionType| match kind {
        DimensionType::String => "VARCHAR",
        DimensionType::Long => "BIGINT",
        DimensionType::Double => "DOUBLE",
        DimensionType::Boolean => "BOOLEAN",
    };
    let dimensions = DIMENSIONS.map(|(name, dimension)| (name, kind(dimension)));
    let measures = MEASURES[1..].iter().map(|(name, aggregation)| {
        let is_long = matches!(aggregation, Aggregation::LongSum | Aggregation::LongMax);
        (*name, if is_long { "BIGINT" } else { "DOUBLE" })
    });
    let columns: Vec<(&str, &str)> = dimensions.into_iter().chain(measures).collect();
    let read: Vec<String> = columns.iter().map(|(name, _)| format!(", {name}: 'VARCHAR'")).collect();
    let cast: Vec<String> = columns.iter().map(|(name, kind)| format!(", CAST({name} AS {kind}) AS {name}")).collect();
    vec![
        format!(
            "CREATE TABLE requests AS SELECT make_timestamp(CAST(__time AS BIGINT) * 1000) AS __time, 1::BIGINT AS events{} \
             FROM read_json('{}', format = 'newline_delimited', columns = {{__time: 'VARCHAR'{}}})",
            cast.concat(),
            file.replace('\'', "''"),
            read.concat()
        ),
        "CREATE TABLE hourly AS SELECT time_bucket(INTERVAL '1 hour', __time, TIMESTAMP '1970-01-01') AS __time, tenant, \
         CASE WHEN code >= 500 THEN code END AS code, ok, COUNT(*) AS events, CAST(SUM(bytes) AS BIGINT) AS bytes, \
         MIN(size) AS size_min, MAX(size) AS size_max, SUM(cost) AS cost, MIN(low) AS low, MAX(low) AS high \
         FROM requests GROUP BY 1, 2, 3, 4"
            .to_owned(),
    ]
}

impl Cell {
    fn dimension(&self) -> DimensionValue<'_> {
        match self {
            Self::Null => DimensionValue::Null,
            Self::Text(text) => DimensionValue::String(text),
            Self::Long(number) => DimensionValue::Long(*number),
            Self::Double(number) => DimensionValue::Double(*number),
            Self::Boolean(flag) => DimensionValue::Boolean(*flag),
        }
    }

    fn measure(&self) -> MeasureValue {
        match self {
            Self::Long(number) => MeasureValue::Long(*number),
            Self::Double(number) => MeasureValue::Double(*number),
            Self::Null | Self::Text(_) | Self::Boolean(_) => MeasureValue::Null,
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Text(text) => json!(text),
            Self::Long(number) => json!(number.to_string()),
            Self::Double(number) => json!(column::double(*number)),
            Self::Boolean(flag) => json!(flag.to_string()),
        }
    }
}

fn text(text: Option<&str>) -> Cell {
    text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()))
}

fn long(number: Option<i64>) -> Cell {
    number.map_or(Cell::Null, Cell::Long)
}

fn some_long(numbers: &mut Numbers, end: u64, below_zero: i64) -> Cell {
    if numbers.below(10) == 0 { Cell::Null } else { Cell::Long(numbers.below(end) as i64 - below_zero) }
}

/// They add up exactly in any order.
fn sixteenths(numbers: &mut Numbers, end: u64) -> Cell {
    if numbers.below(15) == 0 { Cell::Null } else { Cell::Double(numbers.below(end) as f64 / 16.0 - 64.0) }
}

/// Mostly null, and long where it is not.
fn note(numbers: &mut Numbers) -> Cell {
    match numbers.below(60) {
        0 => text(Some("rare")),
        1 => Cell::Text(format!("long {} {}", "x".repeat(3_000), numbers.below(3))),
        2 => text(Some("")),
        _ => Cell::Null,
    }
}

/// Almost never twice the same, of many lengths.
fn trace(numbers: &mut Numbers) -> String {
    let digits = format!("{:016x}", numbers.below(u64::MAX));
    digits[..numbers.of(&[4, 8, 12, 13, 16])].to_owned()
}

/// Mostly in the order of arrival; some are late, and a few lie in other centuries or on the edges of time chunks.
fn time(numbers: &mut Numbers, seq: usize, count: usize) -> TimestampMs {
    let now = seq as u64 * HOURS * HOUR_MS as u64 / count as u64;
    TimestampMs(match (numbers.below(FAR_ONE_IN), numbers.below(LATE_ONE_IN)) {
        (0, _) => numbers.of(&FAR_MS),
        (_, 0) => START_MS + numbers.below(now + 1) as i64,
        _ => START_MS + now as i64 + numbers.below(60_000) as i64,
    })
}
