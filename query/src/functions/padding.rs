//! `LPAD`, `RPAD` and `REPEAT`, whose results are as long as a number says: asked for before they are made.

use super::row_function::{Kind, Row, RowFunction, Value, check_bytes};
use crate::error::QueryError;

pub(super) const FUNCTIONS: &[RowFunction] = &[
    RowFunction {
        name: "lpad",
        aliases: &[],
        usage: "LPAD(text, 10[, ' '])",
        parameters: &[Kind::Text, Kind::Long, Kind::Text],
        required: 2,
        result: Kind::Text,
        bind: |_| Ok(Box::new(|row| pad(row, true))),
    },
    RowFunction {
        name: "rpad",
        aliases: &[],
        usage: "RPAD(text, 10[, ' '])",
        parameters: &[Kind::Text, Kind::Long, Kind::Text],
        required: 2,
        result: Kind::Text,
        bind: |_| Ok(Box::new(|row| pad(row, false))),
    },
    RowFunction {
        name: "repeat",
        aliases: &[],
        usage: "REPEAT(text, 3)",
        parameters: &[Kind::Text, Kind::Long],
        required: 2,
        result: Kind::Text,
        bind: |_| Ok(Box::new(repeat)),
    },
];

/// The text in exactly so many characters; a longer one loses its end. Null for a negative number, as in Druid.
fn pad(row: &Row<'_>, is_left: bool) -> Result<Value, QueryError> {
    let Ok(length) = usize::try_from(row.long(1)) else { return Ok(Value::Null) };
    let (text, filling) = (row.text(0), if row.has(2) { row.text(2) } else { " " });
    let name = if is_left { "lpad" } else { "rpad" };
    // A character has up to four bytes.
    check_bytes(name, length.saturating_mul(4))?;
    let missing = length.saturating_sub(text.chars().count());
    let filling: String = filling.chars().cycle().take(missing).collect();
    let text: String = text.chars().take(length).collect();
    Ok(Value::Text(if is_left { filling + &text } else { text + &filling }))
}

/// Null for less than once, as in Druid.
fn repeat(row: &Row<'_>) -> Result<Value, QueryError> {
    let Some(count) = usize::try_from(row.long(1)).ok().filter(|count| *count > 0) else { return Ok(Value::Null) };
    check_bytes("repeat", row.text(0).len().saturating_mul(count))?;
    Ok(Value::Text(row.text(0).repeat(count)))
}
