pub(crate) mod segment;

use std::convert::Infallible;
use std::ops::Bound;

use proptest::prelude::*;
use segment::{DOUBLES, Form, Kind, LONGS, Plan, Random, Segment, Shape, TEXTS};

use super::leaf::Leaf;
use super::node::Node;
use super::*;
use crate::PackedLongs;
use crate::naive::{self, Columns};
use crate::predicate::{Comparison, LikePattern, NumberTest, Predicate, RegexPattern, TextTest, ValueKind};

/// Two of each kind, so that columns of one kind can be compared too.
const NAMES: [&str; 8] = ["text_1", "text_2", "long_1", "long_2", "double_1", "double_2", "flag_1", "flag_2"];

fn kind_of(name: &str) -> Kind {
    match name.split_once('_').expect("kind and number").0 {
        "text" => Kind::Text,
        "long" => Kind::Long,
        "double" => Kind::Double,
        _ => Kind::Flag,
    }
}

/// Rows in both forms, and the plain values that they came from.
#[derive(Debug)]
struct Rows {
    count: u32,
    columns: Columns,
    plans: Vec<(String, Plan)>,
    seed: u64,
}

fn rows() -> impl Strategy<Value = Rows> {
    let count = prop::sample::select(vec![0_u32, 1, 63, 64, 65, 1_023, 1_024, 1_025, 2_500, 5_000]);
    let shape = prop::sample::select(vec![
        Shape::Constant,
        Shape::Few,
        Shape::Few,
        Shape::Many,
        Shape::Many,
        Shape::Sorted,
        Shape::ManySorted,
        Shape::Null,
    ]);
    let shapes = prop::collection::vec((shape, any::<bool>()), NAMES.len());
    (count, shapes, any::<u64>()).prop_map(|(count, shapes, seed)| {
        let mut random = Random(seed);
        let plan = |(name, (shape, has_nulls)): (&&str, (Shape, bool))| {
            ((*name).to_owned(), Plan { kind: kind_of(name), shape, has_nulls })
        };
        let plans: Vec<(String, Plan)> = NAMES.iter().zip(shapes).map(plan).collect();
        let values =
            |(name, plan): &(String, Plan)| (name.clone(), segment::values(*plan, count as usize, &mut random));
        Rows { count, columns: plans.iter().map(values).collect(), plans, seed }
    })
}

fn column() -> impl Strategy<Value = std::sync::Arc<str>> {
    let names: Vec<&str> = NAMES.into_iter().chain(["missing"]).collect();
    prop::sample::select(names).prop_map(Into::into)
}

/// A column of the kind that its test is of, or often a narrower one.
fn column_of(kinds: &'static [&'static str]) -> impl Strategy<Value = std::sync::Arc<str>> {
    let names: Vec<String> = kinds.iter().flat_map(|kind| [format!("{kind}_1"), format!("{kind}_2")]).collect();
    prop_oneof![8 => prop::sample::select(names).prop_map(Into::into), 1 => column()]
}

fn text() -> impl Strategy<Value = String> {
    let numbered = (0_u32..730).prop_map(|number| format!("t{number}"));
    let number = (-30_i32..60).prop_map(|number| format!("{}", f64::from(number) / 4.0));
    prop_oneof![3 => prop::sample::select(&TEXTS[..]).prop_map(str::to_owned), 2 => numbered, 1 => number, 1 => "[abé]{0,2}"]
}

fn bound<T: std::fmt::Debug + Clone + 'static>(
    value: impl Strategy<Value = T> + Clone + 'static,
) -> BoxedStrategy<Bound<T>> {
    let (included, excluded) = (value.clone().prop_map(Bound::Included), value.prop_map(Bound::Excluded));
    prop_oneof![3 => included, 3 => excluded, 1 => Just(Bound::Unbounded)].boxed()
}

fn text_test() -> impl Strategy<Value = TextTest> {
    let bytes = text().prop_map(|text| Box::from(text.as_bytes())).boxed();
    let many = prop::collection::vec(text(), 5..80);
    let like = prop_oneof!["[abt%_0-9]{0,4}", "t%[0-9]", "%[0-9]%", "a%", "%[bé]", "t[0-9]_%"];
    let regex = prop::sample::select(vec!["^t[1-3]", "b", "(?i)A", "^t5.$", "[05]$", ".*", "^(ab|aé)", "t.*7", "^x"]);
    prop_oneof![
        3 => text().prop_map(TextTest::equal),
        1 => prop::collection::vec(text(), 0..5).prop_map(TextTest::any_of),
        1 => many.prop_map(TextTest::any_of),
        2 => (bound(bytes.clone()), bound(bytes)).prop_map(|(lower, upper)| TextTest::Range { lower, upper }),
        1 => text().prop_map(|text| TextTest::Prefix(text.as_bytes().into())),
        3 => (like, any::<bool>()).prop_map(|(like, is_case_insensitive)| {
            TextTest::Like(LikePattern::new(&like, Some('\\'), is_case_insensitive).unwrap())
        }),
        2 => regex.prop_map(|regex| TextTest::Regex(RegexPattern::new(regex).unwrap())),
    ]
}

fn number_test<T: std::fmt::Debug + Clone + 'static>(value: BoxedStrategy<T>) -> impl Strategy<Value = NumberTest<T>> {
    let range = (bound(value.clone()), bound(value.clone()));
    prop_oneof![
        value.clone().prop_map(|value| NumberTest::In(vec![value])),
        prop::collection::vec(value, 0..40).prop_map(NumberTest::In),
        range.prop_map(|(lower, upper)| NumberTest::Range { lower, upper }),
    ]
}

fn leaf() -> impl Strategy<Value = Predicate> {
    let long = prop_oneof![prop::sample::select(&LONGS[..]), -350_i64..450].boxed();
    let double = prop_oneof![
        prop::sample::select(&DOUBLES[..]),
        (-300_i32..400).prop_map(|quarters| f64::from(quarters) / 4.0),
        long.clone().prop_map(|long| long as f64),
    ];
    prop_oneof![
        1 => prop::option::of(any::<bool>()).prop_map(Predicate::Const),
        2 => column().prop_map(Predicate::IsNull),
        8 => (column_of(&["text"]), text_test()).prop_map(|(column, test)| Predicate::Text { column, test }),
        3 => (column_of(&["long", "double", "flag"]), text_test())
            .prop_map(|(column, test)| Predicate::Text { column, test }),
        4 => (column_of(&["long"]), number_test(long)).prop_map(|(column, test)| Predicate::Long { column, test }),
        4 => (column_of(&["double", "long"]), number_test(double.boxed()))
            .prop_map(|(column, test)| Predicate::Double { column, test }),
        2 => (column_of(&["flag"]), any::<bool>()).prop_map(|(column, is)| Predicate::Flag { column, is }),
        3 => comparison(),
    ]
}

fn comparison() -> impl Strategy<Value = Predicate> {
    let op = prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    let sides = prop_oneof![
        (column(), column(), Just(ValueKind::Text)),
        (column_of(&["text"]), column_of(&["text"]), Just(ValueKind::Text)),
        (column_of(&["long"]), column_of(&["long"]), Just(ValueKind::Long)),
        (column_of(&["long", "double"]), column_of(&["long", "double"]), Just(ValueKind::Double)),
        (column_of(&["flag"]), column_of(&["flag"]), Just(ValueKind::Flag)),
    ];
    (sides, op).prop_map(|((left, right, kind), op)| Predicate::Columns { left, op, right, kind })
}

fn predicate() -> impl Strategy<Value = Predicate> {
    leaf().prop_recursive(3, 10, 4, |inner| {
        let parts = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            2 => parts().prop_map(Predicate::And),
            2 => parts().prop_map(Predicate::Or),
            1 => inner.clone().prop_map(|part| Predicate::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// X3, Q1: what is found does not depend on how the rows are stored, nor on how they are looked for.
    #[test]
    fn every_form_gives_the_reference_rows_with_and_without_indexes(
        rows in rows(), predicates in prop::collection::vec(predicate(), 1..6),
    ) {
        let segment = Segment::new(&rows.plans, &rows.columns, rows.seed, 0);
        for predicate in predicates {
            let expected = naive::matching_rows(&predicate, rows.count, &rows.columns);
            for form in [Form::Packed, Form::Growing] {
                // The second time some tests are answered by the cache.
                for use_indexes in [true, true, false] {
                    let found = evaluate(&predicate, rows.count, use_indexes, &|name| segment.column(name, form)).unwrap();
                    prop_assert_eq!(found.row_count(), rows.count);
                    let found: Vec<u32> = found.iter().collect();
                    prop_assert_eq!(&found, &expected, "{:?} {} {:?}", form, use_indexes, predicate);
                }
            }
        }
    }

    #[test]
    fn damaged_columns_give_other_rows_at_worst(
        rows in rows(), changes in 1_usize..20, predicates in prop::collection::vec(predicate(), 1..8),
    ) {
        let segment = Segment::new(&rows.plans, &rows.columns, rows.seed, changes);
        for predicate in predicates {
            for use_indexes in [true, false] {
                let column = |name: &str| segment.column(name, Form::Packed);
                let found = evaluate(&predicate, rows.count, use_indexes, &column).unwrap();
                prop_assert!(found.iter().all(|row| row < rows.count));
            }
        }
    }
}

#[test]
fn zeros_of_two_columns_are_equal_and_nans_have_their_places_by_their_bits() {
    let left = [-0.0, 0.0, -0.0, f64::NAN, -f64::NAN, f64::NAN, 1.0, f64::NEG_INFINITY];
    let right = [0.0, -0.0, 1.0, f64::NAN, f64::NAN, f64::INFINITY, -0.0, -f64::NAN];
    let columns = |name: &str| -> Result<Column<'_>, std::convert::Infallible> {
        let values = if name == "left" { &left } else { &right };
        Ok(Column::Doubles(DoubleColumn::Pages(vec![Page { values, validity: None }])))
    };
    let rows = |op| {
        let predicate = Predicate::Columns { left: "left".into(), op, right: "right".into(), kind: ValueKind::Double };
        evaluate(&predicate, 8, true, &columns).unwrap().iter().collect::<Vec<_>>()
    };
    assert_eq!(rows(Comparison::Equal), [0, 1, 3]);
    assert_eq!(rows(Comparison::NotEqual), [2, 4, 5, 6, 7]);
    assert_eq!(rows(Comparison::Less), [2, 4]);
    assert_eq!(rows(Comparison::LessOrEqual), [0, 1, 2, 3, 4]);
    assert_eq!(rows(Comparison::Greater), [5, 6, 7]);
    assert_eq!(rows(Comparison::GreaterOrEqual), [0, 1, 3, 5, 6, 7]);
}

/// What a predicate on these columns comes down to.
fn bound_to(predicate: &Predicate) -> String {
    fn describe(node: &Node<'_>) -> String {
        let all = |parts: &[Node<'_>]| parts.iter().map(describe).collect::<Vec<_>>().join(" ");
        match node {
            Node::Constant(is) => is.to_string(),
            Node::And(parts) => format!("and({})", all(parts)),
            Node::Or(parts) => format!("or({})", all(parts)),
            Node::Leaf(Leaf::Codes(_)) => "codes".to_owned(),
            Node::Leaf(Leaf::Texts(_)) => "texts".to_owned(),
            Node::Leaf(Leaf::Keys(_)) => "keys".to_owned(),
            Node::Leaf(Leaf::Nulls(_)) => "nulls".to_owned(),
            Node::Leaf(Leaf::Compare(_)) => "compare".to_owned(),
        }
    }
    let mut dictionary = crate::GrowingDictionary::default();
    dictionary.intern("eu");
    let prefix = dictionary.prefix();
    let columns = |name: &str| -> Result<Column<'_>, std::convert::Infallible> {
        Ok(match name {
            "missing" => Column::Missing,
            "text" => Column::Text(TextColumn::Growing {
                dictionary: &prefix,
                pages: vec![CodePage::Plain(&[1, 0])],
                cache: None,
            }),
            _ => Column::Longs(LongColumn::Pages(vec![LongPage::Plain(Page { values: &[1, 2], validity: None })])),
        })
    };
    describe(&Binder { columns: &columns, use_indexes: true }.bind(predicate, false).unwrap())
}

#[test]
fn tests_of_one_column_become_one_and_what_is_certain_is_left_out() {
    let long = |name: &str, op, value| {
        let test = NumberTest::compare(op, value).unwrap();
        Predicate::Long { column: name.into(), test }
    };
    let text = |value: &str| Predicate::Text { column: "text".into(), test: TextTest::equal(value) };
    let not = |predicate| Predicate::Not(Box::new(predicate));
    use Comparison::{Greater, GreaterOrEqual, Less};
    use Predicate::{And, Const, IsNull, Or};
    let cases = [
        (And(vec![long("a", GreaterOrEqual, 3), long("b", Less, 9), long("a", Less, 5)]), "and(keys keys)"),
        (Or(vec![long("a", GreaterOrEqual, 3), text("eu"), long("a", Less, 5)]), "or(keys codes)"),
        (And(vec![long("a", Less, 3), long("b", Less, 9), long("a", Greater, 5)]), "false"),
        (not(Or(vec![long("a", GreaterOrEqual, 3), long("a", Less, 5)])), "false"),
        (And(vec![text("eu"), not(text("eu"))]), "false"),
        (Or(vec![text("eu"), text("us")]), "codes"),
        (text("us"), "false"),
        (not(text("us")), "codes"),
        (And(vec![Const(Some(true)), text("eu")]), "codes"),
        (And(vec![Const(None), text("eu")]), "false"),
        (Or(vec![Const(None), text("eu")]), "codes"),
        (Or(vec![Const(Some(true)), text("eu")]), "true"),
        (not(Const(None)), "false"),
        (not(Const(Some(false))), "true"),
        (And(vec![]), "true"),
        (Or(vec![]), "false"),
        (not(And(vec![])), "false"),
        (IsNull("missing".into()), "true"),
        (not(IsNull("missing".into())), "false"),
        (IsNull("a".into()), "nulls"),
        (long("missing", Less, 3), "false"),
        (not(long("text", Less, 3)), "false"),
        (And(vec![Or(vec![text("eu"), IsNull("a".into())]), long("a", Less, 3)]), "and(or(codes nulls) keys)"),
    ];
    for (predicate, expected) in cases {
        assert_eq!(bound_to(&predicate), expected, "{predicate:?}");
    }
}

#[test]
fn nulls_of_numbers_are_found_in_either_form_with_and_without_indexes() {
    let values: Vec<i64> = (0..1_500).collect();
    let valid: Vec<bool> = values.iter().map(|value| value % 300 != 7).collect();
    let packed = PackedLongs::decode(PackedLongs::encode(&values, Some(&valid)).into()).expect("just encoded");
    let bits: Vec<u8> =
        valid.chunks(8).map(|bits| (0..bits.len()).map(|bit| u8::from(bits[bit]) << bit).sum()).collect();
    let paged = || LongColumn::Pages(vec![LongPage::Plain(Page { values: &values, validity: Some(Bits(&bits)) })]);
    let is_null = Predicate::IsNull("number".into());
    for (use_indexes, is_packed) in [(true, true), (true, false), (false, true), (false, false)] {
        let column = || if is_packed { LongColumn::Packed(&packed) } else { paged() };
        let columns = |_: &str| -> Result<Column<'_>, Infallible> { Ok(Column::Longs(column())) };
        let found = |predicate: &Predicate| -> Vec<u32> {
            let Ok(rows) = evaluate(predicate, 1_500, use_indexes, &columns);
            rows.iter().collect()
        };
        let rows_where = |wanted: bool| (0..1_500).filter(|row| valid[*row as usize] == wanted).collect::<Vec<u32>>();
        assert_eq!(found(&is_null), rows_where(false));
        assert_eq!(found(&Predicate::Not(Box::new(is_null.clone()))), rows_where(true));
    }
}
