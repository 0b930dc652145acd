//! Sketches built while events are read: what they say is what sketches of all events would say, wherever the rows are.

use std::process::Command;

use henge_query::answer::ResultColumn;
use henge_query::error::QueryErrorKind;
use henge_query::limits::QueryLimits;
use henge_segment_store::compaction::{self, Urgency};
use henge_segment_store::event::{DimensionValue, EventRow, MeasureValue};
use henge_segment_store::schema::{Aggregation, DataSourceSchema, Dimension, DimensionType, Measure, SketchMeasure};
use henge_segment_store::sketch::{SketchKind, ThetaHasher};
use henge_segment_store::time::TimestampMs;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::fixture::{Fixture, NEW_YEAR_MS, request};
use crate::python;

const EVENTS: i64 = 12_000;
const HLL: SketchKind = SketchKind::Hll { lg_k: 11 };
const THETA: SketchKind = SketchKind::Theta { lg_k: 12 };
const QUANTILES: SketchKind = SketchKind::Quantiles { k: 200 };

struct Event {
    time: TimestampMs,
    org: String,
    user: Option<String>,
    session: i64,
    ms: f64,
}

/// In three hours; organisation 0 has most of the users, and `org4` only events without one.
fn events() -> Vec<Event> {
    let event = |number: i64| {
        let org = [0, 0, 0, 1, 2, 0, 3, 4][(number % 8) as usize];
        Event {
            time: TimestampMs(NEW_YEAR_MS + number * 900),
            org: format!("org{org}"),
            user: (org != 4).then(|| format!("user{}", number * 7_919 % 5_003)),
            session: number / 3,
            ms: (number * 104_729 % EVENTS) as f64,
        }
    };
    (0..EVENTS).map(event).collect()
}

fn schema(dimensions: &[(&str, DimensionType)], measures: &[(&str, Aggregation)], rollup: bool) -> DataSourceSchema {
    let dimension = |(name, kind): &(&str, DimensionType)| Dimension { name: (*name).into(), kind: *kind };
    let measure =
        |(name, aggregation): &(&str, Aggregation)| Measure { name: (*name).into(), aggregation: *aggregation };
    DataSourceSchema {
        dimensions: dimensions.iter().map(dimension).collect(),
        measures: measures.iter().map(measure).collect(),
        rollup,
        query_granularity: if rollup { "10m" } else { "none" }.parse().expect("a granularity"),
        segment_granularity: "1h".parse().expect("a granularity"),
        sort: Vec::new(),
        tenant: None,
    }
}

/// Every event a row, with all that it says.
async fn raw() -> Fixture {
    let dimensions =
        [("org", DimensionType::String), ("user", DimensionType::String), ("session", DimensionType::Long)];
    let measures = [("ms", Aggregation::DoubleSum)];
    let fixture = Fixture::with_schema(schema(&dimensions, &measures, false), QueryLimits::default()).await;
    fixture.usage.append(&events().iter().map(raw_row).collect::<Vec<_>>());
    fixture
}

fn raw_row(event: &Event) -> EventRow {
    let mut row = EventRow::new(3, 1);
    row.time = event.time;
    row.set_dimension(0, DimensionValue::String(&event.org));
    row.set_dimension(1, event.user.as_deref().map_or(DimensionValue::Null, DimensionValue::String));
    row.set_dimension(2, DimensionValue::Long(event.session));
    row.set_measure(0, MeasureValue::Double(event.ms));
    row
}

fn sketched_schema() -> DataSourceSchema {
    let sketch = |kind, of| Aggregation::Sketch(SketchMeasure { kind, of });
    let measures = [
        ("events", Aggregation::Count),
        ("users", sketch(HLL, DimensionType::String)),
        ("sessions", sketch(THETA, DimensionType::Long)),
        ("latency", sketch(QUANTILES, DimensionType::Double)),
    ];
    schema(&[("org", DimensionType::String)], &measures, true)
}

/// Rolled up: users, sessions and latencies are in sketches only.
fn sketched_row(event: &Event) -> EventRow {
    let (mut row, mut hasher) = (EventRow::new(1, 4), ThetaHasher::default());
    row.time = event.time;
    row.set_dimension(0, DimensionValue::String(&event.org));
    let user = event.user.as_deref().map_or(DimensionValue::Null, DimensionValue::String);
    row.set_measure(1, MeasureValue::sketched(HLL, user, &mut hasher));
    row.set_measure(2, MeasureValue::sketched(THETA, DimensionValue::Long(event.session), &mut hasher));
    row.set_measure(3, MeasureValue::sketched(QUANTILES, DimensionValue::Double(event.ms), &mut hasher));
    row
}

/// Where the rows are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Open,
    Segments { count: usize, open: bool },
    Compacted,
}

async fn sketched(form: Form) -> Fixture {
    let fixture = Fixture::with_schema(sketched_schema(), QueryLimits::default()).await;
    let rows: Vec<EventRow> = events().iter().map(sketched_row).collect();
    let (publishes, open) = match form {
        Form::Open => (0, true),
        Form::Segments { count, open } => (count, open),
        Form::Compacted => (4, false),
    };
    let parts = publishes + usize::from(open);
    for (number, part) in parts_of(&rows, parts).into_iter().enumerate() {
        fixture.usage.append(&part);
        if number < publishes {
            fixture.publish().await;
        }
    }
    if form == Form::Compacted {
        compact(&fixture).await;
    }
    fixture
}

/// Each has events of every hour.
fn parts_of(rows: &[EventRow], parts: usize) -> Vec<Vec<EventRow>> {
    (0..parts).map(|part| rows.iter().skip(part).step_by(parts).cloned().collect()).collect()
}

async fn compact(fixture: &Fixture) {
    let runtime = Handle::current();
    let before = fixture.usage.published().len();
    loop {
        let tasks = fixture.store.plan_compaction(Urgency::Now, TimestampMs(NEW_YEAR_MS + 86_400_000)).await;
        let Some((_, task)) = tasks.into_iter().next() else { break };
        let (store, runtime, usage) = (fixture.store.clone(), runtime.clone(), fixture.usage.clone());
        let merge = move || compaction::run(&store, &runtime, &usage, &task, &mut || Ok(()));
        spawn_blocking(merge).await.expect("no panic").expect("the merge succeeds");
    }
    assert!(fixture.usage.published().len() < before, "something was merged");
}

const FORMS: [Form; 5] = [
    Form::Open,
    Form::Segments { count: 1, open: false },
    Form::Segments { count: 3, open: false },
    Form::Segments { count: 2, open: true },
    Form::Compacted,
];

async fn answer(fixture: &Fixture, sql: &str, native: bool) -> Vec<String> {
    let mut request = request(sql);
    request.use_native_operators = native;
    fixture.answer(request).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).1
}

#[tokio::test]
async fn distinct_counts_of_sketches_are_those_of_all_events_to_the_byte() {
    let raw = raw().await;
    let by_group = |users: &str, sessions: &str| {
        format!(
            "SELECT org, TIME_FLOOR(__time, 'PT1H') AS t, DS_HLL({users}, 11), DS_THETA({sessions}, 4096), \
             APPROX_COUNT_DISTINCT_DS_HLL({users}, 11), APPROX_COUNT_DISTINCT_DS_THETA({sessions}, 4096) FROM usage \
             GROUP BY 1, 2 ORDER BY 1, 2"
        )
    };
    let whole = |users: &str, sessions: &str| {
        format!(
            "SELECT APPROX_COUNT_DISTINCT_DS_HLL({users}, 11), APPROX_COUNT_DISTINCT_DS_THETA({sessions}, 4096), \
             APPROX_COUNT_DISTINCT_DS_HLL({users}, 11) FILTER (WHERE org = 'org1'), DS_THETA({sessions}, 64) \
             FROM usage WHERE __time >= TIMESTAMP '2026-01-01 00:20:00'"
        )
    };
    for statement in [&by_group as &dyn Fn(&str, &str) -> String, &whole] {
        let expected = answer(&raw, &statement("\"user\"", "session"), true).await;
        assert!(!expected.is_empty());
        for form in FORMS {
            let fixture = sketched(form).await;
            for native in [true, false] {
                let found = answer(&fixture, &statement("users", "sessions"), native).await;
                assert_eq!(found, expected, "{form:?}, native: {native}");
            }
        }
    }
}

#[tokio::test]
async fn estimates_are_within_their_bounds_of_the_exact_answers() {
    let exact = answer(&raw().await, "SELECT COUNT(DISTINCT \"user\"), COUNT(DISTINCT session) FROM usage", true).await;
    let exact: Vec<f64> = exact[0].split('|').map(|cell| cell.parse().expect("a number")).collect();
    let sql = "SELECT APPROX_COUNT_DISTINCT(users), APPROX_COUNT_DISTINCT_DS_THETA(sessions), \
               APPROX_QUANTILE_DS(latency, 0.5), DS_GET_QUANTILE(DS_QUANTILES_SKETCH(latency), 0.99) FROM usage";
    for form in FORMS {
        let fixture = sketched(form).await;
        for native in [true, false] {
            let rows = answer(&fixture, sql, native).await;
            let found: Vec<f64> = rows[0].split('|').map(|cell| cell.parse().expect("a number")).collect();
            for (place, error) in [(0, 3.0 * 1.04 / 2_048_f64.sqrt()), (1, 3.0 / 64.0)] {
                assert!((found[place] - exact[place]).abs() < error * exact[place], "{form:?} {found:?} {exact:?}");
            }
            // Latencies are all numbers below that of the events.
            for (found, rank) in found[2..].iter().zip([0.5, 0.99]) {
                assert!((found / EVENTS as f64 - rank).abs() < 0.027, "{form:?}, native: {native}: {found}");
            }
        }
    }
}

#[tokio::test]
async fn stored_sketches_are_merged_by_the_native_operator() {
    let fixture = sketched(Form::Segments { count: 1, open: false }).await;
    for sql in [
        "SELECT org, APPROX_COUNT_DISTINCT(users) FROM usage GROUP BY org",
        "SELECT APPROX_COUNT_DISTINCT_DS_THETA(sessions), APPROX_QUANTILE_DS(latency, 0.9) FROM usage",
    ] {
        let plan = fixture.rows(&format!("EXPLAIN PLAN FOR {sql}")).await.join("\n");
        assert!(plan.contains("SegmentAggregate"), "{plan}");
    }
}

#[tokio::test]
async fn a_column_of_sketches_is_answered_in_base64_and_null_where_no_event_had_a_value() {
    for form in FORMS {
        let fixture = sketched(form).await;
        let of = |org: &str| format!("SELECT org, users, sessions, latency FROM usage WHERE org = '{org}' LIMIT 1");
        let (columns, rows) = fixture.answer(request(&of("org3"))).await.unwrap();
        let column = |name: &str, druid_type: &str, sql_type: &str| ResultColumn {
            name: name.into(),
            druid_type: druid_type.into(),
            sql_type: sql_type.into(),
        };
        let expected = [
            column("org", "STRING", "VARCHAR"),
            column("users", "COMPLEX<HLLSketch>", "OTHER"),
            column("sessions", "COMPLEX<thetaSketch>", "OTHER"),
            column("latency", "COMPLEX<KllDoublesSketch>", "OTHER"),
        ];
        assert_eq!(columns, expected);
        let starts = |row: &str| row.split('|').map(|cell| cell[..4].to_owned()).collect::<Vec<_>>();
        assert_eq!(starts(&rows[0]), ["org3", "AwEH", "AgMD", "BQEP"], "{form:?}");
        assert_eq!(fixture.rows(&of("org4")).await[0].split('|').nth(1), Some("NULL"), "{form:?}");
        let nulls = "SELECT org, COUNT(*) > 0, COUNT(users), APPROX_COUNT_DISTINCT(users) FROM usage \
                     WHERE users IS NULL GROUP BY org";
        assert_eq!(fixture.rows(nulls).await, ["org4|true|0|0"], "{form:?}");
    }
}

#[tokio::test]
async fn the_information_schema_tells_what_sketches_a_column_holds() {
    let fixture = sketched(Form::Open).await;
    let sql = "SELECT COLUMN_NAME, DATA_TYPE, JDBC_TYPE FROM INFORMATION_SCHEMA.COLUMNS \
               WHERE TABLE_NAME = 'usage' AND COLUMN_NAME IN ('users', 'sessions', 'latency')";
    let expected = [
        "users|COMPLEX<HLLSketch>|1111",
        "sessions|COMPLEX<thetaSketch>|1111",
        "latency|COMPLEX<KllDoublesSketch>|1111",
    ];
    assert_eq!(fixture.rows(sql).await, expected);
}

#[tokio::test]
async fn what_sketches_cannot_answer_is_refused_with_what_can() {
    let fixture = sketched(Form::Open).await;
    let distinct = "`users` holds HLL sketches of values: ask APPROX_COUNT_DISTINCT_DS_HLL(users)";
    let no_groups = || {
        "`users` holds HLL sketches, of which there are no groups: ask APPROX_COUNT_DISTINCT_DS_HLL, \
         APPROX_COUNT_DISTINCT_DS_THETA or APPROX_QUANTILE_DS of them"
            .to_owned()
    };
    for (sql, message) in [
        ("SELECT COUNT(DISTINCT users) FROM usage", format!("COUNT(DISTINCT) is not of sketches, and {distinct}")),
        (
            "SELECT SUM(users) FROM usage",
            "SUM takes no sketches: ask APPROX_COUNT_DISTINCT_DS_HLL, APPROX_COUNT_DISTINCT_DS_THETA or APPROX_QUANTILE_DS of \
             them"
                .to_owned(),
        ),
        ("SELECT org, MAX(users) AS m FROM usage GROUP BY org", format!("MAX is not of sketches, and {distinct}")),
        (
            "SELECT AVG(x.users) FROM (SELECT users FROM usage) x",
            "AVG takes no sketches: ask APPROX_COUNT_DISTINCT_DS_HLL, APPROX_COUNT_DISTINCT_DS_THETA or APPROX_QUANTILE_DS of \
             them"
                .to_owned(),
        ),
        (
            "SELECT MIN(latency) FROM usage",
            "MIN is not of sketches, and `latency` holds quantiles sketches of values: ask APPROX_QUANTILE_DS(latency, 0.5)"
                .to_owned(),
        ),
        ("SELECT users, COUNT(*) FROM usage GROUP BY 1", no_groups()),
        ("SELECT COUNT(*) FROM usage GROUP BY CUBE (org, users)", no_groups()),
        ("SELECT DISTINCT org, users FROM usage", no_groups()),
        (
            "SELECT APPROX_COUNT_DISTINCT_DS_HLL(sessions) FROM usage",
            "a theta sketch stands where a HLL sketch is needed".to_owned(),
        ),
        (
            "SELECT APPROX_QUANTILE_DS(users, 0.5) FROM usage",
            "a HLL sketch stands where a quantiles sketch is needed".to_owned(),
        ),
    ] {
        let error = fixture.error(sql).await;
        assert_eq!((error.kind, error.message), (QueryErrorKind::Plan, message), "{sql}");
    }
}

/// Reads the file's own bytes, and merges those of all rows.
const READER: &str = r#"
import base64, sys, datasketches as d
hlls, thetas, klls = d.hll_union(11), d.theta_union(12), d.kll_doubles_sketch(200)
for line in sys.stdin:
    h, t, q = (base64.b64decode(text) for text in line.split("|"))
    hlls.update(d.hll_sketch.deserialize(h))
    thetas.update(d.compact_theta_sketch.deserialize(t))
    klls.merge(d.kll_doubles_sketch.deserialize(q))
# Without an order of values, as Henge estimates.
hlls.update(hlls.get_result(d.tgt_hll_type.HLL_8))
print(round(hlls.get_estimate()), round(thetas.get_result().get_estimate()), klls.n, klls.get_min_value(), klls.get_max_value())
"#;

#[tokio::test]
#[ignore = "needs Apache DataSketches: run with --include-ignored (needs python3 with venv, and pip to reach an index)"]
async fn apache_datasketches_reads_stored_sketches_and_merges_them_to_the_same_counts() {
    for form in FORMS {
        let fixture = sketched(form).await;
        let stored = fixture.rows("SELECT users, sessions, latency FROM usage WHERE users IS NOT NULL").await;
        let totals = "SELECT APPROX_COUNT_DISTINCT_DS_HLL(users, 11), APPROX_COUNT_DISTINCT_DS_THETA(sessions, 4096), \
                      SUM(events) FROM usage WHERE users IS NOT NULL";
        let totals = fixture.rows(totals).await[0].replace('|', " ");
        let lines = fixture.directory().join("sketches");
        std::fs::write(&lines, stored.join("\n")).expect("the directory is writable");
        let mut reader = Command::new(python::with_package("datasketches", "5.2.0"));
        let reader = reader.args(["-c", READER]).stdin(std::fs::File::open(&lines).expect("it was written"));
        let output = reader.output().expect("the environment has a Python");
        let output = String::from_utf8(output.stdout).expect("it prints text");
        // The last event has no user.
        assert_eq!(output, format!("{totals} 0.0 {:.1}\n", (EVENTS - 2) as f64), "{form:?}");
    }
}

const DUCKDB: &str = r#"
import sys, duckdb
columns = ", ".join(f"coalesce(base64({name}), 'NULL')" for name in ("users", "sessions", "latency"))
files = duckdb.sql(f"SELECT org, typeof(users), {columns} FROM read_parquet({sys.argv[1:]}) ORDER BY ALL")
print("\n".join("|".join(row) for row in files.fetchall()))
"#;

#[tokio::test]
#[ignore = "needs DuckDB: run with --include-ignored (needs python3 with venv, and pip to reach an index)"]
async fn duckdb_reads_stored_sketches_from_the_parquet_files() {
    let fixture = sketched(Form::Segments { count: 2, open: false }).await;
    let root = fixture.directory().join("store");
    let files = fixture.usage.published();
    let files = files.iter().map(|segment| root.join(&segment.path));
    let mut reader = Command::new(python::with_package("duckdb", "2.0.0"));
    let output = reader.args(["-c", DUCKDB]).args(files).output().expect("the environment has a Python");
    let output = String::from_utf8(output.stdout).expect("it prints text");
    let mut expected = fixture.rows("SELECT org, 'BLOB' AS kind, users, sessions, latency FROM usage").await;
    expected.sort();
    let mut found: Vec<&str> = output.lines().collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}
