//! Fewer tests that say the same: DataFusion takes BETWEEN and short lists apart.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

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
    let mut merged: Vec<Alternative> = Vec::new();
    for part in flat {
        let not_taken = merged.iter_mut().try_fold(Alternative::of(part), |part, known| known.take_in(part));
        if let Some(part) = not_taken {
            merged.push(part);
        }
    }
    single_or(merged.into_iter().map(Alternative::predicate).collect(), Predicate::Or)
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

/// A part of OR: a list of one column, which grows, or something else.
enum Alternative {
    Texts { column: Arc<str>, texts: Vec<Box<[u8]>> },
    Longs { column: Arc<str>, longs: Vec<i64> },
    Doubles { column: Arc<str>, doubles: Vec<f64> },
    Other(Predicate),
}

impl Alternative {
    fn of(predicate: Predicate) -> Self {
        match predicate {
            Predicate::Text { column, test: TextTest::In(texts) } => {
                Self::Texts { column, texts: texts.as_slice().to_vec() }
            }
            Predicate::Long { column, test: NumberTest::In(longs) } => Self::Longs { column, longs },
            Predicate::Double { column, test: NumberTest::In(doubles) } => Self::Doubles { column, doubles },
            other => Self::Other(other),
        }
    }

    /// Takes in a list of the same column, and gives back anything else.
    fn take_in(&mut self, part: Self) -> Option<Self> {
        match (self, part) {
            (Self::Texts { column, texts }, Self::Texts { column: other, texts: more }) if *column == other => {
                texts.extend(more);
            }
            (Self::Longs { column, longs }, Self::Longs { column: other, longs: more }) if *column == other => {
                longs.extend(more);
            }
            (Self::Doubles { column, doubles }, Self::Doubles { column: other, doubles: more }) if *column == other => {
                doubles.extend(more);
            }
            (_, part) => return Some(part),
        }
        None
    }

    fn predicate(self) -> Predicate {
        match self {
            Self::Texts { column, texts } => Predicate::Text { column, test: TextTest::any_of(texts) },
            Self::Longs { column, longs } => Predicate::Long { column, test: NumberTest::In(longs) },
            Self::Doubles { column, doubles } => Predicate::Double { column, test: NumberTest::In(doubles) },
            Self::Other(predicate) => predicate,
        }
    }
}
