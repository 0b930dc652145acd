//! Division that stays among integers, or that zero does not break.

use super::row_function::{Kind, Row, RowFunction, Value};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "div",
        aliases: &[],
        usage: "DIV(7, 2)",
        parameters: &[Kind::Number, Kind::Number],
        required: 2,
        result: Kind::Long,
        bind: |_| Ok(Box::new(whole_quotient)),
    },
    RowFunction {
        name: "safe_divide",
        aliases: &[],
        usage: "SAFE_DIVIDE(x, y)",
        parameters: &[Kind::Number, Kind::Number],
        required: 2,
        result: Kind::Number,
        bind: |_| Ok(Box::new(safe_quotient)),
    },
];

/// Cut off toward zero.
fn whole_quotient(row: &Row<'_>) -> Result<Value, QueryError> {
    let by_zero = || QueryError::plan("division by zero: guard the divisor with NULLIF(divisor, 0)");
    if row.is_long(0) && row.is_long(1) {
        if row.long(1) == 0 {
            return Err(by_zero());
        }
        return row.long(0).checked_div(row.long(1)).map(Value::Long).ok_or_else(overflow);
    }
    let quotient = row.double(0) / row.double(1);
    if row.double(1) == 0.0 {
        return Err(by_zero());
    }
    // Both bounds are doubles; the greatest long is not.
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&quotient);
    if fits { Ok(Value::Long(quotient as i64)) } else { Err(overflow()) }
}

/// Null where the divisor is zero.
fn safe_quotient(row: &Row<'_>) -> Result<Value, QueryError> {
    if row.is_long(0) && row.is_long(1) {
        return match row.long(1) {
            0 => Ok(Value::Null),
            divisor => row.long(0).checked_div(divisor).map(Value::Long).ok_or_else(overflow),
        };
    }
    let divisor = row.double(1);
    Ok(if divisor == 0.0 { Value::Null } else { Value::Double(row.double(0) / divisor) })
}

fn overflow() -> QueryError {
    QueryError::plan("the quotient does not fit a BIGINT: CAST one side to DOUBLE and divide with /")
}
