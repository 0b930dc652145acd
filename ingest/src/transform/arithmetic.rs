//! Numbers: what leaves 64 bits, or is no number, fails.

use henge_segment_store::schema::DimensionType;

use super::column::{Cell, Column, Failure};
use super::node::Arithmetic;

/// Of two columns of longs, or two of doubles, as `kind` says.
pub(super) fn of(operation: Arithmetic, kind: DimensionType, left: &Column, right: &Column) -> Column {
    match kind {
        DimensionType::Long => Column::Longs(pairs(left.longs(), right.longs(), |l, r| longs(operation, l, r))),
        _ => Column::Doubles(pairs(left.doubles(), right.doubles(), |l, r| doubles(operation, l, r))),
    }
}

pub(super) fn negated(kind: DimensionType, column: &Column) -> Column {
    match kind {
        DimensionType::Long => Column::Longs(each(column.longs(), |n: i64| n.checked_neg().ok_or(Failure::Overflow))),
        _ => Column::Doubles(each(column.doubles(), |n: f64| Ok(0.0 - n))),
    }
}

pub(super) fn absolute(kind: DimensionType, column: &Column) -> Column {
    match kind {
        DimensionType::Long => Column::Longs(each(column.longs(), |n: i64| n.checked_abs().ok_or(Failure::Overflow))),
        _ => Column::Doubles(each(column.doubles(), |n: f64| Ok(n.abs()))),
    }
}

/// Each value that is not null.
pub(super) fn each<T: Copy, U>(cells: &[Cell<T>], of: impl Fn(T) -> Result<U, Failure>) -> Vec<Cell<U>> {
    cells.iter().map(|cell| cell.and_then(|value| value.map(&of).transpose())).collect()
}

/// Each pair of which neither is null.
fn pairs<T: Copy>(left: &[Cell<T>], right: &[Cell<T>], of: impl Fn(T, T) -> Result<T, Failure>) -> Vec<Cell<T>> {
    let cell = |(left, right): (&Cell<T>, &Cell<T>)| match ((*left)?, (*right)?) {
        (Some(left), Some(right)) => of(left, right).map(Some),
        _ => Ok(None),
    };
    left.iter().zip(right).map(cell).collect()
}

/// Division cuts toward zero, and a remainder has the sign of the dividend.
fn longs(operation: Arithmetic, left: i64, right: i64) -> Result<i64, Failure> {
    let result = match operation {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide | Arithmetic::Remainder if right == 0 => return Err(Failure::DivisionByZero),
        Arithmetic::Divide => left.checked_div(right),
        Arithmetic::Remainder => Some(left.wrapping_rem(right)),
    };
    result.ok_or(Failure::Overflow)
}

/// A column holds neither NaN nor infinities nor a negative zero.
fn doubles(operation: Arithmetic, left: f64, right: f64) -> Result<f64, Failure> {
    let result = match operation {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide | Arithmetic::Remainder if right == 0.0 => return Err(Failure::DivisionByZero),
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
    };
    if result.is_finite() { Ok(result + 0.0) } else { Err(Failure::Overflow) }
}
