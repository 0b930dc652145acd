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

/// Compares what `henge` answers of both datasources with what `plan` has produced, to the unit.
pub fn assert_answers_are_exact(henge: &Henge, plan: &Plan) {
    let events: Vec<Event> = plan.events().collect();
    for data_source in ["usage", "events"] {
        for grouping in &GROUPINGS {
            assert_grouping(henge, data_source, grouping, &events);
        }
    }
    assert_grouping(henge, "events", &OF_EVENTS, &events);
    assert_each_event_is_there_once(henge, &events);
    assert_filters_agree(henge, &events);
}

fn assert_grouping(henge: &Henge, data_source: &str, grouping: &Grouping, events: &[Event]) {
    let mut expected: BTreeMap<String, Totals> = BTreeMap::new();
    for event in events {
        expected.entry(json!((grouping.key)(event)).to_string()).or_default().add(event);
    }
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
    assert_eq!(found, expected, "{query}");
}

fn assert_each_event_is_there_once(henge: &Henge, events: &[Event]) {
    let rows: i64 = events.iter().map(|event| event.row as i64).sum();
    let query = "SELECT COUNT(*), COUNT(DISTINCT seq), SUM(seq) FROM events";
    let expected = vec![vec![json!(events.len()), json!(events.len()), json!(rows)]];
    assert_eq!(henge.sql(query), expected, "{query}");
}

/// A SQL condition, and the same of an event.
type Filter = (&'static str, fn(&Event) -> bool);

fn assert_filters_agree(henge: &Henge, events: &[Event]) {
    let cases: [Filter; 4] = [
        ("region = 'eu-west' AND org IS NOT NULL", |event| event.region == "eu-west" && event.org != Org::Null),
        ("org <> 'org-3'", |event| event.org != Org::Null && event.org != Org::Number(3)),
        ("__time < TIMESTAMP '2026-01-01 12:00:00'", |event| event.time_ms % (24 * HOUR_MS) < 12 * HOUR_MS),
        ("org = '' OR shard IN (1, 3)", |event| event.org == Org::Empty || event.shard % 2 == 1),
    ];
    for (condition, is_match) in cases {
        let expected = events.iter().filter(|event| is_match(event)).count();
        for (data_source, count) in [("usage", "SUM(events)"), ("events", "COUNT(*)")] {
            let query = format!("SELECT {count} FROM {data_source} WHERE {condition}");
            assert_eq!(henge.sql(&query), [[json!(expected)]], "{query}");
        }
    }
}
