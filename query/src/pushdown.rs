//! What a filter says about `__time`.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use henge_segment_store::schema::TIME_COLUMN;
use henge_segment_store::time::{Interval, TimestampMs};

/// Times that a filter may let pass, in ms, both ends inclusive; empty where `first > last`.
///
/// Half-open bounds would have no way to say "from here to the end of 64 bits".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeSpan {
    first: i64,
    last: i64,
}

impl TimeSpan {
    /// Says nothing.
    pub const ALL: Self = Self { first: i64::MIN, last: i64::MAX };
    const NOTHING: Self = Self { first: i64::MAX, last: i64::MIN };

    pub fn and(self, other: Self) -> Self {
        Self { first: self.first.max(other.first), last: self.last.min(other.last) }
    }

    /// The smallest span around both.
    fn or(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            _ => Self { first: self.first.min(other.first), last: self.last.max(other.last) },
        }
    }

    fn is_empty(self) -> bool {
        self.first > self.last
    }

    /// The storable part of it, `None` where that is empty.
    pub fn interval(self) -> Option<Interval> {
        let start = self.first.max(TimestampMs::MIN.0);
        let end = self.last.saturating_add(1).min(TimestampMs::MAX.0);
        Interval::new(TimestampMs(start), TimestampMs(end))
    }
}

/// A span that holds every time for which `filter` can be true.
pub(crate) fn time_span(filter: &Expr) -> TimeSpan {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => time_span(left).and(time_span(right)),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => time_span(left).or(time_span(right)),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op.swap() {
            Some(swapped) => compared_terms(left, *op, right).and(compared_terms(right, swapped, left)),
            None => TimeSpan::ALL,
        },
        Expr::Between(Between { expr, negated: false, low, high }) if is_time(expr) => {
            compared(Operator::GtEq, low).and(compared(Operator::LtEq, high))
        }
        Expr::InList(list) if !list.negated && is_time(&list.expr) => {
            list.list.iter().map(|item| compared(Operator::Eq, item)).fold(TimeSpan::NOTHING, TimeSpan::or)
        }
        Expr::Literal(ScalarValue::Boolean(Some(false) | None), _) => TimeSpan::NOTHING,
        _ => TimeSpan::ALL,
    }
}

fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(column) if column.name == TIME_COLUMN)
}

fn compared_terms(term: &Expr, operator: Operator, literal: &Expr) -> TimeSpan {
    match term {
        Expr::Cast(cast) if is_time(&cast.expr) && *cast.field.data_type() == DataType::Date32 => {
            compared_day(operator, literal)
        }
        term if is_time(term) => compared(operator, literal),
        _ => TimeSpan::ALL,
    }
}

/// Times whose day compares so with a literal.
fn compared_day(operator: Operator, literal: &Expr) -> TimeSpan {
    const DAY_MS: i64 = 86_400_000;
    let Some(ScalarValue::Date32(Some(day))) = literal.as_literal() else { return TimeSpan::ALL };
    let (first, last) = (i64::from(*day) * DAY_MS, (i64::from(*day) + 1) * DAY_MS - 1);
    match operator {
        Operator::Eq => TimeSpan { first, last },
        Operator::Lt => TimeSpan { last: first - 1, ..TimeSpan::ALL },
        Operator::LtEq => TimeSpan { last, ..TimeSpan::ALL },
        Operator::Gt => TimeSpan { first: last + 1, ..TimeSpan::ALL },
        Operator::GtEq => TimeSpan { first, ..TimeSpan::ALL },
        _ => TimeSpan::ALL,
    }
}

/// Times that compare so with a literal.
fn compared(operator: Operator, literal: &Expr) -> TimeSpan {
    let Some((floor, ceil)) = literal_millis(literal) else { return TimeSpan::ALL };
    match operator {
        Operator::Eq => TimeSpan { first: ceil, last: floor },
        Operator::Lt => ceil.checked_sub(1).map_or(TimeSpan::NOTHING, |last| TimeSpan { last, ..TimeSpan::ALL }),
        Operator::LtEq => TimeSpan { last: floor, ..TimeSpan::ALL },
        Operator::Gt => floor.checked_add(1).map_or(TimeSpan::NOTHING, |first| TimeSpan { first, ..TimeSpan::ALL }),
        Operator::GtEq => TimeSpan { first: ceil, ..TimeSpan::ALL },
        _ => TimeSpan::ALL,
    }
}

/// A time literal in ms, rounded down and rounded up.
fn literal_millis(literal: &Expr) -> Option<(i64, i64)> {
    let divided = |value: i64, by: i64| {
        let floor = value.div_euclid(by);
        (floor, floor + i64::from(value.rem_euclid(by) > 0))
    };
    match literal.as_literal()? {
        ScalarValue::TimestampSecond(Some(value), None) => value.checked_mul(1_000).map(|millis| (millis, millis)),
        ScalarValue::TimestampMillisecond(Some(millis), None) => Some((*millis, *millis)),
        ScalarValue::TimestampMicrosecond(Some(value), None) => Some(divided(*value, 1_000)),
        ScalarValue::TimestampNanosecond(Some(value), None) => Some(divided(*value, 1_000_000)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{and, cast, col, lit, or};

    use super::*;

    fn time() -> Expr {
        Expr::Column(datafusion::common::Column::from_name(TIME_COLUMN))
    }

    fn at(millis: i64) -> Expr {
        lit(ScalarValue::TimestampMillisecond(Some(millis), None))
    }

    fn day(days: i32) -> Expr {
        lit(ScalarValue::Date32(Some(days)))
    }

    #[test]
    fn a_filter_tells_the_narrowest_span_around_its_matches() {
        let span = |first, last| TimeSpan { first, last };
        let nanos = |nanos| lit(ScalarValue::TimestampNanosecond(Some(nanos), None));
        let cases = [
            (time().gt_eq(at(5)), span(5, i64::MAX)),
            (time().gt(at(5)), span(6, i64::MAX)),
            (time().lt(at(5)), span(i64::MIN, 4)),
            (at(5).lt_eq(time()), span(5, i64::MAX)),
            (time().eq(at(5)), span(5, 5)),
            (time().between(at(5), at(9)), span(5, 9)),
            (and(time().gt_eq(at(5)), time().lt(at(9))), span(5, 8)),
            (or(time().eq(at(5)), time().eq(at(9))), span(5, 9)),
            (or(time().eq(at(5)), col("org").eq(lit("a"))), TimeSpan::ALL),
            (and(time().eq(at(5)), col("org").eq(lit("a"))), span(5, 5)),
            (time().in_list(vec![at(9), at(5)], false), span(5, 9)),
            (time().in_list(vec![at(9), at(5)], true), TimeSpan::ALL),
            (time().not_eq(at(5)), TimeSpan::ALL),
            (time().gt(nanos(5_000_001)), span(6, i64::MAX)),
            (time().lt(nanos(5_000_001)), span(i64::MIN, 5)),
            (time().gt(at(i64::MAX)), TimeSpan::NOTHING),
            (cast(time(), DataType::Date32).eq(day(1)), span(86_400_000, 2 * 86_400_000 - 1)),
            (day(1).gt(cast(time(), DataType::Date32)), span(i64::MIN, 86_400_000 - 1)),
        ];
        for (filter, expected) in cases {
            assert_eq!(time_span(&filter), expected, "{filter}");
        }
    }

    #[test]
    fn an_interval_is_cut_to_what_can_be_stored() {
        assert_eq!(TimeSpan::ALL.interval(), Some(Interval::ALL));
        assert_eq!(TimeSpan::NOTHING.interval(), None);
        let one = TimeSpan { first: 5, last: 5 };
        assert_eq!(one.interval(), Interval::new(TimestampMs(5), TimestampMs(6)));
        assert_eq!(one.and(TimeSpan { first: 6, last: 9 }).interval(), None);
    }
}
