use std::ops::Range;

use proptest::prelude::*;

use super::*;
use crate::evaluate::tests::segment::{self, Form, Kind, Plan, Random, Segment, Shape};
use crate::naive::{Columns, Value};
use crate::{BLOCK_ROWS, LongColumn, PackedLongs, text_of_double, text_of_flag, text_of_long};

/// Columns of a segment, and what the schema calls their kinds.
const COLUMNS: [(Kind, ValueKind); 9] = [
    (Kind::Text, ValueKind::Text),
    (Kind::Long, ValueKind::Long),
    (Kind::Double, ValueKind::Double),
    (Kind::Flag, ValueKind::Flag),
    (Kind::Long, ValueKind::Double),
    (Kind::Long, ValueKind::Text),
    (Kind::Double, ValueKind::Text),
    (Kind::Flag, ValueKind::Text),
    (Kind::Text, ValueKind::Text),
];

/// A value as the schema sees it.
fn sort_value(value: Option<&Value>, kind: ValueKind) -> SortValue {
    let Some(value) = value else { return SortValue::Null };
    match (value, kind) {
        (Value::Text(text), _) => SortValue::Text(text.as_bytes().into()),
        (Value::Long(long), ValueKind::Long) => SortValue::Long(*long),
        (Value::Long(long), ValueKind::Double) => SortValue::Double(*long as f64),
        (Value::Long(long), _) => SortValue::Text(text_of_long(*long).into_bytes().into()),
        (Value::Double(double), ValueKind::Double) => SortValue::Double(*double),
        (Value::Double(double), _) => SortValue::Text(text_of_double(*double).into_bytes().into()),
        (Value::Flag(flag), ValueKind::Flag) => SortValue::Flag(*flag),
        (Value::Flag(flag), _) => SortValue::Text(text_of_flag(*flag).as_bytes().into()),
    }
}

/// The order of two values by the book.
fn compared(left: &SortValue, right: &SortValue, order: SortOrder) -> Ordering {
    let nulls = if order.is_nulls_first { Ordering::Less } else { Ordering::Greater };
    let values = match (left, right) {
        (SortValue::Null, SortValue::Null) => return Ordering::Equal,
        (SortValue::Null, _) => return nulls,
        (_, SortValue::Null) => return nulls.reverse(),
        (SortValue::Long(left), SortValue::Long(right)) => left.cmp(right),
        (SortValue::Double(left), SortValue::Double(right)) => left.total_cmp(right),
        (SortValue::Flag(left), SortValue::Flag(right)) => left.cmp(right),
        (SortValue::Text(left), SortValue::Text(right)) => left.cmp(right),
        _ => unreachable!("values of one kind"),
    };
    if order.is_descending { values.reverse() } else { values }
}

#[derive(Debug)]
struct Case {
    count: u32,
    /// Places in [`COLUMNS`], with the order and the shape of the values.
    sorted: Vec<(usize, SortOrder, Shape, bool)>,
    /// The column that the segment lacks.
    missing: Option<usize>,
    selected: Range<usize>,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let count = prop::sample::select(vec![1_u32, 63, 64, 65, 1_023, 1_024, 1_025, 2_500, 5_000]);
    let shape = prop::sample::select(vec![
        Shape::Constant,
        Shape::Few,
        Shape::Many,
        Shape::Sorted,
        Shape::ManySorted,
        Shape::Null,
    ]);
    let order = (any::<bool>(), any::<bool>())
        .prop_map(|(is_descending, is_nulls_first)| SortOrder { is_descending, is_nulls_first });
    let column = (0..COLUMNS.len(), order, shape, any::<bool>());
    let sorted = prop::collection::vec(column, 1..4);
    let selected = (0..BLOCK_ROWS, 0..BLOCK_ROWS).prop_map(|(start, end)| start.min(end)..start.max(end) + 1);
    (count, sorted, prop::option::of(0..12_usize), selected, any::<u64>())
        .prop_map(|(count, sorted, missing, selected, seed)| Case { count, sorted, missing, selected, seed })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_rows_before_another_are_those_that_compare_so(case in case(), bounds in prop::collection::vec(any::<u32>(), 4)) {
        let mut random = Random(case.seed);
        let (mut columns, mut plans) = (Columns::new(), Vec::new());
        for (place, &(column, _, shape, has_nulls)) in case.sorted.iter().enumerate() {
            if case.missing != Some(place) {
                let plan = Plan { kind: COLUMNS[column].0, shape, has_nulls };
                columns.insert(place.to_string(), segment::values(plan, case.count as usize, &mut random));
                plans.push((place.to_string(), plan));
            }
        }
        let stored = Segment::new(&plans, &columns, case.seed, 0);
        // Values of another segment, among which those of this one have their place.
        let other: Vec<Vec<Option<Value>>> = case.sorted.iter().map(|&(column, _, _, has_nulls)| {
            segment::values(Plan { kind: COLUMNS[column].0, shape: Shape::Many, has_nulls }, 64, &mut random)
        }).collect();
        let value_at = |place: usize, row: u32| {
            let value = columns.get(&place.to_string()).and_then(|values| values[row as usize].as_ref());
            sort_value(value, COLUMNS[case.sorted[place].0].1)
        };
        for form in [Form::Packed, Form::Growing] {
            let sorted = case.sorted.iter().enumerate().map(|(place, &(column, order, ..))| {
                let Ok(stored) = stored.column(&place.to_string(), form);
                (stored, COLUMNS[column].1, order)
            });
            let order = RowOrder::new(sorted).expect("no column is of a wider kind");
            let mut scratch = Scratch::default();
            for (number, pick) in bounds.iter().enumerate() {
                let values: Vec<SortValue> = (0..case.sorted.len()).map(|place| match number % 2 {
                    0 => value_at(place, pick % case.count),
                    _ => sort_value(other[place][*pick as usize % 64].as_ref(), COLUMNS[case.sorted[place].0].1),
                }).collect();
                let precedes = |row: u32| {
                    let orders = values.iter().enumerate().map(|(place, value)| {
                        compared(&value_at(place, row), value, case.sorted[place].1)
                    });
                    orders.into_iter().find(|order| order.is_ne()) == Some(Ordering::Less)
                };
                let mut bound = order.bound(&values);
                prop_assert!(order.may_precede(&bound) || !(0..case.count).any(precedes));
                for block in 0..(case.count as usize).div_ceil(BLOCK_ROWS) {
                    let first = (block * BLOCK_ROWS) as u32;
                    let rows = (case.count - first).min(BLOCK_ROWS as u32);
                    prop_assert!(order.may_precede_in(block, &bound) || !(first..first + rows).any(precedes));
                    let selected = case.selected.start..case.selected.end.min(rows as usize);
                    let mask = BlockRows::Range(selected.clone()).to_mask(rows as usize);
                    let found = order.preceding(block, &mask, &mut bound, &mut scratch);
                    let is_found = |row: usize| found[row / 64] >> (row % 64) & 1 == 1;
                    for row in 0..BLOCK_ROWS {
                        let expected = selected.contains(&row) && precedes(first + row as u32);
                        prop_assert_eq!(is_found(row), expected, "{:?} row {}", form, first + row as u32);
                    }
                }
            }
        }
    }
}

const ASCENDING: SortOrder = SortOrder { is_descending: false, is_nulls_first: true };
const DESCENDING: SortOrder = SortOrder { is_descending: true, is_nulls_first: false };

fn packed(values: &[i64]) -> PackedLongs {
    PackedLongs::decode(PackedLongs::encode(values, None).into()).unwrap()
}

#[test]
fn blocks_that_cannot_hold_such_rows_are_known_by_their_zones() {
    let times: Vec<i64> = (0..4_096).collect();
    let constant = vec![7; 4_096];
    let (times, constant) = (packed(&times), packed(&constant));
    let column = |packed| (Column::Longs(LongColumn::Packed(packed)), ValueKind::Long);
    let order = |sorted: [(&'static str, SortOrder); 2]| {
        let columns = sorted.map(|(name, order)| {
            let (column, kind) = column(if name == "time" { &times } else { &constant });
            (column, kind, order)
        });
        RowOrder::new(columns).unwrap()
    };
    let left = |order: &RowOrder<'_>, values: [i64; 2]| -> Vec<usize> {
        let bound = order.bound(&values.map(SortValue::Long));
        (0..4).filter(|&block| order.may_precede_in(block, &bound)).collect()
    };
    let latest = order([("time", DESCENDING), ("constant", ASCENDING)]);
    assert_eq!(left(&latest, [2_500, 7]), [2, 3]);
    assert_eq!(left(&latest, [4_095, 7]), [0_usize; 0], "none is later than the latest");
    assert!(!latest.may_precede(&latest.bound(&[SortValue::Long(4_095), SortValue::Long(7)])));
    assert_eq!(left(&latest, [4_095, 8]), [3], "but one is as late, and its constant is less");
    // Where the leading column is level everywhere, the next one decides.
    let earliest = order([("constant", DESCENDING), ("time", ASCENDING)]);
    assert_eq!(left(&earliest, [7, 1_024]), [0]);
    assert_eq!(left(&earliest, [7, 1_025]), [0, 1]);
    assert_eq!(left(&earliest, [8, 1]), [0_usize; 0]);
    assert_eq!(left(&earliest, [6, 1]), [0, 1, 2, 3]);
}

#[test]
fn blocks_with_the_first_rows_are_read_first() {
    let values: Vec<i64> = [3, 1, 4, 2].into_iter().flat_map(|value| vec![value; BLOCK_ROWS]).collect();
    let values = packed(&values);
    let sorted = |order| {
        let column = (Column::Longs(LongColumn::Packed(&values)), ValueKind::Long, order);
        let mut blocks: Vec<(usize, BlockRows)> = (0..4).map(|block| (block, BlockRows::All)).collect();
        RowOrder::new([column]).unwrap().sort_blocks(&mut blocks);
        blocks.into_iter().map(|(block, _)| block).collect::<Vec<_>>()
    };
    assert_eq!(sorted(ASCENDING), [1, 3, 0, 2]);
    assert_eq!(sorted(DESCENDING), [2, 0, 3, 1]);
}
