use datafusion::arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Operator, and, binary_expr, cast, col, in_list, lit, not, or};
use datafusion::prelude::regexp_like;

use super::*;

fn schema() -> Schema {
    Schema::new(vec![
        Field::new("__time", DataType::Timestamp(TimeUnit::Millisecond, None), false),
        Field::new("org", DataType::Utf8View, true),
        Field::new("topic", DataType::Utf8View, true),
        Field::new("code", DataType::Int64, true),
        Field::new("bytes", DataType::Int64, true),
        Field::new("cost", DataType::Float64, true),
        Field::new("ok", DataType::Boolean, true),
    ])
}

fn text(text: &str) -> Expr {
    lit(ScalarValue::Utf8View(Some(text.to_owned())))
}

fn no_text() -> Expr {
    lit(ScalarValue::Utf8View(None))
}

fn long(value: i64) -> Expr {
    lit(value)
}

fn at(millis: i64) -> Expr {
    lit(ScalarValue::TimestampMillisecond(Some(millis), None))
}

fn time() -> Expr {
    Expr::Column(datafusion::common::Column::from_name("__time"))
}

/// Something that no predicate says.
fn opaque() -> Expr {
    binary_expr(col("code"), Operator::Modulo, long(3)).eq(long(0))
}

fn pushed(filter: &Expr) -> (String, bool) {
    let pushdown = Pushdown::of(filter, &schema());
    (pushdown.predicate.as_ref().map(shown).unwrap_or_default(), pushdown.is_exact)
}

#[test]
fn what_a_predicate_can_say_is_pushed_down_exactly() {
    let acme = || col("org").eq(text("acme"));
    let is = |op, value: Expr| binary_expr(col("org"), op, value);
    let cases = [
        (acme(), "org = 'acme'"),
        (text("acme").eq(col("org")), "org = 'acme'"),
        (col("org").not_eq(text("it's")), "NOT (org = 'it''s')"),
        (col("org").eq(no_text()), "NULL"),
        (col("org").gt(text("a")), "org > 'a'"),
        (text("a").gt(col("org")), "org < 'a'"),
        (col("org").between(text("a"), text("b")), "org >= 'a' AND org <= 'b'"),
        (col("org").not_between(text("a"), text("b")), "NOT (org >= 'a' AND org <= 'b')"),
        (and(col("org").gt_eq(text("a")), col("org").gt(text("a"))), "org > 'a'"),
        (in_list(col("org"), vec![text("b"), text("a")], false), "org IN ('a', 'b')"),
        (in_list(col("org"), vec![text("a"), no_text()], true), "NOT (org = 'a' OR NULL)"),
        (or(acme(), or(col("org").eq(text("b")), col("org").eq(text("acme")))), "org IN ('acme', 'b')"),
        (col("org").like(text("a%")), "org LIKE 'a%'"),
        (col("org").not_ilike(text("a%")), "NOT (org ILIKE 'a%')"),
        (col("org").like(no_text()), "NULL"),
        (regexp_like(col("org"), text("^a"), None), "REGEXP_LIKE(org, '^a')"),
        (regexp_like(col("org"), text("^a"), Some(text("i"))), "REGEXP_LIKE(org, '(?i)^a')"),
        (col("org").is_null(), "org IS NULL"),
        (col("org").is_not_null(), "org IS NOT NULL"),
        (is(Operator::IsNotDistinctFrom, text("a")), "org IS NOT NULL AND org = 'a'"),
        (is(Operator::IsDistinctFrom, text("a")), "NOT (org IS NOT NULL AND org = 'a')"),
        (is(Operator::IsDistinctFrom, no_text()), "org IS NOT NULL"),
        (is(Operator::NotEq, col("topic")), "org <> topic"),
        (
            is(Operator::IsNotDistinctFrom, col("topic")),
            "(org IS NULL AND topic IS NULL) OR (org IS NOT NULL AND topic IS NOT NULL AND org = topic)",
        ),
        (cast(col("org"), DataType::Utf8).eq(lit("a")), "org = 'a'"),
        (cast(col("code"), DataType::Utf8View).eq(text("404")), "code = '404'"),
        (col("code").lt(long(5)), "code < 5"),
        (and(col("code").gt(long(5)), col("code").lt_eq(long(9))), "code > 5 AND code <= 9"),
        (in_list(col("code"), (1..=5).map(long).collect(), false), "code IN (1, 2, 3, and 2 more)"),
        (cast(col("code"), DataType::Float64).gt(lit(40.5)), "code > 40.5"),
        (cast(col("code"), DataType::Float64).gt(col("cost")), "code > cost"),
        (cast(col("code"), DataType::Float64).eq(cast(col("bytes"), DataType::Float64)), "code = bytes"),
        (col("code").lt_eq(col("bytes")), "code <= bytes"),
        (col("cost").eq(lit(-0.0)), "cost IN (-0.0, 0.0)"),
        (col("cost").lt(lit(0.0)), "cost < -0.0"),
        (col("cost").lt_eq(lit(-0.0)), "cost <= 0.0"),
        (col("cost").gt(lit(-0.0)), "cost > 0.0"),
        (col("cost").gt_eq(lit(0.0)), "cost >= -0.0"),
        (in_list(col("cost"), vec![lit(0.5), lit(f64::NAN)], false), "cost IN (0.5, NaN)"),
        (col("ok"), "ok"),
        (not(col("ok")), "NOT (ok)"),
        (col("ok").not_eq(lit(true)), "NOT (ok)"),
        (col("ok").eq(lit(false)), "NOT ok"),
        (Expr::IsNotTrue(Box::new(col("ok"))), "NOT (ok IS NOT NULL AND ok)"),
        (Expr::IsUnknown(Box::new(col("code").gt(col("bytes")))), "code IS NULL OR bytes IS NULL"),
        (acme().is_null(), "org IS NULL"),
        (lit(ScalarValue::Boolean(None)), "NULL"),
        (
            time().not_eq(at(1_000)),
            "NOT (__time >= '1970-01-01T00:00:01.000Z' AND __time <= '1970-01-01T00:00:01.000Z')",
        ),
        (
            in_list(time(), vec![at(0), at(1)], false),
            "__time IN ('1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.001Z')",
        ),
        (and(acme(), not(or(col("ok"), col("code").is_null()))), "org = 'acme' AND NOT (ok OR code IS NULL)"),
    ];
    for (filter, expected) in cases {
        assert_eq!(pushed(&filter), (expected.to_owned(), true), "{filter}");
        assert_eq!(Pushdown::of(&filter, &schema()).support(), TableProviderFilterPushDown::Exact);
    }
}

#[test]
fn what_a_filter_implies_is_pushed_down_where_not_all_of_it_can_be() {
    let acme = || col("org").eq(text("acme"));
    let cases = [
        (and(acme(), opaque()), "org = 'acme'"),
        (or(and(acme(), opaque()), col("ok")), "org = 'acme' OR ok"),
        (and(or(acme(), opaque()), col("ok")), "ok"),
        (or(acme(), opaque()), ""),
        (not(and(acme(), opaque())), ""),
        (opaque(), ""),
        // A cast that may round or fail, or writes a value otherwise than an index does.
        (cast(col("cost"), DataType::Int64).eq(long(1)), ""),
        (cast(col("cost"), DataType::Utf8View).eq(text("1.0")), ""),
        (cast(col("org"), DataType::Int64).eq(long(1)), ""),
        (col("ok").lt(lit(true)), ""),
        (in_list(col("cost"), vec![lit(0.5), lit(-0.0)], false), ""),
        // An error is for DataFusion to tell.
        (regexp_like(col("org"), text("("), None), ""),
        (regexp_like(col("org"), text("a"), Some(text("g"))), ""),
        (col("missing").eq(text("a")), ""),
    ];
    for (filter, expected) in cases {
        assert_eq!(pushed(&filter), (expected.to_owned(), false), "{filter}");
    }
    assert_eq!(Pushdown::of(&opaque(), &schema()).support(), TableProviderFilterPushDown::Unsupported);
    assert_eq!(Pushdown::of(&and(acme(), opaque()), &schema()).support(), TableProviderFilterPushDown::Inexact);
}

#[test]
fn a_span_of_time_needs_no_predicate() {
    let day = cast(time(), DataType::Date32).gt(lit(ScalarValue::Date32(Some(1))));
    for filter in [time().gt_eq(at(5)), and(at(5).lt(time()), time().lt(at(9))), time().between(at(5), at(9)), day] {
        let pushdown = Pushdown::of(&filter, &schema());
        assert_eq!((&pushdown.predicate, pushdown.is_exact), (&None, true), "{filter}");
        assert_ne!(pushdown.span, TimeSpan::ALL, "{filter}");
    }
    // One that is wider than the filter does.
    let either = Pushdown::of(&or(time().eq(at(5)), time().eq(at(9))), &schema());
    assert!(either.predicate.is_some() && either.is_exact && either.span != TimeSpan::ALL);
    // A column of the same kind is no literal.
    assert_eq!(pushed(&time().eq(time())), ("__time = __time".to_owned(), true));
}

#[test]
fn truths_within_truths_are_left_alone_before_they_grow_beyond_measure() {
    let mut nested = and(col("ok"), col("org").eq(text("a")));
    for _ in 0..20 {
        nested = or(Expr::IsTrue(Box::new(nested)), and(col("ok"), col("code").eq(long(1))));
    }
    let pushdown = Pushdown::of(&Expr::IsNotTrue(Box::new(nested.clone())), &schema());
    assert!(!pushdown.is_exact);
    let mut equal = col("ok");
    for _ in 0..40 {
        equal = Expr::BinaryExpr(BinaryExpr::new(Box::new(equal), Operator::Eq, Box::new(not(col("ok")))));
    }
    assert!(!Pushdown::of(&equal, &schema()).is_exact);
}
