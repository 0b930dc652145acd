use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMillisecondType};
use henge_indexing::{LikePattern, Predicate, RowSet, TextTest, evaluate};
use proptest::prelude::*;

use super::*;
use crate::event::{DimensionValue, MeasureValue};
use crate::schema::{Aggregation, Dimension, Measure, SketchMeasure};
use crate::segment::{SortedColumn, SortedRows};
use crate::sketch::{HashedValue, Sketch, SketchKind, ThetaHasher};
use crate::sketch_values::SketchValues;

const HOUR_MS: i64 = 3_600_000;

fn chunk() -> Interval {
    Interval::new(TimestampMs(0), TimestampMs(HOUR_MS)).unwrap()
}

fn code_sets() -> Arc<CodeSetCache> {
    Arc::new(CodeSetCache::new(1 << 20))
}

fn schema(rollup: bool) -> Arc<DataSourceSchema> {
    let dimension = |name: &str, kind| Dimension { name: name.into(), kind };
    let measure = |name: &str, aggregation| Measure { name: name.into(), aggregation };
    Arc::new(DataSourceSchema {
        dimensions: vec![
            dimension("org", DimensionType::String),
            dimension("code", DimensionType::Long),
            dimension("ratio", DimensionType::Double),
            dimension("flag", DimensionType::Boolean),
        ],
        measures: vec![
            measure("events", Aggregation::Count),
            measure("bytes", Aggregation::LongSum),
            measure("least", Aggregation::LongMin),
            measure("latency", Aggregation::DoubleMax),
        ],
        rollup,
        query_granularity: "1m".parse().unwrap(),
        segment_granularity: "1h".parse().unwrap(),
        sort: Vec::new(),
        tenant: None,
    })
}

#[derive(Debug, Clone)]
struct Event {
    time: i64,
    org: Option<String>,
    code: Option<i64>,
    ratio: Option<f64>,
    flag: Option<bool>,
    bytes: Option<i64>,
    latency: Option<f64>,
}

impl Event {
    fn row(&self) -> EventRow {
        let mut row = EventRow::new(4, 4);
        row.time = TimestampMs(self.time);
        row.set_dimension(0, self.org.as_deref().map_or(DimensionValue::Null, DimensionValue::String));
        row.set_dimension(1, self.code.map_or(DimensionValue::Null, DimensionValue::Long));
        row.set_dimension(2, self.ratio.map_or(DimensionValue::Null, DimensionValue::Double));
        row.set_dimension(3, self.flag.map_or(DimensionValue::Null, DimensionValue::Boolean));
        let long = self.bytes.map_or(MeasureValue::Null, MeasureValue::Long);
        row.set_measure(1, long);
        row.set_measure(2, long);
        row.set_measure(3, self.latency.map_or(MeasureValue::Null, MeasureValue::Double));
        row
    }

    fn key(&self) -> Key {
        let ratio = self.ratio.map(|ratio| (ratio * 4.0) as i64);
        (self.org.clone(), self.code, ratio, self.flag, self.time.div_euclid(60_000) * 60_000)
    }
}

type Key = (Option<String>, Option<i64>, Option<i64>, Option<bool>, i64);
type Values = (i64, Option<i64>, Option<i64>, Option<f64>);

/// What one row per key should hold, computed event by event.
fn rolled_up(events: &[Event]) -> Vec<(Key, Values)> {
    let mut rows: BTreeMap<Key, Values> = BTreeMap::new();
    for event in events {
        let row = rows.entry(event.key()).or_insert((0, None, None, None));
        row.0 += 1;
        row.1 = row.1.map_or(event.bytes, |sum| Some(sum + event.bytes.unwrap_or(0)));
        row.2 = [row.2, event.bytes].into_iter().flatten().min();
        row.3 = [row.3, event.latency].into_iter().flatten().reduce(f64::max);
    }
    rows.into_iter().collect()
}

/// Reads rows back from the Arrow batches of a scan or of a sorted segment.
fn rows_of(
    batches: impl Iterator<Item = Result<arrow::array::RecordBatch, crate::error::StoreError>>,
) -> Vec<(Key, Values)> {
    let mut rows = Vec::new();
    for batch in batches {
        let batch = batch.unwrap();
        let long = |column: usize, row: usize| {
            let column = batch.column(column).as_primitive::<Int64Type>();
            column.is_valid(row).then(|| column.value(row))
        };
        let double = |column: usize, row: usize| {
            let column = batch.column(column).as_primitive::<Float64Type>();
            column.is_valid(row).then(|| column.value(row))
        };
        for row in 0..batch.num_rows() {
            let org = batch.column(1).as_string_view();
            let flag = batch.column(4).as_boolean();
            let key = (
                org.is_valid(row).then(|| org.value(row).to_owned()),
                long(2, row),
                double(3, row).map(|ratio| (ratio * 4.0) as i64),
                flag.is_valid(row).then(|| flag.value(row)),
                batch.column(0).as_primitive::<TimestampMillisecondType>().value(row),
            );
            rows.push((key, (long(5, row).unwrap(), long(6, row), long(7, row), double(8, row))));
        }
    }
    rows
}

fn rows_of_all(rows: &Arc<OpenRows>) -> Vec<(Key, Values)> {
    rows_of(rows.batches(schema(false).arrow(), &RowSet::all(rows.row_count() as u32)))
}

/// The same of sorted rows.
fn sorted_rows_of(rows: &SortedRows) -> Vec<(Key, Values)> {
    let [SortedColumn::Text(org), SortedColumn::Longs(code), SortedColumn::Doubles(ratio), SortedColumn::Flags(flag)] =
        &rows.dimensions[..]
    else {
        panic!("{:?}", rows.dimensions)
    };
    let long = |measure: usize, row: usize| match &rows.measures[measure] {
        SortedColumn::Longs(longs) => longs.get(row),
        other => panic!("{other:?}"),
    };
    let SortedColumn::Doubles(latency) = &rows.measures[3] else { panic!("{:?}", rows.measures) };
    let text = |code: u32| String::from_utf8(org.distinct.get(code as usize - 1).to_vec()).unwrap();
    let row = |row: usize| {
        let org = (org.codes[row] > 0).then(|| text(org.codes[row]));
        let ratio = ratio.get(row).map(|ratio| (ratio * 4.0) as i64);
        let key = (org, code.get(row), ratio, flag.get(row), rows.times[row]);
        (key, (long(0, row).unwrap(), long(1, row), long(2, row), latency.get(row)))
    };
    assert!((1..org.distinct.len()).all(|at| org.distinct.get(at - 1) < org.distinct.get(at)), "X1");
    (0..rows.row_count()).map(row).collect()
}

fn filled(events: &[Event], rollup: bool) -> OpenSegment {
    let mut segment = OpenSegment::new(schema(rollup), chunk(), &code_sets());
    segment.append(&events.iter().map(Event::row).collect::<Vec<_>>());
    segment
}

fn event() -> impl Strategy<Value = Event> {
    (
        0..HOUR_MS,
        prop::option::of(prop::sample::select(vec!["", "a", "b", "a longer name of an org"])),
        prop::option::of(prop::sample::select(vec![i64::MIN, -1, 0, 7, i64::MAX])),
        prop::option::of(prop::sample::select(vec![-1.25, 0.0, 2.5])),
        prop::option::of(any::<bool>()),
        prop::option::of(-1_000_i64..1_000),
        prop::option::of(0.0..9.0),
    )
        .prop_map(|(time, org, code, ratio, flag, bytes, latency)| Event {
            time: time / 600_000 * 600_000 + time % 1_000,
            org: org.map(str::to_owned),
            code,
            ratio,
            flag,
            bytes,
            latency,
        })
}

proptest! {
    /// R1, S2: rollup preserves counts, sums, minima and maxima, and the frozen rows are sorted, one a key.
    #[test]
    fn a_frozen_rollup_is_the_reference_row_for_row(events in prop::collection::vec(event(), 0..300)) {
        let mut segment = filled(&events, true);
        let prefix = segment.prefix();
        prop_assert_eq!(prefix.events(), events.len() as u64);
        prop_assert_eq!(sorted_rows_of(&sort(&prefix)), rolled_up(&events));
    }

    /// Without rollup every event is a row; what is seen while open is what is frozen later.
    #[test]
    fn every_event_is_kept_apart_and_seen_at_once(events in prop::collection::vec(event(), 1..300)) {
        let mut segment = filled(&events, false);
        let prefix = segment.prefix();
        prop_assert_eq!(segment.row_count(), events.len());
        let open = rows_of_all(&prefix);
        let mut in_order = open.clone();
        in_order.sort_by(|left, right| left.0.cmp(&right.0));
        prop_assert_eq!(sorted_rows_of(&sort(&prefix)), in_order);
        let keys: Vec<Key> = open.into_iter().map(|(key, _)| key).collect();
        prop_assert_eq!(keys, events.iter().map(Event::key).collect::<Vec<_>>());
    }
}

fn numbered(number: usize) -> Event {
    Event {
        time: (number as i64 * 7) % HOUR_MS,
        org: Some(format!("org-{:04}", number % 3_000)),
        code: None,
        ratio: None,
        flag: None,
        bytes: Some(number as i64),
        latency: None,
    }
}

#[test]
fn a_prefix_does_not_see_what_is_appended_after_it() {
    let mut segment = OpenSegment::new(schema(false), chunk(), &code_sets());
    let events: Vec<Event> = (0..3 * PAGE_ROWS / 2).map(numbered).collect();
    let (first, second) = events.split_at(PAGE_ROWS - 5);
    segment.append(&first.iter().map(Event::row).collect::<Vec<_>>());
    let before = segment.prefix();
    let seen = rows_of_all(&before);
    segment.append(&second.iter().map(Event::row).collect::<Vec<_>>());
    assert_eq!(rows_of_all(&before), seen);
    assert_eq!((before.row_count(), before.events()), (first.len(), first.len() as u64));
    assert_eq!(segment.prefix().row_count(), events.len());
}

#[test]
fn a_declared_sort_order_comes_before_the_order_of_the_dimensions() {
    let mut declared = DataSourceSchema::clone(&schema(false));
    declared.sort = vec!["code".into(), "__time".into()];
    let mut segment = OpenSegment::new(Arc::new(declared), chunk(), &code_sets());
    for number in 0..1_000 {
        segment.append(&[Event { code: Some(number as i64 % 3), ..numbered(number) }.row()]);
    }
    let rows = sort(&segment.prefix());
    let SortedColumn::Longs(code) = &rows.dimensions[1] else { panic!("{:?}", rows.dimensions) };
    let SortedColumn::Text(org) = &rows.dimensions[0] else { panic!("{:?}", rows.dimensions) };
    let key = |row: usize| (code.get(row), rows.times[row], org.codes[row]);
    assert!((1..rows.row_count()).all(|row| key(row - 1) <= key(row)));
}

#[test]
fn nothing_sorts_to_nothing() {
    let sorted = sort(&filled(&[], true).prefix());
    assert_eq!((sorted.row_count(), sorted_rows_of(&sorted)), (0, vec![]));
}

#[test]
fn sums_that_would_leave_64_bits_stay_in_rows_of_their_own() {
    let event = |bytes| Event { time: 0, bytes: Some(bytes), ..numbered(0) };
    let mut segment = filled(&[event(i64::MAX), event(1), event(2), event(i64::MAX)], true);
    let rows = sorted_rows_of(&sort(&segment.prefix()));
    let total: i128 = rows.iter().map(|row| i128::from(row.1.1.unwrap())).sum();
    assert_eq!(total, 2 * i128::from(i64::MAX) + 3);
    assert_eq!(rows.iter().map(|row| row.1.0).sum::<i64>(), 4);
}

#[test]
fn only_selected_rows_are_read_across_pages() {
    let events: Vec<Event> = (0..2 * PAGE_ROWS + 100).map(numbered).collect();
    let rows = filled(&events, false).prefix();
    let all = rows_of_all(&rows);
    let wanted = [0, 1, 1_023, 1_024, PAGE_ROWS - 1, PAGE_ROWS, 2 * PAGE_ROWS + 99].map(|row| row as u32);
    let selected = RowSet::from_sorted_rows(all.len() as u32, wanted.to_vec());
    let expected: Vec<_> = wanted.iter().map(|&row| all[row as usize].clone()).collect();
    assert_eq!(rows_of(rows.batches(schema(false).arrow(), &selected)), expected);
    assert_eq!(rows.batches(schema(false).arrow(), &RowSet::none(all.len() as u32)).count(), 0);
}

#[test]
fn a_full_page_takes_half_the_memory_and_says_the_same() {
    let code = |number: usize| (number % 3 != 1).then_some(number as i64 % 40 - 20);
    let org = |number: usize| Some(format!("org-{}", number % 50));
    let event = |number: usize| Event { org: org(number), code: code(number), ..numbered(number) };
    let events: Vec<Event> = (0..PAGE_ROWS).map(event).collect();
    let mut segment = filled(&events[..PAGE_ROWS - 1], false);
    let (plain, before) = (rows_of_all(&segment.prefix()), segment.bytes());
    segment.append(&[events[PAGE_ROWS - 1].row()]);
    let rows = segment.prefix();
    assert!(segment.bytes() < before / 2, "{} after {before}", segment.bytes());
    assert_eq!(rows_of_all(&rows)[..PAGE_ROWS - 1], plain);
    let floor = |time: i64| TimestampMs(time - time % 60_000);
    let times = || events.iter().map(|event| floor(event.time));
    assert_eq!(rows.time_bounds(), times().min().zip(times().max()));
}

#[test]
fn what_a_costly_test_found_is_kept_as_long_as_the_rows() {
    let cache = code_sets();
    let mut segment = OpenSegment::new(schema(false), chunk(), &cache);
    let mut append = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            segment.append(&[Event { org: Some(format!("org-{number}")), ..numbered(number) }.row()]);
        }
        segment.prefix()
    };
    let like = LikePattern::new("%9%", None, false).unwrap();
    let predicate = Predicate::Text { column: "org".into(), test: TextTest::Like(like) };
    let found = |rows: &OpenRows| {
        let count = rows.row_count() as u32;
        evaluate(&predicate, count, true, &|name: &str| Ok::<_, ()>(rows.column(name))).unwrap().len()
    };

    let before = append(0..1_000);
    assert_eq!(found(&before), 271);
    let kept = cache.bytes();
    assert!(kept > 0);
    let after = append(1_000..2_000);
    assert_eq!((found(&after), found(&before)), (542, 271));
    drop((before, after));
    assert!(cache.bytes() > 0);
    drop(segment);
    assert_eq!(cache.bytes(), 0);
}

/// With an HLL sketch of what is counted as `bytes` elsewhere.
fn with_sketch(rollup: bool) -> OpenSegment {
    let mut declared = DataSourceSchema::clone(&schema(rollup));
    let users = SketchMeasure { kind: SketchKind::HLL, of: DimensionType::Long };
    declared.measures[1] = measure_of("users", Aggregation::Sketch(users));
    OpenSegment::new(Arc::new(declared), chunk(), &code_sets())
}

fn measure_of(name: &str, aggregation: Aggregation) -> Measure {
    Measure { name: name.into(), aggregation }
}

fn append_user(segment: &mut OpenSegment, org: &str, user: Option<i64>) {
    let mut row = Event { org: Some(org.to_owned()), time: 0, ..numbered(0) }.row();
    let input = user.and_then(|user| ThetaHasher::default().input(SketchKind::HLL, HashedValue::Long(user)));
    row.set_measure(1, input.map_or(MeasureValue::Null, MeasureValue::Sketched));
    segment.append(&[row]);
}

fn users(rows: &OpenRows) -> Vec<Option<f64>> {
    let sketches = rows.sketches("users");
    let valid = sketches.validity(0);
    let estimate = |row: usize| match sketches.get(0, row).unwrap().as_ref() {
        Sketch::Hll(hll) => hll.estimate().round(),
        other => panic!("{other:?} is no HLL sketch"),
    };
    (0..rows.row_count()).map(|row| (valid[row / 64] >> (row % 64) & 1 == 1).then(|| estimate(row))).collect()
}

#[test]
fn sketches_of_rolled_up_rows_grow_and_those_that_a_query_took_do_not() {
    let mut segment = with_sketch(true);
    append_user(&mut segment, "acme", None);
    append_user(&mut segment, "beta", Some(1));
    let before = segment.prefix();
    (0..300).for_each(|user| append_user(&mut segment, "acme", Some(user % 100)));
    append_user(&mut segment, "beta", Some(2));
    assert_eq!(users(&before), [None, Some(1.0)]);
    assert_eq!(users(&segment.prefix()), [Some(100.0), Some(2.0)]);
    assert!(matches!(before.sketches("events"), SketchValues::Missing));
}

#[test]
fn sketches_are_read_block_by_block() {
    let mut segment = with_sketch(false);
    (0..2_500).for_each(|user| append_user(&mut segment, "acme", Some(user)));
    let rows = segment.prefix();
    let column =
        |name| Arc::new(rows.schema().arrow().project(&[rows.schema().arrow().index_of(name).unwrap()]).unwrap());
    let lengths = |name, selected: &RowSet| -> Vec<usize> {
        rows.batches(column(name), selected).map(|batch| batch.unwrap().num_rows()).collect()
    };
    let all = RowSet::all(2_500);
    assert_eq!((lengths("users", &all), lengths("org", &all)), (vec![1_024, 1_024, 452], vec![PAGE_ROWS, 452]));
    let few = RowSet::from_sorted_rows(2_500, vec![3, 1_500, 2_000]);
    let batches: Vec<_> = rows.batches(column("users"), &few).map(Result::unwrap).collect();
    let bytes = batches[0].column(0).as_binary::<i32>();
    let read: Vec<f64> = bytes
        .iter()
        .map(|bytes| match Sketch::read(bytes.unwrap()).unwrap() {
            Sketch::Hll(hll) => hll.estimate().round(),
            other => panic!("{other:?} is no HLL sketch"),
        })
        .collect();
    assert_eq!((batches.len(), read), (1, vec![1.0; 3]));
}

#[test]
fn the_memory_of_sketches_counts_also_once_their_page_is_sealed() {
    let (mut with, mut without) = (with_sketch(false), with_sketch(false));
    for number in 0..PAGE_ROWS + 10 {
        append_user(&mut with, "acme", Some(number as i64));
        append_user(&mut without, "acme", None);
    }
    let of_one = size_of::<Sketch>() + 2 * size_of::<usize>();
    assert!(with.bytes() >= without.bytes() + (PAGE_ROWS + 10) * of_one, "{} {}", with.bytes(), without.bytes());
    let mut rolled_up = with_sketch(true);
    append_user(&mut rolled_up, "acme", Some(0));
    let before = rolled_up.bytes();
    (0..10_000).for_each(|user| append_user(&mut rolled_up, "acme", Some(user)));
    // 4,096 registers of a byte each.
    assert!(rolled_up.bytes() > before + 4_000, "{} {before}", rolled_up.bytes());
    (0..10_000).for_each(|user| append_user(&mut rolled_up, "acme", Some(user)));
    assert!(rolled_up.bytes() < before + 8_000, "{} {before}", rolled_up.bytes());
}
