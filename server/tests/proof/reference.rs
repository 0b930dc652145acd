//! The answers that SQL must give, computed from the producer's own values by the plainest code there is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::henge::Henge;
use crate::production::Plan;
use crate::workload::{Event, HOUR_MS, Org};

/// Counts, sums, minima and maxima of a group of events.
#[derive(Debug, Clone, PartialEq, Default)]
struct Totals {
    events: i64,
    x: i64,
    neg_x: i64,
    x_min: Option<i64>,
    x_max: Option<i64>,
    latency: f64,
    latency_max: f64,
}

impl Totals {
    fn add(&mut self, event: &Event) {
        self.events += 1;
        self.x += event.x;
        self.neg_x -= event.x;
        self.x_min = Some(self.x_min.map_or(event.x, |min| min.min(event.x)));
        self.x_max = Some(self.x_max.map_or(event.x, |max| max.max(event.x)));
        self.latency += event.latency;
        self.latency_max = self.latency_max.max(event.latency);
    }

    /// From the columns of [`aggregates`].
    fn from_columns(columns: &[Value]) -> Self {
        let long = |index: usize| columns[index].as_i64().unwrap_or_else(|| panic!("no long in {columns:?}"));
        let double = |index: usize| columns[index].as_f64().unwrap_or_else(|| panic!("no double in {columns:?}"));
        Self {
            events: long(0),
            x: long(1),
            neg_x: long(2),
            x_min: Some(long(3)),
            x_max: Some(long(4)),
            latency: double(5),
            latency_max: double(6),
        }
    }
}

/// The same seven columns of either datasource.
fn aggregates(data_source: &str) -> &'static str {
    match data_source {
        "usage" => "SUM(events), SUM(x), SUM(neg_x), MIN(x_min), MAX(x_max), SUM(latency), MAX(latency_max)",
        _ => "COUNT(*), SUM(x), SUM(neg_x), MIN(x), MAX(x), SUM(latency), MAX(latency)",
    }
}

/// SQL expressions to group by, and the same of an event.
struct Grouping {
    sql: &'static [&'static str],
    key: fn(&Event) -> Vec<Value>,
}

fn time(event: &Event, unit_ms: i64) -> Value {
    let floored = event.time_ms.div_euclid(unit_ms) * unit_ms;
    let minute_of_day = floored.rem_euclid(24 * HOUR_MS) / 60_000;
    // All events are of 2026-01-01.
    json!(format!("2026-01-01T{:02}:{:02}:00.000Z", minute_of_day / 60, minute_of_day % 60))
}

fn org(event: &Event) -> Value {
    match &event.org {
        Org::Null => Value::Null,
        Org::Empty => json!(""),
        Org::Number(number) => json!(format!("org-{number}")),
    }
}

/// For both datasources.
const GROUPINGS: [Grouping; 6] = [
    Grouping { sql: &[], key: |_| Vec::new() },
    Grouping { sql: &["TIME_FLOOR(__time, 'PT1H')"], key: |event| vec![time(event, HOUR_MS)] },
    Grouping { sql: &["FLOOR(__time TO MINUTE)"], key: |event| vec![time(event, 60_000)] },
    Grouping { sql: &["org"], key: |event| vec![org(event)] },
    Grouping { sql: &["region", "shard"], key: |event| vec![json!(event.region), json!(event.shard)] },
    Grouping {
        sql: &["FLOOR(__time TO HOUR)", "is_billable", "org"],
        key: |event| vec![time(event, HOUR_MS), json!(event.is_billable), org(event)],
    },
];

/// Where each event is a row, its partition is known too.
const OF_EVENTS: Grouping = Grouping { sql: &["kafka_partition"], key: |event| vec![json!(event.partition)] };

/// A SQL condition, and the same of an event.
type Filter = (&'static str, fn(&Event) -> bool);

const FILTERS: [Filter; 4] = [
    ("region = 'eu-west' AND org IS NOT NULL", |event| event.region == "eu-west" && event.org != Org::Null),
    ("org <> 'org-3'", |event| event.org != Org::Null && event.org != Org::Number(3)),
    ("__time < TIMESTAMP '2026-01-01 12:00:00'", |event| event.time_ms % (24 * HOUR_MS) < 12 * HOUR_MS),
    ("org = '' OR shard IN (1, 3)", |event| event.org == Org::Empty || event.shard % 2 == 1),
];

/// What SQL must answer of a plan's events.
pub struct Reference {
    events: usize,
    /// Of the numbers of the rows.
    row_sum: i64,
    /// For each of [`GROUPINGS`], and for [`OF_EVENTS`].
    totals: Vec<BTreeMap<String, Totals>>,
    /// For each of [`FILTERS`].
    matching: [usize; FILTERS.len()],
}

impl Reference {
    pub fn of(plan: &Plan) -> Self {
        let groupings: Vec<&Grouping> = GROUPINGS.iter().chain([&OF_EVENTS]).collect();
        let (events, row_sum, matching) = (0, 0, [0; FILTERS.len()]);
        let mut reference = Self { events, row_sum, totals: vec![BTreeMap::new(); groupings.len()], matching };
        for event in plan.events() {
            reference.events += 1;
            reference.row_sum += event.row as i64;
            for (grouping, totals) in groupings.iter().zip(&mut reference.totals) {
                totals.entry(json!((grouping.key)(&event)).to_string()).or_default().add(&event);
            }
            for ((_, is_match), count) in FILTERS.iter().zip(&mut reference.matching) {
                *count += usize::from(is_match(&event));
            }
        }
        reference
    }

    /// Compares what `henge` answers of both datasources, to the unit.
    pub fn assert_is_answered(&self, henge: &Henge) {
        for data_source in ["usage", "events"] {
            for (grouping, totals) in GROUPINGS.iter().zip(&self.totals) {
                assert_grouping(henge, data_source, grouping, totals);
            }
        }
        assert_grouping(henge, "events", &OF_EVENTS, &self.totals[GROUPINGS.len()]);
        let each_once = "SELECT COUNT(*), COUNT(DISTINCT seq), SUM(seq) FROM events";
        let expected = vec![vec![json!(self.events), json!(self.events), json!(self.row_sum)]];
        assert_eq!(henge.sql(each_once), expected, "{each_once}");
        for ((condition, _), expected) in FILTERS.iter().zip(self.matching) {
            for (data_source, count) in [("usage", "SUM(events)"), ("events", "COUNT(*)")] {
                let query = format!("SELECT {count} FROM {data_source} WHERE {condition}");
                assert_eq!(henge.sql(&query), [[json!(expected)]], "{query}");
            }
        }
    }
}

fn assert_grouping(henge: &Henge, data_source: &str, grouping: &Grouping, expected: &BTreeMap<String, Totals>) {
    let keys = grouping.sql.join(", ");
    let aggregates = aggregates(data_source);
    let query = match grouping.sql.len() {
        0 => format!("SELECT {aggregates} FROM {data_source}"),
        _ => format!("SELECT {keys}, {aggregates} FROM {data_source} GROUP BY {keys}"),
    };
    let mut found = BTreeMap::new();
    for row in henge.sql(&query) {
        let (key, columns) = row.split_at(grouping.sql.len());
        let twice = found.insert(json!(key).to_string(), Totals::from_columns(columns));
        assert_eq!(twice, None, "{query} answers {key:?} twice");
    }
    assert_eq!(&found, expected, "{query}");
}
