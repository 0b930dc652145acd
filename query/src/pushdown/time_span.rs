//! What a filter says about `__time`.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use henge_indexing::Comparison;
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

    /// Both ends inclusive.
    pub fn bounds(self) -> (i64, i64) {
        (self.first, self.last)
    }

    /// The storable part of it, `None` where that is empty.
    pub fn interval(self) -> Option<Interval> {
        let start = self.first.max(TimestampMs::MIN.0);
        let end = self.last.saturating_add(1).min(TimestampMs::MAX.0);
        Interval::new(TimestampMs(start), TimestampMs(end))
    }
}

/// Whether a filter is true exactly for the times of its span.
pub(super) fn is_span(filter: &Expr) -> bool {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => is_span(left) && is_span(right),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            is_bound(left, *op, right) || op.swap().is_some_and(|swapped| is_bound(right, swapped, left))
        }
        Expr::Between(Between { expr, negated: false, low, high }) => {
            is_bound(expr, Operator::GtEq, low) && is_bound(expr, Operator::LtEq, high)
        }
        _ => false,
    }
}

fn is_bound(term: &Expr, operator: Operator, literal: &Expr) -> bool {
    let is_order = matches!(operator, Operator::Eq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
    let is_spanned = |span: fn(Comparison, &ScalarValue) -> Option<TimeSpan>| {
        literal.as_literal().is_some_and(|literal| span(Comparison::Equal, literal).is_some())
    };
    is_order && (is_time(term) && is_spanned(millis_span) || is_day(term) && is_spanned(day_span))
}

/// A span that holds every time for which `filter` can be true.
pub(super) fn time_span(filter: &Expr) -> TimeSpan {
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

fn is_day(expr: &Expr) -> bool {
    matches!(expr, Expr::Cast(cast) if is_time(&cast.expr) && *cast.field.data_type() == DataType::Date32)
}

fn compared_terms(term: &Expr, operator: Operator, literal: &Expr) -> TimeSpan {
    match term {
        term if is_day(term) => compared_day(operator, literal),
        term if is_time(term) => compared(operator, literal),
        _ => TimeSpan::ALL,
    }
}

/// Times whose day compares so with a literal.
fn compared_day(operator: Operator, literal: &Expr) -> TimeSpan {
    spanned(operator, literal, day_span)
}

/// Times that compare so with a literal.
fn compared(operator: Operator, literal: &Expr) -> TimeSpan {
    spanned(operator, literal, millis_span)
}

fn spanned(
    operator: Operator,
    literal: &Expr,
    span: impl Fn(Comparison, &ScalarValue) -> Option<TimeSpan>,
) -> TimeSpan {
    let op = match operator {
        Operator::Eq => Comparison::Equal,
        Operator::Lt => Comparison::Less,
        Operator::LtEq => Comparison::LessOrEqual,
        Operator::Gt => Comparison::Greater,
        Operator::GtEq => Comparison::GreaterOrEqual,
        _ => return TimeSpan::ALL,
    };
    literal.as_literal().and_then(|literal| span(op, literal)).unwrap_or(TimeSpan::ALL)
}

/// The times whose day compares so with a date; `None` for inequality, and for what is no date.
pub(super) fn day_span(op: Comparison, literal: &ScalarValue) -> Option<TimeSpan> {
    const DAY_MS: i64 = 86_400_000;
    let ScalarValue::Date32(Some(day)) = literal else { return None };
    let (first, last) = (i64::from(*day) * DAY_MS, (i64::from(*day) + 1) * DAY_MS - 1);
    Some(match op {
        Comparison::Equal => TimeSpan { first, last },
        Comparison::NotEqual => return None,
        Comparison::Less => TimeSpan { last: first - 1, ..TimeSpan::ALL },
        Comparison::LessOrEqual => TimeSpan { last, ..TimeSpan::ALL },
        Comparison::Greater => TimeSpan { first: last + 1, ..TimeSpan::ALL },
        Comparison::GreaterOrEqual => TimeSpan { first, ..TimeSpan::ALL },
    })
}

/// The times that compare so with a time; `None` for inequality, and for what is no time.
pub(super) fn millis_span(op: Comparison, literal: &ScalarValue) -> Option<TimeSpan> {
    let (floor, ceil) = literal_millis(literal)?;
    let none = TimeSpan::NOTHING;
    Some(match op {
        Comparison::Equal => TimeSpan { first: ceil, last: floor },
        Comparison::NotEqual => return None,
        Comparison::Less => ceil.checked_sub(1).map_or(none, |last| TimeSpan { last, ..TimeSpan::ALL }),
        Comparison::LessOrEqual => TimeSpan { last: floor, ..TimeSpan::ALL },
        Comparison::Greater => floor.checked_add(1).map_or(none, |first| TimeSpan { first, ..TimeSpan::ALL }),
        Comparison::GreaterOrEqual => TimeSpan { first: ceil, ..TimeSpan::ALL },
    })
}

/// A time literal in ms, rounded down and rounded up.
fn literal_millis(literal: &ScalarValue) -> Option<(i64, i64)> {
    let divided = |value: i64, by: i64| {
        let floor = value.div_euclid(by);
        (floor, floor + i64::from(value.rem_euclid(by) > 0))
    };
    match literal {
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
