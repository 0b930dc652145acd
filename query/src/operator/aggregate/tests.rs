//! The operator against a row-by-row group-by, over open and published segments of three schemas.

mod naive;
mod rows;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{
    DataType, Field, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMillisecondType,
};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool, UnboundedMemoryPool};
use henge_indexing::{NumberTest, Predicate, TextTest};
use henge_segment_store::schema::DimensionType;
use henge_segment_store::sketch::SketchKind;
use henge_segment_store::time::{Granularity, Interval, TimestampMs, time_zone};
use tokio_util::sync::CancellationToken;

use self::naive::{Cell, answer};
use self::rows::{DAY_MS, Random, START_MS, Store, requests};
use super::*;
use crate::cpu_pool::QueryShare;
use crate::error::QueryErrorKind;
use crate::functions::{Rank, SketchCall, SketchResult};
use crate::operator::OperatorMetrics;
use crate::result_cache::{ResultCache, ResultCacheCounts, ResultCacheUse};
use crate::spill::{SpillFigures, SpillSpace};

/// The same without memory for groups.
fn on_disk(context: OperatorContext, directory: &Path, bytes_max: u64) -> OperatorContext {
    let spill = Arc::new(SpillSpace::new(directory.to_owned(), bytes_max));
    OperatorContext { groups_bytes_max: 0, spill, ..context }
}

fn context(threads: usize) -> OperatorContext {
    OperatorContext {
        share: QueryShare::of_tests(),
        threads: NonZeroUsize::new(threads).unwrap(),
        memory: Arc::new(UnboundedMemoryPool::default()),
        groups_bytes_max: usize::MAX,
        spill: Arc::new(SpillSpace::new(std::env::temp_dir(), 0)),
        cancelled: Arc::new(CancellationToken::new()),
        metrics: Arc::new(OperatorMetrics::default()),
        reads: Arc::default(),
        results: None,
    }
}

/// The same with the results of other queries.
fn cached(threads: usize, results: &Arc<ResultCache>) -> OperatorContext {
    OperatorContext { results: Some(Arc::new(ResultCacheUse::new(results.clone(), true, true))), ..context(threads) }
}

fn column(name: &str, kind: DimensionType) -> InputColumn {
    InputColumn::own(name, ColumnKind::Value(kind))
}

fn time() -> InputColumn {
    InputColumn::own("__time", ColumnKind::Time)
}

/// As the last of the three schemas has them.
fn columns() -> Vec<InputColumn> {
    use DimensionType::{Boolean, Double, Long, String};
    vec![
        column("tenant", String),
        column("path", String),
        column("near", Long),
        column("wide", Long),
        column("ratio", Double),
        column("flag", Boolean),
        column("widened", String),
        column("promoted", Double),
        column("added", String),
        column("bytes", Long),
        column("cost", Double),
        column("nowhere", Long),
    ]
}

fn output(aggregation: &Aggregation) -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Millisecond, None);
    let type_of = |kind: ColumnKind| match kind {
        ColumnKind::Time => time.clone(),
        ColumnKind::Value(DimensionType::String) => DataType::Utf8View,
        ColumnKind::Value(DimensionType::Long) => DataType::Int64,
        ColumnKind::Value(DimensionType::Double) => DataType::Float64,
        ColumnKind::Value(DimensionType::Boolean) => DataType::Boolean,
        ColumnKind::Sketches => DataType::Binary,
    };
    let keys = aggregation.keys.iter().map(|key| match key {
        GroupKey::Column(column) => type_of(column.kind),
        GroupKey::TimeBucket(_) => time.clone(),
    });
    let aggregates = aggregation.aggregates.iter().map(|aggregate| match &aggregate.function {
        AggregateFunction::CountRows | AggregateFunction::Count(_) | AggregateFunction::CountDistinct(_) => {
            DataType::Int64
        }
        AggregateFunction::Avg(_) => DataType::Float64,
        AggregateFunction::Sketch(call, _) => call.data_type(),
        AggregateFunction::Sum(column)
        | AggregateFunction::Min(column)
        | AggregateFunction::Max(column)
        | AggregateFunction::First(column)
        | AggregateFunction::Last(column) => type_of(column.kind),
    });
    let fields = keys.chain(aggregates).enumerate().map(|(place, kind)| Field::new(format!("c{place}"), kind, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn cell(array: &ArrayRef, row: usize) -> Cell {
    if array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row).to_owned()),
        DataType::Int64 => Cell::Long(array.as_primitive::<Int64Type>().value(row)),
        DataType::Timestamp(..) => Cell::Long(array.as_primitive::<TimestampMillisecondType>().value(row)),
        DataType::Float64 => Cell::double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Cell::Flag(array.as_boolean().value(row)),
        other => panic!("{other} is no output type"),
    }
}

fn sorted_rows(batches: &[RecordBatch]) -> Vec<Vec<Cell>> {
    assert!(batches.iter().all(|batch| batch.num_rows() <= 8_192));
    let rows_of = |batch: &RecordBatch| {
        let row = |row| batch.columns().iter().map(|column| cell(column, row)).collect::<Vec<_>>();
        (0..batch.num_rows()).map(row).collect::<Vec<_>>()
    };
    let mut rows: Vec<Vec<Cell>> = batches.iter().flat_map(rows_of).collect();
    rows.sort();
    rows
}

fn granularities() -> Vec<Granularity> {
    vec![
        "PT1H".parse().unwrap(),
        "P1D".parse().unwrap(),
        Granularity::NONE,
        Granularity::period("P1D", None, time_zone("America/New_York").unwrap()).unwrap(),
        Granularity::period("P1M", None, time_zone("Asia/Kolkata").unwrap()).unwrap(),
    ]
}

fn predicate(random: &mut Random) -> Option<Predicate> {
    let near = || Predicate::Long { column: "near".into(), test: NumberTest::In(vec![1, 2, 5]) };
    match random.below(6) {
        0 | 1 => None,
        2 => Some(near()),
        3 => Some(Predicate::Text { column: "tenant".into(), test: TextTest::equal("acme") }),
        4 => Some(Predicate::Not(Box::new(near()))),
        _ => Some(Predicate::IsNull("path".into())),
    }
}

fn filter(random: &mut Random) -> RowFilter {
    let interval = match random.below(4) {
        0 => Interval::new(TimestampMs(START_MS + DAY_MS / 3), TimestampMs(START_MS + 2 * DAY_MS + 77)).unwrap(),
        1 => Interval::new(TimestampMs(START_MS), TimestampMs(START_MS + DAY_MS)).unwrap(),
        _ => Interval::ALL,
    };
    RowFilter { interval, predicate: predicate(random) }
}

fn function(random: &mut Random) -> AggregateFunction {
    let columns = columns();
    let any = columns[random.below(columns.len())].clone();
    let kinds = [DimensionType::Long, DimensionType::Double];
    let numbers: Vec<&InputColumn> =
        columns.iter().filter(|column| kinds.iter().any(|kind| column.kind == ColumnKind::Value(*kind))).collect();
    let number = numbers[random.below(numbers.len())].clone();
    let ordered = if random.below(8) == 0 { time() } else { any.clone() };
    match random.below(14) {
        0 => AggregateFunction::CountRows,
        1 => AggregateFunction::Count(any),
        2 | 3 => AggregateFunction::Sum(number),
        4 => AggregateFunction::Min(ordered),
        5 => AggregateFunction::Max(ordered),
        6 => AggregateFunction::First(ordered),
        7 => AggregateFunction::Last(ordered),
        8 => AggregateFunction::CountDistinct(any),
        9 => AggregateFunction::Sketch(sketch(SketchKind::Hll { lg_k: 4 + random.below(10) as u8 }), any),
        10 => AggregateFunction::Sketch(sketch(SketchKind::Theta { lg_k: 5 + random.below(10) as u8 }), any),
        11 => {
            // Of many values the ends alone are exact.
            let rank = Rank::new(random.below(2) as f64).unwrap();
            let call = SketchCall { result: SketchResult::Quantile(rank), ..sketch(SketchKind::QUANTILES) };
            AggregateFunction::Sketch(call, number)
        }
        _ => AggregateFunction::Avg(number),
    }
}

fn sketch(kind: SketchKind) -> SketchCall {
    SketchCall { kind, result: SketchResult::Count }
}

fn aggregation(random: &mut Random) -> Aggregation {
    let columns = columns();
    let mut keys = Vec::new();
    for _ in 0..random.below(5) {
        keys.push(match random.below(8) {
            0 | 1 => GroupKey::TimeBucket(granularities()[random.below(5)].clone()),
            2 => GroupKey::Column(time()),
            _ => GroupKey::Column(columns[random.below(columns.len())].clone()),
        });
    }
    let mut aggregates = Vec::new();
    for _ in 0..random.below(4) {
        let filter = (random.below(4) == 0).then(|| filter(random));
        aggregates.push(Aggregate { function: function(random), filter });
    }
    Aggregation { keys, aggregates }
}

/// Checks some random aggregations of what the store has now.
fn check(store: &Store, results: &Arc<ResultCache>, seed: u64, count: usize) {
    let mut random = Random(seed);
    for _ in 0..count {
        let aggregation = aggregation(&mut random);
        let task = AggregateTask {
            data_source: requests(),
            output: output(&aggregation),
            aggregation: Arc::new(aggregation),
            filter: Some(filter(&mut random)),
            segments: store.segments(),
            top: None,
            use_indexes: random.below(2) == 0,
        };
        let expected = answer(&task.aggregation, task.filter.as_ref().unwrap(), &store.rows);
        let threads = 1 + random.below(3);
        let spilling = on_disk(context(threads), store.spill_directory(), 1 << 30);
        // In memory and on disk, then where what is found may be kept, and where it is if it ever will.
        for context in [&context(threads), &spilling, &cached(threads, results), &cached(2, results)] {
            let found = task.run(context);
            match (&found, &expected) {
                (Ok(found), Ok(expected)) => assert_eq!(&sorted_rows(found), expected, "{task:?}"),
                // Which of several groups is named depends on their order.
                (Err(found), Err(expected)) => assert_eq!(found.kind, expected.kind, "{task:?}"),
                _ => panic!("{found:?} is not {expected:?}: {task:?}"),
            }
        }
        let has_spilled = spilling.metrics.rows.get() > 0 && !task.aggregation.keys.is_empty();
        assert_eq!(spilling.metrics.spilled_bytes.get() > 0, has_spilled, "{task:?}");
        assert_eq!(spilling.spill.figures().bytes, 0);
        check_top(&task, &context(2), &mut random);
        check_top(&task, &spilling, &mut random);
    }
}

/// The same groups with only the first of them asked for.
fn check_top(task: &AggregateTask, context: &OperatorContext, random: &mut Random) {
    let columns = task.output.fields().len();
    let Ok(all) = task.run(context) else { return };
    if columns == 0 {
        return;
    }
    let top = TopGroups {
        column: random.below(columns),
        is_descending: random.below(2) == 0,
        is_nulls_first: random.below(2) == 0,
        count: NonZeroUsize::new(1 + random.below(9)).unwrap(),
    };
    let mut all = sorted_rows(&all);
    let rank = |row: &[Cell]| {
        let cell = row[top.column].clone();
        (cell == Cell::Null) != top.is_nulls_first
    };
    all.sort_by(|left, right| {
        let (left_cell, right_cell) = (&left[top.column], &right[top.column]);
        let values = if top.is_descending { right_cell.cmp(left_cell) } else { left_cell.cmp(right_cell) };
        let values =
            if *left_cell == Cell::Null || *right_cell == Cell::Null { rank(left).cmp(&rank(right)) } else { values };
        values.then_with(|| left.cmp(right))
    });
    let last = all.get(top.count.get() - 1).map(|row| row[top.column].clone());
    let end = all.iter().rposition(|row| Some(&row[top.column]) == last.as_ref()).map_or(all.len(), |place| place + 1);
    all.truncate(end);
    all.sort();
    let task = AggregateTask { top: Some(top), ..task.clone() };
    assert_eq!(sorted_rows(&task.run(context).unwrap()), all, "{task:?}");
}

#[tokio::test]
async fn groups_are_those_of_a_row_by_row_group_by() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::new(directory.path()).await;
    let results = Arc::new(ResultCache::new(64 << 20));
    for generation in 0..3 {
        store.declare(generation).await;
        store.append(2_600);
        check(&store, &results, 100 + generation, 25);
        store.publish().await;
        check(&store, &results, 200 + generation, 25);
        // Again under each schema.
        check(&store, &results, 250, 15);
    }
    store.append(1_025);
    check(&store, &results, 300, 25);
    check(&store, &results, 250, 15);
    let figures = results.figures();
    assert!(figures.hits > 200 && figures.misses > 200, "{figures:?}");
}

#[tokio::test]
async fn kept_groups_are_of_no_use_once_their_strings_have_other_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::new(directory.path()).await;
    store.declare(0).await;
    store.append(3_000);
    store.publish().await;
    let (task, results) = (count_by_path(&store), Arc::new(ResultCache::new(1 << 20)));
    let segments = store.segments().len() as u64;
    let ask = || {
        let context = cached(2, &results);
        let rows = sorted_rows(&task.run(&context).unwrap());
        (rows, context.results.unwrap().counts())
    };
    let (expected, cold) = ask();
    assert_eq!(cold, ResultCacheCounts { hits: 0, misses: segments });
    text_numbers::forget();
    // Other strings get the numbers that these had.
    text_numbers::TextNumbers::of("requests", "path").number(b"another string");
    assert_eq!(ask(), (expected.clone(), cold));
    assert_eq!(ask(), (expected, ResultCacheCounts { hits: segments, misses: 0 }));
}

#[tokio::test]
async fn a_segment_is_read_again_where_more_or_less_of_it_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::new(directory.path()).await;
    store.declare(0).await;
    store.append(3_000);
    store.publish().await;
    let results = Arc::new(ResultCache::new(1 << 20));
    let count = |start: i64, end: i64| {
        let interval = Interval::new(TimestampMs(START_MS + start), TimestampMs(START_MS + end)).unwrap();
        let filter = RowFilter { interval, predicate: None };
        let task = AggregateTask { filter: Some(filter.clone()), ..count_by_path(&store) };
        let context = cached(2, &results);
        let expected = answer(&task.aggregation, &filter, &store.rows).unwrap();
        assert_eq!(sorted_rows(&task.run(&context).unwrap()), expected, "{interval:?}");
        let ResultCacheCounts { hits, misses } = context.results.unwrap().counts();
        (hits, misses)
    };
    // Two whole days, and a few seconds of a third.
    assert_eq!(count(-DAY_MS, 3 * DAY_MS).1, store.segments().len() as u64);
    let (days, rest) = (2, store.segments().len() as u64 - 2);
    assert_eq!(count(-1, 3 * DAY_MS), (days + rest, 0), "all of it, from a little later on");
    assert_eq!(count(DAY_MS / 2, 2 * DAY_MS), (1, 1), "a half and a whole day");
    assert_eq!(count(DAY_MS / 2, 2 * DAY_MS), (2, 0));
    assert_eq!(count(DAY_MS / 2 + 1, 2 * DAY_MS), (1, 1), "nearly the same half");
    assert_eq!(count(0, 2 * DAY_MS), (2, 0));
}

fn count_by_path(store: &Store) -> AggregateTask {
    let key = GroupKey::Column(column("path", DimensionType::String));
    let count = Aggregate { function: AggregateFunction::CountRows, filter: None };
    let aggregation = Aggregation { keys: vec![key], aggregates: vec![count] };
    AggregateTask {
        data_source: requests(),
        output: output(&aggregation),
        aggregation: Arc::new(aggregation),
        filter: Some(RowFilter { interval: Interval::ALL, predicate: None }),
        segments: store.segments(),
        top: None,
        use_indexes: true,
    }
}

#[tokio::test]
async fn a_cancelled_query_and_one_without_memory_say_so() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::new(directory.path()).await;
    store.declare(0).await;
    store.append(5_000);
    let task = count_by_path(&store);
    assert!(task.run(&context(2)).is_ok());

    let cancelled = context(2);
    cancelled.cancelled.cancel();
    assert_eq!(task.run(&cancelled).unwrap_err().kind, QueryErrorKind::Cancelled);

    let memory: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(1_000));
    let small = OperatorContext { memory: memory.clone(), ..context(2) };
    assert_eq!(task.run(&small).unwrap_err().kind, QueryErrorKind::ResourceLimit);
    assert_eq!(memory.reserved(), 0);
}

#[tokio::test]
async fn what_is_on_disk_is_bounded_and_vanishes_however_a_query_ends() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::new(directory.path()).await;
    store.declare(0).await;
    store.append(5_000);
    let task = count_by_path(&store);
    let path = directory.path().join("spill");
    let nothing_is_left = |context: &OperatorContext| {
        assert_eq!(context.spill.figures().bytes, 0);
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
    };

    let succeeds = on_disk(context(2), &path, 1 << 30);
    let in_memory = sorted_rows(&task.run(&context(2)).unwrap());
    assert_eq!(sorted_rows(&task.run(&succeeds).unwrap()), in_memory);
    let bytes = succeeds.metrics.spilled_bytes.get();
    assert_eq!(succeeds.spill.figures(), SpillFigures { bytes: 0, written_bytes: bytes });
    nothing_is_left(&succeeds);

    let is_full = on_disk(context(1), &path, 16);
    let refused = task.run(&is_full).unwrap_err();
    assert_eq!(refused.kind, QueryErrorKind::ResourceLimit);
    assert!(refused.message.contains("(`spill_size`)"), "{refused}");
    nothing_is_left(&is_full);

    let cancelled = on_disk(context(2), &path, 1 << 30);
    let mut groups = task.read(&cancelled).unwrap();
    assert_eq!(cancelled.spill.figures().bytes, cancelled.metrics.spilled_bytes.get());
    cancelled.cancelled.cancel();
    assert_eq!(groups.next(&task, &cancelled).unwrap_err().kind, QueryErrorKind::Cancelled);
    drop(groups);
    nothing_is_left(&cancelled);
}

#[tokio::test]
async fn without_keys_there_is_one_group_even_of_no_rows() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::new(directory.path()).await;
    store.declare(0).await;
    store.append(10);
    let sum = Aggregate { function: AggregateFunction::Sum(column("bytes", DimensionType::Long)), filter: None };
    let count = Aggregate { function: AggregateFunction::CountRows, filter: None };
    let aggregation = Aggregation { keys: Vec::new(), aggregates: vec![sum, count] };
    let task = AggregateTask {
        data_source: requests(),
        output: output(&aggregation),
        aggregation: Arc::new(aggregation),
        filter: None,
        segments: store.segments(),
        top: None,
        use_indexes: true,
    };
    let nothing = vec![vec![Cell::Null, Cell::Long(0)]];
    assert_eq!(sorted_rows(&task.run(&context(2)).unwrap()), nothing);
    let nobody = Predicate::Long { column: "near".into(), test: NumberTest::In(vec![-77]) };
    let filter = Some(RowFilter { interval: Interval::ALL, predicate: Some(nobody) });
    let task = AggregateTask { filter, ..task };
    assert_eq!(sorted_rows(&task.run(&context(2)).unwrap()), nothing);
}

#[tokio::test]
async fn counters_tell_what_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::new(directory.path()).await;
    store.declare(0).await;
    store.append(3_000);
    let task = count_by_path(&store);
    let context = context(1);
    let groups: usize = task.run(&context).unwrap().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(context.metrics.segments.get(), store.segments().len() as u64);
    assert_eq!((context.metrics.rows.get(), context.metrics.groups.get()), (3_000, groups as u64));
}
