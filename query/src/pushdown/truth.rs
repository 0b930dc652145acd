//! Predicates about the truth of predicates: true, false, or unknown.

use datafusion::logical_expr::Operator;
use henge_indexing::Predicate;

/// What is made here repeats its parts, so it is only made of small ones: nested ten times it would be as large as memory.
const PARTS_MAX: usize = 200;

pub(super) fn not(predicate: Predicate) -> Predicate {
    match predicate {
        Predicate::Not(inner) => *inner,
        other => Predicate::Not(Box::new(other)),
    }
}

/// Never unknown: true where the predicate is.
pub(super) fn is_true(predicate: Predicate) -> Option<Predicate> {
    Some(Predicate::And(vec![not(is_unknown(&predicate)?), predicate]))
}

/// Never unknown: true where the predicate is unknown. `None` where that takes too many words.
pub(super) fn is_unknown(predicate: &Predicate) -> Option<Predicate> {
    (unknown_parts(predicate) <= PARTS_MAX).then(|| unknown(predicate))
}

fn unknown(predicate: &Predicate) -> Predicate {
    match predicate {
        Predicate::Const(is) => Predicate::Const(Some(is.is_none())),
        Predicate::IsNull(_) => Predicate::Const(Some(false)),
        Predicate::Not(inner) => unknown(inner),
        Predicate::Text { column, .. }
        | Predicate::Long { column, .. }
        | Predicate::Double { column, .. }
        | Predicate::Flag { column, .. } => Predicate::IsNull(column.clone()),
        Predicate::Columns { left, right, .. } => {
            Predicate::Or(vec![Predicate::IsNull(left.clone()), Predicate::IsNull(right.clone())])
        }
        Predicate::And(all) => none_decides(all, |part| part.clone()),
        Predicate::Or(any) => none_decides(any, |part| not(part.clone())),
    }
}

/// Some part is unknown, and no other decides alone: `undecided` is false where a part does.
fn none_decides(all: &[Predicate], undecided: impl Fn(&Predicate) -> Predicate) -> Predicate {
    let mut conditions = vec![Predicate::Or(all.iter().map(unknown).collect())];
    conditions.extend(all.iter().map(|part| Predicate::Or(vec![unknown(part), undecided(part)])));
    Predicate::And(conditions)
}

/// `left op right` between two truths.
pub(super) fn compare(left: Predicate, op: Operator, right: Predicate) -> Option<Predicate> {
    if parts(&left) + parts(&right) > PARTS_MAX {
        return None;
    }
    let both = |left: Predicate, right: Predicate| Predicate::And(vec![left, right]);
    let right = match op {
        Operator::Eq => right,
        Operator::NotEq => not(right),
        _ => return None,
    };
    let neither = both(not(left.clone()), not(right.clone()));
    Some(Predicate::Or(vec![both(left, right), neither]))
}

/// The parts that [`unknown`] would make, counted without making them.
fn unknown_parts(predicate: &Predicate) -> usize {
    match predicate {
        Predicate::Not(inner) => unknown_parts(inner),
        Predicate::And(inner) | Predicate::Or(inner) => {
            let each = |part| unknown_parts(part).saturating_mul(2).saturating_add(parts(part)).saturating_add(1);
            inner.iter().map(each).fold(2, usize::saturating_add)
        }
        Predicate::Columns { .. } => 3,
        _ => 1,
    }
}

fn parts(predicate: &Predicate) -> usize {
    match predicate {
        Predicate::And(inner) | Predicate::Or(inner) => 1 + inner.iter().map(parts).sum::<usize>(),
        Predicate::Not(inner) => parts(inner),
        _ => 1,
    }
}
