use std::ops::Bound;

use proptest::prelude::*;

use super::*;
use crate::naive::{self, Columns, Value};

const ALL: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
];

#[test]
fn a_negated_comparison_is_false_where_it_was_true_and_a_swapped_one_exchanges_its_sides() {
    for op in ALL {
        for (left, right) in [(1, 2), (2, 2), (3, 2)] {
            let holds = op.holds(left.cmp(&right));
            assert_eq!(op.negated().holds(left.cmp(&right)), !holds, "{op:?}");
            assert_eq!(op.swapped().holds(right.cmp(&left)), holds, "{op:?}");
        }
    }
    let held = ALL.map(|op| [1, 2, 3].map(|left| op.holds(left.cmp(&2))));
    let [equal, not_equal, less, less_or_equal, greater, greater_or_equal] = held;
    assert_eq!((equal, not_equal), ([false, true, false], [true, false, true]));
    assert_eq!((less, less_or_equal), ([true, false, false], [true, true, false]));
    assert_eq!((greater, greater_or_equal), ([false, false, true], [false, true, true]));
}

#[test]
fn a_comparison_with_a_number_is_a_range() {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let range = |lower, upper| Some(NumberTest::Range { lower, upper });
    let tests = ALL.map(|op| NumberTest::compare(op, 5));
    let expected = [
        Some(NumberTest::In(vec![5])),
        None,
        range(Unbounded, Excluded(5)),
        range(Unbounded, Included(5)),
        range(Excluded(5), Unbounded),
        range(Included(5), Unbounded),
    ];
    assert_eq!(tests, expected);
}

/// Whether the reference finds the text.
pub(crate) fn by_reference(test: &TextTest, text: &str) -> bool {
    let columns = Columns::from([("text".to_owned(), vec![Some(Value::Text(text.to_owned()))])]);
    let predicate = Predicate::Text { column: "text".into(), test: test.clone() };
    naive::matching_rows(&predicate, 1, &columns) == [0]
}

fn like(pattern: &str) -> TextTest {
    TextTest::Like(LikePattern::new(pattern, Some('\\'), false).unwrap())
}

fn ilike(pattern: &str) -> TextTest {
    TextTest::Like(LikePattern::new(pattern, Some('\\'), true).unwrap())
}

fn regex(pattern: &str) -> TextTest {
    TextTest::Regex(RegexPattern::new(pattern).unwrap())
}

#[test]
fn like_takes_wildcards_and_escapes_as_the_sql_engine_does() {
    let cases = [
        (like(""), "", true),
        (like(""), "a", false),
        (like("%"), "", true),
        (like("%%"), "any\ntext", true),
        (like("_"), "é", true),
        (like("_"), "", false),
        (like("__"), "é", false),
        (like("a_c"), "a\nc", true),
        (like("a%c"), "a\n\nc", true),
        (like("a%c"), "ac", true),
        (like("a%c"), "acd", false),
        (like("%ab"), "aab", true),
        (like("%aab%"), "aaab", true),
        (like("a%a"), "a", false),
        (like("%_é"), "é", false),
        (like("%_é"), "aé", true),
        (like("_%_"), "é", false),
        (like("_%_"), "éé", true),
        (like("%a_b%c"), "a-a+bcc", true),
        (like(r"100\%"), "100%", true),
        (like(r"100\%"), "1000", false),
        (like(r"a\_c%"), "abcd", false),
        (like(r"\a\\%"), r"a\b", true),
        (like(r"a\"), r"a\", true),
        (like("A%"), "ab", false),
        (ilike("STRASSE%"), "straße", false),
        (ilike("straSSe%"), "StrasSe 1\n2", true),
        (ilike("%É_"), "aéb", true),
        (ilike(r"\%%.x"), "%.y.X", true),
        (ilike(r"\%%.x"), "%y-X", false),
    ];
    for (test, text, is_match) in cases {
        assert_eq!(test.matcher().matches(text.as_bytes()), is_match, "{test:?} of {text:?}");
        assert_eq!(by_reference(&test, text), is_match, "reference: {test:?} of {text:?}");
    }
}

#[test]
fn another_escape_character_or_none_replaces_the_backslash() {
    let matches =
        |pattern, escape, text: &str| LikePattern::new(pattern, escape, false).unwrap().matches(text.as_bytes());
    assert!(matches("a!%", Some('!'), "a%"));
    assert!(!matches("a!%", Some('!'), "ab"));
    assert!(matches(r"a\%", Some('!'), r"a\b"));
    assert!(matches(r"a\%", None, r"a\b"));
    assert!(matches("%%a", Some('%'), "%a"));
    assert!(!matches("%%a", Some('%'), "ba"));
    assert_ne!(LikePattern::new("a", None, false), LikePattern::new("a", Some('!'), false));
    assert_ne!(LikePattern::new("a", None, false), LikePattern::new("a", None, true));
    assert_eq!(LikePattern::new("a_", None, true), LikePattern::new("a_", None, true));
}

#[test]
fn patterns_come_down_to_their_quickest_shape() {
    let shape = |test: TextTest| format!("{:?}", test.pattern_shape().unwrap());
    let is_a = |test: TextTest, name: &str| shape(test).starts_with(name);
    assert!(is_a(like("abc"), "Equal") && is_a(regex("^(a)bc$"), "Equal"));
    assert!(is_a(like("abc%"), "Prefix") && is_a(regex("^abc.*"), "Prefix"));
    assert!(is_a(like("%abc"), "Suffix") && is_a(regex("(?s).*abc$"), "Suffix"));
    assert!(is_a(like("%abc%%"), "Contains") && is_a(regex(".*(?:ab)c.*"), "Contains"));
    assert!(is_a(like("%%"), "Everything") && is_a(regex("x*"), "Everything"));
    assert!(is_a(like("a%c"), "Segments") && is_a(regex("a.c"), "Automaton"));
}

#[test]
fn every_match_begins_with_the_literal_prefix() {
    let prefix = |test: TextTest| String::from_utf8(test.pattern_shape().unwrap().literal_prefix().to_vec()).unwrap();
    assert_eq!(prefix(like("abc_")), "abc");
    assert_eq!(prefix(like("_abc")), "");
    assert_eq!(prefix(like(r"a\%b%c%")), "a%b");
    assert_eq!(prefix(regex("^lkc-[0-9]+")), "lkc-");
    assert_eq!(prefix(regex("^(lkc|lxc)-")), "l");
    assert_eq!(prefix(regex("^lkc|lxc")), "");
    assert_eq!(prefix(regex("^lkc|^lxc")), "l");
    assert_eq!(prefix(regex("(?m)^lkc-.")), "");
    assert_eq!(prefix(regex("(?i)^lkc-.")), "");
    assert_eq!(prefix(regex("lkc-.")), "");
}

#[test]
fn a_pattern_that_is_too_long_too_large_or_unreadable_is_an_error() {
    let long = "a".repeat(65_537);
    let too_long = PatternError::TooLong { bytes: 65_537, bytes_max: 65_536 };
    assert_eq!(LikePattern::new(&long, None, false).unwrap_err(), too_long);
    assert_eq!(RegexPattern::new(&long).unwrap_err(), too_long);
    assert!(LikePattern::new(&long[1..], None, false).unwrap().matches(&long.as_bytes()[1..]));
    let too_large = PatternError::TooLarge { bytes_max: 10_485_760 };
    assert_eq!(RegexPattern::new(r"\w{900}\w{900}").unwrap_err(), too_large);
    assert!(matches!(RegexPattern::new("a("), Err(PatternError::Syntax { .. })));
    assert!(matches!(RegexPattern::new(r"(?-u)\xff"), Err(PatternError::Syntax { .. })));
}

#[test]
fn texts_are_sorted_and_distinct() {
    let texts = Texts::new(["b", "", "a", "b"]);
    assert_eq!(texts.as_slice(), [b"".as_slice().into(), b"a".as_slice().into(), b"b".as_slice().into()]);
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[abé%]{0,8}", "[aAbB\n\\\\]{0,6}"]
}

fn text_bound() -> impl Strategy<Value = Bound<Box<[u8]>>> {
    let bytes = || text().prop_map(|text| text.into_bytes().into());
    prop_oneof![bytes().prop_map(Bound::Included), bytes().prop_map(Bound::Excluded), Just(Bound::Unbounded)]
}

pub(crate) fn text_test() -> impl Strategy<Value = TextTest> {
    let escape = prop::sample::select(vec![None, Some('\\'), Some('a'), Some('%'), Some('_')]);
    let pattern = prop_oneof!["[abé%_]{0,6}", "[aAb\n%_\\\\]{0,5}"];
    let part = prop::sample::select(vec![
        "a", "b", "é", "^", "$", ".", ".*", "a*", "b+", "(ab|a)", "(?:é)?", "[ab]", "^a|b", "(^a|^b)", "(?m)", "(?i)",
        "\\b",
    ]);
    let regex = prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat());
    prop_oneof![
        prop::collection::vec(text(), 0..4).prop_map(TextTest::any_of),
        (text_bound(), text_bound()).prop_map(|(lower, upper)| TextTest::Range { lower, upper }),
        text().prop_map(|text| TextTest::Prefix(text.into_bytes().into())),
        (pattern, escape, any::<bool>()).prop_map(|(pattern, escape, is_case_insensitive)| {
            TextTest::Like(LikePattern::new(&pattern, escape, is_case_insensitive).unwrap())
        }),
        regex.prop_filter_map("a regular expression", |regex| RegexPattern::new(&regex).ok()).prop_map(TextTest::Regex),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn tests_find_what_the_reference_finds_and_nothing_without_their_prefix(
        test in text_test(),
        texts in prop::collection::vec(text(), 1..8),
    ) {
        let mut matcher = test.matcher();
        for text in texts {
            let is_match = matcher.matches(text.as_bytes());
            prop_assert_eq!(is_match, by_reference(&test, &text), "{:?} of {:?}", test, text);
            let prefix = test.pattern_shape().map_or(&[][..], |shape| shape.literal_prefix());
            prop_assert!(!is_match || text.as_bytes().starts_with(prefix), "{:?} of {:?}", test, text);
        }
    }

    #[test]
    fn like_of_bytes_that_are_no_text_ends(test in text_test(), bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        test.matcher().matches(&bytes);
    }
}
