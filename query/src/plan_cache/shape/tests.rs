use super::*;
use crate::guard::StatementLimits;
use crate::request::Spelling;
use crate::statement::SelectStatement;

const NOW: TimestampMs = TimestampMs(1_767_225_600_000);

fn shape(sql: &str) -> Option<Shape> {
    let statement = SelectStatement::read(sql, Spelling::Druid, Some(&[]), &StatementLimits::DEFAULT).expect("tokens");
    Shape::of(statement.tokens(), "", &TimeZone::UTC, NOW)
}

fn values(sql: &str) -> Vec<Value> {
    shape(sql).expect("no clock").values.into_iter().map(|placed| placed.value).collect()
}

fn replaced(sql: &str) -> String {
    let statement = SelectStatement::read(sql, Spelling::Druid, Some(&[]), &StatementLimits::DEFAULT).expect("tokens");
    let shape = shape(sql).expect("no clock");
    shape.with_placeholders(statement.tokens()).iter().map(|spanned| spanned.token.to_string()).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn values_of_filters_are_taken_and_those_of_lists_and_ranges() {
    let time = |millis| Value::Time(TimestampMs(millis));
    let cases = [
        ("SELECT 1 FROM t WHERE a = 'x' AND b >= 5 OR c < -2.5", vec![text("x"), Value::Long(5), Value::Double(-2.5)]),
        ("SELECT 'y' FROM t WHERE a IN ('x', 'y') LIMIT 5", vec![text("x"), text("y")]),
        ("SELECT 1 FROM t WHERE a BETWEEN 1 AND 2 AND b <> 3", vec![Value::Long(1), Value::Long(2), Value::Long(3)]),
        ("SELECT 1 FROM t WHERE (a = 'x') GROUP BY 1 HAVING SUM(b) > 7", vec![text("x"), Value::Long(7)]),
        ("SELECT 1 FROM t WHERE a = TIMESTAMP '2026-01-01'", vec![time(NOW.0)]),
        ("SELECT 1 FROM t WHERE a = MILLIS_TO_TIMESTAMP(-5)", vec![time(-5)]),
        ("SELECT 1 FROM t WHERE a > NOW() - INTERVAL '2' MINUTE", vec![time(NOW.0 - 120_000)]),
        ("SELECT 1 FROM t WHERE a <= CURRENT_TIMESTAMP", vec![time(NOW.0)]),
        (
            "SELECT 1 FROM (SELECT b FROM t WHERE a = 2) WHERE b = (SELECT 3 FROM t WHERE c = 4)",
            [2, 4].map(Value::Long).into(),
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(values(sql), expected, "{sql}");
    }
}

#[test]
fn what_is_computed_with_stays_in_the_key() {
    for sql in [
        "SELECT a = 5 FROM t",
        "SELECT CASE WHEN a = 5 THEN 1 END FROM t",
        "SELECT 1 FROM t WHERE CASE WHEN a = 5 THEN b = 6 END",
        "SELECT SUM(a) FILTER (WHERE a = 5) FROM t",
        "SELECT 1 FROM t WHERE a = 5 + b",
        "SELECT 1 FROM t WHERE a = -b AND 5 = a",
        "SELECT 1 FROM t WHERE a = NULL OR a = 0 OR a = 0.0 OR a = -0",
        "SELECT 1 FROM t WHERE a = 9223372036854775808 OR a = 1e999",
        "SELECT 1 FROM t WHERE a = TIMESTAMP 'soon'",
        "SELECT 1 FROM t WHERE a LIKE 'x%'",
        "SELECT 1 FROM t WHERE a = 'x' || 'y' OR a = 'x' COLLATE c",
        "SELECT 1 FROM t WHERE a BETWEEN 5 AND b",
        "SELECT 1 FROM t ORDER BY a = 5 LIMIT 5 OFFSET 6",
        "SELECT TIME_FLOOR(__time, 'PT1H') FROM t",
    ] {
        assert_eq!(values(sql), [], "{sql}");
    }
}

#[test]
fn the_current_time_has_no_shape_but_beside_a_comparison() {
    for sql in [
        "SELECT NOW()",
        "SELECT 1 FROM t WHERE a > CURRENT_TIMESTAMP - INTERVAL '1' MONTH",
        "SELECT 1 FROM t WHERE a > CURRENT_TIMESTAMP - INTERVAL '99999999' DAY",
        "SELECT 1 FROM t WHERE a > b + (CURRENT_TIMESTAMP - c)",
        "SELECT 1 FROM t WHERE a > CURRENT_DATE",
        "SELECT 1 FROM t WHERE a BETWEEN CURRENT_TIMESTAMP AND b",
        "SELECT \"now\" FROM t",
    ] {
        assert_eq!(shape(sql), None, "{sql}");
    }
    assert!(shape("SELECT 1 FROM t WHERE a > NOW()").expect("a shape").reads_clock());
}

#[test]
fn keys_are_equal_for_values_of_one_kind_and_no_others() {
    let key = |sql: &str| shape(sql).expect("no clock").key;
    let plain = key("SELECT a FROM t WHERE b = 'x'");
    assert_eq!(plain, key("SELECT a -- which\n FROM t  WHERE b = '' "));
    for other in [
        "SELECT a FROM t WHERE b = 5",
        "SELECT a FROM t WHERE b = 5.5",
        "SELECT a FROM t WHERE b = NULL",
        "SELECT a FROM t WHERE b = TIMESTAMP '2026-01-01'",
        "SELECT a FROM t WHERE b <> 'x'",
        "SELECT \"a\" FROM t WHERE b = 'x'",
        "SELECT A FROM t WHERE b = 'x'",
        "SELECT a FROM t WHERE b = 'x' LIMIT 5",
        "SELECT a FROM t WHERE b IN ('x')",
    ] {
        assert_ne!(plain, key(other), "{other}");
    }
    assert_ne!(key("SELECT 'a', 'b'"), key("SELECT 'a'', ''b'"));
    assert_ne!(key("SELECT a b"), key("SELECT \"a b\""));
    let with_values = |sql: &str| shape(sql).expect("no clock").key_with_values();
    assert_ne!(
        with_values("SELECT a FROM t WHERE b IN ('x', 'y')"),
        with_values("SELECT a FROM t WHERE b IN ('y', 'x')")
    );
}

#[test]
fn placeholders_stand_exactly_where_the_values_stood() {
    let sql = "SELECT 1 FROM t WHERE a = -5 AND b IN ('x','y') AND c > NOW() - INTERVAL '5' MINUTE OR d=TIMESTAMP '2026-01-01'";
    assert_eq!(replaced(sql), "SELECT 1 FROM t WHERE a = $1 AND b IN ($2,$3) AND c > $4 OR d=$5");
}
