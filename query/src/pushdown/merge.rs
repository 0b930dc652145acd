//! Fewer tests that say the same: DataFusion takes BETWEEN and short lists apart.

use std::cmp::Ordering;
use std::ops::Bound;

use henge_indexing::{NumberTest, Predicate, TextTest};

/// AND, with the ranges of each column as one.
pub(crate) fn all_of(parts: Vec<Predicate>) -> Predicate {
    let flat = parts.into_iter().flat_map(|part| match part {
        Predicate::And(inner) => inner,
        other => vec![other],
    });
    let mut merged: Vec<Predicate> = Vec::new();
    for part in flat {
        let both = merged.iter_mut().find_map(|known| Some((intersection(known, &part)?, known)));
        match both {
            Some((both, known)) => *known = both,
            None => merged.push(part),
        }
    }
    single_or(merged, Predicate::And)
}

/// OR, with the lists of each column as one.
pub(crate) fn any_of(parts: Vec<Predicate>) -> Predicate {
    let flat = parts.into_iter().flat_map(|part| match part {
        Predicate::Or(inner) => inner,
        other => vec![other],
    });
    let mut merged: Vec<Predicate> = Vec::new();
    for part in flat {
        let both = merged.iter_mut().find_map(|known| Some((union(known, &part)?, known)));
        match both {
            Some((both, known)) => *known = both,
            None => merged.push(part),
        }
    }
    single_or(merged, Predicate::Or)
}

fn single_or(mut parts: Vec<Predicate>, join: impl FnOnce(Vec<Predicate>) -> Predicate) -> Predicate {
    if parts.len() == 1 { parts.remove(0) } else { join(parts) }
}

/// Two ranges of one column as one.
fn intersection(left: &Predicate, right: &Predicate) -> Option<Predicate> {
    match (left, right) {
        (Predicate::Text { column, test: left }, Predicate::Text { column: other, test: right }) if column == other => {
            let (TextTest::Range { lower, upper }, TextTest::Range { lower: other_lower, upper: other_upper }) =
                (left, right)
            else {
                return None;
            };
            let lower = greater_lower(lower, other_lower, |left, right| left.cmp(right));
            let upper = lesser_upper(upper, other_upper, |left, right| left.cmp(right));
            Some(Predicate::Text { column: column.clone(), test: TextTest::Range { lower, upper } })
        }
        (Predicate::Long { column, test: left }, Predicate::Long { column: other, test: right }) if column == other => {
            Some(Predicate::Long { column: column.clone(), test: both_ranges(left, right, i64::cmp)? })
        }
        (Predicate::Double { column, test: left }, Predicate::Double { column: other, test: right })
            if column == other =>
        {
            Some(Predicate::Double { column: column.clone(), test: both_ranges(left, right, f64::total_cmp)? })
        }
        _ => None,
    }
}

fn both_ranges<T: Copy>(
    left: &NumberTest<T>,
    right: &NumberTest<T>,
    order: impl Fn(&T, &T) -> Ordering + Copy,
) -> Option<NumberTest<T>> {
    match (left, right) {
        (NumberTest::Range { lower, upper }, NumberTest::Range { lower: other_lower, upper: other_upper }) => {
            Some(NumberTest::Range {
                lower: greater_lower(lower, other_lower, order),
                upper: lesser_upper(upper, other_upper, order),
            })
        }
        _ => None,
    }
}

/// The bound that lets fewer values pass from below.
fn greater_lower<T: Clone>(left: &Bound<T>, right: &Bound<T>, order: impl Fn(&T, &T) -> Ordering) -> Bound<T> {
    tighter(left, right, |left, right| order(left, right).reverse())
}

/// The bound that lets fewer values pass from above.
fn lesser_upper<T: Clone>(left: &Bound<T>, right: &Bound<T>, order: impl Fn(&T, &T) -> Ordering) -> Bound<T> {
    tighter(left, right, order)
}

/// The lesser bound; of two equal ones the one that excludes.
fn tighter<T: Clone>(left: &Bound<T>, right: &Bound<T>, order: impl Fn(&T, &T) -> Ordering) -> Bound<T> {
    let value = |bound: &Bound<T>| match bound {
        Bound::Included(value) | Bound::Excluded(value) => Some(value.clone()),
        Bound::Unbounded => None,
    };
    let (Some(left_value), Some(right_value)) = (value(left), value(right)) else {
        return if matches!(left, Bound::Unbounded) { right.clone() } else { left.clone() };
    };
    match order(&left_value, &right_value) {
        Ordering::Less => left.clone(),
        Ordering::Greater => right.clone(),
        Ordering::Equal if matches!(left, Bound::Excluded(_)) => left.clone(),
        Ordering::Equal => right.clone(),
    }
}

/// Two lists of one column as one.
fn union(left: &Predicate, right: &Predicate) -> Option<Predicate> {
    match (left, right) {
        (
            Predicate::Text { column, test: TextTest::In(left) },
            Predicate::Text { column: other, test: TextTest::In(right) },
        ) if column == other => {
            let test = TextTest::any_of(left.as_slice().iter().chain(right.as_slice()));
            Some(Predicate::Text { column: column.clone(), test })
        }
        (
            Predicate::Long { column, test: NumberTest::In(left) },
            Predicate::Long { column: other, test: NumberTest::In(right) },
        ) if column == other => {
            Some(Predicate::Long { column: column.clone(), test: NumberTest::In([left.as_slice(), right].concat()) })
        }
        (
            Predicate::Double { column, test: NumberTest::In(left) },
            Predicate::Double { column: other, test: NumberTest::In(right) },
        ) if column == other => {
            Some(Predicate::Double { column: column.clone(), test: NumberTest::In([left.as_slice(), right].concat()) })
        }
        _ => None,
    }
}
