//! A merge of segments against one freeze of all their events.

use std::collections::HashSet;

use henge_indexing::CodeSetCache;
use proptest::prelude::*;

use super::*;
use crate::event::{DimensionValue, EventRow, MeasureValue};
use crate::open_segment::{OpenSegment, sort};
use crate::schema::SketchMeasure;
use crate::schema::{Aggregation, Dimension, DimensionType, Measure, TIME_COLUMN};
use crate::segment::{SegmentMeta, SketchBytes, SortedColumn, encode_serving};
use crate::sketch::{HashedValue, SketchInput, SketchKind, ThetaHasher};
use crate::time::TimestampMs;

/// An event by the names of its columns; what a schema does not declare is left out.
#[derive(Debug, Clone)]
struct Event {
    time: i64,
    org: Option<String>,
    port: Option<i64>,
    load: Option<f64>,
    ok: Option<bool>,
    bytes: Option<i64>,
    latency: Option<f64>,
}

/// `largest`: how many percent of the events have so many bytes that two of them leave 64 bits.
fn event(largest: u32) -> impl Strategy<Value = Event> {
    let org = prop::option::of("[ab]{0,2}");
    let port = prop::option::of(prop::sample::select(vec![-1, 0, 9, 10, 80]));
    // Sums of halves are exact in whatever order they are added.
    let load = prop::option::of(prop::sample::select(vec![-0.0, 0.0, 1.0, 2.5]));
    let latency = prop::option::of((-20_i64..20).prop_map(|halves| halves as f64 / 2.0));
    let bytes = prop::option::of(prop_oneof![100 - largest => -5_i64..5, largest => Just(i64::MAX)]);
    (0_i64..120_000, org, port, load, any::<Option<bool>>(), bytes, latency)
        .prop_map(|(time, org, port, load, ok, bytes, latency)| Event { time, org, port, load, ok, bytes, latency })
}

fn hour() -> Interval {
    Interval::new(TimestampMs(0), TimestampMs(3_600_000)).unwrap()
}

fn schema(rollup: bool, granularity: &str) -> DataSourceSchema {
    use Aggregation::*;
    use DimensionType::*;
    let dimensions = [("org", String), ("port", Long), ("load", Double), ("ok", Boolean)];
    let measures = [
        ("events", Count),
        ("bytes", LongSum),
        ("bytes_max", LongMax),
        ("latency", DoubleSum),
        ("latency_min", DoubleMin),
        ("orgs", Sketch(SketchMeasure { kind: SketchKind::Hll { lg_k: 4 }, of: String })),
        ("ports", Sketch(SketchMeasure { kind: SketchKind::Theta { lg_k: 5 }, of: Long })),
    ];
    DataSourceSchema {
        dimensions: dimensions.map(|(name, kind)| Dimension { name: name.into(), kind }).into(),
        measures: measures.map(|(name, aggregation)| Measure { name: name.into(), aggregation }).into(),
        rollup,
        query_granularity: granularity.parse().unwrap(),
        segment_granularity: "1h".parse().unwrap(),
        sort: vec![],
        tenant: None,
    }
}

/// What a freeze makes of events under a schema. `None` without events.
fn frozen(schema: &DataSourceSchema, events: &[Event]) -> Option<SortedRows> {
    let mut open = OpenSegment::new(Arc::new(schema.clone()), hour(), &Arc::new(CodeSetCache::new(0)));
    for event in events {
        let mut row = EventRow::new(schema.dimensions.len(), schema.measures.len());
        row.time = TimestampMs(event.time);
        for (index, dimension) in schema.dimensions.iter().enumerate() {
            set_dimension(&mut row, index, &dimension.name, dimension.kind, event);
        }
        for (index, measure) in schema.measures.iter().enumerate() {
            if let Aggregation::Sketch(sketch) = measure.aggregation {
                if let Some(input) = sketched(&measure.name, sketch.kind, event) {
                    row.set_measure(index, MeasureValue::Sketched(input));
                }
                continue;
            }
            let value = match measure.name.trim_end_matches("_max").trim_end_matches("_min") {
                "bytes" if measure.aggregation.is_long() => event.bytes.map(MeasureValue::Long),
                "bytes" => event.bytes.map(|bytes| MeasureValue::Double(bytes as f64)),
                "latency" => event.latency.map(MeasureValue::Double),
                _ => None,
            };
            row.set_measure(index, value.unwrap_or(MeasureValue::Null));
        }
        open.append(&[row]);
    }
    (!events.is_empty()).then(|| sort(&open.prefix()))
}

fn sketched(measure: &str, kind: SketchKind, event: &Event) -> Option<SketchInput> {
    let value = match measure {
        "orgs" => HashedValue::Text(event.org.as_ref()?.as_bytes()),
        _ => HashedValue::Long(event.port?),
    };
    ThetaHasher::default().input(kind, value)
}

/// Numbers and booleans are written as the strings that a schema promotes them to.
fn set_dimension(row: &mut EventRow, index: usize, name: &str, kind: DimensionType, event: &Event) {
    let text;
    let value = match (name, kind) {
        ("org", _) => event.org.as_deref().map(DimensionValue::String),
        ("port", DimensionType::Long) => event.port.map(DimensionValue::Long),
        ("port", DimensionType::Double) => event.port.map(|port| DimensionValue::Double(port as f64)),
        ("port", _) => {
            text = event.port.map(|port| port.to_string());
            text.as_deref().map(DimensionValue::String)
        }
        ("load", DimensionType::Double) => event.load.map(DimensionValue::Double),
        ("load", _) => {
            text = event.load.map(|load| if load == 2.5 { "2.5".to_owned() } else { (load as i64).to_string() });
            text.as_deref().map(DimensionValue::String)
        }
        ("ok", DimensionType::Boolean) => event.ok.map(DimensionValue::Boolean),
        ("ok", _) => event.ok.map(|ok| DimensionValue::String(if ok { "true" } else { "false" })),
        _ => None,
    };
    row.set_dimension(index, value.unwrap_or(DimensionValue::Null));
}

fn input(rows: &SortedRows, events: u64) -> MergeInput {
    let serving = encode_serving(rows, [0; 32]);
    let cache = Arc::new(CodeSetCache::new(1 << 10));
    let rows = Arc::new(ServingSegment::from_bytes(serving.into(), &cache).unwrap());
    MergeInput { id: SegmentMeta::sample().id, rows, events }
}

fn inputs(schema: &DataSourceSchema, parts: &[Vec<Event>]) -> Vec<MergeInput> {
    let frozen = parts.iter().filter_map(|events| Some((frozen(schema, events)?, events.len())));
    frozen.map(|(rows, events)| input(&rows, events as u64)).collect()
}

fn merge_all(inputs: &[MergeInput], target: &MergeTarget) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let merged = merge(
        inputs,
        target,
        || Ok(()),
        |piece| {
            pieces.push(piece);
            Ok::<(), std::convert::Infallible>(())
        },
    );
    merged.unwrap();
    pieces
}

fn target(schema: &DataSourceSchema) -> MergeTarget {
    MergeTarget {
        schema: Arc::new(schema.clone()),
        chunk: hour(),
        granularity: None,
        piece_rows: usize::MAX,
        piece_sketch_bytes: usize::MAX,
    }
}

/// The single piece's rows; `None` without any.
fn merged_rows(inputs: &[MergeInput], target: &MergeTarget) -> Option<SortedRows> {
    let mut pieces = merge_all(inputs, target);
    assert!(pieces.len() <= 1);
    pieces.pop().map(|piece| piece.rows)
}

/// Every row as text, in order.
fn shown(rows: &SortedRows) -> Vec<String> {
    let cell = |column: &SortedColumn, row: usize| match column {
        SortedColumn::Text(text) => match text.codes[row] {
            0 => "null".to_owned(),
            code => format!("{:?}", std::str::from_utf8(text.distinct.get(code as usize - 1)).unwrap()),
        },
        SortedColumn::Longs(longs) => format!("{:?}", longs.get(row)),
        SortedColumn::Doubles(doubles) => format!("{:?}", doubles.get(row)),
        SortedColumn::Flags(flags) => format!("{:?}", flags.get(row)),
        SortedColumn::Sketches(_, sketches) => format!("{:?}", sketches.get(row)),
    };
    let row = |row: usize| {
        let cells: Vec<String> = rows.columns().map(|(_, column)| cell(column, row)).collect();
        format!("{} {}", rows.times[row], cells.join(" "))
    };
    (0..rows.row_count()).map(row).collect()
}

fn parts() -> impl Strategy<Value = Vec<Vec<Event>>> {
    prop::collection::vec(prop::collection::vec(event(0), 0..50), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// R1: counts, sums, minima and maxima are those of the events.
    #[test]
    fn merged_segments_are_what_one_freeze_of_all_events_would_be(parts in parts()) {
        let schema = schema(true, "1m");
        let merged = merged_rows(&inputs(&schema, &parts), &target(&schema));
        prop_assert_eq!(merged, frozen(&schema, &parts.concat()));
    }

    #[test]
    fn sums_that_would_leave_64_bits_stay_apart_and_add_up(
        parts in prop::collection::vec(prop::collection::vec(event(30), 0..50), 0..4),
    ) {
        let schema = schema(true, "1m");
        let bytes_of = |rows: &SortedRows| match &rows.measures[1] {
            SortedColumn::Longs(longs) => longs.values.iter().map(|&long| i128::from(long)).sum::<i128>(),
            _ => unreachable!("a sum of longs"),
        };
        let merged = merged_rows(&inputs(&schema, &parts), &target(&schema));
        let sum: i128 = parts.iter().flatten().filter_map(|event| event.bytes).map(i128::from).sum();
        prop_assert_eq!(merged.as_ref().map_or(0, bytes_of), sum);
    }

    #[test]
    fn without_rollup_every_event_stays(parts in parts()) {
        let schema = schema(false, "none");
        let mut merged = merged_rows(&inputs(&schema, &parts), &target(&schema)).as_ref().map_or(vec![], shown);
        let mut expected = frozen(&schema, &parts.concat()).as_ref().map_or(vec![], shown);
        // Rows with one key may come in any order.
        merged.sort();
        expected.sort();
        prop_assert_eq!(merged, expected);
    }

    #[test]
    fn pieces_follow_each_other_and_share_the_events(parts in parts(), piece_rows in 1_usize..40) {
        let schema = schema(true, "1s");
        let inputs = inputs(&schema, &parts);
        let target = MergeTarget { piece_rows, ..target(&schema) };
        let pieces = merge_all(&inputs, &target);
        let (last, whole) = match pieces.split_last() {
            Some((last, whole)) => (last.rows.row_count(), whole),
            None => (1, &[][..]),
        };
        prop_assert!((1..=piece_rows).contains(&last));
        prop_assert!(whole.iter().all(|piece| piece.rows.row_count() == piece_rows));
        let rows: Vec<String> = pieces.iter().flat_map(|piece| shown(&piece.rows)).collect();
        prop_assert_eq!(rows, frozen(&schema, &parts.concat()).as_ref().map_or(vec![], shown));
        let events: u64 = pieces.iter().map(|piece| piece.events).sum();
        prop_assert_eq!(events, parts.concat().len() as u64);
        for piece in &pieces {
            let SortedColumn::Longs(counts) = &piece.rows.measures[0] else { panic!("events are counted") };
            prop_assert_eq!(counts.values.iter().sum::<i64>(), piece.events as i64, "as `henge verify` adds them up");
            let texts = piece.rows.dimensions.iter().filter_map(|column| match column {
                SortedColumn::Text(text) => Some(text),
                _ => None,
            });
            for text in texts {
                let used: HashSet<u32> = text.codes.iter().copied().filter(|&code| code > 0).collect();
                prop_assert_eq!(used.len(), text.distinct.len());
            }
        }
    }

    #[test]
    fn coarser_times_are_those_that_events_would_have_had(parts in parts(), sort_by_time in any::<bool>()) {
        let sort = if sort_by_time { vec![TIME_COLUMN.to_owned()] } else { vec![] };
        let fine = DataSourceSchema { sort: sort.clone(), ..schema(true, "1s") };
        let coarse = DataSourceSchema { sort, ..schema(true, "1m") };
        let target = MergeTarget { granularity: Some("1m".parse().unwrap()), ..target(&fine) };
        let merged = merged_rows(&inputs(&fine, &parts), &target);
        prop_assert_eq!(merged, frozen(&coarse, &parts.concat()));
    }

    /// Columns that came, went, changed their type or their place in the order.
    #[test]
    fn segments_of_older_schemas_are_merged_as_if_they_had_todays(
        older in parts(), narrower in parts(), today in parts(),
    ) {
        let narrow = schema(true, "1m");
        let mut now = schema(true, "1m");
        for dimension in &mut now.dimensions {
            dimension.kind = DimensionType::String;
        }
        now.measures[1].aggregation = Aggregation::DoubleSum;
        now.sort = vec!["ok".into(), TIME_COLUMN.into()];
        // An older schema without `port` and `latency`, with one that is gone, and in another order.
        let mut old = schema(true, "1m");
        old.dimensions[1] = Dimension { name: "gone".into(), kind: DimensionType::Long };
        old.dimensions.reverse();
        old.measures.remove(3);

        let all = [inputs(&old, &older), inputs(&narrow, &narrower), inputs(&now, &today)].concat();
        let merged = merged_rows(&all, &target(&now));
        let strip = |event: Event| Event { port: None, latency: None, ..event };
        let expected: Vec<Event> = older.concat().into_iter().map(strip).collect();
        // `latency_min` was there before `latency` was; the reference takes both from one field.
        let mut reference = now.clone();
        reference.measures.truncate(3);
        let dropped = |rows: SortedRows| shown(&SortedRows {
            measures: rows.measures[..3].to_vec(),
            schema: Arc::new(reference.clone()),
            ..rows
        });
        let expected = frozen(&reference, &[expected, narrower.concat(), today.concat()].concat());
        prop_assert_eq!(merged.map(dropped), expected.as_ref().map(shown));
    }
}

#[test]
fn a_piece_ends_once_its_sketches_take_too_much() {
    let schema = schema(true, "1s");
    let events: Vec<Event> = (0..100).map(|number| plain_event(number * 1_000)).collect();
    let target = MergeTarget { piece_sketch_bytes: 200, ..target(&schema) };
    let pieces = merge_all(&inputs(&schema, &[events]), &target);
    let rows: Vec<usize> = pieces.iter().map(|piece| piece.rows.row_count()).collect();
    // 12 bytes of an HLL sketch of one string, but for that of the row at hand.
    assert_eq!(rows, [18, 18, 18, 18, 18, 10]);
}

#[test]
fn a_damaged_sketch_ends_a_merge_and_names_its_segment() {
    let schema = schema(true, "1m");
    let mut rows = frozen(&schema, &[plain_event(0)]).unwrap();
    let damaged: SketchBytes = [Some(vec![2, 1, 7, 4])].into_iter().collect();
    rows.measures[5] = SortedColumn::Sketches(SketchKind::Hll { lg_k: 4 }, damaged);
    let inputs = [input(&rows, 1), input(&rows, 1)];
    let merged = merge(&inputs, &target(&schema), || Ok::<(), String>(()), |_| Ok(()));
    let message = merged.unwrap_err().to_string();
    let start = format!("segment `{}`: a sketch: the bytes are no sketch that can be read: ", inputs[1].id);
    assert!(message.starts_with(&start), "{message}");
}

#[test]
fn a_sketch_is_not_merged_into_a_number() {
    let now = schema(true, "1m");
    let mut before = schema(true, "1m");
    before.measures[5].aggregation = Aggregation::LongSum;
    let merged = merge(&inputs(&before, &[vec![plain_event(0)]]), &target(&now), || Ok::<(), String>(()), |_| Ok(()));
    let message = merged.unwrap_err().to_string();
    assert!(message.ends_with("column `orgs`: column: of a type that the schema has never widened"), "{message}");
}

fn plain_event(time: i64) -> Event {
    Event { time, org: Some("a".to_owned()), port: None, load: None, ok: None, bytes: None, latency: None }
}

#[test]
fn the_caller_can_end_a_merge_at_any_block() {
    let schema = schema(false, "none");
    let events: Vec<Event> = (0..5_000)
        .map(|number| Event {
            time: number,
            org: Some(format!("{}", number % 7)),
            port: None,
            load: None,
            ok: None,
            bytes: Some(number),
            latency: None,
        })
        .collect();
    let inputs = inputs(&schema, &[events.clone(), events]);
    let paces = |stop_at: usize| {
        let mut paces = 0;
        let ended = merge(
            &inputs,
            &target(&schema),
            || {
                paces += 1;
                if paces == stop_at { Err("stopped") } else { Ok(()) }
            },
            |_| Ok(()),
        );
        (paces, ended.is_err())
    };
    // Each block is read once for its order and once for its rows.
    assert_eq!(paces(usize::MAX), (20, false));
    for stop_at in 1..=20 {
        assert_eq!(paces(stop_at), (stop_at, true));
    }
}
